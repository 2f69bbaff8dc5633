"""What a change of the watch list does to history: a preview, before `Rescorer.rematch` does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kiosque.core.entity import Entity
from kiosque.pipeline.scoring import find
from kiosque.pipeline.watch import Watched, watched
from kiosque.pipeline.worker import Stop
from kiosque.store import entities as entity_rows
from kiosque.store import mentions as mention_rows
from kiosque.store import models
from kiosque.store.articles import StoredArticle
from kiosque.store.database import Database
from kiosque.store.tx import Tx

SAMPLES = 5
CHUNK = 1000

Progress = Callable[[int, int], None]
"""Told after each chunk: articles looked at, and how many there are."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One article that would change."""

    article_id: str
    headline: str
    published_on: str


@dataclass(frozen=True, slots=True)
class EntityChange:
    """How many articles would gain or lose a mention of one entity, with some of them."""

    entity_id: str
    name: str
    gained: int
    lost: int
    gained_samples: tuple[Sample, ...]
    lost_samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rematch would do: `checked` articles were looked at, `changed` of them would change.

    The entities with the most changes come first; those without any are left out.
    """

    checked: int
    changed: int
    entities: tuple[EntityChange, ...]


def preview(
    database: Database,
    proposed: Sequence[Entity] = (),
    *,
    without: frozenset[str] = frozenset(),
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> Preview:
    """What rematching history would change.

    With `proposed` (entities as they would be saved) or `without` (ids that would be deleted) nothing
    need be saved yet, and all articles are looked at. Without either: what the saved watch list
    would change in articles that were matched against an older one.
    """
    stop = stop or Stop()
    tally = _Tally()
    after = 0
    with database.read() as tx:
        base = entity_rows.load_all(tx)
        generation = entity_rows.generation(tx)
        version = models.current(tx, models.POLARITY) or ""
        names = {entity.id: entity.name for entity in (*base, *proposed)}
        if proposed or without:
            generation += 1  # above every article's: look at all of them
        total = mention_rows.count_missing(tx, version, generation=generation)
    changed_list = watched(_changed(base, proposed, without), generation)
    while not stop.requested():
        with database.read() as tx:
            rows = mention_rows.missing(tx, version, generation=generation, after=after, limit=CHUNK)
            before = _entities_of(tx, rows, version)
        if not rows:
            break
        after = rows[-1].pk
        for row in rows:
            tally.add(row, before.get(row.pk, frozenset()), changed_list)
        if progress is not None:
            progress(tally.checked, max(total, tally.checked))
    return tally.preview(names)


def _changed(base: Sequence[Entity], proposed: Sequence[Entity], without: frozenset[str]) -> Iterator[Entity]:
    replaced = {entity.id for entity in proposed} | without
    yield from (entity for entity in base if entity.id not in replaced)
    yield from proposed


def _entities_of(tx: Tx, rows: Sequence[StoredArticle], version: str) -> dict[int, frozenset[str]]:
    stored = mention_rows.of_articles(tx, [row.pk for row in rows], model_version=version)
    return {pk: frozenset(each.entity_id for each in mentions) for pk, mentions in stored.items()}


@dataclass(slots=True)
class _Change:
    gained: int = 0
    lost: int = 0
    gained_samples: list[Sample] = field(default_factory=list)
    lost_samples: list[Sample] = field(default_factory=list)


class _Tally:
    """Counts changes by entity, article by article."""

    def __init__(self) -> None:
        self.checked = 0
        self.changed = 0
        self._changes: dict[str, _Change] = {}

    def add(self, row: StoredArticle, before: frozenset[str], watched: Watched) -> None:
        self.checked += 1
        now = {match.entity_id for match in find(row.article, watched).matches}
        if now == before:
            return
        self.changed += 1
        sample = Sample(
            row.id, row.article.headline or row.article.abstract[:200], str(row.article.published_at.date())
        )
        for entity_id in now - before:
            change = self._changes.setdefault(entity_id, _Change())
            change.gained += 1
            if len(change.gained_samples) < SAMPLES:
                change.gained_samples.append(sample)
        for entity_id in before - now:
            change = self._changes.setdefault(entity_id, _Change())
            change.lost += 1
            if len(change.lost_samples) < SAMPLES:
                change.lost_samples.append(sample)

    def preview(self, names: Mapping[str, str]) -> Preview:
        changes = [
            EntityChange(
                entity_id,
                names.get(entity_id, entity_id),
                change.gained,
                change.lost,
                tuple(change.gained_samples),
                tuple(change.lost_samples),
            )
            for entity_id, change in self._changes.items()
        ]
        changes.sort(key=lambda c: (-(c.gained + c.lost), c.entity_id))
        return Preview(self.checked, self.changed, tuple(changes))
