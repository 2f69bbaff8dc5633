"""Mentions: who is named in an article, where, and how the article speaks of them, by model version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, exists, func, select

from kiosque.core.article import Field
from kiosque.core.entity import EntityKind
from kiosque.core.errors import NotFound
from kiosque.core.polarity import Mention, Outcome, Probabilities
from kiosque.store import models, tallies
from kiosque.store.article_rows import StoredArticle, from_row
from kiosque.store.statements import chunked, upsert
from kiosque.store.tables import (
    article,
    article_scoring,
    entity,
    mention,
    mention_day,
    mention_month,
    mention_place,
    mention_year,
    model_version,
    scoring_total,
)
from kiosque.store.tx import Tx
from kiosque.store.values import UNSCORED, pack_spans, polarity_number, polarity_of_part, unpack_spans

_KEY = ("article_pk", "version_pk", "entity_pk")
_REPEATED = ("published_at", "day", "month", "source", "section")


@dataclass(frozen=True, slots=True)
class ScoredArticle:
    """Everything that matching and scoring found in one article. No mention is an answer, too."""

    article_pk: int
    mentions: tuple[Mention, ...] = ()
    ambiguous: int = 0
    """Names left out because on their date they could be more than one entity."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """That an article was matched and scored: by which model version and which generation of the entities."""

    article_pk: int
    model_version: str
    generation: int
    ambiguous: int
    scored_at: datetime


@dataclass(frozen=True, slots=True)
class StoredMention:
    """A mention with the name of its entity."""

    article_pk: int
    entity_name: str
    entity_kind: EntityKind
    mention: Mention

    @property
    def entity_id(self) -> str:
        return self.mention.entity_id


def save(
    tx: Tx, scored: Sequence[ScoredArticle], *, model_version: str, generation: int, scored_at: datetime
) -> int:
    """Make the mentions of each article at `model_version` exactly those given; returns how many are stored.

    Mentions of an entity that was deleted meanwhile are left out.
    """
    version_pk = models.register(tx, models.POLARITY, model_version, scored_at)
    # sorted, so that two writers of the same articles wait for one another in one order
    ordered = sorted(scored, key=lambda each: each.article_pk)
    return sum(
        _save_chunk(tx, chunk, version_pk, {"generation": generation, "scored_at": scored_at})
        for chunk in chunked(ordered)
    )


def _save_chunk(tx: Tx, chunk: list[ScoredArticle], version_pk: int, common: dict[str, Any]) -> int:
    pks = [each.article_pk for each in chunk]
    facts = _lock(tx, pks)
    _forget(tx, pks, version_pk)
    pairs = [(each.article_pk, found) for each in chunk for found in each.mentions]
    rows = _rows(tx, pairs, version_pk, facts)
    upsert(tx, mention, rows, _KEY)
    scorings = [
        {"article_pk": each.article_pk, "version_pk": version_pk, "ambiguous": each.ambiguous, **common}
        for each in chunk
        if each.article_pk in facts
    ]
    upsert(tx, article_scoring, scorings, ("article_pk", "version_pk"))
    _fold(tx, rows)
    tallies.fold(tx, scoring_total, [(version_pk,)])
    return len(rows)


def _fold(tx: Tx, rows: list[dict[str, Any]]) -> None:
    """Put the tallies of these mentions together."""
    keys = [(row["version_pk"], row["entity_pk"]) for row in rows]
    years = [row["month"] // 12 for row in rows]
    tallies.fold(tx, mention_day, [(*key, row["day"]) for key, row in zip(keys, rows, strict=True)])
    tallies.fold(tx, mention_month, [(*key, row["month"]) for key, row in zip(keys, rows, strict=True)])
    tallies.fold(tx, mention_year, [(*key, year) for key, year in zip(keys, years, strict=True)])
    places = zip(keys, years, map(_places, rows), strict=True)
    tallies.fold(
        tx,
        mention_place,
        [(*key, kind, year, place) for key, year, some in places for kind, place in some],
    )


def _places(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """As what a mention counts in the tally of places (see `tables.mention_place`)."""
    parts = (part.value for part in Field if row[f"{part.value}_polarity"] is not None)
    return [
        ("section", row["section"] or ""),
        ("source", row["source"]),
        *(("part", part) for part in parts),
    ]


def _forget(tx: Tx, pks: list[int], version_pk: int) -> None:
    """Delete what was found before in those of the articles that were scored before."""
    scored = article_scoring.c
    before = tx.scalars(
        select(scored.article_pk).where(scored.version_pk == version_pk, scored.article_pk.in_(pks))
    ).all()
    if before:
        tx.execute(
            delete(mention).where(mention.c.version_pk == version_pk, mention.c.article_pk.in_(before))
        )


def _lock(tx: Tx, pks: list[int]) -> dict[int, dict[str, Any]]:
    """What mentions repeat of their articles; other writers of these mentions wait until this one is done.

    Locked in the order of their pks, so that nobody waits for one who waits (on SQLite a writer is alone anyway).
    """
    columns = [article.c[name] for name in ("pk", *_REPEATED)]
    statement = select(*columns).where(article.c.pk.in_(pks)).order_by(article.c.pk)
    rows = tx.execute(statement.with_for_update(key_share=True)).mappings()
    return {row["pk"]: {name: row[name] for name in _REPEATED} for row in rows}


def _rows(
    tx: Tx, pairs: Sequence[tuple[int, Mention]], version_pk: int, facts: dict[int, dict[str, Any]]
) -> list[dict[str, Any]]:
    """Rows of the mentions whose article and entity exist."""
    entities = _entity_pks(tx, {found.entity_id for _, found in pairs})
    rows = [
        {
            "article_pk": pk,
            "version_pk": version_pk,
            "entity_pk": entities[found.entity_id],
            **facts[pk],
            **_scores(found),
        }
        for pk, found in pairs
        if found.entity_id in entities and pk in facts
    ]
    return sorted(rows, key=lambda row: (row["article_pk"], row["entity_pk"]))


def _entity_pks(tx: Tx, ids: Iterable[str]) -> dict[str, int]:
    """Locked against being deleted before the mentions are in."""
    found: dict[str, int] = {}
    for chunk in chunked(sorted(ids)):
        statement = select(entity.c.id, entity.c.pk).where(entity.c.id.in_(chunk)).order_by(entity.c.pk)
        for row in tx.execute(statement.with_for_update(read=True, key_share=True)):
            found[row.id] = row.pk
    return found


def _scores(found: Mention) -> dict[str, Any]:
    return {
        "outcome": found.outcome.value,
        **_probabilities(found.probabilities),
        **{f"{part.value}_polarity": _polarity_in(found, part) for part in Field},
        "spans": pack_spans(found.spans),
    }


def _probabilities(p: Probabilities | None) -> dict[str, Any]:
    if p is None:
        unknown = ("negative", "neutral", "positive", "net", "confidence")
        return {"polarity": UNSCORED, **dict.fromkeys(unknown)}
    return {
        "polarity": polarity_number(p.polarity),
        "negative": p.negative,
        "neutral": p.neutral,
        "positive": p.positive,
        "net": p.net,
        "confidence": max(p.negative, p.neutral, p.positive),
    }


def _polarity_in(found: Mention, part: Field) -> int | None:
    """The number of a part's polarity, UNSCORED if it has none; None if the part does not name the entity."""
    polarity = polarity_of_part(found.spans, part)
    if polarity is None:
        return None
    return polarity_number(polarity) if found.probabilities else UNSCORED


def of_articles(
    tx: Tx, article_pks: Iterable[int], *, model_version: str | None = None
) -> dict[int, tuple[StoredMention, ...]]:
    """The mentions of each article (an empty tuple where there are none), in the order of the text.

    `model_version` None is the current polarity model.
    """
    found: dict[int, list[StoredMention]] = {pk: [] for pk in article_pks}
    version_pk = models.version_pk(tx, models.POLARITY, model_version)
    for chunk in chunked(found if version_pk is not None else ()):
        for row in tx.execute(_select(mention.c.version_pk == version_pk, mention.c.article_pk.in_(chunk))):
            found[row.article_pk].append(_from_row(row))
    return {pk: _in_order(mentions) for pk, mentions in found.items()}


def history(tx: Tx, article_pk: int) -> dict[str, tuple[StoredMention, ...]]:
    """The mentions of one article by model version, oldest version first; versions that found none included."""
    versions = model_version.c
    scored = tx.scalars(
        select(versions.version)
        .join(article_scoring, article_scoring.c.version_pk == versions.pk)
        .where(article_scoring.c.article_pk == article_pk)
        .order_by(versions.first_used_at, versions.pk)
    )
    found: dict[str, list[StoredMention]] = {version: [] for version in scored}
    for row in tx.execute(_select(mention.c.article_pk == article_pk)):
        found.setdefault(row.version, []).append(_from_row(row))
    return {version: _in_order(mentions) for version, mentions in found.items()}


def _select(*conditions: ColumnElement[bool]) -> Select[Any]:
    joined = mention.join(entity, entity.c.pk == mention.c.entity_pk).join(
        model_version, model_version.c.pk == mention.c.version_pk
    )
    names = (entity.c.id, entity.c.name, entity.c.kind, model_version.c.version)
    return select(mention, *names).select_from(joined).where(*conditions)


def _from_row(row: Row[Any]) -> StoredMention:
    scored = row.negative is not None
    probabilities = Probabilities(row.negative, row.neutral, row.positive) if scored else None
    found = Mention(row.id, row.version, Outcome(row.outcome), probabilities, unpack_spans(row.spans))
    return StoredMention(row.article_pk, row.name, EntityKind(row.kind), found)


def _in_order(mentions: list[StoredMention]) -> tuple[StoredMention, ...]:
    def place(stored: StoredMention) -> tuple[bool, int, str]:
        spans = [score.span for score in stored.mention.spans]
        first = min(((span.part is not Field.HEADLINE, span.start) for span in spans), default=(True, 0))
        return (*first, stored.entity_id)

    return tuple(sorted(mentions, key=place))


def scorings(tx: Tx, article_pks: Iterable[int], *, model_version: str | None = None) -> dict[int, Scoring]:
    """Which of the articles were scored by this version (None: the current one)."""
    version = model_version or models.current(tx)
    version_pk = models.version_pk(tx, models.POLARITY, version) if version else None
    found = {}
    for chunk in chunked(article_pks if version_pk is not None else ()):
        scored = article_scoring.c
        statement = select(article_scoring).where(
            scored.version_pk == version_pk, scored.article_pk.in_(chunk)
        )
        for row in tx.execute(statement):
            found[row.article_pk] = Scoring(
                row.article_pk, str(version), row.generation, row.ambiguous, row.scored_at
            )
    return found


def missing(
    tx: Tx, model_version: str, *, generation: int | None = None, after: int = 0, limit: int = 1000
) -> tuple[StoredArticle, ...]:
    """Articles, by pk above `after`, that `model_version` has not scored.

    With `generation` also those scored with an older generation of the entities.
    """
    lacking = _lacks(models.version_pk(tx, models.POLARITY, model_version), generation)
    statement = select(article).where(article.c.pk > after, lacking).order_by(article.c.pk).limit(limit)
    return tuple(from_row(row) for row in tx.execute(statement))


def count_missing(tx: Tx, model_version: str, *, generation: int | None = None) -> int:
    """How many articles `missing` would give in all."""
    scored = article_scoring.c
    version_pk = models.version_pk(tx, models.POLARITY, model_version)
    done = select(func.count()).where(scored.version_pk == (version_pk or 0))
    if generation is not None:
        done = done.where(scored.generation >= generation)
    total = tx.scalar(select(func.count()).select_from(article)) or 0
    return total - (tx.scalar(done) or 0)


def _lacks(version_pk: int | None, generation: int | None) -> ColumnElement[bool]:
    scored = article_scoring.c
    done = exists().where(scored.article_pk == article.c.pk, scored.version_pk == (version_pk or 0))
    return ~(done if generation is None else done.where(scored.generation >= generation))


def replace_of_entity(
    tx: Tx,
    entity_id: str,
    article_pks: Iterable[int],
    found: Mapping[int, Mention],
    *,
    model_version: str,
    scored_at: datetime,
) -> int:
    """Rematch one entity: in `article_pks` its mentions become exactly `found` (by article pk).

    Other entities' mentions stay. Returns how many are stored.
    """
    version_pk = models.register(tx, models.POLARITY, model_version, scored_at)
    stored = 0
    for chunk in chunked(sorted(article_pks)):
        entity_pk = _entity_pks(tx, [entity_id]).get(entity_id)
        if entity_pk is None:
            raise NotFound(f"There is no entity {entity_id!r}.")
        facts = _lock(tx, chunk)
        tx.execute(
            delete(mention).where(
                mention.c.version_pk == version_pk,
                mention.c.entity_pk == entity_pk,
                mention.c.article_pk.in_(chunk),
            )
        )
        rows = _rows(tx, [(pk, found[pk]) for pk in chunk if pk in found], version_pk, facts)
        upsert(tx, mention, rows, _KEY)
        _fold(tx, rows)
        stored += len(rows)
    return stored


def delete_of_entity(tx: Tx, entity_id: str, *, model_version: str | None = None) -> int:
    """Delete the entity's mentions, of one version or of all (None); returns how many there were."""
    whose = select(entity.c.pk).where(entity.c.id == entity_id).scalar_subquery()
    statement = delete(mention).where(mention.c.entity_pk == whose)
    if model_version is not None:
        version_pk = models.version_pk(tx, models.POLARITY, model_version)
        statement = statement.where(mention.c.version_pk == (version_pk or 0))
    return tx.execute(statement).rowcount


def count(tx: Tx, *, model_version: str | None = None) -> int:
    """How many mentions there are at this version (None: the current one)."""
    version_pk = models.version_pk(tx, models.POLARITY, model_version)
    return tx.scalar(select(func.count()).where(mention.c.version_pk == (version_pk or 0))) or 0
