"""What the API is given by the wiring, and what it makes of it once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from kiosque.api.auth import Authenticator
from kiosque.api.live import LiveArticles
from kiosque.api.passwords import Passwords
from kiosque.api.ratelimit import LoginThrottle, RateLimiter
from kiosque.api.rematch import Rematch
from kiosque.api.scopes import Caller
from kiosque.api.tokens import TokenIssuer
from kiosque.bus.protocol import Lag
from kiosque.core.clock import Clock, system_clock
from kiosque.core.errors import PreconditionFailed
from kiosque.core.prediction import Predictor, Replica
from kiosque.modelstore.store import ModelStore
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.alert_sending import Postman
from kiosque.pipeline.drift import CountTokens
from kiosque.pipeline.produce import PollReport
from kiosque.pipeline.rescore import Rescorer
from kiosque.pipeline.watch import Watch
from kiosque.pipeline.works import Task, Works
from kiosque.predict.breaker import Breaker
from kiosque.settings import Effective
from kiosque.store.database import Database
from kiosque.store.dead_letters import DeadLetter

PollHook = Callable[[str], PollReport]
"""Given a source's id: poll it now and wait, as `Producer.poll_now` does."""
ReplayHook = Callable[[int], DeadLetter]
"""Given a dead letter's id: put its message on the bus again, as `pipeline.replay.replay` does."""
SessionHook = Callable[[HTTPConnection], Caller | None]
"""Who a browser's session says is asking; only consulted for GET. Runs in a thread."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What other parts of the house do for the API. A process that cannot do it leaves it out."""

    poll: PollHook | None = None
    replay: ReplayHook | None = None
    session: SessionHook | None = None
    lag: Callable[[], Lag] | None = None
    """How far the consumers are behind; raises BusUnavailable. None where there is no queue."""
    replicas: Callable[[], Sequence[Replica]] | None = None
    """Every server of the models, and with which versions it answers. Raises nothing."""
    count_tokens: CountTokens | None = None
    """Cuts texts into the word pieces of a polarity version."""
    settings: Callable[[], Sequence[Effective]] | None = None
    """What this process was told."""
    tasks: tuple[Task, ...] = ()
    """The long work that this process can do."""


@dataclass(frozen=True, slots=True)
class ApiContext:
    """Everything the API needs; made in `wiring`, or by a test."""

    database: Database
    predictor: Predictor
    modelstore: ModelStore
    metrics: Metrics
    secret_key: str = field(repr=False)
    clock: Clock = system_clock
    open_reading: bool = False
    token_lifetime: timedelta = timedelta(minutes=60)
    rate_limit: str = "600/minute"
    max_listeners: int = 100
    """Most streams open at once."""
    stream_poll_seconds: float = 2.0
    stopping: Callable[[], bool] = lambda: False
    """Whether the process is ending: open streams then end, too."""
    hooks: Hooks = Hooks()
    postman: Postman | None = None
    """Sends what alerts fired; None where nothing leaves the house."""
    public_url: str | None = None
    """How people reach the pages, for feeds; None: by the address that they ask at."""
    passwords: Passwords = field(default_factory=Passwords)
    watch: Watch = field(default_factory=Watch)
    """The matcher, shared with whoever else in this process matches."""


class Api:
    """The objects that live as long as the application. Reach it through `ApiDep`, or `app.state.api`."""

    def __init__(self, context: ApiContext) -> None:
        self.context = context
        self.database = context.database
        self.predictor: Predictor = Breaker(context.predictor)
        self.clock = context.clock
        self.watch = context.watch
        self.rematch = Rematch(
            Rescorer(context.database, context.predictor, clock=context.clock, watch=self.watch),
            context.clock,
        )
        self.works = Works(context.database, context.hooks.tasks, clock=context.clock)
        self.limiter = RateLimiter(context.rate_limit)
        self.tokens = TokenIssuer(context.secret_key, lifetime=context.token_lifetime, clock=context.clock)
        self.authenticator = Authenticator(
            context.database,
            tokens=self.tokens,
            passwords=context.passwords,
            throttle=LoginThrottle(),
            clock=context.clock,
            open_reading=context.open_reading,
        )
        self.live = LiveArticles(
            context.database,
            poll_seconds=context.stream_poll_seconds,
            max_listeners=context.max_listeners,
            stopping=context.stopping,
        )


def api_of(request: HTTPConnection) -> Api:
    """The `Api` that `install_api` put into the application."""
    api: Api = request.app.state.api
    return api


def _api_dependency(request: Request) -> Api:
    return api_of(request)


def _caller_dependency(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


ApiDep = Annotated[Api, Depends(_api_dependency)]
CallerDep = Annotated[Caller, Depends(_caller_dependency)]


def unable(what: str, instead: str) -> PreconditionFailed:
    """The error of a route whose hook this process does not have."""
    return PreconditionFailed(f"This process cannot {what}.", hint=instead)
