"""Whether the words beside a part of a person's name make it the name of someone else.

Headlines capitalise every word, so a capital before a family name says nothing: "Voters Back Bush". What says
something is a given name that is not the person's own ("Ivanka Trump", "Rex Ryan"), a particle ("St. Paul"), a
woman's title that is not the person's ("Mrs. Lincoln"), another generation after the name ("Trump Jr."), or, where
the alias is rather a first name, a word after it that is no word of headlines ("Paul Thek").
"""

from __future__ import annotations

import re
from collections.abc import Callable

from kiosque.entities.fold import Folded
from kiosque.entities.lexicon import Name, NamePart
from kiosque.entities.names import (
    GENERATIONS,
    MOSTLY_GIVEN,
    PARTICLES,
    WOMENS_TITLES,
    family_names,
    given_names,
    is_ordinary,
)

Positions = tuple[int, int]
"""Start and end in the folded text."""

IsName = Callable[[int, int], bool]
"""Whether the folded text between two positions is a name watched that day, hence not a stranger's."""

_BEFORE = re.compile(r"(?:([\w'-]+) )?([\w'-]+) $")
_HYPHENED = re.compile(r"([\w']+)-$")
_WORD = re.compile(r"\w+")
_AFTER = re.compile(r"(,?) ([\w'-]+)")
_REACH = 64
"""Characters looked at on either side; longer words are no names."""


def stranger(folded: Folded, name: Name, start: int, end: int, is_name: IsName) -> Positions | None:
    """Where the words stand that make a stranger of `name` at `start`..`end`; None where nothing does."""
    if not name.person.words:
        return None
    after = _generation(folded, name, end) or _family_after(folded, name, start, end, is_name)
    if after is None and name.part is NamePart.FAMILY:
        return _before(folded, name, start, is_name)
    return after


def _before(folded: Folded, name: Name, start: int, is_name: IsName) -> Positions | None:
    hyphened = _HYPHENED.search(folded.text, max(0, start - _REACH), start)
    if hyphened is not None:
        return _double_name(folded, start, hyphened, is_name)
    found = _BEFORE.search(folded.text, max(0, start - _REACH), start)
    if found is None:
        return None
    word, here = found[2], found.span(2)
    if word in name.person.words:
        return _before_own(folded, name, found, is_name)
    if word in {"van", "von"}:
        return here
    if not _capital(folded, here[0]) or is_name(*here):
        return None
    if word in PARTICLES or word in WOMENS_TITLES or _is_given(word):
        return here
    return _before_initials(folded, name, found, is_name) if _are_initials(folded, *here) else None


def _before_own(folded: Folded, name: Name, found: re.Match[str], is_name: IsName) -> Positions | None:
    """ "Sara Delano Roosevelt" is not Franklin Delano Roosevelt."""
    first, second = found[1], found[2]
    if not first or first in name.person.words or second not in given_names() or not _is_given(first):
        return None
    here = found.span(1)
    return here if _capital(folded, here[0]) and not is_name(*here) else None


def _double_name(folded: Folded, start: int, found: re.Match[str], is_name: IsName) -> Positions | None:
    """ "Pierre-Paul" and "Jean-Paul": the alias is the second half of a first name."""
    here = found.span(1)
    second = _WORD.match(folded.text, start)
    if second is None or second[0] not in MOSTLY_GIVEN or not _is_given(found[1]) or is_name(*here):
        return None
    return here if _capital(folded, here[0]) else None


def _before_initials(folded: Folded, name: Name, found: re.Match[str], is_name: IsName) -> Positions | None:
    """By the given name in "Mary L. Trump", by the initial in "M. Trump"; "G.O.P." and "U.S." are no initials."""
    first, initials, own = found[1], found[2], name.person
    if first and _capital(folded, found.start(1)) and _is_given(first) and not is_name(*found.span(1)):
        return None if first in own.words else (found.start(1), found.end(2))
    return found.span(2) if len(initials) == 1 and initials not in own.initials else None


def _generation(folded: Folded, name: Name, end: int) -> Positions | None:
    found = _AFTER.match(folded.text, end, end + _REACH)
    if found is None or found[2] not in GENERATIONS or found[2] in name.person.words:
        return None
    return found.span(2)


def _family_after(folded: Folded, name: Name, start: int, end: int, is_name: IsName) -> Positions | None:
    """ "Bernie Madoff", "Paul Simon", "Grant M. Hill": the alias is a stranger's first name."""
    found = _AFTER.match(folded.text, end, end + _REACH)
    if name.part is NamePart.WHOLE or found is None or found[1] or not _capital(folded, found.start(2)):
        return None
    word, own = found[2].removesuffix("'s"), name.person
    here = (found.start(2), found.start(2) + len(word))
    if len(word) == 1:
        return here if _has_dot(folded, here[0]) and word not in own.initials | {"v"} else None
    if word in own.family or is_name(*here):
        return None
    alias = folded.text[start:end]
    if word in family_names():
        return here if name.part is NamePart.GIVEN or alias in given_names() else None
    return here if (name.part is NamePart.GIVEN or alias in MOSTLY_GIVEN) and not is_ordinary(word) else None


def _capital(folded: Folded, position: int) -> bool:
    return folded.original[folded.origin(position)].isupper()


def _has_dot(folded: Folded, position: int) -> bool:
    after = folded.origin(position) + 1
    return folded.original[after : after + 1] == "."


def _are_initials(folded: Folded, start: int, end: int) -> bool:
    """ "W", "J." or "H.W."; a dotless "A" or "I" is a word."""
    if end - start == 1:
        return folded.text[start] not in "ai" or _has_dot(folded, start)
    return end - start <= 3 and all(_has_dot(folded, position) for position in range(start, end))


def _is_given(word: str) -> bool:
    """Also "Mary-Kate": each part is a given name."""
    return all(part in given_names() for part in word.split("-"))
