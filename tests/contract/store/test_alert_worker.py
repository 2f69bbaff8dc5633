"""Alerts fire once a window, and what they fired is sent until it has arrived: on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count

import httpx2
import pytest

from kiosque.core.alert import AlertRule, Digest, Kind, Measure, Side, Window
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.alert_sending import Postman
from kiosque.pipeline.alerts import TRIES, AlertWorker, next_digest
from kiosque.pipeline.mail import Mail, MailServer
from kiosque.pipeline.webhook import Webhook
from kiosque.store import alert_events, alert_outbox, alerts
from kiosque.store.alerts import Outputs
from kiosque.testing.mail import mail_server
from kiosque.testing.pipeline import ManualClock
from kiosque.testing.world import NEUTRAL, NOW, article

RULE = AlertRule("abraham-lincoln", Measure.VOLUME, Kind.THRESHOLD, Side.ABOVE, 3.0, Window.DAY, 1)


class Receiver:
    """Takes what comes, or answers with `status`."""

    def __init__(self):
        self.status, self.ids = 204, []

    def __call__(self, request):
        self.ids.append(request.headers["webhook-id"])
        return httpx2.Response(self.status)


@pytest.fixture
def receiver():
    return Receiver()


@pytest.fixture
def clock():
    return ManualClock(NOW)


@pytest.fixture
def make_worker(world, receiver, clock):
    numbers = count()

    def new_id():
        return f"{next(numbers):032x}"

    def make():
        webhook = Webhook(httpx2.MockTransport(receiver), user_agent="kiosque")
        postman = Postman(webhook, None, secret_key="k", clock=clock, new_id=new_id)
        return AlertWorker(world.database, postman, clock=clock, metrics=Metrics(), new_id=new_id)

    with world.database.write() as tx:
        alerts.add(
            tx,
            name="many",
            rule=RULE,
            outputs=Outputs("https://hooks.example/x"),
            by="ana",
            at=NOW,
            secret_nonce="s",
            feed_nonce="f",
        )
    for number in range(3):
        world.add(article(f"a{number}", NOW), ("abraham-lincoln", NEUTRAL))
    return make


def test_a_window_fires_once_for_many_processes_and_after_a_restart(make_worker, world, receiver):
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda worker: worker.look(), [make_worker() for _ in range(4)])) == 1
    assert make_worker().look() == 0
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda worker: worker.send(), [make_worker() for _ in range(4)])) == 1
    assert len(receiver.ids) == 1
    with world.database.read() as tx:
        assert len(alert_events.page(tx).items) == 1


def test_what_does_not_arrive_is_tried_with_the_same_id_and_given_up_in_the_end(
    make_worker, world, receiver, clock
):
    worker = make_worker()
    worker.look()
    receiver.status = 500
    for _ in range(TRIES + 3):
        worker.send()
        clock.move(timedelta(hours=7).total_seconds())
    assert len(receiver.ids) == TRIES
    assert len(set(receiver.ids)) == 1
    with world.database.read() as tx:
        (delivery,) = alert_outbox.page(tx).items
    assert delivery.state is alert_outbox.DeliveryState.DEAD
    assert "500" in (delivery.reason or "")


def test_a_daily_mail_tells_once_of_all_the_alerts_of_its_reader(world, clock):
    numbers = count()

    def new_id():
        return f"{next(numbers):032x}"

    with mail_server() as box:
        mail = Mail(MailServer("127.0.0.1", box.port, "none", "k@example.org"))
        webhook = Webhook(httpx2.MockTransport(Receiver()), user_agent="kiosque")
        postman = Postman(webhook, mail, secret_key="k", clock=clock, new_id=new_id)
        worker = AlertWorker(world.database, postman, clock=clock, metrics=Metrics(), new_id=new_id)
        for name in ("many", "very many"):
            with world.database.write() as tx:
                alerts.add(
                    tx,
                    name=name,
                    rule=RULE,
                    outputs=Outputs(None, ("ana@example.org",), Digest.DAILY),
                    by="ana",
                    at=NOW,
                    secret_nonce=name,
                    feed_nonce=name,
                )
        for number in range(3):
            world.add(article(f"a{number}", NOW), ("abraham-lincoln", NEUTRAL))
        assert worker.look() == 2
        assert worker.send() == 0
        clock.move((next_digest(NOW, 6) - NOW).total_seconds())
        assert worker.send() == 1
        assert worker.send() == 0
    (message,) = box.messages
    assert message["To"] == "ana@example.org"
    assert all(f"{name}" in message.get_content() for name in ("many", "very many"))


@pytest.mark.parametrize(
    ("now", "due"), [((1, 5, 59), (1, 6)), ((1, 6, 0), (2, 6)), ((1, 23, 30), (2, 6)), ((31, 7, 0), (32, 6))]
)
def test_a_digest_goes_out_at_the_next_full_hour_of_its_kind(now, due):
    start = datetime(2026, 3, 1, tzinfo=UTC)
    moment = start + timedelta(days=now[0] - 1, hours=now[1], minutes=now[2])
    assert next_digest(moment, 6) == start + timedelta(days=due[0] - 1, hours=due[1])
