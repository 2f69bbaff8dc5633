"""What people say of the answers: corrected polarities, thumbs on books. Later training reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kiosque.core.polarity import Polarity
from kiosque.store.tx import Tx


class BookVerdict(StrEnum):
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
    raise NotImplementedError


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
    raise NotImplementedError


def corrections_of(tx: Tx, article_id: str) -> tuple[Correction, ...]:
    """Corrections of one article, newest first."""
    raise NotImplementedError


def corrections(tx: Tx, *, chunk: int = 1000) -> Iterator[Correction]:
    """All corrections, oldest first, in constant memory."""
    raise NotImplementedError


def thumbs(tx: Tx, *, chunk: int = 1000) -> Iterator[BookThumb]:
    """All verdicts on books, oldest first, in constant memory."""
    raise NotImplementedError


def counts(tx: Tx) -> FeedbackCounts:
    raise NotImplementedError
