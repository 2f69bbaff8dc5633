"""An article's text with every mention marked in its polarity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

from kiosque.core.article import Field
from kiosque.core.polarity import Probabilities, WordContribution
from kiosque.store.mentions import StoredMention
from kiosque.web.language import gettext
from kiosque.web.terms import term
from kiosque.web.wording import percent


@dataclass(frozen=True, slots=True)
class Marked:
    """One stretch of text to mark: offsets, the class of its polarity, what it says on hover."""

    start: int
    end: int
    polarity: str
    title: str


def marks_of(mentions: Iterable[StoredMention], part: Field) -> list[Marked]:
    """Where `part` names the entities of `mentions`."""
    return [
        Marked(
            scored.span.start,
            scored.span.end,
            str(scored.probabilities.polarity),
            gettext(
                "%(name)s: %(polarity)s, %(share)s",
                name=mention.entity_name,
                polarity=term(scored.probabilities.polarity),
                share=percent(_highest(scored.probabilities)),
            ),
        )
        for mention in mentions
        for scored in mention.mention.spans
        if scored.span.part is part
    ]


def _highest(probabilities: Probabilities) -> float:
    return max(probabilities.negative, probabilities.neutral, probabilities.positive)


def highlight(text: str, marks: Iterable[Marked]) -> Markup:
    """`text`, escaped, with the marks set in. One that overlaps an earlier one or lies outside is left out."""
    pieces: list[Markup] = []
    position = 0
    for mark in sorted(marks, key=lambda mark: (mark.start, -mark.end)):
        if not position <= mark.start < mark.end <= len(text):
            continue
        pieces.append(escape(text[position : mark.start]))
        pieces.append(
            Markup('<mark class="{}" title="{}" tabindex="0">{}</mark>').format(
                mark.polarity, mark.title, text[mark.start : mark.end]
            )
        )
        position = mark.end
    pieces.append(escape(text[position:]))
    return Markup("").join(pieces)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of an explanation. `size` grows with its share of the strongest contribution, 0 to 4."""

    text: str
    side: str
    size: int
    contribution: float


def words_of(contributions: Iterable[WordContribution]) -> list[Word]:
    """The words with their side and size, for a page."""
    known = list(contributions)
    strongest = max((abs(c.contribution) for c in known), default=0.0)
    return [
        Word(c.word, _side(c.contribution, strongest), _size(c.contribution, strongest), c.contribution)
        for c in known
    ]


def _side(contribution: float, strongest: float) -> str:
    if not strongest or abs(contribution) < strongest * 0.1:
        return "neutral"
    return "positive" if contribution > 0 else "negative"


def _size(contribution: float, strongest: float) -> int:
    return round(4 * abs(contribution) / strongest) if strongest else 0
