"""With which version each server of the models answers."""

from __future__ import annotations

import httpx2

from kiosque.core.prediction import Answering, Replica
from kiosque.predict.client import HttpPredictor
from kiosque.predict.schemas import ModelAnswer, ModelsAnswer


def models(version: str | None, trouble: str | None = None) -> httpx2.Response:
    answer = ModelsAnswer(
        models=(ModelAnswer(name="polarity", version=version, published_at=None, fields={}, trouble=trouble),)
    )
    return httpx2.Response(200, content=answer.model_dump_json())


def ask(answers, addresses=("10.0.0.1", "10.0.0.2", "::1"), url="http://predict:8005"):
    def handle(request: httpx2.Request) -> httpx2.Response:
        assert request.headers["authorization"] == "Bearer t"
        assert request.headers["host"] == "predict:8005"
        answer = answers[request.url.host]
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = HttpPredictor(
        url, token="t", transport=httpx2.MockTransport(handle), resolver=lambda host, port: list(addresses)
    )
    return client.replicas()


def test_each_address_is_asked_by_itself():
    found = ask({"10.0.0.1": models("v1"), "10.0.0.2": models("v0", "v1 is damaged"), "::1": models(None)})
    assert found == (
        Replica("10.0.0.1:8005", (Answering("polarity", "v1"),)),
        Replica("10.0.0.2:8005", (Answering("polarity", "v0", "v1 is damaged"),)),
        Replica("[::1]:8005", (Answering("polarity", None),)),
    )
    assert [replica.version("polarity") for replica in found] == ["v1", "v0", None]
    assert found[0].version("books") is None


def test_one_that_does_not_answer_says_why_and_keeps_nobody_from_answering():
    found = ask(
        {
            "10.0.0.1": httpx2.ConnectError("refused"),
            "10.0.0.2": httpx2.Response(503),
            "::1": httpx2.Response(200, content=b"<html>"),
        }
    )
    assert [replica.trouble for replica in found] == [
        "refused",
        "answered with status 503",
        "answered something else than was asked",
    ]


def test_a_name_that_is_unknown_is_one_server_in_trouble():
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("Name or service not known")

    (found,) = HttpPredictor("http://predict", resolver=unknown).replicas()
    assert found.trouble
    assert "cannot be resolved" in found.trouble
