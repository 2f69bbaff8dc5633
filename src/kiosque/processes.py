"""The processes: which parts each one runs, and in which order they start and end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import structlog
from fastapi import FastAPI

from kiosque.core.errors import InvalidSettings, NoModel, PreconditionFailed
from kiosque.http.health import Check
from kiosque.http.server import bind, is_loopback, serve
from kiosque.settings import Settings
from kiosque.wiring import House, shipped_data

if TYPE_CHECKING:
    from kiosque.api.context import ApiContext
    from kiosque.core.prediction import Replica
    from kiosque.pipeline.drift import CountTokens
    from kiosque.pipeline.producer_app import QuotaOut
    from kiosque.pipeline.worker import Workers
    from kiosque.store.dead_letters import DeadLetter

WEB_PORT, PREDICT_PORT, PRODUCER_PORT, CONSUMER_PORT = 8000, 8005, 8002, 8001

OnReady = Callable[[str], None]
_log = structlog.get_logger(__name__)


def check_exposure(settings: Settings) -> None:
    """Refuse to be reached from other machines by accident. Raises InvalidSettings."""
    if not is_loopback(settings.host) and not settings.behind_proxy:
        raise InvalidSettings(
            f"{settings.host} can be reached from other machines, and Kiosque does not encrypt.",
            hint="Put a proxy that ends TLS in front and set KIOSQUE_BEHIND_PROXY=true, or bind to 127.0.0.1.",
        )


def reading_is_open(settings: Settings) -> bool:
    """Whether reading needs no key: as set, else on loopback only."""
    return is_loopback(settings.host) if settings.open_reading is None else settings.open_reading


def run_up(house: House, on_ready: OnReady | None = None) -> None:
    """Everything in one process, until a signal ends it."""
    from kiosque.pipeline.gauges import quota_loop

    workers = _workers(house)
    house.local_predictor.watch(house.settings.model_poll_seconds)
    workers.add("producer", house.producer.run)
    workers.add("books", house.bookshop.run)
    workers.add("rescore", house.rescorer.keep_up)
    workers.add("quota", quota_loop([house.sources.quota], house.metrics))
    workers.add("alerts", house.alert_worker.run)
    workers.add("consumer", house.consumer.run, last=True)
    _add_drift(house, workers)
    _add_presence(house, workers, "up", quota=lambda: _quota_facts(house))
    checks = {"database": house.database.check, "workers": workers.check, **_model_checks(house)}
    _serve_with(
        house,
        workers,
        web_app(house, checks, stopping=workers.stopping.is_set, polls=True),
        WEB_PORT,
        on_ready,
    )


def run_web(house: House, on_ready: OnReady | None = None) -> None:
    """The pages and the API; articles are collected elsewhere."""
    workers = _workers(house)
    # here, because only this process is sure to have the secret key that signs webhooks and a way to the outside
    workers.add("alerts", house.alert_worker.run)
    checks: dict[str, Check] = {"database": house.database.check, "workers": workers.check}
    if not house.settings.predict_url:
        house.local_predictor.watch(house.settings.model_poll_seconds)
        checks |= _model_checks(house)
    _add_drift(house, workers)
    _add_presence(house, workers, "web")
    _serve_with(house, workers, web_app(house, checks, stopping=workers.stopping.is_set), WEB_PORT, on_ready)


def run_producer(house: House, on_ready: OnReady | None = None) -> None:
    """Polls the sources and publishes; needs a broker."""
    from kiosque.pipeline.gauges import quota_loop
    from kiosque.pipeline.guard import bearer
    from kiosque.pipeline.producer_app import producer_app

    _need_broker(house.settings)
    workers = _workers(house)
    workers.add("producer", house.producer.run)
    workers.add("quota", quota_loop([house.sources.quota], house.metrics))
    _add_presence(
        house, workers, "producer", quota=lambda: _quota_facts(house), bus=lambda: _answers(house.bus.check)
    )
    app = producer_app(
        house.producer,
        house.migrated,
        clock=house.clock,
        metrics=house.metrics,
        authorise=bearer(house.token),
        checks={"database": house.database.check, "bus": house.bus.check, "workers": workers.check},
        quotas=lambda: [_quota_out(house)],
    )
    _serve_with(house, workers, app, PRODUCER_PORT, on_ready)


def run_consumer(house: House, on_ready: OnReady | None = None) -> None:
    """Matches, scores and stores what was published; needs a broker."""
    from kiosque.pipeline.consumer_app import consumer_app
    from kiosque.pipeline.gauges import lag_loop
    from kiosque.pipeline.guard import bearer

    _need_broker(house.settings)
    workers = _workers(house)
    workers.add("rescore", house.rescorer.keep_up)
    workers.add("lag", lag_loop(house.bus, house.metrics))
    workers.add("consumer", house.consumer.run)
    _add_presence(
        house,
        workers,
        "consumer",
        bus=lambda: _answers(house.bus.check),
        predict=lambda: _answers(_predict_check(house)),
    )
    app = consumer_app(
        house.bus,
        house.migrated,
        clock=house.clock,
        metrics=house.metrics,
        authorise=bearer(house.token),
        checks={
            "database": house.database.check,
            "bus": house.bus.check,
            "predict": _predict_check(house),
            "workers": workers.check,
        },
    )
    _serve_with(house, workers, app, CONSUMER_PORT, on_ready)


def run_predict(house: House, on_ready: OnReady | None = None) -> None:
    """The model server. It seeds an empty model store where it may write, and waits for models where it may not."""
    from kiosque.predict.app import ServerSettings, create_app

    seed_models(house)
    settings = ServerSettings(
        token=house.token,
        poll_seconds=house.settings.model_poll_seconds,
        max_body_bytes=house.settings.max_body_bytes,
    )
    app = create_app(house.local_predictor, house.metrics, settings)
    _serve_with(house, None, app, PREDICT_PORT, on_ready)


def seed_models(house: House) -> None:
    """Put the versions that ship with Kiosque into the model store, where it can be written."""
    from kiosque.modelstore.seed import seed

    try:
        seed(house.model_store, shipped_data() / "models", clock=house.clock)
    except PreconditionFailed as error:
        _log.warning("models.not_seeded", reason=error.detail)


def web_app(
    house: House,
    checks: dict[str, Check],
    *,
    stopping: Callable[[], bool] = lambda: False,
    polls: bool = False,
) -> FastAPI:
    """The API and the pages in one application. `polls`: the producer runs in this process."""
    from kiosque.api.app import create_api
    from kiosque.http.health import health_router
    from kiosque.web.app import install_pages

    context = api_context(house, stopping=stopping, polls=polls)
    app = create_api(context, max_body_bytes=house.settings.max_body_bytes)
    app.include_router(health_router(checks, house.metrics.registry))
    install_pages(app, secure_cookies=house.settings.behind_proxy)
    return app


def api_context(house: House, *, stopping: Callable[[], bool], polls: bool) -> ApiContext:
    """What the API is given."""
    from kiosque.api.context import ApiContext, Hooks
    from kiosque.pipeline.replay import replay
    from kiosque.web.session import session_caller

    def replay_letter(letter_id: int) -> DeadLetter:
        return replay(letter_id, house.bus, house.migrated, house.clock)

    can_replay = polls or house.settings.bus != "inline"
    from kiosque.settings import effective
    from kiosque.wiring_works import tasks

    return ApiContext(
        database=house.migrated,
        predictor=house.predictor,
        modelstore=house.model_store,
        metrics=house.metrics,
        secret_key=house.secret_key,
        clock=house.clock,
        watch=house.watch,
        open_reading=reading_is_open(house.settings),
        token_lifetime=timedelta(minutes=house.settings.token_minutes),
        rate_limit=house.settings.rate_limit,
        stopping=stopping,
        postman=house.postman,
        public_url=house.settings.public_url,
        hooks=Hooks(
            poll=house.producer.poll_now if polls else None,
            replay=replay_letter if can_replay else None,
            session=session_caller,
            lag=house.lookout.lag if can_replay else None,
            replicas=_replicas(house),
            count_tokens=_token_counter(),
            settings=lambda: effective(house.settings),
            tasks=tasks(house, polls=polls),
        ),
    )


def _replicas(house: House) -> Callable[[], Sequence[Replica]]:
    """Who answers: the predict servers, or this process."""
    if not house.settings.predict_url:
        return house.local_predictor.replicas
    from kiosque.predict.client import HttpPredictor

    remote = house.predictor
    assert isinstance(remote, HttpPredictor)
    return remote.replicas


def _token_counter() -> CountTokens | None:
    """Where the tokenizer is installed, which it is not beside a web process alone."""
    if not (find_spec("tokenizers") and find_spec("numpy")):
        return None
    from kiosque.polarity.drift import count_tokens

    return count_tokens


def _add_drift(house: House, workers: Workers) -> None:
    """The gauges of drift, in a process that has the model store."""
    from kiosque.pipeline import drift
    from kiosque.pipeline.drift import DriftReport
    from kiosque.pipeline.gauges import drift_loop

    counter = _token_counter()

    def look() -> DriftReport | None:
        try:
            version = house.model_store.champion("polarity")
        except NoModel:
            return None
        return drift.measure(house.migrated, version, count_tokens=counter)

    workers.add("drift", drift_loop(look, house.metrics))


def _add_presence(
    house: House, workers: Workers, kind: str, **facts: Callable[[], Mapping[str, Any]]
) -> None:
    from kiosque.pipeline.presence import presence_loop, this_process

    loop = presence_loop(
        house.migrated, this_process(kind), clock=house.clock, states=workers.states, facts=facts
    )
    workers.add("presence", loop)


def _quota_facts(house: House) -> dict[str, Any]:
    quota = _quota_out(house)
    return quota.model_dump(mode="json")


def _answers(check: Check) -> dict[str, Any]:
    """That what was asked answers; `check` raises what is wrong."""
    check()
    return {"answers": True}


def _workers(house: House) -> Workers:
    # imported here, because predict has no loops and its image no pipeline
    from kiosque.pipeline.worker import Workers

    return Workers(clock=house.clock)


def _serve_with(
    house: House, workers: Workers | None, app: FastAPI, port: int, on_ready: OnReady | None
) -> None:
    """Bind first, so that a taken port is said before anything else starts.

    A signal ends loops and open requests alike, within ten seconds; what a request still needs is closed after it.
    """
    check_exposure(house.settings)
    listener = bind(house.settings.host, house.settings.port if house.settings.port is not None else port)
    if workers:
        workers.start()

    def announce() -> None:
        house.wake()
        if workers:
            workers.announce_stop()

    try:
        serve(app, listener, on_ready=on_ready, on_stop=announce)
    finally:
        announce()
        if hasattr(app.state, "api"):
            app.state.api.works.close()
        if workers:
            workers.stop()


def _quota_out(house: House) -> QuotaOut:
    from kiosque.pipeline.producer_app import QuotaOut

    state = house.sources.quota.state()
    return QuotaOut(
        name="nyt",
        left_this_minute=state.minute.left,
        left_today=state.day.left,
        closed_until=state.closed_until,
    )


def _predict_check(house: House) -> Check:
    def check() -> None:
        house.predictor.versions()

    return check


def _model_checks(house: House) -> dict[str, Check]:
    return {name: _model_check(house, name) for name in ("polarity", "books")}


def _model_check(house: House, name: str) -> Check:
    def check() -> str | None:
        return house.local_predictor.check(name)

    return check


def _need_broker(settings: Settings) -> None:
    if settings.bus == "inline":
        raise InvalidSettings(
            "KIOSQUE_BUS is inline, which works within one process only.",
            hint="Set KIOSQUE_BUS=jetstream and KIOSQUE_NATS_URL, or run everything with: kiosque up",
        )


def openapi_documents(house: House) -> dict[str, dict[str, Any]]:
    """Title → OpenAPI document of every process, for the manual. Connects to nothing."""
    from kiosque.api.app import create_api
    from kiosque.pipeline.consumer_app import consumer_app
    from kiosque.pipeline.guard import bearer
    from kiosque.pipeline.producer_app import producer_app
    from kiosque.predict.app import create_app

    common: dict[str, Any] = {
        "clock": house.clock,
        "metrics": house.metrics,
        "authorise": bearer("-"),
        "checks": {},
    }
    apps = {
        f"`kiosque up`, `kiosque web` (port {WEB_PORT})": create_api(
            api_context(house, stopping=bool, polls=True)
        ),
        f"`kiosque predict` (port {PREDICT_PORT})": create_app(house.local_predictor, house.metrics),
        f"`kiosque producer` (port {PRODUCER_PORT})": producer_app(house.producer, house.database, **common),
        f"`kiosque consumer` (port {CONSUMER_PORT})": consumer_app(house.bus, house.database, **common),
    }
    return {title: app.openapi() for title, app in apps.items()}
