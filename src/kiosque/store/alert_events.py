"""What alerts fired. One window of one alert fires once: the database holds that, whoever else looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select

from kiosque.store.paging import Order, Page, fetch_page
from kiosque.store.statements import insert_into
from kiosque.store.tables import alert, alert_event, entity
from kiosque.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Fired:
    """One window that a rule fired for, as it stood then. Both days belong to it.

    `articles` is the denominator of `value`: for a volume all articles of the window, for a share those scored.
    `expected` and `score` (standard deviations) are there for a spike.
    """

    window_start: date
    window_end: date
    value: float
    articles: int
    expected: float | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """`id` is 32 hexadecimal digits that name it for ever, outside of this installation, too."""

    id: str
    alert_id: int
    alert_name: str
    entity_id: str
    entity_name: str
    fired: Fired
    fired_at: datetime


def record(tx: Tx, alert_id: int, fired: Fired, *, event_id: str, at: datetime) -> int | None:
    """Keep that the alert fired; the event's pk, or None if it had fired for that window already."""
    row = {
        "id": event_id,
        "alert_pk": alert_id,
        "window_start": fired.window_start,
        "window_end": fired.window_end,
        "value": fired.value,
        "expected": fired.expected,
        "score": fired.score,
        "articles": fired.articles,
        "fired_at": at,
    }
    once = (
        insert_into(tx, alert_event)
        .values(row)
        .on_conflict_do_nothing(index_elements=["alert_pk", "window_start"])
    )
    pk: int | None = tx.scalar(once.returning(alert_event.c.pk))
    return pk


def last_window(tx: Tx, alert_id: int) -> date | None:
    """The first day of the latest window that the alert fired for."""
    latest = select(func.max(alert_event.c.window_start)).where(alert_event.c.alert_pk == alert_id)
    day: date | None = tx.scalar(latest)
    return day


def last_by_alert(tx: Tx) -> dict[int, datetime]:
    """Alert → when it last fired; those that never did are missing."""
    rows = tx.execute(
        select(alert_event.c.alert_pk, func.max(alert_event.c.fired_at)).group_by(alert_event.c.alert_pk)
    )
    return {row[0]: row[1] for row in rows}


def page(
    tx: Tx, alert_id: int | None = None, *, limit: int = 50, cursor: str | None = None
) -> Page[AlertEvent]:
    """What fired, newest first; of one alert if given."""
    conditions = () if alert_id is None else (alert_event.c.alert_pk == alert_id,)
    order = Order("fired", (alert_event.c.fired_at, alert_event.c.pk), descending=True)
    return fetch_page(tx, select_events(*conditions), order, limit=limit, cursor=cursor, make=from_row)


def count(tx: Tx, alert_id: int) -> int:
    """How often the alert has fired."""
    return tx.scalar(select(func.count()).where(alert_event.c.alert_pk == alert_id)) or 0


def select_events(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Events with the names that go with them, as `from_row` reads them."""
    joined = alert_event.join(alert, alert.c.pk == alert_event.c.alert_pk).join(
        entity, entity.c.pk == alert.c.entity_pk
    )
    names = (
        alert.c.name.label("alert_name"),
        entity.c.id.label("entity_id"),
        entity.c.name.label("entity_name"),
    )
    return select(alert_event, *names).select_from(joined).where(*conditions)


def from_row(row: Row[Any]) -> AlertEvent:
    return AlertEvent(
        id=row.id,
        alert_id=row.alert_pk,
        alert_name=row.alert_name,
        entity_id=row.entity_id,
        entity_name=row.entity_name,
        fired=Fired(row.window_start, row.window_end, row.value, row.articles, row.expected, row.score),
        fired_at=row.fired_at,
    )
