"""Finds whom an article names.

The rules, in the order in which they apply to every place where the text of an alias stands:

1. Whole words only: not in "Trumpington", not in "O'Conor", but before a possessive ("Trump's", "Sanders'").
2. The alias's case rule holds (`core.entity.CaseRule`).
3. The alias is valid on the day on which the article was published.
4. It does not stand inside one of the entity's exclude phrases.
5. For a part of a person's name: the words beside it do not make it someone else's (`neighbours`).
6. The longest name wins; on equal length the first. Nothing is found inside a name that won.
7. A name left with several entities is ambiguous. It is resolved to the one among them that the same article names
   unambiguously, in headline, abstract or keywords; where there is none, or more than one, it is no match and is
   reported.

The order of the entities makes no difference. Text, accents, quotes and initials are compared as `fold` says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from kiosque.core.article import Article, Field
from kiosque.core.clock import to_utc
from kiosque.core.entity import CaseRule, Entity, Match, Span
from kiosque.core.errors import InvalidInput
from kiosque.entities.decision import Ambiguity, Decision, MatchResult, Verdict, reason
from kiosque.entities.fold import Folded, fold
from kiosque.entities.lexicon import Lexicon, Name, stands_alone
from kiosque.entities.neighbours import Positions, stranger


@dataclass(slots=True)
class _Candidate:
    """One alias where it stands; `evidence` says what the verdict rests on."""

    name: Name
    span: Span
    start: int
    end: int
    verdict: Verdict = Verdict.MATCH
    evidence: str = ""

    @property
    def entity_id(self) -> str:
        return self.name.entity.id


@dataclass(slots=True)
class _Reading:
    """One part of an article with everything found in it."""

    folded: Folded
    part: Field
    candidates: list[_Candidate] = field(default_factory=list)
    excluded: list[tuple[int, int, frozenset[str]]] = field(default_factory=list)
    hits: int = 0

    def text(self, span: Span) -> str:
        return self.folded.original[span.start : span.end]

    def text_at(self, start: int, end: int) -> str:
        """The original of what stands at these positions of the folded text."""
        return self.text(Span(self.part, *self.folded.span(start, end)))


class Matcher:
    """Finds the given entities in articles. Immutable: build a new one when an entity or alias changes.

    Building takes time in proportion to the characters of all aliases, matching in proportion to the text and
    the names in it, however many aliases there are.
    """

    def __init__(self, entities: Sequence[Entity]) -> None:
        self.entities = {entity.id: entity for entity in sorted(entities, key=lambda e: e.id)}
        if len(self.entities) != len(entities):
            raise InvalidInput("Two entities have the same id.", hint="Give each entity an id of its own.")
        self._lexicon = Lexicon(entities)

    @property
    def nodes(self) -> int:
        """How large the automaton is, in nodes."""
        return self._lexicon.nodes

    def match(self, article: Article) -> MatchResult:
        """Everyone whom `article` names on the day, in UTC, on which it was published."""
        day = to_utc(article.published_at).date()
        return self.match_text(article.headline, article.abstract, day, keywords=article.keywords)

    def match_text(
        self, headline: str, abstract: str, day: date, *, keywords: Sequence[str] = ()
    ) -> MatchResult:
        """The same for texts that are no article. `keywords` only settle ambiguities."""
        readings = self._read(headline, abstract, day, keywords)
        if not readings:
            return _NOTHING
        matches: defaultdict[str, dict[Span, None]] = defaultdict(dict)
        shared: defaultdict[Span, set[str]] = defaultdict(set)
        texts: dict[Span, str] = {}
        for reading in readings:
            for found in reading.candidates:
                if found.verdict in (Verdict.MATCH, Verdict.RESOLVED):
                    matches[found.entity_id][found.span] = None
                elif found.verdict is Verdict.AMBIGUOUS:
                    shared[found.span].add(found.entity_id)
                    texts[found.span] = reading.text(found.span)
        return MatchResult(
            matches=tuple(Match(entity_id, tuple(spans)) for entity_id, spans in matches.items()),
            ambiguous=tuple(Ambiguity(s, texts[s], tuple(sorted(ids))) for s, ids in shared.items()),
            hits=sum(reading.hits for reading in readings),
        )

    def explain(
        self, headline: str, abstract: str, day: date, *, keywords: Sequence[str] = ()
    ) -> tuple[Decision, ...]:
        """Every whole-word occurrence of every alias in reading order, with what was decided and why."""
        return tuple(
            _decision(found, reading, day)
            for reading in self._read(headline, abstract, day, keywords)
            for found in reading.candidates
        )

    def _read(self, headline: str, abstract: str, day: date, keywords: Sequence[str]) -> list[_Reading]:
        readings = []
        for part, text in ((Field.HEADLINE, headline), (Field.ABSTRACT, abstract)):
            if text and (reading := self._scan(text, part, day)):
                _settle(reading)
                readings.append(reading)
        if not readings:
            return readings
        unsure = [c for r in readings for c in r.candidates if c.verdict is Verdict.AMBIGUOUS]
        if unsure:
            _resolve(unsure, _named(readings) | self._named_in(keywords, day))
        return readings

    def _scan(self, text: str, part: Field, day: date) -> _Reading | None:
        """Rules 1 to 4; None where the text of no alias stands, as in most texts."""
        folded = fold(text)
        hits = self._lexicon.hits(folded)
        if not hits:
            return None
        reading = _Reading(folded, part, hits=len(hits))
        for phrase, start, end in hits:
            if not stands_alone(reading.folded, start, end):
                continue
            if phrase.excluded:
                reading.excluded.append((start, end, phrase.excluded))
            span = Span(part, *reading.folded.span(start, end))
            reading.candidates.extend(_Candidate(name, span, start, end) for name in phrase.names)
        reading.candidates.sort(key=lambda c: (c.start, -c.end, c.entity_id))
        _check(reading, day)
        return reading

    def _named_in(self, keywords: Sequence[str], day: date) -> set[str]:
        scans = (self._scan(keyword, Field.HEADLINE, day) for keyword in keywords)
        readings = [reading for reading in scans if reading is not None]
        for reading in readings:
            _settle(reading)
        return _named(readings)


_NOTHING = MatchResult(matches=(), ambiguous=(), hits=0)


def _check(reading: _Reading, day: date) -> None:
    """Rules 2 to 4."""
    for found in reading.candidates:
        if not _case_fits(found, reading):
            found.verdict = Verdict.WRONG_CASE
        elif not found.name.alias.valid_on(day):
            found.verdict = Verdict.OTHER_DAY
    if reading.excluded:
        _exclude(reading)


def _exclude(reading: _Reading) -> None:
    """Rule 4, in one pass: of the phrases that begin at or before a name, the one that ends last decides."""
    phrases = sorted(reading.excluded, key=lambda e: (e[0], e[1]), reverse=True)
    furthest: dict[str, tuple[int, int]] = {}
    for found in reading.candidates:
        while phrases and phrases[-1][0] <= found.start:
            start, end, entities = phrases.pop()
            furthest.update((e, (start, end)) for e in entities if end > furthest.get(e, (0, 0))[1])
        start, end = furthest.get(found.entity_id, (0, 0))
        if found.end <= end and found.verdict is Verdict.MATCH:
            found.verdict, found.evidence = Verdict.EXCLUDED, reading.text_at(start, end)


def _case_fits(found: _Candidate, reading: _Reading) -> bool:
    folded = reading.folded
    if found.name.alias.case is CaseRule.EXACT:
        return _straight(reading.text(found.span)) == _straight(found.name.alias.text)
    return all(folded.original[folded.origin(found.start + p)].isupper() for p in found.name.capitals)


def _settle(reading: _Reading) -> None:
    """Rules 5 and 6, and who is ambiguous."""
    live = [c for c in reading.candidates if c.verdict is Verdict.MATCH]
    for found, words in _strangers(live, reading.folded):
        found.verdict, found.evidence = Verdict.STRANGER, reading.text_at(*words)
    live = [c for c in live if c.verdict is Verdict.MATCH]
    if len(live) < 2:
        return
    for found, longer in _inside(live):
        found.verdict, found.evidence = Verdict.INSIDE_LONGER, reading.text(longer.span)
    _mark_ambiguous([c for c in live if c.verdict is Verdict.MATCH])


def _strangers(live: Sequence[_Candidate], folded: Folded) -> list[tuple[_Candidate, Positions]]:
    places = {(c.start, c.end) for c in live}

    def is_name(start: int, end: int) -> bool:
        return (start, end) in places

    judged = ((c, stranger(folded, c.name, c.start, c.end, is_name)) for c in live)
    return [(found, words) for found, words in judged if words is not None]


def _inside(live: Sequence[_Candidate]) -> list[tuple[_Candidate, _Candidate]]:
    """Pairs of a candidate and the longer one that takes its place; the longest first, then the first.

    A winner is never shorter than what comes after it, so one that overlaps covers the latter's first or last
    character: two look-ups decide, and the work grows with the text.
    """
    owner: dict[int, _Candidate] = {}
    lost: list[tuple[_Candidate, _Candidate]] = []
    for found in sorted(live, key=lambda c: (c.start - c.end, c.start)):
        longer = owner.get(found.start) or owner.get(found.end - 1)
        if longer is None:
            owner.update(dict.fromkeys(range(found.start, found.end), found))
        elif longer.span != found.span:
            lost.append((found, longer))
    return lost


def _mark_ambiguous(winners: Iterable[_Candidate]) -> None:
    groups: defaultdict[Span, list[_Candidate]] = defaultdict(list)
    for found in winners:
        groups[found.span].append(found)
    for group in groups.values():
        names = {c.entity_id: c.name.entity.name for c in group}
        if len(names) > 1:
            for found in group:
                found.verdict, found.evidence = Verdict.AMBIGUOUS, " or ".join(names.values())


def _named(readings: Iterable[_Reading]) -> set[str]:
    return {c.entity_id for r in readings for c in r.candidates if c.verdict is Verdict.MATCH}


def _resolve(unsure: Iterable[_Candidate], named: set[str]) -> None:
    """Rule 7."""
    groups: defaultdict[Span, list[_Candidate]] = defaultdict(list)
    for found in unsure:
        groups[found.span].append(found)
    for group in groups.values():
        meant = {c.entity_id for c in group} & named
        if len(meant) == 1:
            for found in group:
                found.verdict = Verdict.RESOLVED if found.entity_id in meant else Verdict.OTHER_MEANT


def _decision(found: _Candidate, reading: _Reading, day: date) -> Decision:
    text, name = reading.text(found.span), found.name
    why = reason(
        found.verdict, entity=name.entity, alias=name.alias, text=text, day=day, evidence=found.evidence
    )
    return Decision(found.span, text, found.entity_id, name.alias, found.verdict, why)


def _straight(text: str) -> str:
    """`text` with plain quotes and single blanks, everything else as written."""
    return " ".join(text.translate({0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"'}).split())
