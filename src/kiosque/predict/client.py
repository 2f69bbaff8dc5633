"""The predictor over HTTP: the same promises as in memory, with the network's faults translated."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import httpx2
import structlog
from pydantic import BaseModel, ValidationError

from kiosque.core import errors
from kiosque.core.book import BookQuery, Shelf
from kiosque.core.errors import InvalidInput, KiosqueError, NoModel, PredictUnavailable, TryAgain
from kiosque.core.polarity import ScoringRequest, Target, TargetScore, WordContribution
from kiosque.core.prediction import Answering, Replica, ScoredBatch
from kiosque.predict.balance import BalancingTransport, PinnedTransport, Resolve, resolve
from kiosque.predict.models import POLARITY
from kiosque.predict.schemas import (
    MAX_QUERIES,
    MAX_TEXTS,
    BooksAnswer,
    ExplainAnswer,
    ExplainBody,
    ModelsAnswer,
    PolarityAnswer,
    QueryBody,
    TargetBody,
    TextBody,
)

log = structlog.get_logger(__name__)
A = TypeVar("A", bound=BaseModel)
V = TypeVar("V")

MAX_BYTES = 1_048_576
"""Of one request body; a quarter of what a server takes by default."""
ATTEMPTS = 5
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0
"""Seconds between tries, doubling from the one; a server's Retry-After is followed up to the other."""
REPLICA_SECONDS = 2.0
"""How long one replica may take to say with which versions it answers: a page waits for it."""
ELSEWHERE_ATTEMPTS = 3
"""Tries on new connections when a server has no model: another replica may have one."""
AGREEMENT_ATTEMPTS = 12
AGREEMENT_PAUSE = 0.5
"""Replicas swap versions within their poll interval of one another; this waits about three of them."""


class HttpPredictor:
    """Implements `Predictor` by asking the server at `url`; safe for any number of threads, keeps its connections.

    Connection faults and 502, 503, 504 and 429 are tried again with growing pauses; a server without a model is left
    for another one, if there is one behind the same name. `timeout` is how many seconds
    one answer may take. `transport`, `sleep`, `jitter` (0 to 1) and `resolver` are handed in by tests.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        timeout: float = 30.0,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        resolver: Resolve = resolve,
    ) -> None:
        self._url = url.rstrip("/")
        self._resolver = resolver
        self._pinned = transport
        """What replicas are asked over; None for a connection of its own each."""
        self._sleep = sleep
        self._jitter = jitter
        self._most_texts = MAX_TEXTS
        """Texts in one question, halved while the server does not answer in time."""
        limits = httpx2.Limits(max_connections=64, max_keepalive_connections=64, keepalive_expiry=30.0)
        self._client = httpx2.Client(
            headers={"Authorization": f"Bearer {token}"} if token else None,
            transport=transport or BalancingTransport(httpx2.HTTPTransport(trust_env=False, limits=limits)),
            timeout=httpx2.Timeout(timeout, connect=min(timeout, 5.0)),
            trust_env=False,
        )

    def polarity(self, requests: Sequence[ScoringRequest], *, any_language: bool = False) -> ScoredBatch:
        """Any number of requests, in as many calls as it takes. Replicas that differ in version are asked again."""
        if not requests:
            return ScoredBatch(self._polarity_version(), ())
        tail = b'],"any_language":true}' if any_language else b"]}"
        parts = [_dump(TextBody.of, request) for request in requests]
        bodies, answers = self._ask_in_time(parts, lambda chunk: b'{"texts":[' + b",".join(chunk) + tail)
        version = self._agree(bodies, answers)
        scores = tuple(
            tuple(score.to_core() for score in scores) for answer in answers for scores in answer.scores
        )
        _check_shape(requests, scores)
        return ScoredBatch(version, scores)

    def explain(self, request: ScoringRequest, target: Target) -> tuple[WordContribution, ...]:
        body = _dump(lambda _: ExplainBody(text=TextBody.of(request), target=TargetBody.of(target)), request)
        answer = self._post("/v1/polarity/explain", body, ExplainAnswer)
        return tuple(word.to_core() for word in answer.words)

    def books(self, queries: Sequence[BookQuery]) -> list[Shelf]:
        parts = [_dump(QueryBody.of, query) for query in queries]
        shelves = [
            shelf.to_core()
            for chunk in _chunks(parts, MAX_QUERIES)
            for shelf in self._post(
                "/v1/books", b'{"queries":[' + b",".join(chunk) + b"]}", BooksAnswer
            ).shelves
        ]
        if len(shelves) != len(queries):
            raise _nonsense(f"{len(shelves)} shelves for {len(queries)} queries")
        return shelves

    def versions(self) -> dict[str, str]:
        answer = self._ask("GET", "/v1/models", None, ModelsAnswer)
        return {model.name: model.version for model in answer.models if model.version}

    def replicas(self) -> tuple[Replica, ...]:
        """Every server behind the address, each asked by itself and once; one that does not answer says why."""
        url = httpx2.URL(self._url)
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            addresses = self._resolver(url.host, port)
        except OSError as error:
            return (Replica(url.host, trouble=f"{url.host} cannot be resolved: {error}"),)
        return tuple(self._replica(address, port) for address in addresses)

    def _replica(self, address: str, port: int) -> Replica:
        place = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        inner = self._pinned or httpx2.HTTPTransport(trust_env=False)
        try:
            with httpx2.Client(
                headers=self._client.headers,
                transport=PinnedTransport(inner, address),
                timeout=REPLICA_SECONDS,
                trust_env=False,
            ) as client:
                response = client.get(f"{self._url}/v1/models")
            if response.status_code != 200:
                return Replica(place, trouble=f"answered with status {response.status_code}")
            answer = ModelsAnswer.model_validate_json(response.content)
        except httpx2.TransportError as error:
            return Replica(place, trouble=str(error) or type(error).__name__)
        except ValidationError:
            return Replica(place, trouble="answered something else than was asked")
        finally:
            if self._pinned is None:
                inner.close()
        return Replica(place, tuple(Answering(m.name, m.version, m.trouble) for m in answer.models))

    def check(self) -> None:
        """Raises PredictUnavailable unless the server answers, whatever models it has."""
        self.versions()

    def close(self) -> None:
        self._client.close()

    def _polarity_version(self) -> str:
        return self._elsewhere(self._polarity_version_here)

    def _polarity_version_here(self, *, leave: bool) -> str:
        answer = self._ask("GET", "/v1/models", None, ModelsAnswer, leave=leave)
        for model in answer.models:
            if model.name == POLARITY and model.version:
                return model.version
        raise NoModel(
            "The predict server has no usable polarity model.", hint="See its /readyz for the reason."
        )

    def _agree(self, bodies: Sequence[bytes], answers: list[PolarityAnswer]) -> str:
        """Ask again, in place, until all answers are by the version that answered last; gives that version."""
        latest = answers[-1].model_version
        for _ in range(AGREEMENT_ATTEMPTS):
            others = [i for i, answer in enumerate(answers) if answer.model_version != latest]
            if not others:
                return latest
            self._sleep(AGREEMENT_PAUSE)
            for i in others:
                answers[i] = self._post("/v1/polarity", bodies[i], PolarityAnswer)
                latest = answers[i].model_version
        raise PredictUnavailable(
            "The predict servers keep answering with different versions.",
            hint="Do they share one model store? See /v1/models of each.",
            retry_after=5.0,
        )

    def _ask_in_time(
        self, parts: Sequence[bytes], body_of: Callable[[Sequence[bytes]], bytes]
    ) -> tuple[list[bytes], list[PolarityAnswer]]:
        """Bodies and answers for all `parts`. What a slow server does not answer in time is asked in smaller pieces,
        also the next time: it would never get done otherwise. A server that does not answer those is out of reach."""
        bodies: list[bytes] = []
        answers: list[PolarityAnswer] = []
        done, late, in_time = 0, False, True
        while done < len(parts):
            chunk = next(_chunks(parts[done:], self._most_texts))
            body = body_of(chunk)
            try:
                answers.append(self._post("/v1/polarity", body, PolarityAnswer))
            except PredictUnavailable as error:
                if not isinstance(error.__cause__, httpx2.ReadTimeout):
                    raise
                self._most_texts = max(1, len(chunk) // 2)
                if late or len(chunk) == 1:
                    raise
                late, in_time = True, False
                log.info("predict.slow", texts=len(chunk), next_time=self._most_texts)
                continue
            bodies.append(body)
            done, late = done + len(chunk), False
        if in_time:
            self._most_texts = min(MAX_TEXTS, 2 * self._most_texts)
        return bodies, answers

    def _post(self, path: str, body: bytes, answer: type[A]) -> A:
        return self._elsewhere(lambda *, leave: self._ask("POST", path, body, answer, leave=leave))

    def _elsewhere(self, ask: Callable[..., V]) -> V:
        """What `ask` says; where it raises NoModel, again after leaving the connection (`leave`)."""
        for attempt in range(1, ELSEWHERE_ATTEMPTS + 1):
            try:
                return ask(leave=attempt > 1)
            except NoModel as error:
                if attempt == ELSEWHERE_ATTEMPTS:
                    raise
                log.info("predict.no_model_here", reason=error.detail)
                self._sleep(self._pause(attempt, None))
        raise AssertionError("unreachable")

    def _ask(self, method: str, path: str, body: bytes | None, answer: type[A], *, leave: bool = False) -> A:
        """One question, as often as it takes to get an answer. Raises what the server says, in our own words."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._ask_once(method, path, body, answer, leave=leave)
            except _Retriable as failure:
                if attempt == ATTEMPTS:
                    raise failure.error from failure
                pause = self._pause(attempt, failure.error.retry_after)
                log.info(
                    "predict.retried",
                    path=path,
                    attempt=attempt,
                    pause=round(pause, 3),
                    reason=failure.error.detail,
                )
                self._sleep(pause)
        raise AssertionError("unreachable")

    def _ask_once(self, method: str, path: str, body: bytes | None, answer: type[A], *, leave: bool) -> A:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if (
            leave
        ):  # the kept connection ends with this answer, and the next question may reach another replica
            headers["Connection"] = "close"
        try:
            response = self._client.request(method, f"{self._url}{path}", content=body, headers=headers)
        except httpx2.ReadTimeout as error:
            raise self._unavailable(f"did not answer in time ({error})") from error
        except httpx2.TransportError as error:
            raise _Retriable(self._unavailable(str(error) or type(error).__name__)) from error
        except httpx2.InvalidURL as error:
            raise errors.InvalidSettings(f"KIOSQUE_PREDICT_URL: {error}") from error
        if response.status_code != 200:
            raise _translate(response, self._unavailable(f"answered with status {response.status_code}"))
        try:
            return answer.model_validate_json(response.content)
        except ValidationError as error:
            raise _nonsense(str(error)[:300]) from error

    def _pause(self, attempt: int, retry_after: float | None) -> float:
        growing = FIRST_PAUSE * 2.0 ** (attempt - 1)
        return min(LONGEST_PAUSE, max(retry_after or 0.0, growing) * (1.0 + 0.5 * self._jitter()))

    def _unavailable(self, why: str) -> PredictUnavailable:
        return PredictUnavailable(
            f"The predict server at {self._url} is out of reach: {why}.",
            hint="Is it running, and is KIOSQUE_PREDICT_URL right?",
        )


class _Retriable(Exception):
    """The same question may be answered shortly."""

    def __init__(self, error: TryAgain) -> None:
        super().__init__(error.detail)
        self.error = error


def _known_errors() -> dict[str, type[KiosqueError]]:
    pending, known = [KiosqueError], {}
    while pending:
        kind = pending.pop()
        known[kind.code] = kind
        pending += kind.__subclasses__()
    return known


_PASSING = frozenset({429, 502, 503, 504})


def _translate(response: httpx2.Response, otherwise: PredictUnavailable) -> KiosqueError | _Retriable:
    """The error that the server had, out of its problem+json; `otherwise` where something else answered."""
    problem = _problem(response)
    kind = _known_errors().get(str(problem.get("code")))
    if kind is None:
        return _Retriable(otherwise) if response.status_code in _PASSING else otherwise
    detail, hint = str(problem.get("detail", kind.title)), problem.get("hint")
    said = None if hint is None else str(hint)
    if not issubclass(kind, TryAgain):
        return kind(detail, hint=said)
    error = kind(detail, hint=said, retry_after=_retry_after(response))
    return _Retriable(error) if response.status_code in _PASSING else error


def _problem(response: httpx2.Response) -> dict[str, object]:
    try:
        problem = response.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _retry_after(response: httpx2.Response) -> float | None:
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdigit() else None


def _dump(make: Callable[[V], BaseModel], value: V) -> bytes:
    """`value` as JSON. Raises InvalidInput where it breaks a limit of the server, which would refuse it, too."""
    try:
        return make(value).model_dump_json(exclude_defaults=True).encode()
    except (ValidationError, ValueError) as error:
        raise InvalidInput(
            f"This cannot be sent: {str(error)[:500]}", hint="See the limits in the message."
        ) from error


def _chunks(parts: Sequence[bytes], most: int) -> Iterator[Sequence[bytes]]:
    """`parts` in order, in groups of at most `most` parts and, unless one alone has more, `MAX_BYTES`."""
    start = size = 0
    for end, part in enumerate(parts):
        if end > start and (end - start >= most or size + len(part) > MAX_BYTES):
            yield parts[start:end]
            start, size = end, 0
        size += len(part) + 1
    if start < len(parts):
        yield parts[start:]


def _check_shape(requests: Sequence[ScoringRequest], scores: Sequence[Sequence[TargetScore]]) -> None:
    if [len(request.targets) for request in requests] != [len(each) for each in scores]:
        raise _nonsense("the scores are not those of the requests")


def _nonsense(why: str) -> PredictUnavailable:
    return PredictUnavailable(
        f"The predict server answered something else than was asked: {why}.",
        hint="Are server and client of the same version?",
    )
