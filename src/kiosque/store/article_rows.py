"""Articles as they come out of the store, and as they go in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from kiosque.core.article import Article, is_older
from kiosque.core.clock import to_utc
from kiosque.store.columns import day_number, month_number, storable

_MAX_NAME = 200
"""Sources and sections are cut there: they stand in indexes."""


@dataclass(frozen=True, slots=True)
class StoredArticle:
    """An article with what the store knows of it. `pk` is for other functions of the store, never for readers."""

    pk: int
    article: Article
    first_seen_at: datetime
    updated_at: datetime | None = None
    """When its text last changed, if it ever did."""

    @property
    def id(self) -> str:
        return self.article.id


def from_row(row: Row[Any]) -> StoredArticle:
    """Takes a row with every column of the table `article`."""
    return StoredArticle(
        pk=row.pk,
        article=Article(
            key=row.key,
            source=row.source,
            headline=row.headline,
            abstract=row.abstract,
            published_at=row.published_at,
            url=row.url,
            section=row.section,
            byline=tuple(row.byline),
            keywords=tuple(row.keywords),
            language=row.language,
            kind=row.kind,
            extra=tuple((name, value) for name, value in row.extra),
        ),
        first_seen_at=row.first_seen_at,
        updated_at=row.updated_at,
    )


def to_row(article: Article, seen_at: datetime) -> dict[str, Any]:
    """The row of an article that is new."""
    return {
        "id": article.id,
        "key": article.key,
        **counted_as(article),
        "headline": storable(article.headline),
        "abstract": storable(article.abstract),
        "published_at": article.published_at,
        "url": article.url,
        "section": section_of(article),
        "byline": article.byline,
        "keywords": article.keywords,
        "language": article.language,
        "kind": article.kind,
        "extra": article.extra,
        "first_seen_at": seen_at,
        "updated_at": None,
        "told_at": article.told_at,
    }


def section_of(article: Article) -> str | None:
    """The section under which an article is kept."""
    return article.section and storable(article.section[:_MAX_NAME])


def counted_as(article: Article) -> dict[str, Any]:
    """The source and the day under which an article is counted."""
    day = to_utc(article.published_at).date()
    return {
        "day": day_number(day),
        "month": month_number(day),
        "source": storable(article.source[:_MAX_NAME]),
    }


_TEXT = ("headline", "abstract")
_FILLABLE = ("headline", "abstract", "url", "section", "byline", "keywords", "language")


def revision(stored: dict[str, Any], sighted: dict[str, Any]) -> dict[str, Any]:
    """What of the row `stored` changes when `sighted`, a row of the same key, is seen.

    Empty columns are filled; the text is replaced if its own source says something else after it.
    """
    told, before = sighted["told_at"], stored["told_at"]
    same_source = stored["source"] == sighted["source"] and not is_older(told, before)
    changes: dict[str, Any] = {}
    if same_source and told is not None and told != before:
        changes["told_at"] = told
    for name in _FILLABLE:
        new = sighted[name]
        replaces = same_source and name in _TEXT and new != stored[name]
        if new and (replaces or not stored[name]):
            changes[name] = new
    return changes


def changes_text(changes: dict[str, Any]) -> bool:
    """Whether mentions must be found anew after `changes`."""
    return any(name in changes for name in _TEXT)
