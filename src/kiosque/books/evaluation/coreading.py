"""Co-reading: do readers who liked a book also like those that are recommended from its description?

Ratings and books of goodbooks-10k (CC BY-SA 4.0). A book counts as co-read with another by the number of readers who
rated both 4 or 5. Only books with a description take part.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kiosque.core.book import Book

BOOKS_FILE = Path("books") / "goodbooks_books.csv.gz"
RATINGS_FILE = Path("books") / "goodbooks_ratings_100k_users_a.csv.gz"
LIKED = 4
LEAST_COREAD = 3
"""Books with fewer co-read ones are not asked about: their measure would be chance."""

_SERIES = re.compile(r"\s*\([^()]*\)\s*$")


@dataclass(frozen=True, slots=True)
class Readings:
    """Books in the order of their keys, and who goes with whom."""

    books: tuple[Book, ...]
    coread: dict[int, dict[int, int]]
    """Place of a book → place of another → readers who liked both."""
    likes: tuple[int, ...]
    """For each book, readers who liked it."""

    @property
    def asked(self) -> tuple[int, ...]:
        """The books with enough co-read ones to ask about."""
        return tuple(place for place in sorted(self.coread) if len(self.coread[place]) >= LEAST_COREAD)


def read_readings(datasets: Path) -> Readings | None:
    """The readings in the folder of third-party data sets; None where they are missing."""
    if not (datasets / BOOKS_FILE).exists() or not (datasets / RATINGS_FILE).exists():
        return None
    books = sorted(_books(datasets / BOOKS_FILE), key=lambda book: book.key)
    places = {book.key: place for place, book in enumerate(books)}
    liked: dict[str, list[int]] = defaultdict(list)
    for row in _rows(datasets / RATINGS_FILE):
        place = places.get(_key(row["book_id"]))
        if place is not None and int(row["rating"]) >= LIKED:
            liked[row["user_id"]].append(place)
    return Readings(tuple(books), count_pairs(list(liked.values())), _likes(liked.values(), len(books)))


def count_pairs(shelves: Sequence[Sequence[int]]) -> dict[int, dict[int, int]]:
    """For each two books on one shelf, on how many shelves they stand together."""
    pairs: dict[int, Counter[int]] = defaultdict(Counter)
    for shelf in shelves:
        for one in set(shelf):
            pairs[one].update(other for other in set(shelf) if other != one)
    return {one: dict(others) for one, others in pairs.items() if others}


def _likes(shelves: Iterable[Sequence[int]], size: int) -> tuple[int, ...]:
    counts = Counter(place for shelf in shelves for place in set(shelf))
    return tuple(counts[place] for place in range(size))


def _books(path: Path) -> Iterator[Book]:
    for row in _rows(path):
        description = row["description"] or row["nyt_description"]
        if description:
            genres = tuple(genre.strip() for genre in row["genres"].split(",") if genre.strip())
            author = row["authors"].partition(",")[0].strip()
            title = _SERIES.sub("", row["title"])
            yield Book(_key(row["book_id"]), title, author, subjects=genres, description=description)


def _key(number: str) -> str:
    return f"goodbooks:{int(number):05d}"


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)
