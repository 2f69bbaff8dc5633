"""What a new installation starts with: loaded once, and what was deleted stays deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiosque.pipeline.intake import Intake
from kiosque.pipeline.seed import Seeded, Seeder
from kiosque.pipeline.worker import Stop
from kiosque.store import articles, books, entities, feedback, mentions
from kiosque.store.database import Database
from kiosque.testing.paths import CHECKOUT
from kiosque.testing.pipeline import ManualClock

WATCHLIST = """
id = "painters"
name = "Painters"

[[entities]]
id = "dora-finch"
name = "Dora Finch"
aliases = ["Dora Finch", "Finch"]
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "watchlists").mkdir(parents=True)
    (folder / "watchlists" / "painters.toml").write_text(WATCHLIST)
    (folder / "demo").mkdir()
    write(folder / "demo" / "books.jsonl", {"title": "Colour", "author": "A. Author", "year": 1990})
    write(
        folder / "demo" / "articles-1.jsonl",
        {
            "uri": "demo:1",
            "headline": "Finch Honoured",
            "abstract": "",
            "published_at": "1952-04-20",
            "mentions": [{"target": "Finch", "polarity": "positive"}],
        },
        {"uri": "demo:2", "headline": "Rain", "abstract": "", "published_at": "1952-04-21"},
    )
    write(
        folder / "demo" / "articles-2.jsonl",
        {"uri": "demo:3", "headline": "Dora Finch Dies", "abstract": "", "published_at": "1981-01-02"},
    )
    return folder


def write(path: Path, *lines: object) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def seeder(data: Path, sqlite_store: Database, intake: Intake, clock: ManualClock) -> Seeder:
    return Seeder(data, sqlite_store, intake, clock=clock)


@pytest.fixture
def database(sqlite_store: Database) -> Database:
    """Empty: the watch list comes with the seed."""
    return sqlite_store


def test_everything_is_loaded_and_matched_against_the_list_that_came_with_it(
    seeder: Seeder, database: Database
) -> None:
    assert seeder.run() == Seeded(entities=1, books=1, articles=3, mentions=2)
    with database.read() as tx:
        assert entities.get(tx, "dora-finch").name == "Dora Finch"
        assert books.count(tx) == 1
        stored = articles.get(tx, "demo:1")
        assert stored.article.source == "demo"
        assert [m.entity_id for m in mentions.of_articles(tx, [stored.pk])[stored.pk]] == ["dora-finch"]


def test_the_labels_of_the_demo_are_no_corrections_by_people(seeder: Seeder, database: Database) -> None:
    seeder.run()
    with database.read() as tx:
        assert feedback.counts(tx).corrections == 0


def test_a_second_run_does_nothing(seeder: Seeder) -> None:
    seeder.run()
    assert not seeder.run().anything


def test_what_was_deleted_stays_deleted(seeder: Seeder, database: Database) -> None:
    seeder.run()
    with database.write() as tx:
        entities.delete(tx, "dora-finch")
    seeder.run()
    with database.read() as tx:
        assert entities.count(tx) == 0


def test_what_a_later_release_brings_is_added(seeder: Seeder, database: Database, data: Path) -> None:
    seeder.run()
    write(
        data / "demo" / "articles-3.jsonl",
        {"uri": "demo:4", "headline": "Finch Remembered", "published_at": "1999-01-02"},
    )
    assert seeder.run() == Seeded(articles=1, mentions=1)


def test_stopped_it_goes_on_at_the_next_start(seeder: Seeder, database: Database) -> None:
    stop = Stop()

    def stop_at_the_news(what: str, _: float) -> None:
        if what == "news":
            stop.request()

    seeder.run(progress=stop_at_the_news, stop=stop)
    with database.read() as tx:
        assert articles.count(tx) == 2
    seeder.run()
    with database.read() as tx:
        assert articles.count(tx) == 3
        assert mentions.count(tx) == 2


def test_progress_says_what_is_being_loaded(seeder: Seeder) -> None:
    told: list[tuple[str, float]] = []
    seeder.run(progress=lambda what, share: told.append((what, share)))
    assert told == [("watch lists", 1.0), ("books", 1.0), ("news", 1.0), ("news", 1.0)]


def test_without_lists_or_demo_there_is_nothing_to_load(
    tmp_path: Path, database: Database, intake: Intake, clock: ManualClock
) -> None:
    assert not Seeder(tmp_path / "nothing", database, intake, clock=clock).run().anything


def test_what_ships_loads_without_a_reject(database: Database, intake: Intake, clock: ManualClock) -> None:
    lines = [
        line
        for path in sorted((CHECKOUT / "data" / "demo").glob("articles*"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    seeded = Seeder(CHECKOUT / "data", database, intake, clock=clock).run()
    assert seeded.articles == len(lines) > 600
    assert seeded.books > 400
