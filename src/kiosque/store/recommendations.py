"""Books kept for articles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from kiosque.core.book import Shelf
from kiosque.store.articles import StoredArticle
from kiosque.store.paging import Page
from kiosque.store.tx import Tx


def replace(tx: Tx, shelves: Mapping[int, Shelf], made_at: datetime) -> int:
    """Make the shelf of each article (by pk) at its model version exactly the one given; returns how many books.

    An empty shelf is kept with its note. Books that are not in the store are left out.
    """
    raise NotImplementedError


def of_articles(tx: Tx, article_pks: Iterable[int], *, model_version: str | None = None) -> dict[int, Shelf]:
    """The shelves of these articles; one that was never asked about is missing. None: the current books model."""
    raise NotImplementedError


def of_book(
    tx: Tx,
    book_key: str,
    *,
    model_version: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[tuple[StoredArticle, float]]:
    """The articles for which the book is recommended, with its score, best first. NotFound without the book."""
    raise NotImplementedError
