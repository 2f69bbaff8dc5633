"""How often a model version says what people said when they corrected labels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, select

from kiosque.core.polarity import Polarity
from kiosque.store import models
from kiosque.store.tables import article, entity, label_correction, mention
from kiosque.store.tx import Tx
from kiosque.store.values import polarity_number, polarity_of


@dataclass(frozen=True, slots=True)
class Agreement:
    """What one version says of the mentions that people judged.

    `counts[person][model]`, both in the order of Polarity. People correct what looks wrong to them, so that this is
    no sample of all labels: it compares versions, and is no accuracy.
    """

    version: str
    counts: tuple[tuple[int, ...], ...]
    not_meant: int
    """Mentions of which a person says that somebody else is meant."""
    unanswered: int
    """Judged mentions of which this version says nothing."""

    @property
    def judged(self) -> int:
        return sum(map(sum, self.counts))

    @property
    def agreed(self) -> int:
        return sum(row[place] for place, row in enumerate(self.counts))

    @property
    def share(self) -> float | None:
        return self.agreed / self.judged if self.judged else None


@dataclass(frozen=True, slots=True)
class Judged:
    """One correction beside what a version says now."""

    article_id: str
    headline: str
    language: str | None
    entity_id: str
    entity_name: str
    by: str
    at: datetime
    note: str
    person: Polarity | None
    """None: not meant."""
    model: Polarity | None

    @property
    def agreed(self) -> bool:
        return self.person is not None and self.person is self.model


def agreement(tx: Tx, version: str) -> Agreement:
    """All corrections against what `version` says of the same mentions."""
    made = label_correction.c
    joined = _with_answers(select(made.polarity, mention.c.polarity, func.count()), tx, version)
    numbers = {polarity_number(polarity): place for place, polarity in enumerate(Polarity)}
    counts = [[0] * len(numbers) for _ in numbers]
    not_meant = unanswered = 0
    for person, model, n in tx.execute(joined.group_by(made.polarity, mention.c.polarity)):
        if person is None:
            not_meant += n
        elif model not in numbers:
            unanswered += n
        else:
            counts[numbers[polarity_number(Polarity(person))]][numbers[model]] += n
    return Agreement(version, tuple(tuple(row) for row in counts), not_meant, unanswered)


def judged(tx: Tx, version: str, *, limit: int = 20) -> tuple[Judged, ...]:
    """The newest corrections, each beside what `version` says."""
    made = label_correction.c
    columns = (
        article.c.id.label("article_id"),
        article.c.headline,
        article.c.language,
        entity.c.id.label("entity_id"),
        entity.c.name.label("entity_name"),
        made.made_by,
        made.at,
        made.note,
        made.polarity.label("person"),
        mention.c.polarity.label("model"),
    )
    statement = _with_answers(select(*columns), tx, version).order_by(made.at.desc(), made.pk.desc())
    return tuple(
        Judged(
            article_id=row.article_id,
            headline=row.headline,
            language=row.language,
            entity_id=row.entity_id,
            entity_name=row.entity_name,
            by=row.made_by,
            at=row.at,
            note=row.note,
            person=Polarity(row.person) if row.person else None,
            model=None if row.model is None else polarity_of(row.model),
        )
        for row in tx.execute(statement.limit(limit))
    )


def _with_answers(statement: Select[Any], tx: Tx, version: str) -> Select[Any]:
    made = label_correction.c
    version_pk = models.version_pk(tx, models.POLARITY, version) or 0
    same = and_(
        mention.c.article_pk == made.article_pk,
        mention.c.entity_pk == made.entity_pk,
        mention.c.version_pk == version_pk,
    )
    return statement.select_from(
        label_correction.join(article, article.c.pk == made.article_pk)
        .join(entity, entity.c.pk == made.entity_pk)
        .outerjoin(mention, same)
    )
