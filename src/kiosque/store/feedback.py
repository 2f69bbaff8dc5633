"""What people say of the answers: corrected polarities, thumbs on books. Later training reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select

from kiosque.core.errors import InvalidInput, NotFound
from kiosque.core.polarity import Polarity
from kiosque.store import models
from kiosque.store.statements import stream, upsert
from kiosque.store.tables import article, book, book_thumb, entity, label_correction, mention
from kiosque.store.tx import Tx
from kiosque.store.values import polarity_of


class BookVerdict(StrEnum):
    """What a reader thinks of a book that was offered."""

    USEFUL = "useful"
    NOT_USEFUL = "not_useful"
    ALREADY_READ = "already_read"


@dataclass(frozen=True, slots=True)
class Correction:
    """A person says that `article_id` speaks of `entity_id` in another way than the model found.

    `polarity` None says that the entity is not meant there at all.
    """

    article_id: str
    entity_id: str
    polarity: Polarity | None
    by: str
    at: datetime
    note: str = ""
    model_version: str | None = None
    """The version that was corrected."""
    model_polarity: Polarity | None = None
    """What it had said."""


@dataclass(frozen=True, slots=True)
class BookThumb:
    """A person's verdict on a book offered for an article (its id), or for a text (its digest)."""

    book_key: str
    verdict: BookVerdict
    by: str
    at: datetime
    article_id: str | None = None
    text_digest: str | None = None


@dataclass(frozen=True, slots=True)
class FeedbackCounts:
    """How much people have said."""

    corrections: int
    thumbs: int


def correct(
    tx: Tx,
    *,
    article_id: str,
    entity_id: str,
    polarity: Polarity | None,
    by: str,
    at: datetime,
    note: str = "",
) -> Correction:
    """Keep a correction; the same person's later one on the same mention replaces it.

    NotFound without the article or the entity.
    """
    article_pk = _pk(tx, article.c.pk, article.c.id == article_id, f"article {article_id!r}")
    entity_pk = _pk(tx, entity.c.pk, entity.c.id == entity_id, f"entity {entity_id!r}")
    version, said = _said(tx, article_pk, entity_pk)
    row = {
        "article_pk": article_pk,
        "entity_pk": entity_pk,
        "polarity": polarity and polarity.value,
        "made_by": by,
        "at": at,
        "note": note,
        "model_version": version,
        "model_polarity": said and said.value,
    }
    upsert(tx, label_correction, [row], ("article_pk", "entity_pk", "made_by"))
    return Correction(article_id, entity_id, polarity, by, at, note, version, said)


def _said(tx: Tx, article_pk: int, entity_pk: int) -> tuple[str | None, Polarity | None]:
    """What the current model says of the entity in the article, which is what the person saw."""
    version_pk = models.version_pk(tx, models.POLARITY, None)
    key = (mention.c.article_pk == article_pk, mention.c.entity_pk == entity_pk)
    row = tx.execute(
        select(mention.c.polarity).where(*key, mention.c.version_pk == (version_pk or 0))
    ).first()
    return (None, None) if row is None else (models.current(tx), polarity_of(row.polarity))


def thumb(
    tx: Tx,
    *,
    book_key: str,
    verdict: BookVerdict,
    by: str,
    at: datetime,
    article_id: str | None = None,
    text_digest: str | None = None,
) -> BookThumb:
    """Keep a verdict; the same person's later one on the same book and occasion replaces it.

    Exactly one of `article_id` and `text_digest` is given, else InvalidInput. NotFound without book or article.
    """
    if (article_id is None) == (text_digest is None):
        raise InvalidInput("A verdict on a book is about an article or about a text: give one of them.")
    book_pk = _pk(tx, book.c.pk, book.c.key == book_key, f"book {book_key!r}")
    article_pk = None
    if article_id is not None:
        article_pk = _pk(tx, article.c.pk, article.c.id == article_id, f"article {article_id!r}")
    row = {
        "book_pk": book_pk,
        "article_pk": article_pk,
        "text_digest": text_digest,
        "occasion": f"text:{text_digest}" if article_id is None else f"article:{article_id}",
        "verdict": verdict.value,
        "made_by": by,
        "at": at,
    }
    upsert(tx, book_thumb, [row], ("book_pk", "occasion", "made_by"))
    return BookThumb(book_key, verdict, by, at, article_id, text_digest)


def _pk(tx: Tx, column: ColumnElement[int], condition: ColumnElement[bool], what: str) -> int:
    pk = tx.scalar(select(column).where(condition))
    if pk is None:
        raise NotFound(f"There is no {what[:200]}.")
    return pk


def corrections_of(tx: Tx, article_id: str) -> tuple[Correction, ...]:
    """Corrections of one article, newest first."""
    statement = _corrections().where(article.c.id == article_id)
    newest_first = statement.order_by(label_correction.c.at.desc(), label_correction.c.pk.desc())
    return tuple(_correction(row) for row in tx.execute(newest_first))


def corrections(tx: Tx, *, chunk: int = 1000) -> Iterator[Correction]:
    """All corrections, oldest first, in constant memory."""
    oldest_first = _corrections().order_by(label_correction.c.at, label_correction.c.pk)
    for row in stream(tx, oldest_first, chunk):
        yield _correction(row)


def _corrections() -> Select[Any]:
    made = label_correction.c
    return (
        select(label_correction, article.c.id.label("article_id"), entity.c.id.label("entity_id"))
        .join(article, article.c.pk == made.article_pk)
        .join(entity, entity.c.pk == made.entity_pk)
    )


def _correction(row: Row[Any]) -> Correction:
    return Correction(
        article_id=row.article_id,
        entity_id=row.entity_id,
        polarity=Polarity(row.polarity) if row.polarity else None,
        by=row.made_by,
        at=row.at,
        note=row.note,
        model_version=row.model_version,
        model_polarity=Polarity(row.model_polarity) if row.model_polarity else None,
    )


def thumbs(tx: Tx, *, chunk: int = 1000) -> Iterator[BookThumb]:
    """All verdicts on books, oldest first, in constant memory."""
    made = book_thumb.c
    statement = (
        select(book_thumb, book.c.key.label("book_key"), article.c.id.label("article_id"))
        .join(book, book.c.pk == made.book_pk)
        .outerjoin(article, article.c.pk == made.article_pk)
        .order_by(made.at, made.pk)
    )
    for row in stream(tx, statement, chunk):
        verdict = BookVerdict(row.verdict)
        yield BookThumb(row.book_key, verdict, row.made_by, row.at, row.article_id, row.text_digest)


def verdicts_by_book(tx: Tx) -> dict[str, tuple[int, int]]:
    """Book key → how many verdicts say useful, how many say not useful. Books without either are left out."""
    said = book_thumb.c.verdict
    rows = tx.execute(
        select(book.c.key, said, func.count().label("n"))
        .join_from(book_thumb, book, book.c.pk == book_thumb.c.book_pk)
        .where(said.in_([BookVerdict.USEFUL.value, BookVerdict.NOT_USEFUL.value]))
        .group_by(book.c.key, said)
    )
    found: dict[str, tuple[int, int]] = {}
    for row in rows:
        useful, not_useful = found.get(row.key, (0, 0))
        is_useful = row.verdict == BookVerdict.USEFUL.value
        found[row.key] = (row.n, not_useful) if is_useful else (useful, row.n)
    return found


def books_read(tx: Tx, by: str) -> frozenset[str]:
    """Keys of the books that this person has called read already, on whatever occasion."""
    made = book_thumb.c
    rows = tx.execute(
        select(book.c.key)
        .join_from(book_thumb, book, book.c.pk == made.book_pk)
        .where(made.made_by == by, made.verdict == BookVerdict.ALREADY_READ.value)
    )
    return frozenset(row.key for row in rows)


def counts(tx: Tx) -> FeedbackCounts:
    """How many corrections and verdicts there are."""
    return FeedbackCounts(
        corrections=tx.scalar(select(func.count()).select_from(label_correction)) or 0,
        thumbs=tx.scalar(select(func.count()).select_from(book_thumb)) or 0,
    )
