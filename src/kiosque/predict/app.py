"""The predict server: polarity and books over HTTP, always up while versions come and go."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from fastapi import APIRouter, Depends, FastAPI, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from kiosque import __version__
from kiosque.core.errors import PredictUnavailable, Unauthenticated
from kiosque.core.prediction import ScoredBatch
from kiosque.http.health import health_router
from kiosque.http.limits import install_limits
from kiosque.http.problems import install_problem_handlers, problem_responses
from kiosque.ops.metrics import Metrics
from kiosque.predict.batcher import Batcher
from kiosque.predict.local import LocalPredictor
from kiosque.predict.models import BOOKS, POLARITY
from kiosque.predict.schemas import (
    BooksAnswer,
    BooksBody,
    ExplainAnswer,
    ExplainBody,
    ModelAnswer,
    ModelsAnswer,
    PolarityAnswer,
    PolarityBody,
    ScoreAnswer,
    ShelfAnswer,
    WordAnswer,
)

T = TypeVar("T")
RENDERED_AT_ONCE = 32
"""Texts whose scores take less time to write out (10 µs each) than to hand to a thread and back."""
DESCRIPTION = """\
How a text speaks of someone, and which book goes deeper. Internal: `kiosque web` and `kiosque consumer` call it.

Errors are `application/problem+json`. 503 with `Retry-After` means that too much waits already; 503 with the
code `no_model` that no version of the model can be used.
"""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """`token` is the bearer token that `/v1` asks for; `poll_seconds` is how often aliases are looked at."""

    token: str | None = None
    poll_seconds: float = 2.0
    max_body_bytes: int = 4_194_304
    max_waiting: int = 8192
    workers: int = 2
    """Threads for books and explanations; scoring has its own."""


def create_app(
    predictor: LocalPredictor, metrics: Metrics, settings: ServerSettings | None = None
) -> FastAPI:
    """The application. It watches the model store for as long as it runs; `predictor` stays the caller's to close."""
    chosen = settings or ServerSettings()
    server = _Server(predictor, chosen)

    @asynccontextmanager
    async def run(_: FastAPI) -> AsyncIterator[None]:
        server.start()
        try:
            yield
        finally:
            await server.close()

    app = FastAPI(
        title="Kiosque predict",
        version=__version__,
        description=DESCRIPTION,
        lifespan=run,
        docs_url=None,
        redoc_url=None,
    )
    install_problem_handlers(app)
    app.include_router(_routes(server, chosen.token))
    checks = {name: _check_of(predictor, name) for name in (POLARITY, BOOKS)}
    app.include_router(health_router(checks, metrics.registry))
    install_limits(app, metrics, max_body_bytes=chosen.max_body_bytes)
    return app


def _check_of(predictor: LocalPredictor, name: str) -> Callable[[], str | None]:
    return lambda: predictor.check(name)


class _Server:
    """What runs between start and stop: the batcher, a few threads, the watch over the model store."""

    def __init__(self, predictor: LocalPredictor, settings: ServerSettings) -> None:
        self.predictor = predictor
        self._settings = settings
        self._busy = 0
        self._threads: ThreadPoolExecutor
        self.batcher: Batcher

    def start(self) -> None:
        self._threads = ThreadPoolExecutor(self._settings.workers, thread_name_prefix="kiosque-work")
        self.batcher = Batcher(
            lambda requests, any_language: self.predictor.polarity(requests, any_language=any_language),
            max_waiting=self._settings.max_waiting,
        )
        self.batcher.start()
        self.predictor.watch(self._settings.poll_seconds)

    async def close(self) -> None:
        await self.batcher.close()
        await asyncio.get_running_loop().run_in_executor(None, self._threads.shutdown)

    async def run(self, work: Callable[[], T]) -> T:
        """`work` in a thread, off the event loop. Raises PredictUnavailable when too much waits for one."""
        if self._busy >= self._settings.max_waiting // 16:
            raise PredictUnavailable(
                f"{self._busy} requests are waiting already.",
                hint="Try again shortly, or run more predict servers.",
                retry_after=1.0,
            )
        self._busy += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._busy -= 1


def _routes(server: _Server, token: str | None) -> APIRouter:
    router = APIRouter(
        prefix="/v1",
        dependencies=[Depends(_bearer(token))] if token else [],
        responses=problem_responses(*((401,) if token else ()), 413, 422, 503),
    )

    @router.post(
        "/polarity",
        tags=["polarity"],
        summary="How does a text speak of someone?",
        response_model=PolarityAnswer,
    )
    async def polarity(body: PolarityBody) -> Response:
        requests = [text.to_core() for text in body.texts]
        batch = await server.batcher.score(requests, any_language=body.any_language)
        if len(requests) <= RENDERED_AT_ONCE:
            return _render(batch)
        return await asyncio.to_thread(_render, batch)

    @router.post("/polarity/explain", tags=["polarity"], summary="Which words make it so?")
    async def explain(body: ExplainBody) -> ExplainAnswer:
        request, target = body.text.to_core(), body.target.to_core()
        words = await server.run(lambda: server.predictor.explain(request, target))
        return ExplainAnswer(words=tuple(WordAnswer.of(word) for word in words))

    @router.post("/books", tags=["books"], summary="Which books go deeper?", responses=problem_responses(404))
    async def books(body: BooksBody) -> BooksAnswer:
        queries = [query.to_core() for query in body.queries]
        shelves = await server.run(lambda: server.predictor.books(queries))
        return BooksAnswer(shelves=tuple(ShelfAnswer.of(shelf) for shelf in shelves))

    @router.get("/models", tags=["models"], summary="Which versions answer?")
    def models() -> ModelsAnswer:
        statuses = server.predictor.statuses()
        return ModelsAnswer(
            models=tuple(ModelAnswer.model_validate(s, from_attributes=True) for s in statuses)
        )

    return router


def _render(batch: ScoredBatch) -> Response:
    answer = PolarityAnswer(
        model_version=batch.model_version,
        scores=tuple(tuple(ScoreAnswer.of(score) for score in scores) for scores in batch.scores),
    )
    return Response(answer.model_dump_json(), media_type="application/json")


def _bearer(token: str) -> Callable[..., None]:
    """A dependency that lets through whoever knows `token`, compared in constant time."""
    scheme = HTTPBearer(auto_error=False, description="KIOSQUE_PREDICT_TOKEN of the server.")

    def check(given: HTTPAuthorizationCredentials | None = Depends(scheme)) -> None:
        if given is None or not hmac.compare_digest(given.credentials.encode(), token.encode()):
            raise Unauthenticated(
                "The predict server needs its token.", hint="Set KIOSQUE_PREDICT_TOKEN to that of the server."
            )

    return check
