"""All names watched, compiled for one pass over a text (Aho-Corasick)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

import ahocorasick

from kiosque.core.entity import Alias, CaseRule, Entity
from kiosque.entities.fold import Folded, fold, is_word_character
from kiosque.entities.names import PersonNames, person_names


class NamePart(Enum):
    """What an alias is of a person's name; everything else is WHOLE."""

    WHOLE = auto()
    FAMILY = auto()
    GIVEN = auto()


@dataclass(frozen=True, slots=True)
class Name:
    """One alias of one entity, ready to be checked where its folded text occurs."""

    entity: Entity
    alias: Alias
    part: NamePart
    person: PersonNames
    capitals: tuple[int, ...]
    """Positions in the folded alias whose original must be a capital letter."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A folded text that means something: names, and entities of which nothing inside it is a name."""

    length: int
    names: tuple[Name, ...]
    excluded: frozenset[str]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """`phrase` as whole words, at these positions of the folded text."""

    phrase: Phrase
    start: int
    end: int


class Lexicon:
    """Every alias and exclude phrase of `entities`. Immutable; safe to read from several threads."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._phrases = _phrases(entities)
        self._automaton = ahocorasick.Automaton(ahocorasick.STORE_INTS)
        for index, text in enumerate(self._phrases):
            self._automaton.add_word(text, index)
        self._by_index = tuple(self._phrases.values())
        if self._phrases:
            self._automaton.make_automaton()

    @property
    def nodes(self) -> int:
        """Size of the automaton: at most one node a character of all phrases, and the root."""
        return int(self._automaton.get_stats()["nodes_count"])

    def hits(self, folded: Folded) -> Sequence[tuple[Phrase, int, int]]:
        """Each place where the text of a phrase stands, also inside words, in one pass."""
        if not self._by_index or not (found := tuple(self._automaton.iter(folded.text))):
            return ()
        named = ((self._by_index[index], last + 1) for last, index in found)
        return [(phrase, end - phrase.length, end) for phrase, end in named]


def stands_alone(folded: Folded, start: int, end: int) -> bool:
    """Whether `start`..`end` is not part of a longer word.

    A possessive or a short form may follow ("Trump's", "Trump’ll", "Sanders'"), an elision precede ("d'Obama");
    "O'Conor" and "Trumps" are other words.
    """
    text = folded.text
    if folded.splits(start) or folded.splits(end):
        return False
    if start and is_word_character(text[start]) and _joined_before(folded, start):
        return False
    return not (end < len(text) and is_word_character(text[end - 1]) and _joined_after(text, end))


def _joined_before(folded: Folded, start: int) -> bool:
    text = folded.text
    if is_word_character(text[start - 1]):
        return True
    if text[start - 1] != "'" or start < 2 or not is_word_character(text[start - 2]):
        return False
    first = start - 2
    while first > 0 and is_word_character(text[first - 1]):
        first -= 1
    return text[first : start - 1] not in {"l", "d", "qu"} or folded.original[folded.origin(first)].isupper()


def _joined_after(text: str, end: int) -> bool:
    if is_word_character(text[end]):
        return True
    if text[end] != "'" or end + 1 >= len(text) or not is_word_character(text[end + 1]):
        return False
    last = end + 1
    while last < len(text) and is_word_character(text[last]):
        last += 1
    return text[end + 1 : last] not in {"s", "ll", "d", "ve", "re", "m"}


def _phrases(entities: Iterable[Entity]) -> dict[str, Phrase]:
    names: defaultdict[str, list[Name]] = defaultdict(list)
    excluded: defaultdict[str, set[str]] = defaultdict(set)
    for entity in sorted(entities, key=lambda e: e.id):
        person = person_names(entity)
        for alias in entity.aliases:
            folded = _trimmed(alias.text)
            if _comparable(folded.text):
                names[folded.text].append(_name(entity, alias, person, folded))
        for exclude in entity.excludes:
            excluded[_trimmed(exclude).text].add(entity.id)
    texts = sorted(names.keys() | {text for text in excluded if _comparable(text)})
    return {
        text: Phrase(len(text), tuple(names.get(text, ())), frozenset(excluded.get(text, ())))
        for text in texts
    }


def _comparable(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _trimmed(text: str) -> Folded:
    return fold(" ".join(text.split()))


def _name(entity: Entity, alias: Alias, person: PersonNames, folded: Folded) -> Name:
    part = NamePart.WHOLE
    if folded.text in person.family:
        part = NamePart.FAMILY
    elif folded.text in person.given:
        part = NamePart.GIVEN
    capitals = _capitals(folded) if alias.case is CaseRule.NAME else ()
    return Name(entity, alias, part, person, capitals)


def _capitals(folded: Folded) -> tuple[int, ...]:
    """Where a capital is asked for: the first letter of each word written with one ("McCain" allows "Mccain"),
    every letter of a word written all in capitals ("US"), and those of a word like "iPhone"."""
    found: list[int] = []
    position = 0
    for word in folded.text.split(" "):
        upper = [folded.original[folded.origin(position + i)].isupper() for i in range(len(word))]
        letters = sum(character.isalpha() for character in word)
        first = next((i for i, character in enumerate(word) if character.isalpha()), 0)
        if sum(upper) == letters > 1 or (word and not upper[first]):
            found.extend(position + i for i, capital in enumerate(upper) if capital)
        elif word:
            found.append(position + first)
        position += len(word) + 1
    return tuple(found)
