"""Articles: one row a story, whoever delivered it and however often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Table, delete, func, or_, select, update

from kiosque.core.article import Article, article_id
from kiosque.core.errors import NotFound
from kiosque.store import tallies
from kiosque.store.article_list import (
    RANKED,
    ArticleFilter,
    Fit,
    Number,
    Sort,
    count,
    count_some,
    fit_of,
    iterate,
    page,
)
from kiosque.store.article_rows import (
    StoredArticle,
    changes_text,
    counted_as,
    from_row,
    revision,
    section_of,
    to_row,
)
from kiosque.store.statements import add_missing, chunked, insert_into
from kiosque.store.tables import (
    article,
    article_day,
    article_month,
    article_scoring,
    article_sighting,
    mention,
    section_month,
)
from kiosque.store.tx import Tx

__all__ = [
    "RANKED",
    "ArticleFilter",
    "Fit",
    "KnownArticle",
    "Number",
    "SavedArticle",
    "Sighting",
    "Sort",
    "StoredArticle",
    "count",
    "count_some",
    "find",
    "fit_of",
    "get",
    "iterate",
    "known",
    "latest",
    "of_pks",
    "page",
    "save",
    "sections",
    "sightings",
]


@dataclass(frozen=True, slots=True)
class SavedArticle:
    """What became of one article handed to `save`."""

    pk: int
    key: str
    new: bool
    """It was not in the store before."""
    changed: bool
    """It was, and its headline or abstract is another now: its mentions must be found anew."""


@dataclass(frozen=True, slots=True)
class KnownArticle:
    """Enough to tell whether an article is new, changed, or the same as before."""

    pk: int
    key: str
    source: str
    headline: str
    abstract: str
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """Another source that delivered the same story."""

    source: str
    seen_at: datetime
    url: str | None


def save(tx: Tx, articles: Sequence[Article], seen_at: datetime) -> list[SavedArticle]:
    """Store `articles`, each key once, and say what became of each, in the order given.

    One that is there already fills what was empty; from the same source a changed headline or abstract
    replaces the old one, unless it was told before (`Article.told_at`); from another source it leaves a `Sighting`.
    Times of publication never change.
    When a text changes, its mentions and scorings are deleted: their offsets no longer hold.
    """
    # in the order of their ids, so that two writers of the same articles on PostgreSQL wait in one order
    order = sorted(range(len(articles)), key=lambda place: articles[place].id)
    saved: dict[int, SavedArticle] = {}
    for places in chunked(order):
        chunk = _save_chunk(tx, [articles[place] for place in places], seen_at)
        saved.update(zip(places, chunk, strict=True))
    new = [articles[place] for place in order if saved[place].new]
    count_days(tx, new)
    tallies.fold(tx, section_month, _sections_of(new))
    return [saved[place] for place in range(len(articles))]


def count_days(tx: Tx, new: Sequence[Article]) -> None:
    """Add articles that are new to `article_day` and `article_month`.

    Last, and in the order of the keys, because on PostgreSQL others wait for these rows.
    """
    days, months = Counter[tuple[int, str, int]](), Counter[tuple[int, str]]()
    for each in new:
        place = counted_as(each)
        days[place["day"], place["source"], place["month"]] += 1
        months[place["month"], place["source"]] += 1
    _add(
        tx,
        article_day,
        ("day", "source"),
        [
            {"day": day, "source": source, "month": month, "articles": number}
            for (day, source, month), number in sorted(days.items())
        ],
    )
    _add(
        tx,
        article_month,
        ("month", "source"),
        [
            {"month": month, "source": source, "articles": number}
            for (month, source), number in sorted(months.items())
        ],
    )


def _sections_of(articles: list[Article]) -> list[tuple[str, int]]:
    return [(section_of(each) or "", counted_as(each)["month"]) for each in articles]


def _add(tx: Tx, table: Table, key: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    statement = insert_into(tx, table)
    more = {"articles": table.c.articles + statement.excluded.articles}
    if rows:
        tx.execute(statement.on_conflict_do_update(index_elements=key, set_=more), rows)


def _save_chunk(tx: Tx, chunk: list[Article], seen_at: datetime) -> list[SavedArticle]:
    rows = [to_row(each, seen_at) for each in chunk]
    stored = _stored(tx, (row["id"] for row in rows))
    unknown = {row["id"]: row for row in reversed(rows) if row["id"] not in stored}
    new = _insert(tx, [unknown[name] for name in sorted(unknown)])
    raced = _stored(tx, unknown.keys() - new.keys())
    stored |= raced | {name: {**unknown[name], "pk": pk} for name, pk in new.items()}
    first = {name: unknown[name] for name in new}
    changes, sightings = _revisions(rows, stored, first)
    _apply(tx, changes, seen_at)
    add_missing(tx, article_sighting, sightings, ("article_pk", "source"))
    return [
        SavedArticle(
            pk=stored[row["id"]]["pk"],
            key=row["key"],
            new=first.get(row["id"]) is row,
            changed=changes_text(changes.get(stored[row["id"]]["pk"], {})),
        )
        for row in rows
    ]


def _stored(tx: Tx, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Locked, so that what is decided by them still holds when it is written."""
    names = list(set(ids))
    if not names:
        return {}
    statement = _locked(select(article).where(article.c.id.in_(names)))
    return {row["id"]: dict(row) for row in tx.execute(statement).mappings()}


def _locked(statement: Select[Any]) -> Select[Any]:
    """The same articles, which nobody else changes until the transaction ends; in the order that new ones go in."""
    return statement.order_by(article.c.id).with_for_update(key_share=True)


def _insert(tx: Tx, rows: list[dict[str, Any]]) -> dict[str, int]:
    """The pk of each row that went in; another writer may have been faster with some."""
    if not rows:
        return {}
    statement = insert_into(tx, article).on_conflict_do_nothing(index_elements=["id"])
    inserted = tx.execute(statement.returning(article.c.id, article.c.pk), rows)
    return {row.id: row.pk for row in inserted}


def _revisions(
    rows: list[dict[str, Any]], stored: dict[str, dict[str, Any]], first: dict[str, dict[str, Any]]
) -> tuple[dict[int, dict[str, Any]], list[dict[str, Any]]]:
    """The changes by pk and the sightings that `rows` bring; each sees what the ones before it changed."""
    changes: dict[int, dict[str, Any]] = {}
    sightings = []
    for row in rows:
        there = stored[row["id"]]
        if first.get(row["id"]) is row:
            continue
        if revised := revision(there, row):
            there.update(revised)
            changes.setdefault(there["pk"], {}).update(revised)
        if row["source"] != there["source"]:
            sightings.append(
                {
                    "article_pk": there["pk"],
                    "source": row["source"],
                    "seen_at": row["first_seen_at"],
                    "url": row["url"],
                }
            )
    return changes, sightings


def _apply(tx: Tx, changes: dict[int, dict[str, Any]], seen_at: datetime) -> None:
    for pk in sorted(changes):
        values = changes[pk]
        if changes_text(values):
            values = {**values, "updated_at": seen_at}
            tx.execute(delete(mention).where(mention.c.article_pk == pk))
            tx.execute(delete(article_scoring).where(article_scoring.c.article_pk == pk))
        elif "section" in values:
            tx.execute(update(mention).where(mention.c.article_pk == pk).values(section=values["section"]))
        tx.execute(update(article).where(article.c.pk == pk).values(values))


def get(tx: Tx, name: str) -> StoredArticle:
    """The article with this id (16 hex digits) or key. Raises NotFound."""
    found = find(tx, name)
    if found is None:
        raise NotFound(f"There is no article {name[:200]!r}.", hint="Articles are named by id or by key.")
    return found


def find(tx: Tx, name: str) -> StoredArticle | None:
    """As `get`, None where there is none."""
    wanted = or_(article.c.id == name, article.c.id == article_id(name))
    rows = tx.execute(select(article).where(wanted).limit(2)).all()
    return from_row(rows[0]) if rows else None


def of_pks(tx: Tx, pks: Iterable[int], *, lock: bool = False) -> dict[int, StoredArticle]:
    """The articles with these pks; with `lock` nobody else changes them until `tx`, which writes, ends."""
    found = {}
    for chunk in chunked(sorted(pks)):
        statement = select(article).where(article.c.pk.in_(chunk))
        rows = tx.execute(_locked(statement) if lock else statement)
        found.update({row.pk: from_row(row) for row in rows})
    return found


def known(tx: Tx, keys: Iterable[str]) -> dict[str, KnownArticle]:
    """Which of `keys` are in the store, and with which text."""
    names = ("id", "pk", "source", "headline", "abstract", "told_at")
    columns = [article.c[name] for name in names]
    found = {}
    for chunk in chunked(keys):
        by_id = {article_id(key): key for key in chunk}
        for row in tx.execute(select(*columns).where(article.c.id.in_(by_id))):
            key = by_id[row.id]
            found[key] = KnownArticle(row.pk, key, row.source, row.headline, row.abstract, row.told_at)
    return found


def latest(tx: Tx, limit: int = 20, *, source: str | None = None) -> tuple[StoredArticle, ...]:
    """The articles that came in last; of those that came together the newest first."""
    columns = (article.c.first_seen_at, article.c.published_at, article.c.pk)
    statement = select(article).order_by(*(column.desc() for column in columns)).limit(limit)
    if source is not None:
        statement = statement.where(article.c.source == source)
    return tuple(from_row(row) for row in tx.execute(statement))


def sightings(tx: Tx, pk: int) -> tuple[Sighting, ...]:
    """Where else the article was seen, oldest first."""
    seen = article_sighting.c
    rows = tx.execute(
        select(article_sighting).where(seen.article_pk == pk).order_by(seen.seen_at, seen.source)
    )
    return tuple(Sighting(row.source, row.seen_at, row.url) for row in rows)


def sections(tx: Tx, limit: int = 100) -> tuple[tuple[str, int], ...]:
    """Sections with their number of articles, largest first."""
    number = func.sum(section_month.c.articles).label("number")
    rows = tx.execute(
        select(section_month.c.section, number)
        .where(section_month.c.section != "")
        .group_by(section_month.c.section)
        .having(number > 0)
        .order_by(number.desc(), section_month.c.section)
        .limit(limit)
    )
    return tuple((row.section, int(row.number)) for row in rows)
