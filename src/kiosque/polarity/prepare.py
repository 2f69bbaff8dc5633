"""From a text and the places that name a target to what the model reads: short windows with the name hidden.

The model must not know whom a text is about, so every mention of the target becomes one placeholder. What stays
is what the text says. Training and serving call the same functions, so that they can't drift apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PLACEHOLDER = "[TARGET]"
"""Stands for the target, a token of its own in the model's vocabulary."""
WINDOW = 330
"""Code points that the model reads around a mention; longer texts are cut to windows of this width."""
MAX_CHARACTERS = 20_000
"""Longest text that is scored, per part; `core.text.clean_text` cuts there as well."""
MAX_WINDOWS = 32
"""Windows scored for one target in one part; later mentions of a text that needs more are left out."""

_POSSESSIVE_PRONOUNS = frozenset({"his", "their", "its", "our", "my", "your", "whose"})
_PRONOUNS = _POSSESSIVE_PRONOUNS | frozenset(
    {"he", "she", "it", "they", "we", "i", "you", "him", "her", "them", "us", "me", "hers", "theirs", "who"}
)
_SUFFIX = re.compile(r"(?:['’]s|(?<=s)['’])$")
_WORD = re.compile(r"\w+(?:[-'’.]\w+)*")
_SPECIAL = re.compile(r"\[(TARGET|CLS|SEP|MASK|PAD|UNK)\]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"'})

Offsets = tuple[int, int]
"""Start and end (exclusive) in code points."""


@dataclass(frozen=True, slots=True)
class Window:
    """What the model reads, and the mentions that it answers for. All offsets are those of the original text.

    `hidden` are all mentions of the target inside the window; `mentions` are those that no earlier window answered.
    """

    text: str
    mentions: tuple[Offsets, ...]
    hidden: tuple[Offsets, ...]
    start: int
    end: int


def find_mentions(text: str, name: str) -> tuple[Offsets, ...]:
    """Where `text` names `name`: whole words, any case, straight and curly quotes alike, a final s more or less.

    "Republican" finds "Republicans" and the other way round; a possessive 's is outside of the mention.
    No part of the name is looked for alone: whoever wants "Clinton" for "Hillary Clinton" gives the spans.
    """
    wanted = name.strip().translate(_QUOTES)
    if not wanted:
        return ()
    stem = wanted[:-1] if len(wanted) > 3 and wanted[-1] in "sS" else wanted
    optional = "s?" if len(wanted) > 3 and wanted[-1].isalpha() else ""
    body = r"\s+".join(re.escape(word) for word in stem.split())
    pattern = re.compile(rf"(?<!\w){body}{optional}(?!\w)", re.IGNORECASE)
    return tuple(match.span() for match in pattern.finditer(text.translate(_QUOTES)))


def trim_mention(text: str, mention: Offsets) -> Offsets:
    """`mention` without quotes and brackets at its edges and without a possessive 's, unless that is all of it."""
    start, end = mention
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and not text[end - 1].isalnum() and text[end - 1] not in ".'’":
        end -= 1
    suffix = _SUFFIX.search(text[start:end])
    if suffix and suffix.start() > 0:
        end = start + suffix.start()
    return (start, end) if start < end else mention


def spread_mentions(text: str, mentions: Iterable[Offsets]) -> tuple[Offsets, ...]:
    """`mentions` trimmed, in order and without overlaps, plus every other place where the same words stand.

    Otherwise a name that stands twice would be hidden once and read the second time. Pronouns are not spread.
    """
    trimmed = {trim_mention(text, mention) for mention in mentions}
    names = {text[start:end] for start, end in trimmed}
    spread = set(trimmed)
    for name in names:
        if len(name) > 1 and name.lower() not in _PRONOUNS and any(c.isupper() or c.isdigit() for c in name):
            pattern = rf"(?<!\w){re.escape(name)}(?!\w)"
            spread.update(match.span() for match in re.finditer(pattern, text))
    return _without_overlaps(spread)


def make_windows(text: str, mentions: Sequence[Offsets], *, width: int = WINDOW) -> tuple[Window, ...]:
    """The windows that together show every mention, at most `MAX_WINDOWS`.

    A text that is short enough is one window, with all mentions hidden in it and answered for together.
    """
    spread = spread_mentions(text, mentions)
    if not spread:
        return ()
    # Windows are cut where the names are hidden already: the length of a name must not move an edge.
    hidden = _hide(text, spread, 0, len(text))
    places = _placeholders(text, spread)
    if len(hidden) <= width:
        return (Window(hidden, spread, spread, 0, len(text)),)
    windows = []
    for first, last in _groups(places, width)[:MAX_WINDOWS]:
        start, end = _cut(hidden, places[first][0], places[last][1], width)
        inside = tuple(m for m, p in zip(spread, places, strict=True) if start <= p[0] and p[1] <= end)
        edges = (_original(start, places, spread), _original(end, places, spread))
        windows.append(Window(hidden[start:end], spread[first : last + 1], inside, *edges))
    return tuple(windows)


def list_words(text: str) -> tuple[Offsets, ...]:
    """The words of `text`; hyphens, apostrophes and full stops inside of a word belong to it."""
    return tuple(match.span() for match in _WORD.finditer(text))


def occlude(text: str, window: Window, word: Offsets) -> str:
    """What the model reads in `window` of `text` when `word` is left out."""
    left = _hide(text, [m for m in window.hidden if m[1] <= word[0]], window.start, word[0])
    right = _hide(text, [m for m in window.hidden if m[0] >= word[1]], word[1], window.end)
    return left + right


def _without_overlaps(mentions: Iterable[Offsets]) -> tuple[Offsets, ...]:
    """Longest first at the same place; what overlaps an earlier one goes."""
    kept: list[Offsets] = []
    for start, end in sorted(mentions, key=lambda m: (m[0], -m[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return tuple(kept)


def _placeholders(text: str, mentions: Sequence[Offsets]) -> list[Offsets]:
    """Where the placeholders of `mentions` stand once all are hidden."""
    places, shift = [], 0
    for start, end in mentions:
        length = len(_placeholder(text[start:end]))
        places.append((start + shift, start + shift + length))
        shift += length - (end - start)
    return places


def _original(position: int, places: Sequence[Offsets], mentions: Sequence[Offsets]) -> int:
    """The place in the original text of a `position` in the hidden one, which is not inside of a placeholder."""
    before = [(p, m) for p, m in zip(places, mentions, strict=True) if p[1] <= position]
    return position + (before[-1][1][1] - before[-1][0][1] if before else 0)


def _groups(places: Sequence[Offsets], width: int) -> list[tuple[int, int]]:
    """First and last index of neighbours that fit into half a window together: each keeps words on both sides."""
    groups: list[tuple[int, int]] = []
    for index, (_, end) in enumerate(places):
        if groups and end - places[groups[-1][0]][0] <= width // 2:
            groups[-1] = (groups[-1][0], index)
        else:
            groups.append((index, index))
    return groups


def _cut(text: str, first: int, last: int, width: int) -> Offsets:
    """`width` code points around `first`..`last`, moved to the nearest blanks inside."""
    room = max(0, width - (last - first))
    start = max(0, min(first - room // 2, len(text) - width))
    end = min(len(text), max(start + width, last))
    if start > 0:
        blank = text.find(" ", start, first)
        start = blank + 1 if blank >= 0 else start
    if end < len(text):
        blank = text.rfind(" ", last, end)
        end = blank if blank >= 0 else end
    return start, end


def _hide(text: str, mentions: Sequence[Offsets], start: int, end: int) -> str:
    pieces, at = [], start
    for first, last in mentions:
        pieces += [_plain(text[at:first]), _placeholder(text[first:last])]
        at = last
    return "".join([*pieces, _plain(text[at:end])])


def _plain(piece: str) -> str:
    """Text that imitates a token of the network's own must not pass for it, and half a character is none."""
    return _SURROGATE.sub("\ufffd", _SPECIAL.sub(r"(\1)", piece))


def _placeholder(name: str) -> str:
    """A possessive pronoun keeps its grammar: "his plan" reads "[TARGET]'s plan"."""
    return f"{PLACEHOLDER}'s" if name.lower() in _POSSESSIVE_PRONOUNS else PLACEHOLDER
