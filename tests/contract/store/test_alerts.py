"""Alerts, what they fired, and the outbox."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest

from kiosque.core.alert import AlertRule, Digest, Kind, Measure, Side, Window
from kiosque.core.errors import Conflict, NotFound
from kiosque.store import alert_events, alert_outbox, alerts, entities
from kiosque.store.alert_events import Fired
from kiosque.store.alert_outbox import Channel, DeliveryState, Dispatch
from kiosque.store.alerts import Outputs
from kiosque.testing.world import NOW

RULE = AlertRule(
    "abraham-lincoln", Measure.NET, Kind.SPIKE, Side.BELOW, 4.0, Window.WEEK, min_articles=7, cool_down=2
)
OUTPUTS = Outputs("https://hooks.example/x?secret=1", ("ana@example.org",), Digest.DAILY)
WEEK = Fired(date(1860, 5, 14), date(1860, 5, 20), -0.5, 20, 0.1, -5.2)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def make(world):
    def make(name="Lincoln falls", rule=RULE, outputs=OUTPUTS):
        with world.database.write() as tx:
            return alerts.add(
                tx,
                name=name,
                rule=rule,
                outputs=outputs,
                by="ana",
                at=NOW,
                secret_nonce="s1",
                feed_nonce="f1",
            )

    return make


def fire(database, alert, fired=WEEK, event_id="e1"):
    with database.write() as tx:
        return alert_events.record(tx, alert.id, fired, event_id=event_id, at=NOW)


def order(alert, batch="b1", channel=Channel.WEBHOOK, due_at=NOW, target="t"):
    return Dispatch(channel, target, batch, due_at, alert.id)


class TestAlerts:
    def test_an_alert_comes_back_as_it_was_kept(self, database, make):
        made = make()
        assert (made.rule, made.outputs, made.enabled) == (RULE, OUTPUTS, True)
        assert made.entity_name == "Abraham Lincoln"
        with database.read() as tx:
            assert alerts.everything(tx) == (made,)
            assert alerts.get(tx, made.id) == made

    def test_one_without_its_entity_cannot_be(self, make):
        with pytest.raises(NotFound, match="nobody"):
            make(rule=replace(RULE, entity_id="nobody"))

    def test_a_name_is_taken_once(self, database, make):
        make("Alpha")
        other = make("Beta")
        with pytest.raises(Conflict):
            make("ALPHA")
        with pytest.raises(Conflict), database.write() as tx:
            alerts.rename(tx, other.id, "alpha")

    def test_it_is_renamed_switched_off_and_gets_new_secrets(self, database, make):
        made = make()
        with database.write() as tx:
            alerts.rename(tx, made.id, "Other")
            alerts.set_enabled(tx, made.id, enabled=False)
            alerts.renew_secret(tx, made.id, "s2")
            changed = alerts.renew_feed(tx, made.id, "f2")
        assert changed == replace(made, name="Other", enabled=False, secret_nonce="s2", feed_nonce="f2")

    def test_only_those_that_are_on_are_locked(self, database, make):
        made = make()
        with database.write() as tx:
            assert alerts.locked(tx, made.id) == made
            alerts.set_enabled(tx, made.id, enabled=False)
            assert alerts.locked(tx, made.id) is None
            assert alerts.everything(tx, enabled=True) == ()

    def test_it_goes_with_its_entity_and_takes_along_what_it_fired(self, database, make):
        made = make()
        pk = fire(database, made)
        with database.write() as tx:
            alert_outbox.enqueue(tx, pk, order(made), delivery_id="d1")
            entities.delete(tx, "abraham-lincoln")
        with database.read() as tx:
            assert alerts.everything(tx) == ()
            assert alert_events.page(tx).items == ()
            assert alert_outbox.page(tx).items == ()

    def test_what_is_gone_is_not_found(self, database, make):
        made = make()
        with database.write() as tx:
            alerts.delete(tx, made.id)
        for change in (
            alerts.get,
            alerts.delete,
            lambda tx, pk: alerts.rename(tx, pk, "x"),
            lambda tx, pk: alerts.set_enabled(tx, pk, enabled=True),
        ):
            with pytest.raises(NotFound), database.write() as tx:
                change(tx, made.id)

    def test_there_is_an_end_to_them(self, make, monkeypatch):
        monkeypatch.setattr(alerts, "MOST", 1)
        make("one")
        with pytest.raises(Conflict, match="Remove"):
            make("two")


class TestEvents:
    def test_a_window_fires_once(self, database, make):
        made = make()
        assert fire(database, made, event_id="e1") is not None
        assert fire(database, made, replace(WEEK, value=-0.9), event_id="e2") is None
        with database.read() as tx:
            (event,) = alert_events.page(tx, made.id).items
        assert (event.id, event.fired, event.alert_name) == ("e1", WEEK, "Lincoln falls")
        assert (event.entity_id, event.entity_name) == ("abraham-lincoln", "Abraham Lincoln")

    def test_a_window_fires_once_for_many_at_a_time(self, database, make):
        made = make()
        with ThreadPoolExecutor(8) as pool:
            pks = list(pool.map(lambda n: fire(database, made, event_id=f"e{n}"), range(16)))
        assert len([pk for pk in pks if pk is not None]) == 1

    def test_the_last_window_is_the_latest_one(self, database, make):
        made, other = make(), make("other")
        for day in (14, 28, 21):
            fired = Fired(date(1860, 5, day), date(1860, 5, day), 1, 1)
            fire(database, made, fired, event_id=f"e{day}")
        with database.read() as tx:
            assert alert_events.last_window(tx, made.id) == date(1860, 5, 28)
            assert alert_events.last_window(tx, other.id) is None
            assert alert_events.last_by_alert(tx) == {made.id: NOW}
            assert alert_events.count(tx, made.id) == 3

    def test_events_come_in_pages(self, database, make):
        made = make()
        for day in range(1, 6):
            fire(database, made, Fired(date(1860, 5, day), date(1860, 5, day), 1, 1), event_id=f"e{day}")
        with database.read() as tx:
            first = alert_events.page(tx, limit=3)
            rest = alert_events.page(tx, limit=3, cursor=first.next)
        assert [each.id for each in (*first.items, *rest.items)] == ["e5", "e4", "e3", "e2", "e1"]


class TestOutbox:
    @pytest.fixture
    def queued(self, database, make):
        made = make()
        pk = fire(database, made)
        with database.write() as tx:
            alert_outbox.enqueue(tx, pk, order(made), delivery_id="d1")
        return made

    def due(self, database, now=NOW):
        with database.read() as tx:
            return alert_outbox.due(tx, now)

    def test_what_was_enqueued_is_due_with_what_it_tells(self, database, queued):
        (delivery,) = self.due(database)
        assert (delivery.id, delivery.channel, delivery.attempts) == ("d1", Channel.WEBHOOK, 0)
        assert delivery.alert_id == queued.id
        with database.read() as tx:
            assert [event.id for event in alert_outbox.events_of(tx, "d1")] == ["e1"]
            assert (alert_outbox.waiting(tx), alert_outbox.dead(tx)) == (1, 0)

    def test_one_batch_is_one_message(self, database, make):
        first, second = make("one"), make("two")
        for number, made in enumerate((first, second)):
            pk = fire(database, made, event_id=f"e{number}")
            daily = Dispatch(Channel.EMAIL, "ana@example.org", "day 1", NOW + MINUTE, None)
            with database.write() as tx:
                alert_outbox.enqueue(tx, pk, daily, delivery_id=f"d{number}")
                alert_outbox.enqueue(tx, pk, daily, delivery_id="d9")
        assert self.due(database) == ()
        (delivery,) = self.due(database, NOW + MINUTE)
        with database.read() as tx:
            assert [event.id for event in alert_outbox.events_of(tx, delivery.id)] == ["e0", "e1"]
            assert alert_outbox.page(tx, first.id).items == alert_outbox.page(tx, second.id).items

    def test_a_try_is_claimed_by_one(self, database, queued):
        (delivery,) = self.due(database)

        def claim(_):
            with database.write() as tx:
                return alert_outbox.claim(tx, delivery, NOW + MINUTE)

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(claim, range(8))) == [False] * 7 + [True]
        assert self.due(database) == ()

    def test_one_who_dies_while_sending_leaves_it_to_others(self, database, queued):
        (delivery,) = self.due(database)
        with database.write() as tx:
            alert_outbox.claim(tx, delivery, NOW + MINUTE)
        (again,) = self.due(database, NOW + MINUTE)
        assert (again.id, again.attempts) == ("d1", 1)

    def test_what_is_delivered_or_dead_is_not_due(self, database, queued):
        with database.write() as tx:
            alert_outbox.settle(tx, "d1", DeliveryState.DELIVERED, at=NOW)
        assert self.due(database) == ()
        with database.write() as tx:
            alert_outbox.settle(tx, "d1", DeliveryState.DEAD, at=NOW, reason="410")
        assert self.due(database) == ()
        with database.read() as tx:
            assert alert_outbox.get(tx, "d1").reason == "410"
            assert alert_outbox.dead(tx) == 1

    def test_what_failed_is_due_again_later(self, database, queued):
        with database.write() as tx:
            alert_outbox.settle(
                tx, "d1", DeliveryState.WAITING, at=NOW, reason="500", next_try_at=NOW + MINUTE
            )
        assert self.due(database) == ()
        assert self.due(database, NOW + MINUTE)[0].reason == "500"

    def test_a_dead_one_can_be_tried_again(self, database, queued):
        with pytest.raises(Conflict), database.write() as tx:
            alert_outbox.revive(tx, "d1", NOW)
        with database.write() as tx:
            alert_outbox.settle(tx, "d1", DeliveryState.DEAD, at=NOW, reason="410")
            revived = alert_outbox.revive(tx, "d1", NOW)
        assert (revived.state, revived.attempts, revived.settled_at) == (DeliveryState.WAITING, 0, None)
        assert self.due(database) == (revived,)

    def test_what_is_not_there_is_not_found(self, database, queued):
        with pytest.raises(NotFound), database.write() as tx:
            alert_outbox.settle(tx, "d2", DeliveryState.DEAD, at=NOW)
