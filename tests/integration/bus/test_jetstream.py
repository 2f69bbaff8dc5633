"""What only a real broker can show: restarts, refusals, several processes on one stream."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from uuid import uuid4

import nats
import pytest
from nats.js.api import StreamInfo

from kiosque.bus.jetstream import JetStreamBus
from kiosque.bus.protocol import Delivery, Lag, Message
from kiosque.bus.stream import StreamSettings
from kiosque.core.errors import BusUnavailable, PreconditionFailed, TooLarge
from kiosque.testing.bus_contract import fetch_count, messages, settle_all
from kiosque.testing.servers import NatsServer, free_port, nats_server
from kiosque.testing.waiting import PATIENCE, wait_until


@pytest.fixture
def stream():
    return StreamSettings(name=f"test-{uuid4().hex}", ack_wait=1.0)


@contextmanager
def _bus(server: NatsServer, stream: StreamSettings, **more) -> Iterator[JetStreamBus]:
    bus = JetStreamBus(server.url, stream=stream, **more)
    try:
        yield bus
    finally:
        bus.close()


@pytest.fixture
def bus(nats, stream):
    with _bus(nats, stream) as bus:
        yield bus


@pytest.fixture
def own_server(tmp_path, nats):
    """A broker that a test may stop. Asks for the shared one so that it skips where there is none."""
    with nats_server(tmp_path / "nats") as server:
        yield server


def _ask(url: str, question):
    """What `question(client)` returns: the broker seen without the code under test."""

    async def ask():
        client = await nats.connect(url)
        try:
            return await question(client)
        finally:
            await client.close()

    return asyncio.run(ask())


def _stream_info(url: str, stream: StreamSettings) -> StreamInfo:
    return _ask(url, lambda client: client.jetstream().stream_info(stream.name))


@pytest.mark.parametrize("end", [NatsServer.stop, NatsServer.kill])
def test_published_messages_survive_a_restart_of_the_broker(own_server, stream, end):
    with _bus(own_server, stream) as bus:
        bus.publish(messages(300))
        first = fetch_count(bus, 100)
        for delivery in first:
            delivery.ack()
        wait_until(lambda: bus.lag() == Lag(200, 0))

        end(own_server)
        own_server.start()

        rest = _settle_until_empty(bus)
        assert {d.message.key for d in (*first, *rest)} == {f"key-{i}" for i in range(300)}
        if end is NatsServer.stop:
            # A killed broker forgets its latest acknowledgements, and delivers those messages again.
            assert len(rest) == 200


def _settle_until_empty(bus: JetStreamBus) -> list[Delivery]:
    found: list[Delivery] = []

    def empty() -> bool:
        found.extend(settle_all(bus, quiet=0.1))
        return bus.lag() == Lag(0, 0)

    wait_until(empty)
    return found


def test_a_publisher_and_a_consumer_outlast_restarts(own_server, stream):
    """Four restarts under way: each message arrives, since what the publisher was told is safe is there."""
    seen: set[str] = set()
    wanted = [f"key-{i}" for i in range(40)]
    with _bus(own_server, stream) as one, _bus(own_server, stream) as two, ThreadPoolExecutor(2) as pool:
        running = [pool.submit(_consume, one, seen, len(wanted)), pool.submit(_publish_each, two, wanted)]
        for count, end in zip((5, 15, 25, 35), (own_server.stop, own_server.kill) * 2, strict=True):
            wait_until(lambda count=count: len(seen) >= count)
            end()
            own_server.start()
        for future in running:
            future.result(2 * PATIENCE)
    assert seen == set(wanted)


def _consume(bus: JetStreamBus, seen: set[str], count: int) -> None:
    while len(seen) < count:
        with suppress(BusUnavailable):
            for delivery in bus.fetch(50, 0.5):
                seen.add(delivery.message.key)
                delivery.ack()


def _publish_each(bus: JetStreamBus, keys: list[str]) -> None:
    for key in keys:
        wait_until(lambda key=key: _is_published(bus, key))


def _is_published(bus: JetStreamBus, key: str) -> bool:
    try:
        bus.publish([Message(key, "demo", b"x")])
    except BusUnavailable:
        return False
    return True


def test_without_a_broker_every_call_ends_and_says_where_it_looked(stream):
    bus = JetStreamBus(f"nats://127.0.0.1:{free_port()}", stream=stream, timeout=0.3)
    for ask in (bus.check, bus.lag, lambda: bus.publish(messages(1)), lambda: bus.fetch(1, 0.1)):
        with pytest.raises(BusUnavailable, match="out of reach") as caught:
            ask()
        assert "KIOSQUE_NATS_URL" in str(caught.value.hint)
    bus.close()


def test_an_address_that_is_none_ends_as_a_broker_out_of_reach(stream):
    bus = JetStreamBus("nats://127.0.0.1:not-a-port", stream=stream, timeout=0.3)
    with pytest.raises(BusUnavailable, match="not-a-port"):
        bus.check()
    bus.close()


def test_a_bus_that_began_before_its_broker_finds_it(tmp_path, nats, stream):
    server = NatsServer(tmp_path / "nats")
    with _bus(server, stream, timeout=0.3) as bus:
        with pytest.raises(BusUnavailable):
            bus.check()
        server.start()
        wait_until(lambda: _answers(bus))
        bus.publish(messages(1))
    server.stop()


def _answers(bus: JetStreamBus) -> bool:
    try:
        bus.check()
    except BusUnavailable:
        return False
    return True


def test_the_token_is_needed_and_its_refusal_said(tmp_path, nats, stream):
    with nats_server(tmp_path / "nats", token="open-sesame") as server:
        with _bus(server, stream, token="open-sesame") as bus:
            bus.publish(messages(1))
        for token in ("wrong", None):
            with (
                _bus(server, stream, token=token, timeout=0.5) as bus,
                pytest.raises(BusUnavailable) as caught,
            ):
                bus.check()
            assert "uthoriz" in caught.value.detail


def test_a_lost_broker_is_noticed_and_said(own_server, stream):
    with _bus(own_server, stream, timeout=0.5) as bus:
        bus.publish(messages(1))
        [delivery] = fetch_count(bus, 1)
        own_server.stop()
        wait_until(lambda: not _answers(bus))
        with pytest.raises(BusUnavailable):
            bus.publish(messages(1))
        delivery.ack()


def test_processes_with_one_consumer_name_share_the_work(nats, stream):
    with _bus(nats, stream) as one, _bus(nats, stream) as two, _bus(nats, stream) as three:
        one.publish(messages(600))
        with ThreadPoolExecutor(3) as pool:
            shares = list(pool.map(lambda bus: settle_all(bus, quiet=1.0), (one, two, three)))

    keys = [delivery.message.key for share in shares for delivery in share]
    assert len(keys) == len(set(keys)) == 600


def test_a_key_that_was_published_shortly_before_is_dropped(nats, bus, stream):
    bus.publish(messages(3))
    with _bus(nats, stream) as other:
        other.publish(messages(4))
    assert len(fetch_count(bus, 4)) == 4
    assert bus.lag() == Lag(0, 4)


def test_another_consumer_name_reads_the_stream_again(nats, bus, stream):
    bus.publish(messages(5))
    assert len(settle_all(bus)) == 5
    again = StreamSettings(name=stream.name, consumer="rescore")
    with _bus(nats, again) as other:
        assert {d.message.key for d in settle_all(other)} == {f"key-{i}" for i in range(5)}


def test_the_stream_is_on_disk_with_limits_and_subjects_per_source(nats, bus, stream):
    bus.publish([Message("k", "nyt-wire", b"x")])
    config = _stream_info(nats.url, stream).config

    assert (config.storage, config.retention, config.subjects) == ("file", "limits", [f"{stream.name}.>"])
    assert config.max_age == stream.max_age
    assert config.duplicate_window == stream.duplicate_window
    message = _ask(nats.url, lambda client: client.jetstream().get_msg(stream.name, 1))
    assert message.subject == f"{stream.name}.nyt-wire"
    assert message.headers == {"Nats-Msg-Id": "k"}


def test_changed_settings_reach_the_stream_and_keep_its_messages(nats, bus, stream):
    bus.publish(messages(3))
    bus.lag()
    changed = StreamSettings(name=stream.name, max_age=3600.0, ack_wait=2.0)
    with _bus(nats, changed) as other:
        assert other.lag().pending == 3
    assert _stream_info(nats.url, stream).config.max_age == 3600.0
    consumer = _ask(nats.url, lambda c: c.jetstream().consumer_info(stream.name, stream.consumer))
    assert consumer.config.ack_wait == 2.0


def test_many_processes_that_start_at_once_agree(nats, stream):
    buses = [JetStreamBus(nats.url, stream=stream) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda bus: bus.lag(), buses)) == [Lag(0, 0)] * 6
    for bus in buses:
        bus.close()


def test_replicas_that_the_broker_cannot_keep_are_a_matter_of_settings(nats, stream):
    too_many = StreamSettings(name=stream.name, replicas=3)
    with _bus(nats, too_many) as bus, pytest.raises(PreconditionFailed) as caught:
        bus.publish(messages(1))
    assert "KIOSQUE_NATS_REPLICAS" in str(caught.value.hint)


def test_a_message_that_is_too_large_is_refused_and_the_bus_goes_on(bus):
    with pytest.raises(TooLarge):
        bus.publish([Message("big", "demo", b"x" * 2_000_000)])
    bus.publish(messages(1))
    assert len(settle_all(bus)) == 1


def test_a_consumer_that_was_deleted_is_made_again(nats, bus, stream):
    bus.publish(messages(2))
    fetch_count(bus, 1)[0].ack()
    _ask(nats.url, lambda client: client.jetstream().delete_consumer(stream.name, stream.consumer))

    assert {d.message.key for d in fetch_count(bus, 2)} == {"key-0", "key-1"}


def test_a_stream_that_was_deleted_is_made_again(nats, bus, stream):
    bus.publish(messages(2))
    _ask(nats.url, lambda client: client.jetstream().delete_stream(stream.name))

    bus.publish(messages(3, prefix="new"))
    assert {d.message.key for d in fetch_count(bus, 3)} == {"new-0", "new-1", "new-2"}


def test_a_message_from_elsewhere_is_delivered_with_a_key_of_its_own(nats, bus, stream):
    bus.check()
    _ask(nats.url, lambda client: client.jetstream().publish(f"{stream.name}.other", b"not ours"))

    [delivery] = fetch_count(bus, 1)
    assert delivery.message == Message("sequence:1", "other", b"not ours")
    delivery.term("not ours")


def test_the_broker_adds_no_delay_of_its_own_to_those_that_a_consumer_asks_for(nats, bus, stream):
    bus.lag()
    consumer = _ask(nats.url, lambda c: c.jetstream().consumer_info(stream.name, stream.consumer))

    assert not consumer.config.backoff
    assert consumer.config.ack_policy == "explicit"


def test_a_bus_that_is_full_takes_nothing_until_consumers_have_caught_up(nats, stream, monkeypatch):
    monkeypatch.setattr("kiosque.bus.jetstream._LOOK_EVERY", 0.0)
    with _bus(nats, stream) as consuming, _bus(nats, stream, max_pending=10) as producing:
        first, second, third = messages(11), messages(5, prefix="later"), messages(1, prefix="last")
        producing.publish(first)
        wait_until(lambda: consuming.lag().pending == 11)
        with pytest.raises(BusUnavailable, match="11 messages wait for consumers already") as refused:
            producing.publish(second)
        assert "KIOSQUE_NATS_MAX_PENDING" in (refused.value.hint or "")
        assert len(settle_all(consuming)) == 11
        wait_until(lambda: consuming.lag() == Lag(0, 0))
        producing.publish(second)
        producing.publish(third)
        assert len(fetch_count(consuming, 6)) == 6


FULL = 64 * 1024
"""Bytes of a stream that a few messages fill."""


def _large(count: int, prefix: str) -> list[Message]:
    return [Message(f"{prefix}-{i}", "demo", b"x" * 4096) for i in range(count)]


def _fill(bus: JetStreamBus) -> list[str]:
    """Publish one by one until no more is taken; what was."""
    taken: list[str] = []
    with suppress(BusUnavailable):
        for message in _large(100, "full"):
            bus.publish([message])
            taken.append(message.key)
    return taken


def test_what_waits_is_never_dropped_for_what_comes_and_is_handed_out_whole(nats, stream):
    small = replace(stream, max_bytes=FULL)
    with _bus(nats, small) as consuming, _bus(nats, small) as producing:
        taken = _fill(producing)
        assert 10 < len(taken) < 16
        with pytest.raises(BusUnavailable, match="fills the stream of 65,536 bytes") as refused:
            producing.publish(_large(5, "more"))
        assert "KIOSQUE_NATS_MAX_BYTES" in (refused.value.hint or "")
        assert _stream_info(nats.url, small).state.bytes <= FULL
        held = fetch_count(consuming, len(taken))
        with pytest.raises(BusUnavailable, match="fills the stream"):
            producing.publish(_large(1, "more"))  # what is in hand stays, too
        for delivery in held:
            delivery.ack()
        assert [delivery.message.key for delivery in held] == taken


def test_what_was_handled_makes_room_oldest_first(nats, stream):
    small = replace(stream, max_bytes=FULL)
    with _bus(nats, small) as bus:
        keys = [f"round-{i}" for i in range(60)]
        for key in keys:
            bus.publish([Message(key, "demo", b"x" * 4096)])
            [delivery] = fetch_count(bus, 1)
            assert delivery.message.key == key
            delivery.ack()
        wait_until(lambda: bus.lag() == Lag(0, 0))
    state = _stream_info(nats.url, small).state
    assert state.last_seq == 60
    assert state.messages > 5, "the younger half stays for replay"


def test_a_stream_that_holds_more_than_it_may_from_now_on_loses_nothing(nats, bus, stream):
    bus.publish(_large(40, "key"))
    with _bus(nats, replace(stream, max_bytes=FULL)) as smaller:
        with pytest.raises(BusUnavailable, match="fills the stream"):
            smaller.publish(_large(1, "more"))
        assert len(settle_all(smaller)) == 40
        wait_until(lambda: smaller.lag() == Lag(0, 0))
        smaller.publish(_large(1, "more"))
        assert [delivery.message.key for delivery in settle_all(smaller)] == ["more-0"]


def test_more_than_the_broker_can_set_aside_is_a_matter_of_settings(nats, stream):
    too_much = replace(stream, max_bytes=1 << 50)
    with _bus(nats, too_much) as bus, pytest.raises(PreconditionFailed) as caught:
        bus.publish(messages(1))
    assert "KIOSQUE_NATS_MAX_BYTES" in str(caught.value.hint)
