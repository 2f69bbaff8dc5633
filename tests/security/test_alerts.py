"""What leaves the house when an alert fires: where it may go, and that nobody else can say it in our name."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from kiosque.core.alert import AlertRule, Kind, Measure, Side, Window
from kiosque.core.errors import OutputUnavailable
from kiosque.pipeline.alert_sending import Postman
from kiosque.pipeline.webhook import Webhook, secret_of, signature
from kiosque.sources.addresses import outbound
from kiosque.store.alert_events import Fired
from kiosque.store.alerts import Alert, Outputs
from kiosque.testing.paths import CHECKOUT

NOW = datetime(2026, 1, 2, tzinfo=UTC)
RULE = AlertRule("ada-lane", Measure.VOLUME, Kind.THRESHOLD, Side.ABOVE, 3.0, Window.DAY, 1)
ALERT = Alert(1, "many", "Ada Lane", RULE, Outputs("http://hooks.example/x"), "n1", "f1", True, "ana", NOW)
FIRED = Fired(date(2026, 1, 1), date(2026, 1, 1), 4.0, 60)
INNER = [
    "http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://0.0.0.0/",
    "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://10.0.0.7/", "http://192.168.1.1/",
    "http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/", "http://[64:ff9b::7f00:1]/",
]  # fmt: skip


class Listener:
    """A port of this machine that counts who comes, and says nothing."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.visitors: list[socket.socket] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                visitor, _ = self._socket.accept()
            except OSError:
                return
            self.visitors.append(visitor)

    def close(self) -> None:
        self._socket.close()
        for visitor in self.visitors:
            visitor.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def post(webhook: Webhook, address: str) -> None:
    webhook.post(address, b"{}", secret=secret_of("k", ALERT), message_id="m1", at=NOW)


@pytest.mark.parametrize("address", INNER)
def test_a_webhook_reaches_nothing_within_in_whatever_spelling(address: str) -> None:
    webhook = Webhook(outbound(allow_private_hosts=False), user_agent="kiosque")
    with pytest.raises(OutputUnavailable, match=r"not on the public internet|cannot be reached"):
        post(webhook, address)
    webhook.close()


def test_a_name_that_leads_elsewhere_by_the_time_of_sending_is_refused(listener: Listener) -> None:
    """The name is judged at each try, and the connection goes to what was judged: no second look-up to lie to."""
    answers = iter([["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::ffff:127.0.0.1"]])
    asked: list[str] = []

    def resolve(host: str, _: int) -> list[str]:
        asked.append(host)
        return next(answers)

    webhook = Webhook(outbound(allow_private_hosts=False, resolver=resolve), user_agent="kiosque")
    for _ in range(3):
        with pytest.raises(OutputUnavailable, match="not on the public internet"):
            post(webhook, f"http://rebinding.example:{listener.port}/")
    webhook.close()
    assert asked == ["rebinding.example"] * 3
    assert listener.visitors == []


def receivers_check() -> Any:
    """The receiver's ten lines, as they stand in the manual."""
    found: dict[str, Any] = {}
    exec((CHECKOUT / "docs/how-to/alerts.md").read_text().split("```python\n")[1].split("```")[0], found)
    return found["is_right"]


def test_a_message_is_good_for_one_alert_one_id_and_five_minutes() -> None:
    is_right, at, body = receivers_check(), int(NOW.timestamp()), b'{"a": 1}'
    secret = secret_of("key of the installation", ALERT)
    headers = {"webhook-id": "m1", "webhook-timestamp": str(at)}
    headers["webhook-signature"] = signature(secret, "m1", at, body)
    assert is_right(secret, headers, body, now=at)
    assert is_right(secret, headers, body, now=at + 299)
    # sent again later, with its time moved along, under another id, or to who expects another alert
    assert not is_right(secret, headers, body, now=at + 301)
    assert not is_right(secret, headers | {"webhook-timestamp": str(at + 400)}, body, now=at + 400)
    assert not is_right(secret, headers | {"webhook-id": "m2"}, body, now=at)
    for other in (replace(ALERT, id=2), replace(ALERT, secret_nonce="n2")):
        assert not is_right(secret_of("key of the installation", other), headers, body, now=at)
    assert not is_right(secret_of("another key", ALERT), headers, body, now=at)


def test_a_receiver_that_drips_is_given_up_and_its_address_is_not_told(listener: Listener) -> None:
    alert = replace(
        ALERT, outputs=Outputs(f"http://127.0.0.1:{listener.port}/services/T0/secret-part?key=also")
    )
    postman = Postman(
        Webhook(outbound(allow_private_hosts=True), user_agent="kiosque"),
        None,
        secret_key="k",
        clock=lambda: NOW,
        new_id=lambda: "1" * 32,
        patience=0.3,
    )
    began = time.monotonic()
    (tried,) = postman.try_out(alert, FIRED)
    assert time.monotonic() - began < 5
    assert tried.problem is not None
    assert "longer than" in tried.problem
    assert "secret-part" not in repr(tried)
    assert "also" not in repr(tried)
    assert len(listener.visitors) == 1
