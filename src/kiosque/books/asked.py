"""What is asked, checked and made comparable: every form of a query becomes weighted texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kiosque.books.catalogue import day_number
from kiosque.core.book import Book, BookQuery, ReadItem
from kiosque.core.clock import to_utc
from kiosque.core.errors import InvalidInput

MAX_BOOKS = 50
MAX_CHARACTERS = 20_000
"""Of a longer text the beginning is read; news articles put first what matters."""
MAX_READ = 50
"""Of a longer reading list the newest articles count."""
HALF_LIFE_DAYS = 30.0
"""An article read this long before the newest one weighs half as much."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A text to find books for, with its share in the answer; the shares of a query add up to 1."""

    text: str
    share: float = 1.0


def check(query: BookQuery) -> None:
    """Raises InvalidInput, with a hint, on a query that cannot be answered."""
    if not 1 <= query.k <= MAX_BOOKS:
        raise InvalidInput(f"k is {query.k}.", hint=f"Ask for 1 to {MAX_BOOKS} books.")
    given = sum((bool(query.text), bool(query.reader), query.book_key is not None))
    if given > 1:
        raise InvalidInput("More than one of text, reader and book is given.", hint="Give exactly one.")
    if query.book_key is None and not any(
        has_words(t) for t in (query.text, *(i.text for i in query.reader))
    ):
        raise InvalidInput("There is no text to find books for.", hint="Give a text with at least one word.")
    if query.min_score is not None and not 0.0 <= query.min_score <= 1.0:
        raise InvalidInput(f"min_score is {query.min_score}.", hint="Scores lie between 0 and 1.")
    if query.contemporary_on:
        day_number(query.contemporary_on)
    _check_years(query)


def describe(book: Book) -> str:
    """What a book is compared by: description first, since of a long text the beginning counts most."""
    return sentences(book.description, "; ".join(book.subjects), book.title)


def sentences(*pieces: str) -> str:
    """The pieces that are not empty as one text."""
    return ". ".join(piece.strip().rstrip(".") for piece in pieces if piece.strip())


def has_words(text: str) -> bool:
    """Whether there is a letter or digit among the characters that are read."""
    return any(character.isalnum() for character in text[:MAX_CHARACTERS])


def readable(text: str) -> str:
    """As much of `text` as is read; half characters, which bytes that are no text leave behind, become "?"."""
    return text[:MAX_CHARACTERS].encode("utf-8", "replace").decode("utf-8")


def passages(query: BookQuery, own: Book | None) -> tuple[Passage, ...]:
    """The texts of a checked query; `own` is the book that a "more like this" starts from."""
    if own is not None:
        return (Passage(readable(describe(own))),)
    if query.reader:
        return _read(query.reader)
    return (Passage(readable(query.text)),)


def _read(items: Sequence[ReadItem]) -> tuple[Passage, ...]:
    known = [item for item in items if has_words(item.text) and item.weight > 0]
    if not known:
        raise InvalidInput("No article of the reader weighs anything.", hint="Give a weight above 0.")
    newest = max((to_utc(i.read_at) for i in known if i.read_at), default=None)
    weighed = [(recency(item.read_at, newest) * item.weight, item) for item in known]
    weighed = sorted(weighed, key=lambda pair: -pair[0])[:MAX_READ]
    total = sum(weight for weight, _ in weighed)
    return tuple(Passage(readable(item.text), weight / total) for weight, item in weighed)


def recency(read_at: datetime | None, newest: datetime | None) -> float:
    """1 for the newest article, half of it each `HALF_LIFE_DAYS` before; an undated one counts as the newest."""
    if read_at is None or newest is None:
        return 1.0
    days = (newest - to_utc(read_at)).total_seconds() / 86_400
    return float(0.5 ** (days / HALF_LIFE_DAYS))


def _check_years(query: BookQuery) -> None:
    start, end = query.published_from, query.published_to
    if start is not None and end is not None and start > end:
        raise InvalidInput(f"Published from {start} to {end} is no span.", hint="Put the earlier year first.")
