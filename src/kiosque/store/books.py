"""The catalogue of books and the best-seller lists they stood on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from kiosque.core.book import Book, ListPlacement
from kiosque.core.errors import InvalidInput, NotFound
from kiosque.store import search
from kiosque.store.columns import storable
from kiosque.store.paging import Order, Page, fetch_page
from kiosque.store.statements import bump, chunked, generation_of, stream, upsert
from kiosque.store.tables import book, book_placement
from kiosque.store.tx import Tx

_GENERATION = "books"
_MAX_KEY = 1000
_MAX_SORT_TITLE = 200


@dataclass(frozen=True, slots=True)
class BooksChange:
    """What `save` did."""

    added: int
    updated: int
    unchanged: int


def save(tx: Tx, books: Sequence[Book], at: datetime) -> BooksChange:
    """Add each book or bring the one with its key up to date. What a new version leaves empty is kept."""
    added = updated = 0
    for chunk in chunked(books):
        before = of_keys(tx, (each.key for each in chunk))
        after = dict(before)
        for each in chunk:
            after[each.key] = _merged(after.get(each.key), _storable(each))
        new = [each for key, each in after.items() if key not in before]
        changed = [each for key, each in after.items() if key in before and each != before[key]]
        _write(tx, new, changed, at)
        added += len(new)
        updated += len(changed)
    if added or updated:
        bump(tx, _GENERATION)
    return BooksChange(added, updated, len(books) - added - updated)


def _write(tx: Tx, new: list[Book], changed: list[Book], at: datetime) -> None:
    if new:
        tx.execute(insert(book), [_to_row(each, at) for each in new])
    for each in changed:
        tx.execute(update(book).where(book.c.key == each.key).values(_to_row(each, at)))


def _storable(given: Book) -> Book:
    """`given` as it comes back out of the store, so that saving it again changes nothing."""
    if not given.key or len(given.key) > _MAX_KEY:
        raise InvalidInput(f"A book's key has 1 to {_MAX_KEY} characters: {given.key[:80]!r}.")
    values = {field.name: getattr(given, field.name) for field in fields(given)}
    values = {name: storable(value) if isinstance(value, str) else value for name, value in values.items()}
    for name in ("subjects", "editions"):
        values[name] = tuple(storable(text) for text in values[name])
    return Book(**values)


def _merged(old: Book | None, new: Book) -> Book:
    if old is None:
        return new
    values = {
        field.name: getattr(old, field.name)
        if getattr(new, field.name) in (None, "", ())
        else getattr(new, field.name)
        for field in fields(new)
    }
    return Book(**values)


def _to_row(given: Book, at: datetime) -> dict[str, Any]:
    sort_title = search.fold(given.title)[:_MAX_SORT_TITLE]
    return {**asdict(given), "sort_title": sort_title, "changed_at": at}


def book_from_row(row: Row[Any]) -> Book:
    """Takes a row with every column of the table `book`; for the store's own joins."""
    return Book(
        key=row.key,
        title=row.title,
        author=row.author,
        year=row.year,
        isbn13=row.isbn13,
        publisher=row.publisher,
        subjects=tuple(row.subjects),
        language=row.language,
        fiction=row.fiction,
        description=row.description,
        published_on=row.published_on,
        editions=tuple(row.editions),
    )


def save_placements(tx: Tx, placements: Sequence[ListPlacement]) -> int:
    """Keep which book stood where on which list in which week; how many were new. Unknown books are left out."""
    before = _count_placements(tx)
    for chunk in chunked(placements):
        keys = {each.book_key for each in chunk}
        pks = {
            row.key: row.pk for row in tx.execute(select(book.c.key, book.c.pk).where(book.c.key.in_(keys)))
        }
        rows = {
            (pks[each.book_key], each.list_name, each.week): {
                "book_pk": pks[each.book_key],
                "list_name": each.list_name,
                "week": each.week,
                "rank": each.rank,
                "weeks_on_list": each.weeks_on_list,
            }
            for each in chunk
            if each.book_key in pks
        }
        upsert(tx, book_placement, list(rows.values()), ("book_pk", "list_name", "week"))
    return _count_placements(tx) - before


def _count_placements(tx: Tx) -> int:
    return tx.scalar(select(func.count()).select_from(book_placement)) or 0


def placements(tx: Tx, book_key: str) -> tuple[ListPlacement, ...]:
    """Where the book stood, newest week first."""
    stood = book_placement.c
    rows = tx.execute(
        select(book_placement)
        .join(book, book.c.pk == stood.book_pk)
        .where(book.c.key == book_key)
        .order_by(stood.week.desc(), stood.list_name)
    )
    return tuple(
        ListPlacement(book_key, row.list_name, row.week, row.rank, row.weeks_on_list) for row in rows
    )


def get(tx: Tx, key: str) -> Book:
    """Raises NotFound."""
    row = tx.execute(select(book).where(book.c.key == key)).one_or_none()
    if row is None:
        raise NotFound(f"There is no book {key[:200]!r}.")
    return book_from_row(row)


def of_keys(tx: Tx, keys: Iterable[str]) -> dict[str, Book]:
    """Those of the keys that are there."""
    found = {}
    for chunk in chunked(keys):
        rows = tx.execute(select(book).where(book.c.key.in_(chunk)))
        found.update({row.key: book_from_row(row) for row in rows})
    return found


def page(
    tx: Tx,
    *,
    query: str = "",
    language: str | None = None,
    fiction: bool | None = None,
    year_from: int | None = None,
    year_to: int | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Book]:
    """Books by title; with `query` (title, author, subjects, description) the best fit first."""
    statement = select(book)
    order = Order("title", (book.c.sort_title, book.c.pk))
    asked = search.parse(query)
    if query.strip():
        statement = statement.where(search.condition(tx.dialect.name, book, asked))
    if asked.wanted:
        hits = search.hits(tx.dialect.name, book, asked)
        statement = statement.join(hits, hits.c.pk == book.c.pk)
        order = Order("fit", (hits.c.score, book.c.pk), descending=True)
    equal = ((book.c.language, language), (book.c.fiction, fiction))
    statement = statement.where(*(column == value for column, value in equal if value is not None))
    if year_from is not None:
        statement = statement.where(book.c.year >= year_from)
    if year_to is not None:
        statement = statement.where(book.c.year <= year_to)
    return fetch_page(tx, statement, order, limit=limit, cursor=cursor, make=book_from_row)


def iterate(tx: Tx, *, chunk: int = 1000) -> Iterator[Book]:
    """Every book, in constant memory. `tx` must stay open."""
    for row in stream(tx, select(book).order_by(book.c.pk), chunk):
        yield book_from_row(row)


def languages(tx: Tx) -> tuple[str, ...]:
    """The languages of the catalogue as its records spell them, sorted."""
    rows = tx.execute(select(book.c.language).distinct().where(book.c.language.is_not(None)))
    return tuple(sorted(row.language for row in rows if row.language))


def count(tx: Tx) -> int:
    """How many books there are."""
    return tx.scalar(select(func.count()).select_from(book)) or 0


def generation(tx: Tx) -> int:
    """A number that grows whenever the catalogue changes."""
    return generation_of(tx, _GENERATION)
