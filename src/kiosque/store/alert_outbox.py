"""The outbox of alerts: what is to be sent, stored in the transaction of the event, sent afterwards.

Whoever sends claims first: for that long nobody else tries. One who dies after sending and before saying so sends
twice, with the same id; so delivery is at least once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, exists, func, or_, select, update

from kiosque.core.errors import Conflict, NotFound
from kiosque.store.alert_events import AlertEvent, from_row, select_events
from kiosque.store.paging import Order, Page, fetch_page
from kiosque.store.statements import add_missing
from kiosque.store.tables import alert_delivery, alert_delivery_event, alert_event
from kiosque.store.tx import Tx


class Channel(StrEnum):
    """How something is sent."""

    WEBHOOK = "webhook"
    EMAIL = "email"


class DeliveryState(StrEnum):
    """How far a delivery is."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up after its tries; `reason` says why."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one target. `alert_id` is None where several alerts share a daily mail.

    `attempts` counts the tries begun; `reason` is why the last one failed.
    """

    id: str
    alert_id: int | None
    channel: Channel
    target: str
    state: DeliveryState
    attempts: int
    next_try_at: datetime
    reason: str | None = None
    settled_at: datetime | None = None

    @classmethod
    def first(
        cls, delivery_id: str, alert_id: int | None, channel: Channel, target: str, at: datetime
    ) -> Delivery:
        """One that nobody has tried yet."""
        return cls(delivery_id, alert_id, channel, target, DeliveryState.WAITING, 0, at)


@dataclass(frozen=True, slots=True)
class Dispatch:
    """What to enqueue. Those of one channel, target and batch become one message, sent at `due_at`."""

    channel: Channel
    target: str
    batch: str
    due_at: datetime
    alert_id: int | None


def enqueue(tx: Tx, event_pk: int, dispatch: Dispatch, *, delivery_id: str) -> None:
    """Have the event sent. `delivery_id` is taken if the batch is new."""
    row = {
        "id": delivery_id,
        "alert_pk": dispatch.alert_id,
        "channel": dispatch.channel.value,
        "target": dispatch.target,
        "batch": dispatch.batch,
        "state": DeliveryState.WAITING.value,
        "attempts": 0,
        "next_try_at": dispatch.due_at,
        "reason": None,
        "settled_at": None,
    }
    add_missing(tx, alert_delivery, [row], ["channel", "target", "batch"])
    pk = tx.execute(
        select(alert_delivery.c.pk).where(
            alert_delivery.c.channel == dispatch.channel.value,
            alert_delivery.c.target == dispatch.target,
            alert_delivery.c.batch == dispatch.batch,
        )
    ).scalar_one()
    add_missing(
        tx, alert_delivery_event, [{"delivery_pk": pk, "event_pk": event_pk}], ["delivery_pk", "event_pk"]
    )


def due(tx: Tx, now: datetime, limit: int = 100) -> tuple[Delivery, ...]:
    """What waits and may be tried now, longest due first."""
    waiting = alert_delivery.c.state == DeliveryState.WAITING.value
    statement = (
        select(alert_delivery)
        .where(waiting, alert_delivery.c.next_try_at <= now)
        .order_by(alert_delivery.c.next_try_at, alert_delivery.c.pk)
        .limit(limit)
    )
    return tuple(_from_row(row) for row in tx.execute(statement))


def claim(tx: Tx, delivery: Delivery, until: datetime) -> bool:
    """Begin a try that nobody else repeats before `until`; False if somebody else has begun one since `due`."""
    row = alert_delivery.c
    mine = update(alert_delivery).where(
        row.id == delivery.id,
        row.state == DeliveryState.WAITING.value,
        row.attempts == delivery.attempts,
        row.next_try_at == delivery.next_try_at,
    )
    return bool(tx.execute(mine.values(attempts=delivery.attempts + 1, next_try_at=until)).rowcount)


def settle(
    tx: Tx,
    delivery_id: str,
    state: DeliveryState,
    *,
    at: datetime,
    reason: str | None = None,
    next_try_at: datetime | None = None,
) -> None:
    """How a try ended. WAITING needs `next_try_at`. Raises NotFound."""
    values: dict[str, Any] = {"state": state.value, "reason": reason}
    if state is DeliveryState.WAITING:
        values["next_try_at"] = next_try_at
    else:
        values["settled_at"] = at
    _change(tx, delivery_id, **values)


def revive(tx: Tx, delivery_id: str, at: datetime) -> Delivery:
    """Try a dead one again from the start. Raises NotFound, or Conflict if it is not dead."""
    if get(tx, delivery_id).state is not DeliveryState.DEAD:
        raise Conflict("Only a delivery that was given up can be tried again.")
    _change(
        tx,
        delivery_id,
        state=DeliveryState.WAITING.value,
        attempts=0,
        next_try_at=at,
        settled_at=None,
    )
    return get(tx, delivery_id)


def get(tx: Tx, delivery_id: str) -> Delivery:
    """Raises NotFound."""
    row = tx.execute(select(alert_delivery).where(alert_delivery.c.id == delivery_id)).one_or_none()
    if row is None:
        raise _unknown(delivery_id)
    return _from_row(row)


def events_of(tx: Tx, delivery_id: str) -> tuple[AlertEvent, ...]:
    """What is told in it, oldest first; empty if its alerts are gone."""
    inside = exists().where(
        alert_delivery_event.c.event_pk == alert_event.c.pk,
        alert_delivery_event.c.delivery_pk == alert_delivery.c.pk,
        alert_delivery.c.id == delivery_id,
    )
    oldest_first = select_events(inside).order_by(alert_event.c.fired_at, alert_event.c.pk)
    return tuple(from_row(row) for row in tx.execute(oldest_first))


def page(
    tx: Tx, alert_id: int | None = None, *, limit: int = 50, cursor: str | None = None
) -> Page[Delivery]:
    """Deliveries, newest first; of one alert if given, daily mails that tell of it included."""
    order = Order("deliveries", (alert_delivery.c.pk,), descending=True)
    return fetch_page(tx, _of_alert(alert_id), order, limit=limit, cursor=cursor, make=_from_row)


def waiting(tx: Tx) -> int:
    """How many are still to be sent."""
    return _count(tx, DeliveryState.WAITING)


def dead(tx: Tx) -> int:
    """How many were given up."""
    return _count(tx, DeliveryState.DEAD)


def _of_alert(alert_id: int | None) -> Select[Any]:
    if alert_id is None:
        return select(alert_delivery)
    tells: ColumnElement[bool] = exists().where(
        alert_delivery_event.c.delivery_pk == alert_delivery.c.pk,
        alert_delivery_event.c.event_pk == alert_event.c.pk,
        alert_event.c.alert_pk == alert_id,
    )
    return select(alert_delivery).where(or_(alert_delivery.c.alert_pk == alert_id, tells))


def _count(tx: Tx, state: DeliveryState) -> int:
    return tx.scalar(select(func.count()).where(alert_delivery.c.state == state.value)) or 0


def _change(tx: Tx, delivery_id: str, **values: Any) -> None:
    if not tx.execute(
        update(alert_delivery).where(alert_delivery.c.id == delivery_id).values(**values)
    ).rowcount:
        raise _unknown(delivery_id)


def _unknown(delivery_id: str) -> NotFound:
    return NotFound(f"There is no delivery {delivery_id[:64]!r}.")


def _from_row(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        alert_id=row.alert_pk,
        channel=Channel(row.channel),
        target=row.target,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        next_try_at=row.next_try_at,
        reason=row.reason,
        settled_at=row.settled_at,
    )
