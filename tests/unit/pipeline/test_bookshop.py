"""When the recommender is built anew, out of what, and what becomes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kiosque.books.priors import LEAST_VOTES
from kiosque.core.book import BookQuery
from kiosque.core.clock import system_clock
from kiosque.modelstore.store import ModelStore
from kiosque.pipeline.bookshop import BUILDER, Bookshop
from kiosque.predict.local import LocalPredictor
from kiosque.store import books, feedback
from kiosque.store.database import Database, sqlite_database
from kiosque.store.feedback import BookVerdict
from kiosque.testing.books import BOOKS, LINCOLN, TRUMAN
from kiosque.testing.world import NOW


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = sqlite_database(tmp_path / "kiosque.sqlite")
    database.migrate()
    with database.write() as tx:
        books.save(tx, BOOKS, NOW)
    yield database
    database.close()


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


@pytest.fixture
def shop(database: Database, store: ModelStore, tmp_path: Path) -> Bookshop:
    """Without an encoder, so that a build takes no time."""
    return Bookshop(database, store, tmp_path / "nothing-ships", clock=system_clock)


def judge(database: Database, book: str, verdict: BookVerdict, times: int, *, by: str = "ada") -> None:
    with database.write() as tx:
        for n in range(times):
            feedback.thumb(tx, book_key=book, verdict=verdict, by=by, at=NOW, text_digest=f"{verdict}{n}")


def files_of(store: ModelStore) -> dict[str, str]:
    manifest = json.loads((store.champion("books").folder / "manifest.json").read_text(encoding="utf-8"))
    return {name: entry["sha256"] for name, entry in manifest["files"].items()}


def test_the_same_catalogue_built_twice_is_one_version_with_the_same_digests(
    shop: Bookshop, store: ModelStore, tmp_path: Path, database: Database
) -> None:
    first, again = shop.build(), shop.build()
    assert (first.new, again.new) == (True, False)
    assert again.version == first.version
    assert len(store.versions("books")) == 1
    elsewhere = ModelStore(tmp_path / "elsewhere")
    Bookshop(database, elsewhere, tmp_path / "nothing-ships", clock=system_clock).build()
    assert files_of(elsewhere) == files_of(store)


def test_a_changed_catalogue_is_a_new_version_and_the_old_one_stays(
    shop: Bookshop, store: ModelStore, database: Database
) -> None:
    before = shop.build().version
    with database.write() as tx:
        books.save(tx, [replace(TRUMAN, description="Another telling of 1948.")], NOW)
    assert shop.is_stale()
    after = shop.build()
    assert after.new
    assert {before, after.version} == {version.id for version in store.versions("books")}
    assert store.champion("books").id == after.version
    assert not shop.is_stale()
    assert BUILDER in (store.root / "books" / "history.jsonl").read_text(encoding="utf-8")


def test_verdicts_count_once_there_are_enough_of_them(
    shop: Bookshop, store: ModelStore, database: Database
) -> None:
    def score() -> float:
        (shelf,) = LocalPredictor(store).books([BookQuery(text="Truman and Lincoln", min_score=0.0)])
        return next(r.score for r in shelf.recommendations if r.book.key == TRUMAN.key)

    version, before = shop.build().version, score()
    judge(database, TRUMAN.key, BookVerdict.NOT_USEFUL, LEAST_VOTES - 1)
    judge(database, LINCOLN.key, BookVerdict.ALREADY_READ, 40)
    assert not shop.is_stale()
    assert (shop.build().version, shop.build().voted) == (version, 0)
    judge(database, TRUMAN.key, BookVerdict.NOT_USEFUL, 30)
    assert shop.is_stale()
    built = shop.build()
    assert (built.new, built.voted) == (True, 1)
    assert score() < before
    assert not shop.is_stale()


def test_without_books_there_is_nothing_to_build(shop: Bookshop, tmp_path: Path) -> None:
    empty = sqlite_database(tmp_path / "empty.sqlite")
    empty.migrate()
    assert not Bookshop(empty, ModelStore(tmp_path / "m"), tmp_path, clock=system_clock).is_stale()
    empty.close()
