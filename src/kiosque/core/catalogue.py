"""Which book is which: ISBNs, the key of a work, and merging what several lists say of one work. Pure.

Two records are one work if they share an ISBN-13, else if title and author are the same once normalised. A title
without subtitle also stands for the one book of its author that adds a subtitle to it, unless there are two.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from kiosque.core.book import Book
from kiosque.core.errors import InvalidInput

_NOT_DIGIT = re.compile(r"[\s\-‐‑–.]")
_WORD = re.compile(r"[^\W_]+")
_SERIES = re.compile(r"\s*[(\[][^()\[\]]*(?:#|\bBook |\bVol)[^()\[\]]*[)\]]\s*$", re.IGNORECASE)
_ARTICLES = frozenset({"the", "a", "an"})
_CREDIT = re.compile(
    r"^(?:written and illustrated by|edited by|edited|by|with an introduction by)\s+", re.IGNORECASE
)
_NEXT_AUTHOR = re.compile(r"\s+(?:and|with|&|as told to)\s+|\s*[;/|&]\s*|\.\s+Illustrated\b", re.IGNORECASE)
_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "phd", "md", "dr", "esq"})
# What follows such a subtitle is a work of its own.
_OTHER_WORK = re.compile(
    r"(?:the )?(?:official |illustrated )*"
    r"(?:play|musical|screenplay|graphic novel|guide|companion|workbook|volume|vol|part|book|#)(?!\w)|#",
    re.IGNORECASE,
)
_SUBTITLE = re.compile(r":\s|\s[-–—]\s|;\s")
_KEY_LENGTH = 200
T = TypeVar("T", int, str)


def isbn13(raw: str) -> str | None:
    """The 13 digits of an ISBN-10 or ISBN-13 whose check digit is right; None for anything else.

    Leading zeros that a spreadsheet swallowed ("439023483") are put back where the check digit then fits.
    """
    digits = _NOT_DIGIT.sub("", raw.removesuffix(".0")).upper()
    if len(digits) == 13 and digits.isdecimal() and digits.isascii():
        return digits if digits[:3] in {"978", "979"} and _check13(digits[:12]) == digits[12] else None
    if not re.fullmatch(r"[0-9]{6,9}[0-9X]", digits):
        return None
    digits = digits.zfill(10)
    return "978" + digits[:9] + _check13("978" + digits[:9]) if _check10(digits[:9]) == digits[9] else None


def _check13(twelve: str) -> str:
    return str(-sum(int(digit) * (3 if i % 2 else 1) for i, digit in enumerate(twelve)) % 10)


def _check10(nine: str) -> str:
    rest = -sum(int(digit) * (10 - i) for i, digit in enumerate(nine)) % 11
    return "X" if rest == 10 else str(rest)


def normal_title(title: str) -> str:
    """`title` for comparing: no case, accents, punctuation, leading article or series in brackets; "&" is "and"."""
    words = _words(_SERIES.sub("", title).replace("&", " and "))
    return "-".join(words[1:] if len(words) > 1 and words[0] in _ARTICLES else words)


def main_title(title: str) -> str:
    """`normal_title` without the subtitle; the same as `normal_title` if there is none."""
    head = _SUBTITLE.split(_SERIES.sub("", title), maxsplit=1)[0]
    return normal_title(head) or normal_title(title)


def normal_author(author: str) -> str:
    """The first author for comparing: first initial and surname, e.g. `d-goodwin`; sources disagree on the rest."""
    first = _NEXT_AUTHOR.split(_CREDIT.sub("", author.strip()), maxsplit=1)[0]
    parts = [part.strip() for part in first.split(",") if part.strip()]
    if len(parts) > 1 and _is_surname(parts[0]) and not _is_suffix(parts[1]):
        first = f"{parts[1]} {parts[0]}"  # "Goodwin, Doris Kearns"
    elif parts:
        first = parts[0]
    words = _words(first)
    while len(words) > 1 and words[-1] in _SUFFIXES:
        words.pop()
    return "-".join([words[0][:1], words[-1]] if len(words) > 1 else words)


def _is_surname(part: str) -> bool:
    return len(part.split()) == 1


def _is_suffix(part: str) -> bool:
    return part.replace(".", "").lower() in _SUFFIXES


def _words(text: str) -> list[str]:
    letters = unicodedata.normalize("NFKD", text.casefold()).replace("’", "").replace("'", "")
    return _WORD.findall("".join(letter for letter in letters if not unicodedata.combining(letter)))


def book_key(*, title: str, author: str, isbn: str | None = None) -> str:
    """The key of a book: its work where title and author are known, else its ISBN-13, else its title alone.

    Raises InvalidInput where there is none of these.
    """
    work, writer = normal_title(title), normal_author(author)
    if isbn and not (work and writer):
        return f"isbn:{isbn}"
    if not work:
        raise InvalidInput("A book needs a title or an ISBN.", hint="Map its columns: --map column=title.")
    key = f"work:{work}/{writer}"
    if len(key) <= _KEY_LENGTH:
        return key
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{key[: _KEY_LENGTH - 17]}~{digest}"


class Catalogue:
    """Books, each work once. `add` says under which key a record was filed, so that placements can follow it."""

    def __init__(self, books: Iterable[Book] = ()) -> None:
        self._books: dict[str, Book] = {}
        self._by_isbn: dict[str, str] = {}
        self._by_main: dict[tuple[str, str], set[str]] = {}
        for book in books:
            self.add(book)

    def __len__(self) -> int:
        return len(self._books)

    def __iter__(self) -> Iterator[Book]:
        return iter(self._books.values())

    def get(self, key: str) -> Book | None:
        return self._books.get(key)

    def find(self, book: Book) -> Book | None:
        """The book here that is the same work as `book`, if there is one."""
        for isbn in _isbns(book):
            if isbn in self._by_isbn:
                return self._books[self._by_isbn[isbn]]
        namesake = self._books.get(book.key)
        if namesake:
            return namesake if _same_number(namesake, book) else self._books.get(_numbered_key(book))
        return self._by_subtitle(book)

    def add(self, book: Book) -> Book:
        """Files `book`, merged with the same work if that is here, and returns what is now filed."""
        known = self.find(book)
        if not known and book.key in self._books:
            book = replace(book, key=_numbered_key(book))
        filed = merge(known, book) if known else book
        self._books[filed.key] = filed
        for isbn in _isbns(filed):
            self._by_isbn.setdefault(isbn, filed.key)
        for title in {main_title(filed.title), main_title(book.title)}:
            self._by_main.setdefault((title, normal_author(filed.author)), set()).add(filed.key)
        return filed

    def _by_subtitle(self, book: Book) -> Book | None:
        main, writer = main_title(book.title), normal_author(book.author)
        keys = self._by_main.get((main, writer), set()) if main and writer else set()
        if len(keys) != 1:
            return None
        other = self._books[next(iter(keys))]
        bare = normal_title(book.title) == main or normal_title(other.title) == main
        apart = _is_other_work(book) or _is_other_work(other) or not _same_number(book, other)
        return other if bare and not apart else None


def _is_other_work(book: Book) -> bool:
    subtitle = _SUBTITLE.split(book.title, maxsplit=1)[1:]
    return bool(subtitle and _OTHER_WORK.match(subtitle[0]))


def _same_number(one: Book, other: Book) -> bool:
    """Whether neither is numbered in a series, or only one, or both alike: "(Avatar, #1)" is not "(Avatar, #2)"."""
    numbers = {"-".join(_words(match.group())) for match in _series(one, other)}
    return len(numbers) < 2


def _series(*books: Book) -> list[re.Match[str]]:
    return [match for book in books if (match := _SERIES.search(book.title))]


def _numbered_key(book: Book) -> str:
    return f"{book.key}/{'-'.join(_words(''.join(match.group() for match in _series(book))))}"


def _isbns(book: Book) -> tuple[str, ...]:
    return (book.isbn13, *book.editions) if book.isbn13 else book.editions


def merge(known: Book, other: Book) -> Book:
    """One record out of two of the same work. The key stays that of `known`; what is missing comes from `other`.

    The longer description, the earlier year and day and all subjects are kept.
    """
    isbn = known.isbn13 or other.isbn13
    return replace(
        known,
        author=known.author or other.author,
        year=_earlier(known.year, other.year),
        isbn13=isbn,
        publisher=known.publisher or other.publisher,
        subjects=_together(known.subjects, other.subjects),
        language=known.language or other.language,
        fiction=known.fiction if known.fiction is not None else other.fiction,
        description=max(known.description, other.description, key=len),
        published_on=_earlier(known.published_on, other.published_on),
        editions=tuple(e for e in _together(_isbns(known), _isbns(other)) if e != isbn),
    )


def _earlier(one: T | None, other: T | None) -> T | None:
    return min(one, other) if one is not None and other is not None else one if one is not None else other


def _together(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """Both without repeats, whatever their case."""
    seen = {value.casefold(): value for value in reversed((*one, *other))}
    return tuple(dict.fromkeys(seen[value.casefold()] for value in (*one, *other)))
