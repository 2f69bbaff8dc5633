"""Why a book: the terms, subjects, persons and years that it shares with what was asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from kiosque.books.chronicle import Note
from kiosque.books.terms import STOP_WORDS, name_terms, stem, surfaces, words
from kiosque.core.book import Book, Reasons

MAX_TERMS = 6
MAX_NAMED = 4
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_GENERIC_WORDS = """
act administration affair age agency america american amendment army assembly association bank british
bureau cabinet campaign case church city civil coast cold college colonies commission committee company
conference congress constitution convention council country court crash crisis culture deal declaration
democratic department depression district doctrine economic economy election empire england era european
exposition federal first fire flight foreign france gold great gulf hall harbor history house immigration
independence industry institution international island islands labor law league liberty massacre mexican
migration military ministry monetary movement museum national nations native navy new nuclear office old
organization pact panic party peace policy politics power presidency press project prohibition public
purchase race railroad rebellion reform renaissance reconstruction republic republican revolution rights
river rush school science second senate settlement society south space spanish state states street strike
supreme territory third trade trail treaty trial union united university valley vietnam war west western
white women world york
"""
_GENERIC = frozenset(_GENERIC_WORDS.split())
"""Words of capitalised subjects that are no person: "Civil War", "New Deal"."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A text taken apart once, to be compared with many books."""

    stems: frozenset[str]
    surface: Mapping[str, str]
    """Stem → how the text has it."""


def take_apart(text: str) -> Wording:
    """The wording of `text`."""
    surface = surfaces(text)
    return Wording(frozenset(surface), surface)


def explain(
    asked: Wording, book: Book, rarity: Callable[[str], float], notes: Sequence[Note] = ()
) -> Reasons:
    """What `asked` and `book` share; the rarer a term in the catalogue, the earlier it is named. `notes` of the
    chronicle that the text was placed by may add persons and subjects that the text itself does not name.
    """
    named = [subject for subject in book.subjects if shares_name(asked.stems, subject)]
    persons = [subject for subject in named if is_person(subject)]
    subjects = [subject for subject in named if subject not in persons]
    wording = _wording_of(book)
    shared = sorted(asked.stems & wording.stems, key=lambda term: (-rarity(term), term))
    terms = _without_pieces(asked.surface[term] for term in shared)[:MAX_TERMS]
    said = _named(persons, subjects, terms)
    note, led = _led_on(wording.stems, notes, {stem(word) for name in said for word in words(name)})
    return Reasons(
        tuple(terms),
        tuple([*subjects, *(name for name in led if not is_person(name))][:MAX_NAMED]),
        tuple([*persons, *(name for name in led if is_person(name))][:MAX_NAMED]),
        _sentence(said, note, led),
    )


def shares_name(stems: frozenset[str], subject: str) -> bool:
    """Whether a text with these stems names `subject`: a person by the last name, anything else by all its words."""
    own = name_terms(subject)
    if not own:
        return False
    return own[-1] in stems if is_person(subject) else all(term in stems for term in own)


@lru_cache(maxsize=50_000)
def is_person(subject: str) -> bool:
    """Whether a subject reads like a person's name: two to four capitalised words, none of them a common noun."""
    found = subject.split()
    return 2 <= len(found) <= 4 and all(
        w[:1].isupper() and w.lower().strip(".,") not in _GENERIC for w in found
    )


@lru_cache(maxsize=2_000)
def _wording_of(book: Book) -> Wording:
    """The wording of a book; those at the top of many shelves are taken apart once."""
    return take_apart(" ".join((book.title, book.author, *book.subjects, book.description)))


def _without_pieces(terms: Iterable[str]) -> list[str]:
    """`terms` in their order, without the pieces of a compound that is named as a whole."""
    listed = list(terms)
    pieces = {piece.lower() for term in listed if "-" in term for piece in term.split("-")}
    return [term for term in listed if term.lower() not in pieces]


def _named(persons: list[str], subjects: list[str], terms: list[str]) -> list[str]:
    """What is said to be shared: persons, then subjects and terms that do not stand in a name already."""
    said = persons[:MAX_NAMED]
    covered = {stem(word) for name in said for word in words(name)}
    for term in [*subjects[:MAX_NAMED], *terms]:
        own = {stem(word) for word in words(term) if word.lower() not in STOP_WORDS}
        if not own <= covered:
            said.append(term)
            covered |= own
    return said[: MAX_TERMS + 1]


def _led_on(book: frozenset[str], notes: Sequence[Note], covered: set[str]) -> tuple[str, list[str]]:
    """The first note that has something in common with the book beyond what is said already, and what."""
    for note in notes:
        common = [
            name
            for name in dict.fromkeys((*note.persons, *note.subjects))
            if shares_name(book, name) and covered.isdisjoint(name_terms(name))
        ]
        if common:
            return note.title, common[:MAX_NAMED]
    return "", []


def _sentence(said: list[str], note: str, led: list[str]) -> str:
    """E.g. `shares: 1860, Chicago; by way of “Election of 1860”: Abraham Lincoln`."""
    parts = [f"shares: {', '.join(said)}"] if said else []
    if led:
        parts.append(f"by way of “{note}”: {', '.join(led)}")
    return "; ".join(parts) or "is close in subject"
