"""Which words are given names, family names, titles: what tells a person from relatives and namesakes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from kiosque.core.entity import Entity, EntityKind
from kiosque.entities.fold import fold_text

WOMENS_TITLES = frozenset({"mrs", "miss", "ms", "lady", "madame", "mme", "dame"})
"""Before a family name these mean someone else, unless an alias of the entity has one ("Mrs. Clinton")."""

PARTICLES = frozenset(
    {"st", "saint", "san", "santa", "fort", "ft", "mount", "mt", "lake", "port", "camp", "cape"}
    | {"van", "von", "de", "del", "della", "di", "da", "du", "la", "le", "mc", "mac"}
)
"""Capitalised before a family name they make another name of it: St. Paul, Fort Scott, Van Dyke."""

GENERATIONS = frozenset({"jr", "sr", "ii", "iii", "iv", "2d", "2nd", "3d", "3rd", "4th"})
"""After a name they mean another generation, unless an alias of the entity has the same ("Biden Jr.")."""


@cache
def given_names() -> frozenset[str]:
    """The folded given names that this package ships."""
    return _read("given_names.txt")


@cache
def family_names() -> frozenset[str]:
    """The folded family names that this package ships."""
    return _read("family_names.txt")


@dataclass(frozen=True, slots=True)
class PersonNames:
    """What a person's own aliases say about the words that may stand round a part of the name; all folded."""

    family: frozenset[str]
    """Aliases that another alias ends in, or that stand before the comma of "Biden, Joseph R Jr"."""
    given: frozenset[str]
    """Aliases of one word that another alias begins with."""
    words: frozenset[str]
    """Every word of the aliases of several words, titles and "Jr" included."""

    @property
    def initials(self) -> frozenset[str]:
        return frozenset(word[0] for word in self.words)


NOBODY = PersonNames(frozenset(), frozenset(), frozenset())


def person_names(entity: Entity) -> PersonNames:
    """The names of `entity`; empty for what is not a person."""
    if entity.kind is not EntityKind.PERSON:
        return NOBODY
    aliases = {fold_text(text) for text in (entity.name, *(alias.text for alias in entity.aliases))}
    long = [_words(alias) for alias in aliases if " " in alias]
    family = {" ".join(words[cut:]) for words in long for cut in range(1, len(words))}
    family |= {alias.partition(",")[0] for alias in aliases if "," in alias}
    given = {words[0] for words in long}
    return PersonNames(
        family=frozenset(aliases & family),
        given=frozenset(aliases & given - family),
        words=frozenset(word for words in long for word in words)
        | frozenset(
            word for alias in aliases if " " in alias for word in alias.split() if word in GENERATIONS
        ),
    )


def _words(alias: str) -> list[str]:
    """The words of a name, given names first, without "Jr"."""
    family, comma, given = alias.partition(",")
    words = f"{given} {family}".split() if comma else alias.split()
    while len(words) > 1 and words[-1].strip(",") in GENERATIONS:
        words.pop()
    return [word for word in words if word not in GENERATIONS or not comma]


def _read(name: str) -> frozenset[str]:
    text = files("kiosque.entities").joinpath(name).read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return frozenset(fold_text(word) for line in lines for word in line.split())
