"""Pages of lists that go on where the last one ended, whatever was added meanwhile."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Row, Select, literal, tuple_

from kiosque.core.clock import parse_rfc3339, rfc3339
from kiosque.core.errors import InvalidInput
from kiosque.store.columns import storable
from kiosque.store.tx import Tx

T = TypeVar("T")

MAX_LIMIT = 1000
"""More than this is never put on one page."""

_MAX_CURSOR = 4096
_MAX_INTEGER = 2**63


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list. `next` is the cursor of the page that follows, None on the last one."""

    items: tuple[T, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is sorted: by `columns` together, the last of which tells equals apart.

    `name` stands in its cursors, so that one made for another order is noticed.
    """

    name: str
    columns: tuple[ColumnElement[Any], ...]
    descending: bool = False


def fetch_page(
    tx: Tx,
    statement: Select[Any],
    order: Order,
    *,
    limit: int,
    cursor: str | None,
    make: Callable[[Row[Any]], T],
) -> Page[T]:
    """One page of `statement`'s rows, each made into an item. Raises InvalidInput for a bad limit or cursor."""
    check_limit(limit)
    positions = [column.label(f"position_{i}") for i, column in enumerate(order.columns)]
    rows = tx.execute(ordered(statement.add_columns(*positions), order, cursor).limit(limit + 1)).all()
    shown = rows[:limit]
    following = None
    if len(rows) > limit:
        following = encode_cursor(order.name, shown[-1][-len(positions) :])
    return Page(tuple(make(row) for row in shown), following)


def ordered(statement: Select[Any], order: Order, cursor: str | None) -> Select[Any]:
    """`statement` sorted, from where `cursor` points on. Raises InvalidInput for a bad cursor."""
    if cursor is not None:
        statement = statement.where(_beyond(order, cursor))
    return statement.order_by(*(c.desc() if order.descending else c.asc() for c in order.columns))


def check_limit(limit: int) -> None:
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInput(f"The limit is {limit}.", hint=f"Ask for 1 to {MAX_LIMIT} items.")


def encode_cursor(order: str, position: Sequence[Any]) -> str:
    """An opaque name for a place in a list; of letters, digits, `-` and `_`."""
    values = [rfc3339(value) if isinstance(value, datetime) else value for value in position]
    return (
        base64.urlsafe_b64encode(json.dumps([order, *values], ensure_ascii=False).encode())
        .decode()
        .rstrip("=")
    )


def decode_cursor(cursor: str, order: str, kinds: Sequence[type]) -> list[Any]:
    """The place that `cursor` names, one value of each of `kinds`. Raises InvalidInput on anything else."""
    try:
        raw = base64.b64decode(cursor[:_MAX_CURSOR] + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        found = json.loads(raw)
        if not isinstance(found, list) or found[0] != order or len(found) != len(kinds) + 1:
            raise ValueError("another list's cursor")
        return [_value(value, kind) for value, kind in zip(found[1:], kinds, strict=True)]
    except (ValueError, TypeError, IndexError, OverflowError, RecursionError, binascii.Error) as error:
        raise InvalidInput(
            "The cursor does not belong to this list.",
            hint="Use `next` of the page before, with the same sorting.",
        ) from error


def _value(value: Any, kind: type) -> Any:
    if kind is datetime and isinstance(value, str):
        return parse_rfc3339(value)
    if kind is float and type(value) in (int, float):
        return float(value)
    if kind is int and type(value) is int and -_MAX_INTEGER <= value < _MAX_INTEGER:
        return value
    if kind is str and isinstance(value, str):
        return storable(value)
    raise ValueError(f"not a {kind.__name__}")


def _beyond(order: Order, cursor: str) -> ColumnElement[bool]:
    values = decode_cursor(cursor, order.name, [column.type.python_type for column in order.columns])
    here = tuple_(*order.columns)
    there = tuple_(*(literal(v, c.type) for v, c in zip(values, order.columns, strict=True)))
    return here < there if order.descending else here > there
