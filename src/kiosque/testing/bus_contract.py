"""What every bus must do. Subclass `BusContract`, give it a `bus` fixture, and pytest runs it.

Everything is published from a thread, because the inline bus returns from `publish` only when its messages
were settled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic

import pytest

from kiosque.bus.protocol import Bus, Delivery, Lag, Message
from kiosque.core.errors import BusUnavailable
from kiosque.testing.waiting import PATIENCE, wait_until

ODD_KEYS = (
    "nyt://article/0b8ae6a2-7d2c-5f0e-8a3c-000000000001",
    "https://example.com/a?b=c&d=%20e#f",
    "sha256:00ff",
    "with blanks  and\ttabs",
    "line\nbreak\r\nbreak",
    "ünïcödé 日本 🗳",
    "100%",
    "%41",
    " padded ",
    "x" * 2000,
)
ODD_SUBJECTS = ("nyt-wire", "feed.example.com/rss*>", "ünï cödé", "100%", "a" * 100)


def messages(count: int, *, prefix: str = "key", subject: str = "demo") -> list[Message]:
    return [Message(f"{prefix}-{i}", subject, f"{prefix} {i}".encode()) for i in range(count)]


@contextmanager
def publishing(bus: Bus, batch: Sequence[Message]) -> Iterator[Future[None]]:
    """Publish in the background; at the end wait until that is done, and raise what it raised."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(bus.publish, batch)
        yield future
        future.result(PATIENCE)


def fetch_count(bus: Bus, count: int) -> list[Delivery]:
    """Exactly `count` deliveries, in as many fetches as it takes."""
    found: list[Delivery] = []
    deadline = monotonic() + PATIENCE
    while len(found) < count and monotonic() < deadline:
        found += bus.fetch(count - len(found), 1.0)
    assert len(found) == count
    return found


def settle_all(bus: Bus, *, quiet: float = 0.3) -> list[Delivery]:
    """Acknowledge whatever comes until nothing has come for `quiet` seconds."""
    found: list[Delivery] = []
    while deliveries := bus.fetch(100, quiet):
        for delivery in deliveries:
            delivery.ack()
        found += deliveries
    return found


class BusContract:
    """The subclass's `bus` must take back an unsettled delivery after `ack_wait` seconds."""

    ack_wait = 1.0

    def test_messages_arrive_once_and_as_they_were_sent(self, bus: Bus) -> None:
        sent = [Message(key, "demo", f"{i}\0ü".encode()) for i, key in enumerate(ODD_KEYS)]
        sent += [Message(f"s{i}", subject, bytes(range(256))) for i, subject in enumerate(ODD_SUBJECTS)]
        sent.append(Message("empty", "demo", b""))
        with publishing(bus, sent):
            deliveries = fetch_count(bus, len(sent))
            for delivery in deliveries:
                delivery.ack()
            assert settle_all(bus) == []

        assert {d.message for d in deliveries} == set(sent)
        assert {d.attempt for d in deliveries} == {1}

    def test_publishing_nothing_returns(self, bus: Bus) -> None:
        bus.publish([])
        assert bus.lag() == Lag(0, 0)

    def test_a_fetch_gives_no_more_than_its_limit_and_the_next_one_the_rest(self, bus: Bus) -> None:
        with publishing(bus, messages(5)):
            wait_until(lambda: bus.lag().pending == 5)
            first = bus.fetch(2, PATIENCE)
            second = fetch_count(bus, 3)
            for delivery in (*first, *second):
                delivery.ack()

        assert len(first) == 2
        assert len({d.message.key for d in (*first, *second)}) == 5

    def test_a_fetch_does_not_wait_to_fill_up(self, bus: Bus) -> None:
        with publishing(bus, messages(3)):
            wait_until(lambda: bus.lag().pending == 3)
            before = monotonic()
            deliveries = bus.fetch(100, 2 * PATIENCE)
            waited = monotonic() - before
            for delivery in deliveries:
                delivery.ack()

        assert len(deliveries) == 3
        assert waited < PATIENCE

    def test_a_waiting_fetch_gets_what_is_published_meanwhile(self, bus: Bus) -> None:
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(bus.fetch, 10, PATIENCE)
            assert bus.lag().in_flight == 0
            with publishing(bus, messages(1)):
                [delivery] = waiting.result(PATIENCE)
                delivery.ack()

    def test_a_fetch_without_messages_comes_back_empty(self, bus: Bus) -> None:
        assert bus.fetch(10, 0.2) == []
        assert bus.fetch(1, 0.0) == []

    def test_given_back_is_delivered_again_and_counted(self, bus: Bus) -> None:
        with publishing(bus, messages(1)):
            for attempt in (1, 2, 3):
                [delivery] = fetch_count(bus, 1)
                assert delivery.attempt == attempt
                delivery.nak()
            [delivery] = fetch_count(bus, 1)
            assert delivery.attempt == 4
            delivery.ack()

    def test_given_back_with_a_delay_waits_for_it(self, bus: Bus) -> None:
        with publishing(bus, messages(1)):
            [delivery] = fetch_count(bus, 1)
            delivery.nak(delay=1.5)
            assert bus.fetch(1, 0.3) == []
            assert sum((bus.lag().pending, bus.lag().in_flight)) == 1
            [delivery] = fetch_count(bus, 1)
            assert delivery.attempt == 2
            delivery.ack()

    def test_terminated_is_never_delivered_again(self, bus: Bus) -> None:
        with publishing(bus, messages(1)):
            [delivery] = fetch_count(bus, 1)
            delivery.term("cannot be parsed: <reason>\n with breaks")
        assert settle_all(bus) == []
        wait_until(lambda: bus.lag() == Lag(0, 0))

    def test_what_nobody_settles_goes_to_the_next(self, bus: Bus) -> None:
        with publishing(bus, messages(1)):
            [lost] = fetch_count(bus, 1)
            [delivery] = fetch_count(bus, 1)
            assert delivery.message == lost.message
            assert delivery.attempt == 2
            delivery.ack()

    def test_what_is_in_progress_stays_with_whom_has_it(self, bus: Bus) -> None:
        with publishing(bus, messages(1)):
            [delivery] = fetch_count(bus, 1)
            for _ in range(5):
                delivery.in_progress()
                assert bus.fetch(1, self.ack_wait / 2.5) == []
            delivery.ack()
        assert settle_all(bus) == []

    def test_settling_twice_or_late_does_no_harm(self, bus: Bus) -> None:
        with publishing(bus, messages(1)):
            [late] = fetch_count(bus, 1)
            [delivery] = fetch_count(bus, 1)
            late.ack()
            delivery.ack()
            delivery.ack()
            delivery.nak()
        assert settle_all(bus) == []
        wait_until(lambda: bus.lag() == Lag(0, 0))

    def test_the_lag_counts_what_waits_and_what_is_in_hand(self, bus: Bus) -> None:
        with publishing(bus, messages(5)):
            wait_until(lambda: bus.lag() == Lag(pending=5, in_flight=0))
            deliveries = bus.fetch(2, PATIENCE)
            wait_until(lambda: bus.lag() == Lag(pending=3, in_flight=2))
            for delivery in (*deliveries, *fetch_count(bus, 3)):
                delivery.ack()
            wait_until(lambda: bus.lag() == Lag(0, 0))

    def test_consumers_share_the_work(self, bus: Bus) -> None:
        def consume(_: int) -> list[str]:
            return [delivery.message.key for delivery in settle_all(bus, quiet=1.0)]

        with ThreadPoolExecutor(4) as pool, publishing(bus, messages(200)):
            shares = list(pool.map(consume, range(4)))

        keys = [key for share in shares for key in share]
        assert len(keys) == 200
        assert len(set(keys)) == 200

    def test_many_publishers_at_once_lose_nothing(self, bus: Bus) -> None:
        with ThreadPoolExecutor(8) as pool:
            published = [pool.submit(bus.publish, messages(25, prefix=f"p{i}")) for i in range(8)]
            deliveries = fetch_count(bus, 200)
            for delivery in deliveries:
                delivery.ack()
            for future in published:
                future.result(PATIENCE)

        assert len({d.message.key for d in deliveries}) == 200

    def test_the_same_key_again_is_at_most_one_more_message(self, bus: Bus) -> None:
        with ThreadPoolExecutor(1) as pool, publishing(bus, messages(1)):
            again = pool.submit(bus.publish, messages(1))
            found = settle_all(bus, quiet=1.0)
            again.result(PATIENCE)
        assert len(found) in (1, 2)
        assert len({delivery.message for delivery in found}) == 1

    def test_an_open_bus_answers_its_check(self, bus: Bus) -> None:
        bus.check()

    def test_a_closed_bus_says_so(self, bus: Bus) -> None:
        bus.close()
        bus.close()
        for ask in (bus.check, lambda: bus.publish(messages(1)), lambda: bus.fetch(1, 0.1)):
            with pytest.raises(BusUnavailable, match="closed"):
                ask()

    def test_closing_wakes_a_waiting_fetch(self, bus: Bus) -> None:
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(_fetch_or_nothing, bus)
            bus.lag()
            bus.close()
            assert waiting.result(PATIENCE / 2) == []


def _fetch_or_nothing(bus: Bus) -> list[Delivery]:
    try:
        return bus.fetch(1, PATIENCE)
    except BusUnavailable:
        return []
