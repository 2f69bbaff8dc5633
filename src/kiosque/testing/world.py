"""A small world for tests: three entities, one election, articles with mentions in one line."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from kiosque.core.article import Article, Field
from kiosque.core.entity import Alias, Candidacy, Entity, EntityKind, Span, Watchlist
from kiosque.core.polarity import Mention, Outcome, Probabilities, SpanScore
from kiosque.store import articles, entities, mentions, models
from kiosque.store.database import Database

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

LINCOLN = Entity(
    "abraham-lincoln", "Abraham Lincoln", EntityKind.PERSON, (Alias("Lincoln", date(1850, 1, 1)),)
)
DOUGLAS = Entity("stephen-douglas", "Stephen A. Douglas", EntityKind.PERSON, (Alias("Douglas"),))
WHIGS = Entity("whig-party", "Whig Party", EntityKind.PARTY, (Alias("Whigs"),), ("Whig Lane",))

WATCHLIST = Watchlist(
    "us-1860",
    "United States, 1860",
    (LINCOLN, DOUGLAS, WHIGS),
    (
        Candidacy(
            1860,
            date(1860, 11, 6),
            "stephen-douglas",
            "Democratic",
            winner=False,
            popular_vote=1_380_202,
            popular_share=29.5,
            electoral_votes=12,
        ),
        Candidacy(
            1860,
            date(1860, 11, 6),
            "abraham-lincoln",
            "Republican",
            winner=True,
            popular_vote=1_865_908,
            popular_share=39.8,
            electoral_votes=180,
        ),
    ),
)

NEGATIVE = Probabilities(0.8, 0.15, 0.05)
NEUTRAL = Probabilities(0.2, 0.7, 0.1)
POSITIVE = Probabilities(0.1, 0.2, 0.7)


def article(key: str, published: datetime | str, headline: str = "A headline", **others: Any) -> Article:
    """An article of the source `wire`, unless `others` say something else."""
    moment = (
        datetime.fromisoformat(published).replace(tzinfo=UTC) if isinstance(published, str) else published
    )
    return Article(**{"key": key, "source": "wire", "headline": headline, "published_at": moment, **others})


def found(
    entity_id: str, p: Probabilities | None, version: str = "v1", part: Field = Field.HEADLINE
) -> Mention:
    """A mention named once, at the start of `part`."""
    spans = (SpanScore(Span(part, 0, 7), p or NEUTRAL),)
    return Mention(entity_id, version, Outcome.SCORED if p else Outcome.NOT_ENGLISH, p, spans)


class World:
    """Puts articles with mentions into a database in one line."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, story: Article, *scores: tuple[str, Probabilities | None], version: str = "v1") -> int:
        """Store an article and what was found in it; returns its pk."""
        with self.database.write() as tx:
            pk = articles.save(tx, [story], NOW)[0].pk
            mentioned = tuple(found(entity_id, p, version) for entity_id, p in scores)
            scored = mentions.ScoredArticle(pk, mentioned)
            mentions.save(tx, [scored], model_version=version, generation=1, scored_at=NOW)
        return pk

    def watch(self) -> None:
        """Watch Lincoln, Douglas and the Whigs, and let `v1` be the polarity model that readers see."""
        with self.database.write() as tx:
            entities.save_watchlist(tx, WATCHLIST, NOW)
            models.set_current(tx, models.POLARITY, "v1", NOW)
