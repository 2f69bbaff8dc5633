"""The loop that looks at every alert, lets fire what fires, and sends what is in the outbox.

Any number of processes may run it: an alert is locked while it fires, the database takes each of its windows once,
and a message is claimed before it is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog

from kiosque.core.alert import AlertRule, Digest, Window, window_number, window_start
from kiosque.core.clock import Clock, rfc3339
from kiosque.core.errors import KiosqueError, OutputUnavailable, StoreUnavailable
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.alert_decision import Reading, Verdict, first_needed, read
from kiosque.pipeline.alert_messages import Told
from kiosque.pipeline.alert_sending import Postman
from kiosque.pipeline.decide import Backoff, describe
from kiosque.pipeline.worker import Stop
from kiosque.store import alert_events, alert_outbox, alerts, meta, stats
from kiosque.store.alert_events import Fired
from kiosque.store.alert_outbox import Channel, Delivery, DeliveryState, Dispatch
from kiosque.store.alerts import Alert
from kiosque.store.database import Database
from kiosque.store.figures import Granularity
from kiosque.store.tx import Tx

LOOKED_AT = "alerts.looked_at"
"""The fact that holds when every alert was last looked at."""
LEASE = timedelta(minutes=5)
"""For how long a message that is being sent is nobody else's: far longer than a try takes."""
TRIES = 12
RETRY = Backoff(first=60.0, cap=21_600.0)
"""From one minute to six hours: with TRIES, a message is given up after some twenty hours."""
MOST_READINGS = 2000
"""Windows in one preview."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """`every` is the pause between two looks in seconds, `digest_hour` when daily messages go out, in UTC."""

    every: float = 60.0
    digest_hour: int = 6


class AlertWorker:
    """One for a process; `run` is its loop."""

    def __init__(
        self,
        database: Database,
        postman: Postman,
        *,
        clock: Clock,
        metrics: Metrics,
        new_id: Callable[[], str],
        policy: AlertPolicy = AlertPolicy(),
    ) -> None:
        self._database = database
        self._postman = postman
        self._clock = clock
        self._metrics = metrics
        self._new_id = new_id
        self._policy = policy

    def run(self, stop: Stop) -> None:
        """For `Workers`."""
        while not stop.requested():
            self.look()
            self.send(stop)
            stop.wait(self._policy.every)

    def look(self) -> int:
        """Look at every alert once; how many fired."""
        with self._database.read() as tx:
            watched = alerts.everything(tx, enabled=True)
        if not watched:
            return 0
        with self._metrics.alert_seconds.time():
            fired = sum(self._look_at(alert) for alert in watched)
        with self._database.write() as tx:
            meta.put(tx, LOOKED_AT, rfc3339(self._clock()))
        return fired

    def send(self, stop: Stop | None = None) -> int:
        """Try everything that is due once; how many arrived."""
        with self._database.read() as tx:
            due = alert_outbox.due(tx, self._clock())
        arrived = 0
        for delivery in due:
            if stop is not None and stop.requested():
                break
            arrived += self._send_one(delivery)
        with self._database.read() as tx:
            self._metrics.alert_outbox.set(alert_outbox.waiting(tx))
        return arrived

    # ---- firing

    def _look_at(self, alert: Alert) -> int:
        """One that cannot be looked at does not keep the others from it."""
        try:
            with self._database.read() as tx:
                if not _firing(tx, alert, self._clock()):
                    return 0
            return self._fire(alert.id)
        except StoreUnavailable:
            raise
        except KiosqueError as error:
            _log.warning("alert.not_looked_at", alert=alert.id, error=describe(error))
            return 0

    def _fire(self, alert_id: int) -> int:
        """Decide again with the alert locked, and keep what fires together with what is to be sent."""
        now, fired = self._clock(), 0
        with self._database.write() as tx:
            alert = alerts.locked(tx, alert_id)
            if alert is None:
                return 0
            for reading in _firing(tx, alert, now):
                event_id = self._new_id()
                pk = alert_events.record(tx, alert.id, fired_of(reading), event_id=event_id, at=now)
                if pk is None:
                    continue
                fired += 1
                for dispatch in dispatches(alert, event_id, now, self._policy.digest_hour):
                    alert_outbox.enqueue(tx, pk, dispatch, delivery_id=self._new_id())
        if fired:
            self._metrics.alert_events.labels(alert.rule.measure.value, alert.rule.kind.value).inc(fired)
            _log.info("alert.fired", alert=alert.id, entity=alert.rule.entity_id, windows=fired)
        return fired

    # ---- sending

    def _send_one(self, delivery: Delivery) -> bool:
        """One try, unless another process was quicker."""
        now = self._clock()
        with self._database.write() as tx:
            if not alert_outbox.claim(tx, delivery, now + LEASE):
                return False
            told = _told(tx, delivery)
        try:
            if not told:
                raise OutputUnavailable("The alerts that it tells of are gone.", final=True)
            self._postman.send(delivery, told)
        except OutputUnavailable as error:
            self._note_failure(delivery, error)
            return False
        self._settle(delivery, DeliveryState.DELIVERED, "delivered")
        return True

    def _note_failure(self, delivery: Delivery, error: OutputUnavailable) -> None:
        failures = delivery.attempts + 1
        if error.final or failures >= TRIES:
            _log.warning("alert.given_up", delivery=delivery.id, channel=delivery.channel, reason=str(error))
            self._settle(delivery, DeliveryState.DEAD, "dead", reason=str(error))
            return
        again = self._clock() + timedelta(seconds=RETRY.delay(failures))
        _log.info("alert.not_delivered", delivery=delivery.id, channel=delivery.channel, reason=str(error))
        self._settle(delivery, DeliveryState.WAITING, "failed", reason=str(error), next_try_at=again)

    def _settle(
        self,
        delivery: Delivery,
        state: DeliveryState,
        outcome: str,
        *,
        reason: str | None = None,
        next_try_at: datetime | None = None,
    ) -> None:
        with self._database.write() as tx:
            alert_outbox.settle(
                tx, delivery.id, state, at=self._clock(), reason=reason, next_try_at=next_try_at
            )
        self._metrics.alert_deliveries.labels(delivery.channel.value, outcome).inc()


def preview(tx: Tx, rule: AlertRule, *, since: date, until: date, today: date) -> tuple[Reading, ...]:
    """When `rule` would have fired in the windows from `since` to `until`, or in the last `MOST_READINGS` of them.

    Raises NotFound without the entity.
    """
    earliest = window_start(rule.window, window_number(rule.window, until) - MOST_READINGS + 1)
    first = max(window_start(rule.window, window_number(rule.window, since)), earliest)
    return read(rule, _buckets(tx, rule, first, until), today=today, since=first)


def dispatches(alert: Alert, event_id: str, now: datetime, digest_hour: int) -> list[Dispatch]:
    """What is to be sent of one event: at once, or together with what else the day brings."""
    daily = alert.outputs.digest is Digest.DAILY
    due = next_digest(now, digest_hour) if daily else now
    batch = rfc3339(due) if daily else event_id
    found = []
    if alert.outputs.webhook:
        found.append(Dispatch(Channel.WEBHOOK, str(alert.id), batch, due, alert.id))
    # a daily mail tells of all the alerts that its reader gets
    of = None if daily else alert.id
    return [*found, *(Dispatch(Channel.EMAIL, each, batch, due, of) for each in alert.outputs.emails)]


def next_digest(now: datetime, hour: int) -> datetime:
    """The next full `hour` after `now`, in UTC."""
    today = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)


def fired_of(reading: Reading) -> Fired:
    """A window that fires, as it is kept."""
    value = reading.value if reading.value is not None else 0.0
    return Fired(reading.start, reading.end, value, reading.articles, reading.expected, reading.score)


def latest(tx: Tx, alert: Alert, today: date) -> Fired:
    """The newest window with articles, for a test message; an empty one of today where there is none."""
    line = stats.timeline(tx, alert.rule.entity_id, granularity=Granularity.MONTH)
    until = max((bucket.end for bucket in line.buckets), default=today)
    since = window_start(alert.rule.window, window_number(alert.rule.window, until) - 60)
    known = preview(tx, alert.rule, since=since, until=until, today=today)
    return fired_of(known[-1]) if known else Fired(today, today, 0.0, 0)


def _firing(tx: Tx, alert: Alert, now: datetime) -> Sequence[Reading]:
    """The windows of now that fire: the present one and, for what comes late, the one before.

    A window that was over when the alert was made is none of its business.
    """
    rule, today = alert.rule, now.date()
    before = window_start(rule.window, window_number(rule.window, today) - 1)
    since = max(before, window_start(rule.window, window_number(rule.window, alert.created_at.date())))
    readings = read(
        rule,
        _buckets(tx, rule, since, today),
        today=today,
        since=since,
        last_fired=alert_events.last_window(tx, alert.id),
    )
    return [reading for reading in readings if reading.verdict is Verdict.FIRES]


def _buckets(tx: Tx, rule: AlertRule, since: date, until: date) -> Sequence[stats.Bucket]:
    line = stats.timeline(
        tx,
        rule.entity_id,
        granularity=_GRANULARITY[rule.window],
        date_from=first_needed(rule.window, since),
        date_to=until,
    )
    return line.buckets


_GRANULARITY = {
    Window.DAY: Granularity.DAY,
    Window.WEEK: Granularity.WEEK,
    Window.MONTH: Granularity.MONTH,
}


def _told(tx: Tx, delivery: Delivery) -> list[Told]:
    """What the message tells; empty if its alerts are gone."""
    return [Told(alerts.get(tx, event.alert_id), event) for event in alert_outbox.events_of(tx, delivery.id)]
