"""Alerts: rules with a name and where to say that they fired. What fired is in `alert_events`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select, update
from sqlalchemy import delete as delete_from

from kiosque.core.alert import AlertRule, Digest, Kind, Measure, Side, Window
from kiosque.core.errors import Conflict, NotFound
from kiosque.store.saved_searches import checked_name
from kiosque.store.search import fold
from kiosque.store.statements import insert_into
from kiosque.store.tables import alert, entity
from kiosque.store.tx import Tx

MOST = 1000
"""More rules than this are looked at too seldom."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where it is said that a rule fired, besides its feed. `webhook` is an address that may hold a secret."""

    webhook: str | None = None
    emails: tuple[str, ...] = ()
    digest: Digest = Digest.AT_ONCE


@dataclass(frozen=True, slots=True)
class Alert:
    """The nonces go into the secrets of webhook and feed; a new one revokes the old secret."""

    id: int
    name: str
    entity_name: str
    rule: AlertRule
    outputs: Outputs
    secret_nonce: str
    feed_nonce: str
    enabled: bool
    made_by: str
    created_at: datetime


def add(
    tx: Tx,
    *,
    name: str,
    rule: AlertRule,
    outputs: Outputs,
    by: str,
    at: datetime,
    secret_nonce: str,
    feed_nonce: str,
) -> Alert:
    """NotFound without the entity; Conflict if there is an alert of this name, in whatever case."""
    checked = checked_name(name)
    entity_pk = tx.scalar(select(entity.c.pk).where(entity.c.id == rule.entity_id))
    if entity_pk is None:
        raise NotFound(
            f"There is no entity {rule.entity_id[:200]!r}.", hint="`kiosque entity list` shows all."
        )
    if count(tx) >= MOST:
        raise Conflict(f"There are {MOST} alerts already.", hint="Remove some first.")
    row = {
        "name": checked,
        "folded_name": fold(checked),
        "entity_pk": entity_pk,
        "measure": rule.measure.value,
        "kind": rule.kind.value,
        "side": rule.side.value,
        "bound": rule.limit,
        "stretch": rule.window.value,
        "min_articles": rule.min_articles,
        "cool_down": rule.cool_down,
        "digest": outputs.digest.value,
        "webhook": outputs.webhook,
        "emails": list(outputs.emails),
        "secret_nonce": secret_nonce,
        "feed_nonce": feed_nonce,
        "enabled": True,
        "made_by": by,
        "created_at": at,
    }
    statement = insert_into(tx, alert).values(row).on_conflict_do_nothing(index_elements=["folded_name"])
    pk = tx.scalar(statement.returning(alert.c.pk))
    if pk is None:
        raise _taken(checked)
    return get(tx, pk)


def get(tx: Tx, alert_id: int) -> Alert:
    """Raises NotFound."""
    found = find(tx, alert_id)
    if found is None:
        raise _unknown(alert_id)
    return found


def find(tx: Tx, alert_id: int) -> Alert | None:
    """As `get`, None where there is none."""
    row = tx.execute(_select(alert.c.pk == alert_id)).one_or_none()
    return None if row is None else _from_row(row)


def locked(tx: Tx, alert_id: int) -> Alert | None:
    """The alert, if it is still there and on; nobody else can lock it until `tx` ends. For one who lets it fire."""
    on = alert.c.pk == alert_id, alert.c.enabled
    row = tx.execute(_select(*on).with_for_update(of=alert)).one_or_none()
    return None if row is None else _from_row(row)


def everything(tx: Tx, *, enabled: bool | None = None) -> tuple[Alert, ...]:
    """All of them by name, or those that are on, or off."""
    conditions = () if enabled is None else (alert.c.enabled == enabled,)
    return tuple(_from_row(row) for row in tx.execute(_select(*conditions).order_by(alert.c.folded_name)))


def rename(tx: Tx, alert_id: int, name: str) -> Alert:
    """Raises NotFound, or Conflict if there is one of this name."""
    checked = checked_name(name)
    others = alert.c.folded_name == fold(checked), alert.c.pk != alert_id
    if tx.scalar(select(alert.c.pk).where(*others)) is not None:
        raise _taken(checked)
    return _change(tx, alert_id, name=checked, folded_name=fold(checked))


def set_enabled(tx: Tx, alert_id: int, enabled: bool) -> Alert:
    """Raises NotFound. What is in the outbox already is sent all the same."""
    return _change(tx, alert_id, enabled=enabled)


def renew_secret(tx: Tx, alert_id: int, nonce: str) -> Alert:
    """From now on the webhook is signed with another secret. Raises NotFound."""
    return _change(tx, alert_id, secret_nonce=nonce)


def renew_feed(tx: Tx, alert_id: int, nonce: str) -> Alert:
    """From now on the feed has another secret. Raises NotFound."""
    return _change(tx, alert_id, feed_nonce=nonce)


def delete(tx: Tx, alert_id: int) -> None:
    """With all that it fired and what was to be sent of it. Raises NotFound."""
    if not tx.execute(delete_from(alert).where(alert.c.pk == alert_id)).rowcount:
        raise _unknown(alert_id)


def count(tx: Tx) -> int:
    """How many there are, on or off."""
    return tx.scalar(select(func.count()).select_from(alert)) or 0


def _change(tx: Tx, alert_id: int, **values: Any) -> Alert:
    if not tx.execute(update(alert).where(alert.c.pk == alert_id).values(**values)).rowcount:
        raise _unknown(alert_id)
    return get(tx, alert_id)


def _select(*conditions: ColumnElement[bool]) -> Select[Any]:
    joined = alert.join(entity, entity.c.pk == alert.c.entity_pk)
    named = entity.c.id.label("entity_id"), entity.c.name.label("entity_name")
    return select(alert, *named).select_from(joined).where(*conditions)


def _taken(name: str) -> Conflict:
    return Conflict(
        f"There is an alert {name[:100]!r} already.", hint="Give another name, or rename that one."
    )


def _unknown(alert_id: int) -> NotFound:
    return NotFound(f"There is no alert {alert_id}.", hint="`kiosque alert list` shows all.")


def _from_row(row: Row[Any]) -> Alert:
    rule = AlertRule(
        entity_id=row.entity_id,
        measure=Measure(row.measure),
        kind=Kind(row.kind),
        side=Side(row.side),
        limit=row.bound,
        window=Window(row.stretch),
        min_articles=row.min_articles,
        cool_down=row.cool_down,
    )
    return Alert(
        id=row.pk,
        name=row.name,
        entity_name=row.entity_name,
        rule=rule,
        outputs=Outputs(row.webhook, tuple(row.emails), Digest(row.digest)),
        secret_nonce=row.secret_nonce,
        feed_nonce=row.feed_nonce,
        enabled=row.enabled,
        made_by=row.made_by,
        created_at=row.created_at,
    )
