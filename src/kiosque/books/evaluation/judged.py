"""The judged queries: article texts with graded books of one or two catalogues (see `data/corpus/books`)."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosque.books.terms import index_terms
from kiosque.core.book import Book
from kiosque.core.errors import InvalidInput

Fields = Mapping[str, type]
"""What each line must have."""

DEMO, BEST, BOTH = "demo", "best", "both"
_QUERY: Fields = {"id": str, "headline": str, "abstract": str}
_JUDGEMENT: Fields = {"query": str, "catalogue": str, "title": str, "author": str, "grade": int}
_GRADES = range(4)
BEST_FILE = Path("books") / "nyt_bestsellers_catalogue.csv.gz"
"""Where the best-seller catalogue lies in the folder of third-party data sets."""


@dataclass(frozen=True, slots=True)
class Query:
    """One article. `answerable` is False where no book of any catalogue is graded above 0."""

    id: str
    text: str
    answerable: bool


@dataclass(frozen=True, slots=True)
class Collection:
    """Queries with their grades over one catalogue, or over two put side by side.

    Books of two catalogues are not merged: a work that stands in both was judged in both.
    """

    name: str
    books: tuple[Book, ...]
    """In the order of their keys, which is the order that an index gives them."""
    queries: tuple[Query, ...]
    grades: tuple[dict[int, int], ...]
    """For each query: place of a judged book → grade 0 to 3."""
    weeks: tuple[int, ...]
    """For each book, the weeks that it stood on a best-seller list; 0 where not known."""
    unmatched: tuple[str, ...] = ()
    """Judged books that the catalogue does not have; they are left out."""


def read_collections(
    queries: Path, qrels: Path, *, demo: Path, datasets: Path | None
) -> tuple[Collection, ...]:
    """Demo, best and both, as far as they are at hand. Raises InvalidInput on malformed files."""
    rows = list(_jsonl(qrels, _JUDGEMENT))
    answerable = {row["query"] for row in rows if row["grade"] > 0}
    asked = tuple(
        Query(row["id"], f"{row['headline']}. {row['abstract']}", row["id"] in answerable)
        for row in _jsonl(queries, _QUERY)
    )
    parts = {DEMO: [(book, 0) for book in _demo_books(demo)]}
    if datasets is not None and (datasets / BEST_FILE).exists():
        parts[BEST] = list(_best_books(datasets / BEST_FILE))
        parts[BOTH] = [*parts[BEST], *parts[DEMO]]
    return tuple(_collect(name, books, asked, rows) for name, books in parts.items())


def _collect(
    name: str, books: Sequence[tuple[Book, int]], asked: tuple[Query, ...], rows: Iterable[dict[str, Any]]
) -> Collection:
    ordered = sorted(books, key=lambda pair: pair[0].key)
    places = _places([book for book, _ in ordered])
    grades: dict[str, dict[int, int]] = {query.id: {} for query in asked}
    unmatched: set[str] = set()
    for row in rows:
        if name in (row["catalogue"], BOTH) and row["query"] in grades:
            place = _place(places, row)
            if place is None:
                unmatched.add(f"{row['title']} ({row['author']})")
            else:
                grades[row["query"]][place] = int(row["grade"])
    return Collection(
        name,
        tuple(book for book, _ in ordered),
        asked,
        tuple(grades[query.id] for query in asked),
        tuple(weeks for _, weeks in ordered),
        tuple(sorted(unmatched)),
    )


Places = dict[tuple[str, str], list[tuple[int, Book]]]
"""(catalogue, main title) → the books with it."""


def _places(books: Sequence[Book]) -> Places:
    places: Places = {}
    for place, book in enumerate(books):
        places.setdefault((book.key.partition(":")[0], _main(book.title)), []).append((place, book))
    return places


def _place(places: Places, row: dict[str, Any]) -> int | None:
    """Where a judged book stands: the one of that title and author, else, as catalogues are edited, the only one with
    that main title and a name of the author, else the only one with that main title.
    """
    found = places.get((row["catalogue"], _main(row["title"])), [])
    names = set(index_terms(row["author"]))
    exact = [place for place, book in found if (book.title, book.author) == (row["title"], row["author"])]
    by_author = [place for place, book in found if not names.isdisjoint(index_terms(book.author))]
    for fitting in (exact, by_author, [place for place, _ in found]):
        if len(fitting) == 1:
            return fitting[0]
    return None


def _main(title: str) -> str:
    return title.partition(":")[0].strip().casefold()


def _demo_books(path: Path) -> Iterator[Book]:
    for number, row in enumerate(_jsonl(path, {"title": str, "author": str})):
        yield Book(
            f"{DEMO}:{number:05d}",
            row["title"],
            row["author"],
            year=row.get("year"),
            subjects=tuple(row.get("subjects") or ()),
            language=row.get("language"),
            fiction=row.get("fiction"),
            description=row.get("description") or "",
        )


def _best_books(path: Path) -> Iterator[tuple[Book, int]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines)):
            book = Book(f"{BEST}:{number:05d}", row["title"], row["author"], description=row["description"])
            yield book, int(float(row["weeks_seen"] or 0))


def _jsonl(path: Path, fields: Fields) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _object(line, f"{path}:{number}", fields)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8 text.", hint="One JSON object a line.") from error


def _object(line: str, where: str, fields: Fields) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{where} is not JSON.", hint="One JSON object a line.") from error
    if not isinstance(row, dict):
        raise InvalidInput(f"{where} is not an object.", hint="One JSON object a line.")
    # a bool is an int to Python, not to who judges
    wrong = [
        n
        for n, kind in fields.items()
        if not isinstance(row.get(n), kind) or row[n] is True or row[n] is False
    ]
    if wrong:
        raise InvalidInput(
            f"{where}: {', '.join(wrong)} missing or of the wrong type.",
            hint=f"A line has {', '.join(f'{name} ({kind.__name__})' for name, kind in fields.items())}.",
        )
    if "grade" in fields and row["grade"] not in _GRADES:
        raise InvalidInput(f"{where}: the grade is {row['grade']}.", hint="Grades are 0, 1, 2 and 3.")
    return row
