"""Which words are given names, family names, titles: what tells a person from relatives and namesakes."""

from __future__ import annotations

from collections.abc import Iterator
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

MOSTLY_GIVEN = frozenset(
    {
        "aaron",
        "adam",
        "alan",
        "albert",
        "allen",
        "alexander",
        "andrew",
        "anthony",
        "arnold",
        "austin",
        "barry",
    }
    | {"benjamin", "bernard", "bradley", "bruce", "calvin", "cameron", "carson", "charles", "craig"}
    | {"curtis", "dean", "dennis", "dominic", "douglas", "duncan", "dylan", "eric", "ernest", "ethan", "evan"}
    | {"frank", "frederick", "gerald", "gilbert", "glenn", "gordon", "graham", "gregory", "haley", "harvey"}
    | {
        "henry",
        "herman",
        "hillary",
        "howard",
        "hunter",
        "isaac",
        "jack",
        "jacob",
        "james",
        "jerome",
        "joseph",
    }
    | {"julian", "keith", "kelly", "kevin", "kim", "kirk", "lamar", "lawrence", "leon", "leonard", "lloyd"}
    | {
        "logan",
        "louis",
        "martin",
        "mason",
        "matthew",
        "melvin",
        "michael",
        "morgan",
        "nicholas",
        "noel",
        "oliver",
    }
    | {
        "oscar",
        "owen",
        "patrick",
        "paul",
        "perry",
        "peter",
        "philip",
        "ralph",
        "raymond",
        "richard",
        "robert",
    }
    | {"robin", "roger", "ross", "roy", "russell", "ryan", "samuel", "scott", "sidney", "simon", "spencer"}
    | {
        "stanley",
        "stephen",
        "stuart",
        "taylor",
        "terry",
        "theodore",
        "thomas",
        "todd",
        "tyler",
        "victor",
        "vincent",
    }
    | {"walter", "warren", "wayne", "wesley"}
)
"""Family names that news knows better as first names: a capitalised word after one that is no ordinary word is taken
for a family name ("Paul Thek"), whether or not `family_names` has it."""

_ENDINGS = ("s", "es", "ed", "d", "ing", "er", "ers", "ly")


@cache
def given_names() -> frozenset[str]:
    """The folded given names that this package ships."""
    return _read("given_names.txt")


@cache
def family_names() -> frozenset[str]:
    """The folded family names that this package ships."""
    return _read("family_names.txt")


@cache
def headline_words() -> frozenset[str]:
    """The folded ordinary words of headlines that this package ships, most of them in their basic form."""
    return _read("headline_words.txt")


def is_ordinary(word: str) -> bool:
    """Whether folded `word` is a word of headlines rather than a name, in any form: "vows", "vowing", "vow's".

    Any unknown word in -s counts as a verb, unless it is a known family name ("Stevens").
    """
    bare = word.removesuffix("'s")
    if bare in family_names():
        return False
    if bare.endswith("s") and not bare.endswith(("ss", "is", "us", "as")) and bare == word:
        return True
    return any(form in headline_words() for form in _forms(bare))


def _forms(word: str) -> Iterator[str]:
    yield from (word, *word.split("-"))
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= 3:
            yield from (stem, stem + "e")
            if stem[-1] == stem[-2]:
                yield stem[:-1]  # "quitting"
    if word.endswith(("ies", "ied")):
        yield word[:-3] + "y"


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
