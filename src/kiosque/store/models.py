"""Which model versions have left traces in the store, and which one readers see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from kiosque.store.statements import add_missing, upsert
from kiosque.store.tables import current_model, model_version, scoring_total, shelf
from kiosque.store.tx import Tx

POLARITY = "polarity"
BOOKS = "books"


@dataclass(frozen=True, slots=True)
class ModelUse:
    """One version with what is stored of it."""

    name: str
    version: str
    current: bool
    first_used_at: datetime
    articles: int
    """Articles scored (polarity) or given a shelf (books)."""


def set_current(tx: Tx, name: str, version: str, at: datetime) -> None:
    """From now on readers see what `version` of the model `name` said. It need not have said anything yet."""
    pk = register(tx, name, version, at)
    if current(tx, name) != version:
        upsert(tx, current_model, [{"name": name, "version_pk": pk, "since": at}], ["name"])


def current(tx: Tx, name: str = POLARITY) -> str | None:
    """The version that readers see; None before the first `set_current`."""
    joined = current_model.join(model_version, model_version.c.pk == current_model.c.version_pk)
    return tx.scalar(select(model_version.c.version).select_from(joined).where(current_model.c.name == name))


def versions(tx: Tx, name: str = POLARITY) -> tuple[str, ...]:
    """Every version of a model that has left traces, newest first, without counting them."""
    newest_first = model_version.c.first_used_at.desc(), model_version.c.pk.desc()
    named = select(model_version.c.version).where(model_version.c.name == name)
    return tuple(tx.scalars(named.order_by(*newest_first)))


def uses(tx: Tx, name: str | None = None) -> tuple[ModelUse, ...]:
    """Every version that is in the store, newest first."""
    versions = model_version.c
    tallied = func.coalesce(func.sum(scoring_total.c.articles), 0)
    scored = select(tallied).where(scoring_total.c.version_pk == versions.pk).scalar_subquery()
    shelved = select(func.count()).where(shelf.c.version_pk == versions.pk).scalar_subquery()
    statement = (
        select(
            versions.name,
            versions.version,
            versions.first_used_at,
            current_model.c.version_pk,
            scored + shelved,
        )
        .select_from(model_version.outerjoin(current_model, current_model.c.version_pk == versions.pk))
        .order_by(versions.name, versions.first_used_at.desc(), versions.pk.desc())
    )
    if name is not None:
        statement = statement.where(versions.name == name)
    return tuple(
        ModelUse(model, version, current_pk is not None, first, int(articles))
        for model, version, first, current_pk, articles in tx.execute(statement)
    )


def register(tx: Tx, name: str, version: str, at: datetime) -> int:
    """The pk of this version, which is added if it was never used."""
    pk = version_pk(tx, name, version)
    if pk is None:
        row = {"name": name, "version": version, "first_used_at": at}
        add_missing(tx, model_version, [row], ["name", "version"])
        pk = version_pk(tx, name, version)
    if pk is None:
        raise AssertionError(f"{name} {version} was added and is not there")
    return pk


def version_pk(tx: Tx, name: str, version: str | None) -> int | None:
    """The pk of a version, the current one if None; None where there is none. For the store's own joins."""
    if version is None:
        return tx.scalar(select(current_model.c.version_pk).where(current_model.c.name == name))
    columns = model_version.c
    return tx.scalar(select(columns.pk).where(columns.name == name, columns.version == version))
