"""The consumer over HTTP: health, metrics, the latest articles, the lag, and the dead letters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import Depends, FastAPI, Path, Query
from pydantic import BaseModel, Field

from kiosque import __version__
from kiosque.bus.protocol import Bus
from kiosque.core.clock import Clock
from kiosque.core.polarity import Mention
from kiosque.http.health import Check, health_router
from kiosque.http.limits import install_limits
from kiosque.http.problems import install_problem_handlers, problem_responses
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.guard import Authorise
from kiosque.pipeline.replay import replay
from kiosque.store import articles as article_rows
from kiosque.store import dead_letters
from kiosque.store import mentions as mention_rows
from kiosque.store.articles import StoredArticle
from kiosque.store.database import Database
from kiosque.store.dead_letters import DeadLetter
from kiosque.store.mentions import StoredMention

BODY_LIMIT = 16_384
EXCERPT = 2_000
"""Characters of a dead letter's message that are shown."""


class MentionOut(BaseModel):
    """Whom the article names, and how it speaks of them; no polarity where there is no score."""

    entity: str = Field(examples=["abraham-lincoln"])
    name: str = Field(examples=["Abraham Lincoln"])
    outcome: str = Field(examples=["scored"])
    polarity: str | None = Field(default=None, examples=["positive"])
    negative: float | None = None
    neutral: float | None = None
    positive: float | None = None
    model_version: str


class ArticleOut(BaseModel):
    id: str = Field(examples=["9f86d081884c7d65"])
    key: str
    source: str
    headline: str
    abstract: str
    url: str | None = None
    published_at: datetime
    first_seen_at: datetime
    mentions: list[MentionOut]


class ArticlesOut(BaseModel):
    items: list[ArticleOut]


class LagOut(BaseModel):
    """How far consumers are behind: messages waiting, and messages handed out but not settled."""

    pending: int = Field(examples=[0])
    in_flight: int = Field(examples=[0])


class DeadLetterOut(BaseModel):
    """A message that was given up. `message` is its beginning, as text."""

    id: int
    key: str
    source: str
    reason: str = Field(examples=["not_ours: Not JSON: …"])
    attempts: int
    at: datetime
    replayed_at: datetime | None = None
    message: str


class DeadLettersOut(BaseModel):
    items: list[DeadLetterOut]
    next: str | None = Field(default=None, description="Cursor of the page that follows.")


def consumer_app(
    bus: Bus,
    database: Database,
    *,
    clock: Clock,
    metrics: Metrics,
    authorise: Authorise,
    checks: Mapping[str, Check],
) -> FastAPI:
    """`checks` are what `/readyz` asks, e.g. `database.check`, `bus.check`, `workers.check`, the predictor's."""
    app = FastAPI(title="Kiosque consumer", version=__version__, docs_url=None, redoc_url=None)
    install_limits(app, metrics, max_body_bytes=BODY_LIMIT)
    app.include_router(health_router(checks, metrics.registry))
    _add_articles(app, bus, database, metrics)
    _add_dead_letters(app, bus, database, clock, authorise)
    install_problem_handlers(app)
    return app


def _add_articles(app: FastAPI, bus: Bus, database: Database, metrics: Metrics) -> None:
    @app.get("/v1/articles/latest", tags=["articles"], summary="The articles that came in last, newest first")
    def latest(
        limit: Annotated[int, Query(ge=1, le=100)] = 1,
        source: Annotated[str | None, Query(max_length=200)] = None,
    ) -> ArticlesOut:
        with database.read() as tx:
            rows = article_rows.latest(tx, limit, source=source)
            mentions = mention_rows.of_articles(tx, [row.pk for row in rows])
        return ArticlesOut(items=[_article(row, mentions.get(row.pk, ())) for row in rows])

    @app.get(
        "/v1/lag",
        tags=["queue"],
        summary="How far the consumers are behind",
        responses=problem_responses(503),
    )
    def lag() -> LagOut:
        now = bus.lag()
        metrics.lag_pending.set(now.pending)
        metrics.lag_in_flight.set(now.in_flight)
        return LagOut(pending=now.pending, in_flight=now.in_flight)


def _add_dead_letters(app: FastAPI, bus: Bus, database: Database, clock: Clock, authorise: Authorise) -> None:
    @app.get(
        "/v1/dead-letters",
        tags=["queue"],
        summary="Messages that were given up, newest first",
        responses=problem_responses(422),
    )
    def letters(
        replayed: Annotated[
            bool | None, Query(description="Only those that were, or were not, replayed.")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[str | None, Query(max_length=1000)] = None,
    ) -> DeadLettersOut:
        with database.read() as tx:
            page = dead_letters.page(tx, replayed=replayed, limit=limit, cursor=cursor)
        return DeadLettersOut(items=[_letter(each) for each in page.items], next=page.next)

    @app.post(
        "/v1/dead-letters/{letter_id}/replay",
        tags=["queue"],
        summary="Put a message back on the bus",
        status_code=202,
        responses=problem_responses(401, 403, 404, 503),
        dependencies=[Depends(authorise)],
    )
    def replay_letter(letter_id: Annotated[int, Path(ge=1)]) -> DeadLetterOut:
        return _letter(replay(letter_id, bus, database, clock))


def _article(row: StoredArticle, mentions: tuple[StoredMention, ...]) -> ArticleOut:
    article = row.article
    return ArticleOut(
        id=row.id,
        key=article.key,
        source=article.source,
        headline=article.headline,
        abstract=article.abstract,
        url=article.url,
        published_at=article.published_at,
        first_seen_at=row.first_seen_at,
        mentions=[_mention(each.mention, each.entity_name) for each in mentions],
    )


def _mention(mention: Mention, name: str) -> MentionOut:
    p = mention.probabilities
    return MentionOut(
        entity=mention.entity_id,
        name=name,
        outcome=mention.outcome.value,
        polarity=mention.polarity.value if mention.polarity else None,
        negative=p.negative if p else None,
        neutral=p.neutral if p else None,
        positive=p.positive if p else None,
        model_version=mention.model_version,
    )


def _letter(letter: DeadLetter) -> DeadLetterOut:
    return DeadLetterOut(
        id=letter.id,
        key=letter.key,
        source=letter.subject,
        reason=letter.reason,
        attempts=letter.attempts,
        at=letter.at,
        replayed_at=letter.replayed_at,
        message=letter.data.decode("utf-8", "replace")[:EXCERPT],
    )
