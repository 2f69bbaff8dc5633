"""Text as names are compared, and the way back to where each character came from.

Two texts name the same when they fold to the same: case, accents, ligatures, kinds of quotes and dashes,
runs of blanks, and the dots and blanks of initials and short titles make no difference ("J. F. K." = "JFK",
"Frémont" = "FREMONT", "Jr." = "Jr"). Case is not lost to the matcher: it looks it up in the original.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

ABBREVIATIONS = (
    *(
        "adm",
        "amb",
        "atty",
        "brig",
        "capt",
        "cmdr",
        "col",
        "dr",
        "fr",
        "gen",
        "gov",
        "hon",
        "jr",
        "lieut",
        "lt",
    ),
    *(
        "maj",
        "messrs",
        "mr",
        "mrs",
        "ms",
        "pres",
        "prof",
        "rep",
        "rev",
        "sec",
        "sen",
        "sgt",
        "sr",
        "st",
        "supt",
    ),
)
"""Short words whose full stop may be written or left out."""

_ONE_TO_ONE = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛ʼʹ′`´＇", "'"),
        **dict.fromkeys("“”„‟″«»＂", '"'),
        **dict.fromkeys("‐‑‒–—―−﹣－", "-"),
        **dict.fromkeys("\t\n\r\v\f\u00a0\u2007\u2009\u200a\u202f\u2028\u2029\u3000", " "),
        **dict.fromkeys("øØ", "o"),
        **dict.fromkeys("łŁ", "l"),
        **dict.fromkeys("đĐ", "d"),
        "ı": "i",
    }
)
_SPELT_OUT = {"æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}
# A dot after a single letter or an abbreviation; the letters of "o'clock" and "Trump's" are not single. It stays
# where the blank after it is missing ("Mr.Trump", "H.Clinton"), for it ends a word there, and where others follow.
_DOT = re.compile(
    rf"(?<![\w'])(?:[^\W\d_]\.(?!\.|[^\W\d_]{{2}})|(?:{'|'.join(ABBREVIATIONS)})\.(?![^\W_]|\.))"
)
# A blank between two initials: "j. f. k", or "H W" where the original has two capitals.
_BLANK = re.compile(r"(?<![\w'])[^\W\d_](\.?)( )(?=[^\W\d_](?:\.|(?![\w'])))")
# Two single letters beside one another. Begins with what is searched for fast: the blank between them.
_TWO_LETTERS = re.compile(r" (?<=[a-z] )(?<![\w'][a-z] )[a-z](?![\w'])")
_LIGHTEST_ACCENT = 10
"""Canonical combining class from which a mark is an accent or a point; below it stand the vowel signs,
viramas and nuktas of Indic scripts (0, 7, 9), which are letters. Source: Unicode Standard, section 4.3."""


class Folded(NamedTuple):
    """`text` is the folded text; `origins[i]` the offset in the original of what became its character i.

    `origins` is None where every character stands where it stood.
    """

    original: str
    text: str
    origins: Sequence[int] | None = None

    def origin(self, position: int) -> int:
        return position if self.origins is None else self.origins[position]

    def splits(self, position: int) -> bool:
        """Whether `position` lies inside what one original character became ("ß" → "s|s")."""
        if self.origins is None or not 0 < position < len(self.text):
            return False
        return self.origins[position] == self.origins[position - 1]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original's offsets of the folded text from `start` to `end`, end exclusive.

        Accents that follow belong to it, and so does the last dot of "F.D.R." and of "Biden Jr.".
        """
        first, last = self.origin(start), self.origin(end - 1) + 1
        while last < len(self.original) and _is_accent(self.original[last]):
            last += 1
        if self._ends_in_dropped_dot(end, last) and _takes_dot(self.original[first:last]):
            last += 1
        return first, last

    def _ends_in_dropped_dot(self, end: int, last: int) -> bool:
        return self.original[last : last + 1] == "." and self.text[end : end + 1] != "."


def _takes_dot(name: str) -> bool:
    return len(name) == 1 or "." in name or name.rpartition(" ")[2].lower() in ABBREVIATIONS


def fold(text: str) -> Folded:
    """`text` folded, with the way back."""
    simple = text.replace("’", "'").replace("‘", "'")
    if not _is_plain(simple):
        simple = text.translate(_ONE_TO_ONE)
    if simple.isascii():
        folded, origins = simple.lower(), None
    else:
        folded, origins = _fold_characters(text)
    if "." in folded or "  " in folded or _TWO_LETTERS.search(folded):
        return _without(Folded(text, folded, origins), _droppable(text, folded, origins))
    return Folded(text, folded, origins)


def _is_plain(text: str) -> bool:
    """Whether `_ONE_TO_ONE` leaves `text` as it is; so it does most headlines, and looking is faster than doing."""
    return text.isascii() and text.isprintable() and "`" not in text


def fold_text(text: str) -> str:
    """`text` folded and trimmed: what is compared."""
    return fold(text).text.strip()


def is_word_character(character: str) -> bool:
    """Letters, digits, the underscore, and marks that are letters: what a name must not be followed by."""
    return character.isalnum() or character == "_" or unicodedata.category(character)[0] == "M"


def _fold_characters(text: str) -> tuple[str, list[int]]:
    characters: list[str] = []
    origins: list[int] = []
    for offset, character in enumerate(text):
        folded = _fold_character(character)
        characters.append(folded)
        origins.extend([offset] * len(folded))
    return "".join(characters), origins


@lru_cache(maxsize=8192)
def _fold_character(character: str) -> str:
    character = character.translate(_ONE_TO_ONE)
    category = unicodedata.category(character)
    if category == "Cf":  # soft hyphens, joiners, marks of direction
        return ""
    if category[0] not in "LM":
        return character
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    spelt = "".join(_SPELT_OUT.get(c, c) for c in plain if not _is_accent(c))
    return spelt.translate(_ONE_TO_ONE)


def _is_accent(character: str) -> bool:
    return unicodedata.combining(character) >= _LIGHTEST_ACCENT


def _droppable(text: str, folded: str, origins: Sequence[int] | None) -> set[int]:
    """Positions in `folded` that do not count: dots of initials, blanks between them, repeated blanks."""
    drop = {found.end() - 1 for found in _DOT.finditer(folded)}
    for found in _BLANK.finditer(folded):
        before, after = found.start(), found.end()
        if found[1] or all(text[p if origins is None else origins[p]].isupper() for p in (before, after)):
            drop.add(found.start(2))
    drop.update(found.start() for found in re.finditer(r" (?= )", folded))
    return drop


def _without(folded: Folded, drop: set[int]) -> Folded:
    if not drop:
        return folded
    kept = [position for position in range(len(folded.text)) if position not in drop]
    return Folded(
        folded.original, "".join(folded.text[p] for p in kept), [folded.origin(position) for position in kept]
    )
