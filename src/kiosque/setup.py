"""What happens before the first request: schema, models, names, books, news, sources, a key. Each of it once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kiosque.core.errors import Conflict
from kiosque.processes import seed_models
from kiosque.wiring import House

if TYPE_CHECKING:
    from kiosque.pipeline.seed import Seeded

Progress = Callable[[str, float | None], None]
"""Told what is being done, and the share of it that is done where that is known."""

FIRST_KEY = "setup.key"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What this start loaded; `admin_key` is shown once and kept nowhere."""

    entities: int = 0
    books: int = 0
    articles: int = 0
    admin_key: str | None = None


def prepare(house: House, progress: Progress) -> Prepared:
    """Bring an installation to where it can answer. A second start finds nothing to do."""
    progress("schema", None)
    house.database.migrate()
    progress("models", None)
    seed_models(house)
    declare_sources(house)
    entities = books = articles = 0
    if house.settings.seed_demo:
        loaded = house.seeder.run(progress=progress, after_books=lambda: build_books(house, progress))
        entities, books, articles = loaded.entities, loaded.books, loaded.articles
    return Prepared(entities, books, articles, first_key(house))


def install(house: House, progress: Progress, *, news: bool) -> Seeded:
    """The share of `prepare` that falls to one job of a split installation: schema, names, books and, with `news`,
    the demo news, scored by the predict server. Models, sources and keys are the business of others.
    """
    from kiosque.pipeline.seed import Seeded

    progress("schema", None)
    house.database.migrate()
    return house.seeder.run(progress=progress, news=news) if house.settings.seed_demo else Seeded()


def build_books(house: House, progress: Progress) -> None:
    """Index the catalogue, and take the index into service, so that the news that follows gets books."""
    if house.bookshop.is_stale():
        house.bookshop.build(lambda done, total: progress("indexing books", done / max(total, 1)))
        house.local_predictor.refresh()


def declare_sources(house: House) -> None:
    """The sources that the settings name: feeds, and the New York Times where there is a key."""
    from kiosque.sources.feeds import feed_id
    from kiosque.store import sources

    wanted = [(feed_id(url), "feed", {"url": url}) for url in house.settings.feeds]
    if house.settings.nyt_api_key:
        wanted += [("nyt-wire", "nyt_wire", {}), ("nyt-books", "nyt_books", {})]
    with house.database.write() as tx:
        known = {state.id for state in sources.everything(tx)}
        for source_id, kind, config in wanted:
            if source_id not in known:
                sources.save(tx, source_id, kind, config)


def first_key(house: House) -> str | None:
    """A key with every right, made at the first start of an installation that has none."""
    from kiosque.api.keys import make_key
    from kiosque.api.scopes import Scope
    from kiosque.store import keys, meta

    new = make_key()
    try:
        with house.database.write() as tx:
            if meta.put_once(tx, FIRST_KEY, new.prefix) != new.prefix:
                return None
            now = house.clock()
            keys.add(
                tx, name="first start", prefix=new.prefix, digest=new.digest, scopes=(Scope.ADMIN,), at=now
            )
    except Conflict:
        return None
    return new.text
