"""Searches that someone keeps: a question with a name. Everybody who may read sees them, as with watch lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy import delete as delete_from

from kiosque.core.errors import Conflict, InvalidInput, NotFound
from kiosque.core.polarity import Polarity
from kiosque.store.article_list import ArticleFilter, Sort
from kiosque.store.columns import storable
from kiosque.store.search import fold
from kiosque.store.statements import insert_into
from kiosque.store.tables import saved_search
from kiosque.store.tx import Tx

MOST = 1000
"""More searches than this nobody can overlook."""
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """`where` and `sort` are the question. `feed_nonce` goes into the secret of its feed; a new one revokes it."""

    id: int
    name: str
    where: ArticleFilter
    sort: Sort
    made_by: str
    created_at: datetime
    feed_nonce: str


def add(
    tx: Tx, *, name: str, where: ArticleFilter, sort: Sort, by: str, at: datetime, feed_nonce: str
) -> SavedSearch:
    """Names are told apart without regard to case. Raises Conflict if there is one of this name."""
    checked = checked_name(name)
    if count(tx) >= MOST:
        raise Conflict(f"There are {MOST} saved searches already.", hint="Delete some first.")
    row = {
        "name": checked,
        "folded_name": fold(checked),
        "question": _packed(where, sort),
        "made_by": by,
        "created_at": at,
        "feed_nonce": feed_nonce,
    }
    statement = (
        insert_into(tx, saved_search).values(row).on_conflict_do_nothing(index_elements=["folded_name"])
    )
    pk = tx.scalar(statement.returning(saved_search.c.pk))
    if pk is None:
        raise _taken(checked)
    return get(tx, pk)


def get(tx: Tx, search_id: int) -> SavedSearch:
    """Raises NotFound."""
    found = find(tx, search_id)
    if found is None:
        raise _unknown(search_id)
    return found


def find(tx: Tx, search_id: int) -> SavedSearch | None:
    """As `get`, None where there is none."""
    row = tx.execute(select(saved_search).where(saved_search.c.pk == search_id)).one_or_none()
    return None if row is None else _from_row(row)


def everything(tx: Tx) -> tuple[SavedSearch, ...]:
    """All of them, by name."""
    by_name = select(saved_search).order_by(saved_search.c.folded_name)
    return tuple(_from_row(row) for row in tx.execute(by_name))


def rename(tx: Tx, search_id: int, name: str) -> SavedSearch:
    """Raises NotFound, or Conflict if there is one of this name."""
    checked = checked_name(name)
    others = saved_search.c.folded_name == fold(checked), saved_search.c.pk != search_id
    if tx.scalar(select(saved_search.c.pk).where(*others)) is not None:
        raise _taken(checked)
    _change(tx, search_id, name=checked, folded_name=fold(checked))
    return get(tx, search_id)


def renew_feed(tx: Tx, search_id: int, nonce: str) -> SavedSearch:
    """From now on the feed has another secret. Raises NotFound."""
    _change(tx, search_id, feed_nonce=nonce)
    return get(tx, search_id)


def delete(tx: Tx, search_id: int) -> None:
    """Raises NotFound."""
    if not tx.execute(delete_from(saved_search).where(saved_search.c.pk == search_id)).rowcount:
        raise _unknown(search_id)


def count(tx: Tx) -> int:
    """How many there are."""
    return tx.scalar(select(func.count()).select_from(saved_search)) or 0


def checked_name(name: str) -> str:
    """`name` as it is kept. Raises InvalidInput for one that shows nothing or is too long."""
    kept = " ".join(storable(name).split())
    if not fold(kept) or len(kept) > LONGEST_NAME:
        raise InvalidInput(
            f"A name has 1 to {LONGEST_NAME} characters.", hint="Give one that says what it is."
        )
    return kept


def _packed(where: ArticleFilter, sort: Sort) -> dict[str, Any]:
    """What is asked for, and nothing else."""
    asked = {
        "entities": list(where.entities),
        "polarity": where.polarity and where.polarity.value,
        "min_confidence": where.min_confidence,
        "model_version": where.model_version,
        "source": where.source,
        "section": where.section,
        "date_from": where.date_from and where.date_from.isoformat(),
        "date_to": where.date_to and where.date_to.isoformat(),
        "query": where.query,
    }
    return {
        "sort": sort.value,
        **{name: value for name, value in asked.items() if value not in (None, "", [])},
    }


def _unpacked(question: Mapping[str, Any]) -> tuple[ArticleFilter, Sort]:
    known = dict(question)
    sort = Sort(known.pop("sort"))
    known["entities"] = tuple(known.get("entities", ()))
    if "polarity" in known:
        known["polarity"] = Polarity(known["polarity"])
    for name in ("date_from", "date_to"):
        if name in known:
            known[name] = date.fromisoformat(known[name])
    return ArticleFilter(**known), sort


def _change(tx: Tx, search_id: int, **values: Any) -> None:
    if not tx.execute(update(saved_search).where(saved_search.c.pk == search_id).values(**values)).rowcount:
        raise _unknown(search_id)


def _taken(name: str) -> Conflict:
    return Conflict(
        f"There is a search {name[:100]!r} already.", hint="Give another name, or rename that one."
    )


def _unknown(search_id: int) -> NotFound:
    return NotFound(f"There is no saved search {search_id}.", hint="`kiosque search list` shows all.")


def _from_row(row: Row[Any]) -> SavedSearch:
    where, sort = _unpacked(row.question)
    return SavedSearch(row.pk, row.name, where, sort, row.made_by, row.created_at, row.feed_nonce)
