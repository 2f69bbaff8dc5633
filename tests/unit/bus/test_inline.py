from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from kiosque.bus.inline import InlineBus
from kiosque.core.errors import BusUnavailable
from kiosque.testing.bus_contract import fetch_count, messages, publishing, settle_all
from kiosque.testing.waiting import PATIENCE, wait_until


@pytest.fixture
def bus():
    bus = InlineBus(drain_seconds=0.2)
    yield bus
    bus.close()


def test_publish_returns_only_when_its_messages_were_settled(bus):
    with publishing(bus, messages(3)) as published:
        first, second, third = fetch_count(bus, 3)
        first.ack()
        second.term("hopeless")
        assert not published.done()
        third.ack()
    assert published.done()


def test_publish_does_not_wait_for_the_messages_of_others(bus):
    with ThreadPoolExecutor(2) as pool:
        mine = pool.submit(bus.publish, messages(1, prefix="mine"))
        other = pool.submit(bus.publish, messages(1, prefix="other"))
        deliveries = {d.message.key: d for d in fetch_count(bus, 2)}
        deliveries["mine-0"].ack()
        mine.result(PATIENCE)
        assert not other.done()
        deliveries["other-0"].ack()
        other.result(PATIENCE)


def test_a_full_bus_holds_the_publisher_back():
    bus = InlineBus(capacity=10)
    with publishing(bus, messages(35)):
        wait_until(lambda: bus.lag().pending == 10)
        assert bus.fetch(1, 0.1)[0].ack() is None
        wait_until(lambda: bus.lag().pending == 10)
        assert len(settle_all(bus)) == 34


def test_publish_gives_up_when_nobody_handles_anything():
    bus = InlineBus(stall_seconds=0.05)
    with pytest.raises(BusUnavailable, match="No message was handled") as caught:
        bus.publish(messages(2))
    assert "consumer" in str(caught.value.hint)
    assert bus.fetch(10, 0.0) == [], "what was given up is not handled behind the publisher's back"
    assert bus.lag().pending == 0


def test_slow_progress_is_progress():
    bus = InlineBus(stall_seconds=2.0)
    with publishing(bus, messages(8)):
        for _ in range(8):
            assert bus.fetch(0, 0.35) == []
            fetch_count(bus, 1)[0].ack()


def test_closing_lets_what_is_in_hand_be_finished():
    bus = InlineBus(drain_seconds=PATIENCE)
    with ThreadPoolExecutor(1) as pool, publishing(bus, messages(1)):
        [delivery] = fetch_count(bus, 1)
        closed = pool.submit(bus.close)
        wait_until(lambda: _is_closed(bus))
        assert not closed.done()
        delivery.ack()
        closed.result(PATIENCE)


def test_closing_tells_publishers_what_was_not_handled(bus):
    with ThreadPoolExecutor(2) as pool:
        in_hand = pool.submit(bus.publish, messages(1, prefix="a"))
        fetch_count(bus, 1)
        waiting = pool.submit(bus.publish, messages(1, prefix="b"))
        wait_until(lambda: bus.lag().pending == 1)
        bus.close()
        for future in (in_hand, waiting):
            with pytest.raises(BusUnavailable, match="closed"):
                future.result(PATIENCE)


def test_settling_after_the_end_does_no_harm(bus):
    with ThreadPoolExecutor(1) as pool:
        published = pool.submit(bus.publish, messages(1))
        [delivery] = fetch_count(bus, 1)
        bus.close()
        with pytest.raises(BusUnavailable):
            published.result(PATIENCE)
    delivery.ack()
    delivery.nak()
    delivery.in_progress()


def _is_closed(bus: InlineBus) -> bool:
    try:
        bus.check()
    except BusUnavailable:
        return True
    return False
