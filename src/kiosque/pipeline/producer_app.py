"""The producer over HTTP: health, metrics, how each source fares, and a poll on request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated

from fastapi import Depends, FastAPI, Path
from pydantic import BaseModel, Field

from kiosque import __version__
from kiosque.core.clock import Clock
from kiosque.http.health import Check, health_router
from kiosque.http.limits import install_limits
from kiosque.http.problems import install_problem_handlers, problem_responses
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.guard import Authorise
from kiosque.pipeline.produce import Producer
from kiosque.store import sources as source_rows
from kiosque.store.database import Database
from kiosque.store.sources import SourceState

BODY_LIMIT = 16_384


class QuotaOut(BaseModel):
    """Requests left of one API's allowance."""

    name: str = Field(examples=["nyt"])
    left_this_minute: int = Field(examples=[3])
    left_today: int = Field(examples=[412])
    closed_until: datetime | None = Field(
        default=None, description="Set after the server said: too many requests."
    )


class SourceOut(BaseModel):
    """How one source fares. Times are UTC; counts are since the source was added."""

    id: str = Field(examples=["nyt-wire"])
    kind: str = Field(examples=["nyt_wire"])
    enabled: bool
    state: str = Field(description="off, polling, waiting, due or failing", examples=["waiting"])
    last_poll_at: datetime | None = None
    last_success_at: datetime | None = None
    next_poll_at: datetime | None = None
    consecutive_errors: int = Field(examples=[0])
    last_error: str | None = None
    articles_read: int = Field(examples=[1840])
    articles_new: int = Field(examples=[1312])
    articles_skipped: int = Field(examples=[4])


class SourcesOut(BaseModel):
    items: list[SourceOut]
    quotas: list[QuotaOut]


class PollAccepted(BaseModel):
    """The poll has begun; its outcome shows in `GET /v1/sources`."""

    source: str = Field(examples=["nyt-wire"])
    status: str = Field(examples=["polling"])


Quotas = Callable[[], list[QuotaOut]]


def producer_app(
    producer: Producer,
    database: Database,
    *,
    clock: Clock,
    metrics: Metrics,
    authorise: Authorise,
    checks: Mapping[str, Check],
    quotas: Quotas = list,
) -> FastAPI:
    """`checks` are what `/readyz` asks, e.g. `database.check`, `bus.check`, `workers.check`."""
    app = FastAPI(title="Kiosque producer", version=__version__, docs_url=None, redoc_url=None)
    install_limits(app, metrics, max_body_bytes=BODY_LIMIT)
    app.include_router(health_router(checks, metrics.registry))

    @app.get("/v1/sources", tags=["sources"], summary="Every source: state, next poll, errors, quota left")
    def sources() -> SourcesOut:
        polling = producer.polling()
        with database.read() as tx:
            states = source_rows.everything(tx)
        now = clock()
        return SourcesOut(items=[_source(s, now, polling=s.id in polling) for s in states], quotas=quotas())

    @app.post(
        "/v1/sources/{source_id}/poll",
        tags=["sources"],
        summary="Poll a source now",
        status_code=202,
        responses=problem_responses(401, 403, 404, 409),
        dependencies=[Depends(authorise)],
    )
    def poll(source_id: Annotated[str, Path(max_length=200)]) -> PollAccepted:
        producer.request(source_id)
        return PollAccepted(source=source_id, status="polling")

    install_problem_handlers(app)
    return app


def _source(state: SourceState, now: datetime, *, polling: bool) -> SourceOut:
    return SourceOut(
        id=state.id,
        kind=state.kind,
        enabled=state.enabled,
        state=_word_for(state, now, polling=polling),
        last_poll_at=state.last_poll_at,
        last_success_at=state.last_success_at,
        next_poll_at=state.next_poll_at,
        consecutive_errors=state.consecutive_errors,
        last_error=state.last_error,
        articles_read=state.articles_read,
        articles_new=state.articles_new,
        articles_skipped=state.articles_skipped,
    )


def _word_for(state: SourceState, now: datetime, *, polling: bool) -> str:
    if polling:
        return "polling"
    if not state.enabled:
        return "off"
    if state.consecutive_errors:
        return "failing"
    return "due" if state.next_poll_at is None or state.next_poll_at <= now else "waiting"
