"""Sending what alerts fired, and trying whether it would arrive."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from kiosque.core.clock import Clock
from kiosque.core.errors import KiosqueError, OutputUnavailable, PreconditionFailed
from kiosque.pipeline.alert_messages import Told, mail_subject, mail_text, webhook_document
from kiosque.pipeline.mail import Mail, checked_recipients, masked
from kiosque.pipeline.webhook import Webhook, checked_address, host_of, secret_of
from kiosque.store.alert_events import AlertEvent, Fired
from kiosque.store.alert_outbox import Channel, Delivery
from kiosque.store.alerts import Alert, Outputs

PATIENCE = 30.0
"""Seconds for one try, however slowly the other side drips."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a test of one output. `problem` is None where it arrived."""

    channel: Channel
    target: str
    problem: str | None


class Postman:
    """Knows the ways out of the house. Safe to share between threads."""

    def __init__(
        self,
        webhook: Webhook,
        mail: Mail | None,
        *,
        secret_key: str,
        clock: Clock,
        new_id: Callable[[], str],
        public_url: str | None = None,
        patience: float = PATIENCE,
    ) -> None:
        """`mail` is None where no mail server is set; `public_url` is how people reach the pages."""
        self._webhook = webhook
        self._mail = mail
        self._secret_key = secret_key
        self._clock = clock
        self._new_id = new_id
        self._public_url = public_url
        self._patience = patience

    @property
    def has_mail(self) -> bool:
        """Whether a mail server is set."""
        return self._mail is not None

    def checked(self, outputs: Outputs) -> Outputs:
        """`outputs` as they are kept. InvalidInput on a wrong address, PreconditionFailed without a mail server."""
        emails = checked_recipients(outputs.emails)
        if emails and self._mail is None:
            raise PreconditionFailed(
                "Mail cannot be sent: no mail server is set.",
                hint="Set KIOSQUE_SMTP_HOST and KIOSQUE_SMTP_FROM.",
            )
        webhook = checked_address(outputs.webhook) if outputs.webhook else None
        return Outputs(webhook, emails, outputs.digest)

    def secret(self, alert: Alert) -> str:
        """With what the webhook of `alert` is signed."""
        return secret_of(self._secret_key, alert)

    def send(self, delivery: Delivery, told: Sequence[Told], *, test: bool = False) -> None:
        """One try. Raises OutputUnavailable, saying why it did not arrive."""
        now = self._clock()
        if delivery.channel is Channel.EMAIL:
            self._within(lambda: self._post_mail(delivery, told, now, test=test))
        else:
            self._within(lambda: self._post_webhook(delivery, told, now, test=test))

    def try_out(self, alert: Alert, fired: Fired) -> tuple[Tried, ...]:
        """Send an invented event to every output of `alert`, now, and say what came of each."""
        now = self._clock()
        event = AlertEvent(
            self._new_id(), alert.id, alert.name, alert.rule.entity_id, alert.entity_name, fired, now
        )
        return tuple(
            self._tried(delivery, [Told(alert, event)]) for delivery in self._test_deliveries(alert, now)
        )

    def close(self) -> None:
        self._webhook.close()

    def _test_deliveries(self, alert: Alert, now: datetime) -> list[Delivery]:
        targets = [(Channel.WEBHOOK, str(alert.id))] if alert.outputs.webhook else []
        targets += [(Channel.EMAIL, address) for address in alert.outputs.emails]
        return [Delivery.first(self._new_id(), alert.id, channel, target, now) for channel, target in targets]

    def _tried(self, delivery: Delivery, told: Sequence[Told]) -> Tried:
        webhook = told[0].alert.outputs.webhook or ""
        shown = masked(delivery.target) if delivery.channel is Channel.EMAIL else host_of(webhook)
        try:
            self.send(delivery, told, test=True)
        except KiosqueError as error:
            return Tried(delivery.channel, shown, str(error))
        return Tried(delivery.channel, shown, None)

    def _post_webhook(self, delivery: Delivery, told: Sequence[Told], now: datetime, *, test: bool) -> None:
        alert = told[0].alert
        if alert.outputs.webhook is None:
            raise OutputUnavailable("The alert has no webhook any more.", final=True)
        document = webhook_document(delivery.id, told, now, public_url=self._public_url, test=test)
        body = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
        self._webhook.post(
            alert.outputs.webhook, body, secret=self.secret(alert), message_id=delivery.id, at=now
        )

    def _post_mail(self, delivery: Delivery, told: Sequence[Told], now: datetime, *, test: bool) -> None:
        if self._mail is None:
            raise OutputUnavailable("No mail server is set.", hint="Set KIOSQUE_SMTP_HOST.")
        text = mail_text(told, public_url=self._public_url, test=test)
        self._mail.send(delivery.target, mail_subject(told, test=test), text, message_id=delivery.id, at=now)

    def _within(self, send: Callable[[], None]) -> None:
        """Run `send` for at most `patience` seconds; its own timeouts are about silence, not about dripping."""
        errors: list[Exception] = []

        def run() -> None:
            try:
                send()
            except Exception as error:  # noqa: BLE001 - it is raised again in the thread that waits
                errors.append(error)

        thread = threading.Thread(target=run, name="alert-sending", daemon=True)
        thread.start()
        thread.join(self._patience)
        if thread.is_alive():
            raise OutputUnavailable(f"The receiver took longer than {self._patience:.0f} s.")
        if errors:
            raise errors[0]
