"""Books kept for articles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select

from kiosque.core.book import Book, Reasons, Recommendation, Shelf
from kiosque.core.errors import NotFound
from kiosque.store import models
from kiosque.store.article_rows import StoredArticle, from_row
from kiosque.store.books import book_from_row
from kiosque.store.paging import Order, Page, fetch_page
from kiosque.store.statements import chunked, upsert
from kiosque.store.tables import article, book, entity, mention, recommendation, shelf
from kiosque.store.tx import Tx


def replace(tx: Tx, shelves: Mapping[int, Shelf], made_at: datetime) -> int:
    """Make the shelf of each article (by pk) at its model version exactly the one given; returns how many books.

    An empty shelf is kept with its note. Books that are not in the store are left out.
    """
    by_version: dict[str, dict[int, Shelf]] = {}
    for pk in sorted(shelves):
        by_version.setdefault(shelves[pk].model_version, {})[pk] = shelves[pk]
    stored = 0
    for version, some in sorted(by_version.items()):
        version_pk = models.register(tx, models.BOOKS, version, made_at)
        for chunk in chunked(some.items()):
            stored += _replace_chunk(tx, dict(chunk), version_pk, made_at)
    return stored


def _replace_chunk(tx: Tx, shelves: dict[int, Shelf], version_pk: int, made_at: datetime) -> int:
    upsert(
        tx,
        shelf,
        [
            {"article_pk": pk, "version_pk": version_pk, "note": each.note, "made_at": made_at}
            for pk, each in shelves.items()
        ],
        ("article_pk", "version_pk"),
    )
    tx.execute(
        delete(recommendation).where(
            recommendation.c.version_pk == version_pk, recommendation.c.article_pk.in_(shelves)
        )
    )
    books = _book_pks(tx, {r.book.key for each in shelves.values() for r in each.recommendations})
    rows = [
        _row(pk, version_pk, books[each.book.key], each)
        for pk, some in shelves.items()
        for each in some.recommendations
        if each.book.key in books
    ]
    if rows:
        tx.execute(insert(recommendation), rows)
    return len(rows)


def _book_pks(tx: Tx, keys: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for chunk in chunked(keys):
        rows = tx.execute(select(book.c.key, book.c.pk).where(book.c.key.in_(chunk)))
        found.update({row.key: row.pk for row in rows})
    return found


def _row(article_pk: int, version_pk: int, book_pk: int, made: Recommendation) -> dict[str, Any]:
    reasons = made.reasons
    return {
        "article_pk": article_pk,
        "version_pk": version_pk,
        "rank": made.rank,
        "book_pk": book_pk,
        "score": made.score,
        "reasons": {
            "terms": reasons.terms,
            "subjects": reasons.subjects,
            "persons": reasons.persons,
            "sentence": reasons.sentence,
        },
    }


def of_articles(tx: Tx, article_pks: Iterable[int], *, model_version: str | None = None) -> dict[int, Shelf]:
    """The shelves of these articles; one that was never asked about is missing. None: the current books model."""
    version = model_version or models.current(tx, models.BOOKS)
    version_pk = models.version_pk(tx, models.BOOKS, version) if version else None
    found: dict[int, Shelf] = {}
    for chunk in chunked(article_pks if version_pk is not None else ()):
        notes = tx.execute(
            select(shelf.c.article_pk, shelf.c.note).where(
                shelf.c.version_pk == version_pk, shelf.c.article_pk.in_(chunk)
            )
        ).all()
        books = _of_chunk(tx, chunk, version_pk)
        for pk, note in notes:
            found[pk] = Shelf(tuple(books.get(pk, ())), str(version), note)
    return found


def _of_chunk(tx: Tx, pks: list[int], version_pk: int | None) -> dict[int, list[Recommendation]]:
    made = recommendation.c
    rows = tx.execute(
        select(made.article_pk, made.rank, made.score, made.reasons, book)
        .join(book, book.c.pk == made.book_pk)
        .where(made.version_pk == version_pk, made.article_pk.in_(pks))
        .order_by(made.article_pk, made.rank)
    )
    found: dict[int, list[Recommendation]] = {}
    for row in rows:
        found.setdefault(row.article_pk, []).append(
            Recommendation(book_from_row(row), row.rank, row.score, _reasons(row.reasons))
        )
    return found


def _reasons(stored: Mapping[str, Any]) -> Reasons:
    return Reasons(
        terms=tuple(stored["terms"]),
        subjects=tuple(stored["subjects"]),
        persons=tuple(stored["persons"]),
        sentence=stored["sentence"],
    )


def of_book(
    tx: Tx,
    book_key: str,
    *,
    model_version: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[tuple[StoredArticle, float]]:
    """The articles for which the book is recommended, with its score, best first. NotFound without the book."""
    book_pk = tx.scalar(select(book.c.pk).where(book.c.key == book_key))
    if book_pk is None:
        raise NotFound(f"There is no book {book_key[:200]!r}.")
    version_pk = models.version_pk(tx, models.BOOKS, model_version)
    made = recommendation.c
    statement = (
        select(article, made.score.label("book_score"))
        .join(recommendation, made.article_pk == article.c.pk)
        .where(made.book_pk == book_pk, made.version_pk == (version_pk or 0))
    )
    order = Order("book", (made.score, made.article_pk), descending=True)
    return fetch_page(tx, statement, order, limit=limit, cursor=cursor, make=_scored)


@dataclass(frozen=True, slots=True)
class Around:
    """A book that keeps coming up in the articles that name somebody."""

    book: Book
    articles: int
    """For how many of the articles looked at it is recommended."""


def around_entity(
    tx: Tx, entity_id: str, *, articles: int = 300, limit: int = 5
) -> tuple[int, tuple[Around, ...]]:
    """How many of the newest `articles` that name the entity have books, and the books that most of them share."""
    spoken_of = (
        select(mention.c.article_pk)
        .join(entity, entity.c.pk == mention.c.entity_pk)
        .where(
            entity.c.id == entity_id,
            mention.c.version_pk == (models.version_pk(tx, models.POLARITY, None) or 0),
        )
        .order_by(mention.c.day.desc(), mention.c.published_at.desc(), mention.c.article_pk.desc())
        .limit(articles)
        .cte("spoken_of")
    )
    made, number = recommendation.c, func.count().label("number")
    joined = recommendation.join(spoken_of, spoken_of.c.article_pk == made.article_pk)
    of_version = made.version_pk == (models.version_pk(tx, models.BOOKS, None) or 0)
    with_books = select(func.count(made.article_pk.distinct())).select_from(joined).where(of_version)
    counted = (
        select(made.book_pk, number, func.max(made.score).label("score"))
        .select_from(joined)
        .where(of_version)
        .group_by(made.book_pk)
        .subquery()
    )
    rows = tx.execute(
        select(book, counted.c.number)
        .join(counted, counted.c.book_pk == book.c.pk)
        .order_by(counted.c.number.desc(), counted.c.score.desc(), book.c.pk)
        .limit(limit)
    )
    return tx.scalar(with_books) or 0, tuple(Around(book_from_row(row), row.number) for row in rows)


def _scored(row: Row[Any]) -> tuple[StoredArticle, float]:
    return from_row(row), row.book_score
