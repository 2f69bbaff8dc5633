from __future__ import annotations

import json
from collections.abc import Callable

import httpx2
import pytest

from kiosque.core import errors
from kiosque.core.book import BookQuery
from kiosque.core.errors import (
    Forbidden,
    InvalidInput,
    InvalidSettings,
    KiosqueError,
    NoModel,
    NotFound,
    PredictUnavailable,
    RateLimited,
    TooLarge,
    Unauthenticated,
)
from kiosque.core.polarity import ScoringRequest, Target
from kiosque.http.problems import respond_to
from kiosque.predict import client as client_module
from kiosque.predict.client import ATTEMPTS, HttpPredictor
from kiosque.predict.schemas import PolarityAnswer, PolarityBody, ScoreAnswer
from kiosque.testing.predictor import ToyPolarity

ADA = ScoringRequest("Ada wins", targets=(Target("ada", "Ada"),))
Handler = Callable[[httpx2.Request], httpx2.Response]


class Server:
    """Answers polarity like the toy after what stands in `script`; notes requests and pauses."""

    def __init__(self, *script: httpx2.Response | Exception, versions: list[str] | None = None) -> None:
        self.script = list(script)
        self.versions = versions or ["v1"]
        self.requests: list[httpx2.Request] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        if self.script:
            step = self.script.pop(0)
            if isinstance(step, Exception):
                raise step
            return step
        return httpx2.Response(200, content=self._score(PolarityBody.model_validate_json(request.content)))

    def _score(self, body: PolarityBody) -> bytes:
        scores = ToyPolarity().score([text.to_core() for text in body.texts], any_language=body.any_language)
        version = self.versions.pop(0) if len(self.versions) > 1 else self.versions[0]
        answer = PolarityAnswer(
            model_version=version, scores=tuple(tuple(map(ScoreAnswer.of, each)) for each in scores)
        )
        return answer.model_dump_json().encode()

    def client(self, **more) -> HttpPredictor:
        return HttpPredictor(
            "http://predict:8005/",
            transport=httpx2.MockTransport(self),
            sleep=self.pauses.append,
            jitter=lambda: 0.0,
            **more,
        )


def problem(error: KiosqueError) -> httpx2.Response:
    """What the server says of `error`."""
    response = respond_to(error)
    return httpx2.Response(response.status_code, content=bytes(response.body), headers=dict(response.headers))


def test_the_token_is_sent_with_every_request():
    server = Server()
    server.client(token="s3cret").polarity([ADA])
    assert server.requests[0].headers["authorization"] == "Bearer s3cret"
    assert str(server.requests[0].url) == "http://predict:8005/v1/polarity"


@pytest.mark.parametrize(
    "fault",
    [
        httpx2.ConnectError("refused"),
        httpx2.ConnectTimeout("slow"),
        httpx2.RemoteProtocolError("closed"),
        httpx2.ReadError("reset"),
        httpx2.Response(502, text="<html>Bad gateway"),
        httpx2.Response(503),
        httpx2.Response(504),
        problem(PredictUnavailable("busy")),
        problem(RateLimited("slow down")),
    ],
)
def test_what_passes_is_tried_again(fault):
    server = Server(fault, fault)
    assert server.client().polarity([ADA]).model_version == "v1"
    assert server.pauses == [0.1, 0.2]


def test_pauses_grow_and_end():
    server = Server(*[httpx2.ConnectError("refused")] * 99)
    with pytest.raises(PredictUnavailable, match="refused") as caught:
        server.client().polarity([ADA])
    assert len(server.requests) == ATTEMPTS
    assert server.pauses == pytest.approx([0.1, 0.2, 0.4, 0.8])
    assert "KIOSQUE_PREDICT_URL" in str(caught.value.hint)


def test_retry_after_is_followed_within_reason():
    server = Server(
        problem(PredictUnavailable("busy", retry_after=2.0)),
        problem(PredictUnavailable("busy", retry_after=900)),
    )
    server.client().polarity([ADA])
    assert server.pauses == [2.0, 10.0]


def test_what_the_server_says_last_is_what_is_raised():
    server = Server(
        *[problem(PredictUnavailable("too much waits", hint="More servers.", retry_after=1.0))] * 99
    )
    with pytest.raises(PredictUnavailable, match="too much waits") as caught:
        server.client().polarity([ADA])
    assert (caught.value.hint, caught.value.retry_after) == ("More servers.", 1.0)


@pytest.mark.parametrize(
    "error",
    [
        InvalidInput("k is 0.", hint="Ask for more."),
        NotFound("no book"),
        Unauthenticated("token"),
        Forbidden("no"),
        TooLarge("body"),
        errors.CorruptModel("bad"),
        KiosqueError("crashed"),
    ],
)
def test_errors_that_do_not_pass_come_back_as_they_were_at_once(error):
    server = Server(problem(error))
    with pytest.raises(type(error)) as caught:
        server.client().books([BookQuery(text="x")])
    assert type(caught.value) is type(error)
    assert (caught.value.detail, caught.value.hint) == (error.detail, error.hint)
    assert server.pauses == []


def test_a_server_without_a_model_is_left_for_another_one():
    server = Server(*[problem(NoModel("no champion"))] * 2)
    assert server.client().polarity([ADA]).model_version == "v1"
    assert [request.headers.get("connection") for request in server.requests] == [
        "keep-alive",
        "close",
        "close",
    ]


def test_no_server_with_a_model_is_said_in_the_words_of_the_last():
    server = Server(*[problem(NoModel("no champion", hint="Publish one."))] * 99)
    with pytest.raises(NoModel) as caught:
        server.client().books([BookQuery(text="x")])
    assert (caught.value.detail, caught.value.hint) == ("no champion", "Publish one.")
    assert len(server.requests) == 3


def test_the_version_is_asked_of_another_server_where_one_has_none():
    empty = {"name": "polarity", "version": None, "published_at": None, "fields": {}, "trouble": "corrupt"}
    full = {"name": "polarity", "version": "p1", "published_at": None, "fields": {}, "trouble": None}
    server = Server(*(httpx2.Response(200, json={"models": [model]}) for model in (empty, full)))
    assert server.client().polarity(()).model_version == "p1"


def test_every_error_of_the_house_has_its_way_back():
    known = client_module._known_errors()
    every = {
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, KiosqueError)
    }
    assert set(known.values()) == every


def test_a_slow_answer_is_not_asked_for_again():
    server = Server(httpx2.ReadTimeout("30 s"))
    with pytest.raises(PredictUnavailable, match="in time"):
        server.client().polarity([ADA])
    assert len(server.requests) == 1


def sizes(server: Server) -> list[int]:
    return [len(json.loads(request.content)["texts"]) for request in server.requests]


def test_what_is_too_much_for_the_time_is_asked_in_smaller_pieces_and_then_in_larger_ones_again():
    server = Server(httpx2.ReadTimeout("30 s"))
    client = server.client()
    for _ in range(3):
        assert len(client.polarity([ADA] * 8).scores) == 8
    assert sizes(server) == [8, 4, 4, 4, 4, 8]


def test_a_server_that_answers_nothing_is_given_up_soon_and_asked_for_less_the_next_time():
    server = Server(*[httpx2.ReadTimeout("30 s")] * 2)
    client = server.client()
    with pytest.raises(PredictUnavailable, match="in time"):
        client.polarity([ADA] * 8)
    assert len(client.polarity([ADA] * 8).scores) == 8
    assert sizes(server) == [8, 4, 2, 2, 2, 2]


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(200, text="<html>Hello"),
        httpx2.Response(200, json={"model_version": "v1"}),
        httpx2.Response(200, json={"model_version": "v1", "scores": []}),
        httpx2.Response(200, json={"model_version": "v1", "scores": [[]]}),
        httpx2.Response(404, text="nginx"),
        httpx2.Response(302, headers={"location": "http://elsewhere"}),
    ],
)
def test_an_answer_from_something_else_is_no_answer(answer):
    with pytest.raises(PredictUnavailable):
        Server(answer).client().polarity([ADA])


def test_too_few_shelves_are_no_answer():
    with pytest.raises(PredictUnavailable, match="0 shelves for 1"):
        Server(httpx2.Response(200, json={"shelves": []})).client().books([BookQuery(text="x")])


def test_many_texts_go_in_several_requests_by_number_and_by_size():
    server = Server()
    server.client().polarity([ADA] * 300)
    assert [_count(request) for request in server.requests] == [256, 44]

    server = Server()
    long = ScoringRequest("Ada", "x" * 90_000, (Target("ada", "Ada"),))
    server.client().polarity([long] * 30)
    assert [_count(request) for request in server.requests] == [11, 11, 8]
    assert all(len(request.content) < 1_100_000 for request in server.requests)


def _count(request: httpx2.Request) -> int:
    return len(json.loads(request.content)["texts"])


@pytest.mark.parametrize(
    ("versions", "asked"),
    [
        (["old", "new"], [256, 44, 256]),
        (["new", "old", "new"], [256, 44, 256, 44]),
    ],
)
def test_an_answer_is_by_one_version_even_if_it_changed_between_two_requests(versions, asked):
    server = Server(versions=versions)
    batch = server.client().polarity([ADA] * 300)
    assert batch.model_version == "new"
    assert [_count(request) for request in server.requests] == asked
    assert len(batch.scores) == 300


def test_replicas_that_never_agree_are_given_up():
    server = Server(versions=[str(i) for i in range(200)])
    with pytest.raises(PredictUnavailable, match="different versions"):
        server.client().polarity([ADA] * 300)


def test_what_breaks_a_limit_of_the_server_is_not_sent():
    server = Server()
    for bad in (ScoringRequest("x" * 100_001), ScoringRequest("\ud800", targets=ADA.targets)):
        with pytest.raises(InvalidInput, match="cannot be sent"):
            server.client().polarity([bad])
    assert server.requests == []


def test_an_address_that_is_none_is_a_setting_that_is_wrong():
    with pytest.raises((InvalidSettings, PredictUnavailable)):
        HttpPredictor("nonsense", sleep=lambda _: None).polarity([ADA])


def test_versions_leave_out_models_without_one():
    models = [
        {"name": "polarity", "version": "p1", "published_at": None, "fields": {}, "trouble": None, "new": 1},
        {"name": "books", "version": None, "published_at": None, "fields": {}, "trouble": "none"},
    ]
    server = Server(httpx2.Response(200, json={"models": models}))
    assert server.client().versions() == {"polarity": "p1"}
