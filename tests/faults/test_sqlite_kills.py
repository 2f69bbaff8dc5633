"""kill -9 at random points of what works on an SQLite database for long: the file is whole, nothing is lost, and the
same command finishes the work. (`tests/e2e/test_crash_cli.py` does the same to an import.)

`KIOSQUE_TEST_SEED` adds another seed to those that are always tried.
"""

from __future__ import annotations

import gzip
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from kiosque.core.clock import system_clock
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.intake import Intake
from kiosque.store import articles, entities, mentions, models, schema
from kiosque.store.database import sqlite_database
from kiosque.testing.faults.news import WATCHLIST, Writer
from kiosque.testing.paths import CHECKOUT
from kiosque.testing.pipeline import ScriptedPredictor
from kiosque.testing.tallies import tallies_from_scratch, tallies_of

SEEDS = ("1", "2", *filter(None, [os.environ.get("KIOSQUE_TEST_SEED")]))
KILLS = 3
"""Of one seed, one after the other on the same database."""
ARTICLES = 600
LATER = 100
"""Articles that the database has beyond those of its backup."""
OLD_ROWS = 12_000
PROGRAM = Path(__file__).with_name("doomed.py")
RELEASED = CHECKOUT / "tests/integration/store/released/0001.sqlite.gz"

pytestmark = pytest.mark.timeout(600)
Row = tuple[object, ...]


def start(mode: str, folder: Path, *file: Path) -> subprocess.Popen[str]:
    """The process, when it has begun."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), mode, str(folder), *map(str, file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    if process.stdout.readline() != "began\n":
        raise AssertionError(process.communicate()[1])
    return process


def finish(mode: str, folder: Path, *file: Path) -> float:
    """Let it work to its end; seconds that it took."""
    process = start(mode, folder, *file)
    began = time.monotonic()
    assert process.stdout is not None
    said = process.stdout.readline()
    seconds = time.monotonic() - began
    _, errors = process.communicate(timeout=300)
    assert (said, process.returncode) == ("done\n", 0), errors
    return seconds


def kill(chance: random.Random, seconds: float, mode: str, folder: Path, *file: Path) -> None:
    process = start(mode, folder, *file)
    time.sleep(chance.uniform(0.0, seconds))
    process.kill()
    process.communicate(timeout=60)


def ask(path: Path, question: str) -> list[Row]:
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        return connection.execute(question).fetchall()


def whole(path: Path) -> None:
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]
    assert ask(path, "PRAGMA foreign_key_check") == []


def keys(path: Path) -> set[Row]:
    return set(ask(path, "SELECT key, headline FROM article"))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database of articles that v1 has scored, and a backup of the time when they were fewer."""
    folder = tmp_path_factory.mktemp("filled")
    database = sqlite_database(folder / "kiosque.sqlite")
    database.migrate()
    with database.write() as tx:
        entities.save_watchlist(tx, WATCHLIST, system_clock())
        models.set_current(tx, models.POLARITY, "v1", system_clock())
    writer, chance = Writer("kills"), random.Random(1)
    intake = Intake(database, ScriptedPredictor("v1"), clock=system_clock, metrics=Metrics())
    stories = [writer.story(chance, "feed-one").article for _ in range(ARTICLES + LATER)]
    intake.take(stories[:ARTICLES])
    database.backup(folder / "backup.sqlite")
    intake.take(stories[ARTICLES:])
    database.close()
    return folder


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database as version 0.1 left it, with many articles."""
    folder = tmp_path_factory.mktemp("old")
    path = folder / "kiosque.sqlite"
    path.write_bytes(gzip.decompress(RELEASED.read_bytes()))
    with closing(sqlite3.connect(path)) as connection:
        for table in ("article", "article_scoring", "mention"):
            _multiply(connection, table)
        connection.execute("INSERT INTO article_search(article_search) VALUES ('rebuild')")
        connection.execute("DELETE FROM article_day")
        connection.execute(
            "INSERT INTO article_day (day, source, month, articles) "
            "SELECT day, source, month, count(*) FROM article GROUP BY day, source, month"
        )
        connection.commit()
    return folder


def _multiply(connection: sqlite3.Connection, table: str) -> None:
    """The rows of `table` again and again, each time for other articles."""
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    changed = {"pk": "pk + n.n * 1000", "article_pk": "article_pk + n.n * 1000"}
    changed |= {name: f"{name} || '-' || n.n" for name in ("id", "key")}
    values = ", ".join(changed.get(name, name) for name in columns)
    connection.execute(
        f"WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {OLD_ROWS // 8}) "
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table}, n"
    )


def copy_of(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy")) / "kiosque.sqlite"


def seconds_of(mode: str, folder: Path, tmp_path: Path, *file: Path) -> float:
    """What it takes undisturbed, on a database of its own."""
    return finish(mode, Path(shutil.copytree(folder, tmp_path / "measured")), *file)


@pytest.mark.parametrize("seed", SEEDS)
def test_rescoring(filled: Path, tmp_path: Path, seed: str) -> None:
    database, chance = copy_of(filled, tmp_path), random.Random(seed)
    before, old_scores = keys(database), ask(database, "SELECT * FROM mention ORDER BY 1, 2, 3")
    seconds = seconds_of("rescore", filled, tmp_path)
    scored = []
    for _ in range(KILLS):
        kill(chance, seconds / 2, "rescore", database.parent)
        whole(database)
        scored.append(ask(database, "SELECT count(*) FROM article_scoring")[0][0])
    assert scored == sorted(scored)  # what was done stays done
    finish("rescore", database.parent)
    whole(database)
    assert keys(database) == before
    check_scores(database, old_scores)


def check_scores(path: Path, old_scores: list[Row]) -> None:
    """Each article has the mentions of both versions, each once, and the tallies are those of the mentions."""
    named = {(row[0], row[2]) for row in old_scores}
    versions = dict(ask(path, "SELECT version, pk FROM model_version WHERE name = 'polarity'"))
    assert {"v1", "v2"} <= versions.keys()
    now = ask(path, "SELECT * FROM mention ORDER BY 1, 2, 3")
    assert [row for row in now if row[1] == versions["v1"]] == old_scores
    again = [(row[0], row[2]) for row in now if row[1] == versions["v2"]]
    assert len(again) == len(named)
    assert set(again) == named
    database = sqlite_database(path)
    with database.read() as tx:
        assert mentions.count_missing(tx, "v2") == 0
        assert models.current(tx, models.POLARITY) == "v2"
        assert articles.count(tx) == ARTICLES + LATER
        assert tallies_of(tx) == tallies_from_scratch(tx)
    database.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_migrating(old: Path, tmp_path: Path, seed: str) -> None:
    database, chance = copy_of(old, tmp_path), random.Random(seed)
    seconds = seconds_of("migrate", old, tmp_path)
    mentions_before = ask(
        database, "SELECT article_pk, version_pk, entity_pk, net FROM mention ORDER BY 1, 2, 3"
    )
    before = keys(database)
    for _ in range(KILLS):
        kill(chance, seconds, "migrate", database.parent)
        whole(database)
        ((revision,),) = ask(database, "SELECT version_num FROM alembic_version")
        assert revision in ("0001", schema.head())  # all of it or nothing
        assert keys(database) == before
    finish("migrate", database.parent)
    whole(database)
    assert ask(database, "SELECT version_num FROM alembic_version") == [(schema.head(),)]
    assert keys(database) == before
    assert (
        ask(database, "SELECT article_pk, version_pk, entity_pk, net FROM mention ORDER BY 1, 2, 3")
        == mentions_before
    )
    migrated = sqlite_database(database)
    with migrated.read() as tx:
        assert tallies_of(tx) == tallies_from_scratch(tx)
    migrated.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_backing_up(filled: Path, tmp_path: Path, seed: str) -> None:
    database, chance, target = copy_of(filled, tmp_path), random.Random(seed), tmp_path / "saved.sqlite"
    before = keys(database)
    seconds = seconds_of("backup", filled, tmp_path, tmp_path / "measured.sqlite")
    for _ in range(KILLS):
        kill(chance, seconds, "backup", database.parent, target)
        whole(database)
        if target.exists():  # under its name it is whole
            whole(target)
            assert keys(target) == before
            target.unlink()
    finish("backup", database.parent, target)
    whole(target)
    assert keys(target) == keys(database) == before
    assert [path.name for path in tmp_path.glob("saved.sqlite*")] == ["saved.sqlite"]


@pytest.mark.parametrize("seed", SEEDS)
def test_restoring(filled: Path, tmp_path: Path, seed: str) -> None:
    database, chance = copy_of(filled, tmp_path), random.Random(seed)
    backup = database.with_name("backup.sqlite")
    earlier, later = keys(backup), keys(database)
    assert earlier < later
    seconds = seconds_of("restore", filled, tmp_path, backup)
    for _ in range(KILLS):
        kill(chance, seconds, "restore", database.parent, backup)
        whole(database)
        assert keys(database) in (earlier, later)  # the one or the other
    finish("restore", database.parent, backup)
    whole(database)
    assert keys(database) == earlier == keys(backup)


def test_a_kill_in_the_middle_is_a_kill_in_the_middle(filled: Path, tmp_path: Path) -> None:
    """Without this, kills that always come too late would say nothing."""
    database = copy_of(filled, tmp_path)
    seconds = seconds_of("rescore", filled, tmp_path)
    kill(random.Random(0), 0.0, "rescore", database.parent)
    left = _left(database)
    kill(_Always(0.5), seconds, "rescore", database.parent)
    assert 0 < _left(database) <= left


class _Always(random.Random):
    """A chance that is none."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self._share = share

    def uniform(self, a: float, b: float) -> float:
        return a + self._share * (b - a)


def _left(path: Path) -> int:
    database = sqlite_database(path)
    try:
        with database.read() as tx:
            return mentions.count_missing(tx, "v2")
    finally:
        database.close()
