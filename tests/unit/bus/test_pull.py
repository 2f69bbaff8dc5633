"""How messages are asked for, against a broker that is played."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from nats.aio.msg import Msg

from kiosque.bus import pull as module
from kiosque.bus.pull import Puller
from kiosque.bus.stream import StreamSettings


def message(name: str) -> Msg:
    return Msg(_client=None, subject="articles.demo", reply=f"$JS.ACK.{name}", data=name.encode())


class Broker:
    """The client as far as a puller uses it. Each request is answered by the next step of `script`."""

    def __init__(self, *script: list[str | int]) -> None:
        self.script = list(script)
        self.requests: list[dict] = []
        self.settled: list[tuple[str, bytes]] = []
        self._receive: Callable[[Msg], Awaitable[None]]

    def new_inbox(self) -> str:
        return "_INBOX.1"

    async def subscribe(self, subject: str, cb: Callable[[Msg], Awaitable[None]]) -> None:
        assert subject == "_INBOX.1.*"
        self._receive = cb

    async def publish(self, subject: str, data: bytes, reply: str = "") -> None:
        if subject.startswith("$JS.ACK"):
            self.settled.append((subject, data))
            return
        assert subject == "$JS.API.CONSUMER.MSG.NEXT.articles.consumer"
        self.requests.append(json.loads(data))
        for step in self.script.pop(0) if self.script else [404]:
            await self.send(step, reply)

    async def send(self, step: str | int, inbox: str = "") -> None:
        """A message by its name, or the broker's status line for the request of `inbox`."""
        if isinstance(step, int):
            await self._receive(Msg(_client=None, subject=inbox, headers={"Status": str(step)}))
        else:
            await self._receive(message(step))


class Play:
    """A puller and its broker, in one event loop."""

    def __init__(self, *script: list[str | int]) -> None:
        self.broker = Broker(*script)
        self.distrusted = 0
        self.puller = Puller(self.broker, StreamSettings(), self._distrust)

    def _distrust(self) -> None:
        self.distrusted += 1

    def run(self, *pulls: tuple[int, float], before: tuple[str | int, ...] = ()) -> list[list[str]]:
        async def main() -> list[list[str]]:
            await self.puller.open()
            for step in before:
                await self.broker.send(step)
            return [[m.data.decode() for m in await self.puller.pull(*each)] for each in pulls]

        return asyncio.run(main())


def test_what_is_there_is_taken_in_one_request():
    play = Play(["a", "b", 404])
    assert play.run((5, 1.0)) == [["a", "b"]]
    assert play.broker.requests == [{"batch": 5, "no_wait": True}]


def test_a_full_batch_needs_no_last_word():
    play = Play(["a", "b"])
    assert play.run((2, 1.0)) == [["a", "b"]]


def test_when_nothing_is_there_one_message_is_waited_for_and_then_the_rest_taken():
    play = Play([404], ["a"], ["b", "c", 404])
    assert play.run((5, 1.0)) == [["a", "b", "c"]]
    assert play.broker.requests == [
        {"batch": 5, "no_wait": True},
        {"batch": 1, "expires": 1_000_000_000},
        {"batch": 4, "no_wait": True},
    ]


def test_nothing_within_the_time_is_nothing():
    play = Play([404], [408])
    assert play.run((5, 1.0)) == [[]]
    assert play.distrusted == 0


def test_without_time_nothing_is_waited_for():
    play = Play([404])
    assert play.run((5, 0.0), (0, 1.0)) == [[], []]
    assert len(play.broker.requests) == 1


def test_what_arrived_late_is_given_to_the_next_without_asking():
    play = Play()
    assert play.run((2, 1.0), (2, 1.0), before=("a", "b", "c")) == [["a", "b"], ["c"]]
    assert play.broker.requests == []


@pytest.mark.parametrize("status", [409, 503])
def test_a_refusal_has_stream_and_consumer_looked_at_again(status):
    play = Play([status], [status])
    assert play.run((5, 0.5)) == [[]]
    assert play.distrusted == 2


def test_silence_ends_the_round_and_has_the_consumer_looked_at_again(monkeypatch):
    monkeypatch.setattr(module, "_GRACE", 0.01)
    play = Play([])
    assert play.run((5, 0.5)) == [[]]
    assert play.distrusted == 1
    assert len(play.broker.requests) == 1


def test_the_last_word_on_an_earlier_request_is_not_that_on_this_one(monkeypatch):
    monkeypatch.setattr(module, "_GRACE", 0.01)
    play = Play(["a"])

    async def main() -> list[Msg]:
        await play.puller.open()
        await play.broker.send(408, "_INBOX.1.77")
        return await play.puller.pull(1, 0.0)

    assert [m.data for m in asyncio.run(main())] == [b"a"]


def test_what_nobody_fetched_is_given_back():
    play = Play()

    async def main() -> None:
        await play.puller.open()
        await play.broker.send("a")
        await play.broker.send("b")
        await play.puller.give_back()

    asyncio.run(main())
    assert play.broker.settled == [("$JS.ACK.a", b"-NAK"), ("$JS.ACK.b", b"-NAK")]
    assert asyncio.run(play.puller.pull(1, 0.0)) == []
