"""Queries: milliseconds for what pages and API ask of 10,000 to a million mentions, on SQLite and on PostgreSQL.

Peers: pandas with the whole tables in memory, pandas that reads them for every question as the reference does, and
DuckDB over Parquet. The news is made up by million_mentions.py, the same for all; the numbers that come back are held
to be the same (but of the search, which stems words here and does not there). `export` is every article and mention
of one name in the middle of the ranking.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from pydantic import SecretStr

from benchmarks.harness import CACHE, KIOSQUE, Bench, Side, say
from benchmarks.million_mentions import LAST_DAY, SEEN, fill
from benchmarks.peers import HERE, OWN, PeerMissing, Worker, python_of
from kiosque.settings import Settings
from kiosque.setup import install
from kiosque.store import models
from kiosque.testing.servers import ServerMissing, postgres_server
from kiosque.wiring import open_house

UNIT, P95 = "ms a question", "ms, 95 % of the questions"
POSTGRES = "Kiosque on PostgreSQL"
READ = "pandas, read each time, as the reference"
QUESTIONS = ("timeline", "compare", "elections", "search", "article list", "export")
ON_POSTGRES = 1_000_000
"""The most mentions that a PostgreSQL is filled with."""
REVISION = 2
"""Of the made-up news: another one makes the kept databases anew."""


def measure(bench: Bench) -> None:
    sizes = bench.choose((10_000,), (10_000, 100_000, 1_000_000), (10_000, 100_000, 1_000_000, 10_000_000))
    for size in sizes:
        with ExitStack() as stack:
            _measure_with(bench, size, stack)
    for question in QUESTIONS:
        name = _name(question, sizes[-1])
        slow = bench.found.case(name, P95)
        got = median(slow.values[KIOSQUE]) if slow and slow.values.get(KIOSQUE) else None
        bench.goal(f"queries: {name}: 95 % within 100 ms", got, 100, at_least=False)
        bench.goal(f"queries: {name}: ≥ 20 × {READ}", bench.found.ratio(name, UNIT, READ), 20)
    bench.found.cases.sort(key=lambda case: case.unit != UNIT)


def _name(question: str, size: int) -> str:
    return f"{question}, {size:,} mentions"


def _measure_with(bench: Bench, size: int, stack: ExitStack) -> None:
    file = sqlite_news(size)
    places = {KIOSQUE: (OWN, "kiosque", str(file))}
    try:
        tables = parquet(file)
        peers = {"pandas, kept in memory": "pandas", READ: "pandas-read", "DuckDB over Parquet": "duckdb"}
        places |= {side: ("tables", kind, str(tables)) for side, kind in peers.items()}
    except PeerMissing as error:
        bench.missing("pandas and DuckDB", str(error))
    if size <= ON_POSTGRES:
        try:
            places[POSTGRES] = (OWN, "kiosque", stack.enter_context(postgres_news(size)))
        except ServerMissing as error:
            bench.missing(POSTGRES, str(error))
    asked = what_to_ask(file)
    workers = {}
    for side, (env, kind, place) in places.items():
        try:
            workers[side] = stack.enter_context(Worker(env, "queries.py", kind, place, processors={0}))
            workers[side].ask("prepare", **asked)
        except (PeerMissing, RuntimeError) as error:
            bench.missing(side, str(error))
            workers.pop(side, None)
    for question in QUESTIONS:
        _ask(bench, workers, question, size)


def _ask(bench: Bench, workers: dict[str, Worker], question: str, size: int) -> None:
    slow: dict[str, list[float]] = {}
    answers: dict[str, int] = {}

    def side(name: str) -> float:
        got = workers[name].ask("ask", question=question, times=bench.choose(5, 15))
        answers[name] = got["answer"]
        slow.setdefault(name, []).append(quantiles(got["milliseconds"], n=20, method="inclusive")[18])
        return median(got["milliseconds"])

    name = _name(question, size)
    sides: dict[str, Side] = {each: partial(side, each) for each in workers}
    bench.compare(name, UNIT, sides, rounds=bench.choose(2, 3), more_is_better=False)
    bench.record(name, P95, slow, more_is_better=False)
    if question != "search" and len(set(answers.values())) > 1:
        bench.note(f"{name}: not all gave the same answer: {answers}")


def sqlite_news(size: int) -> Path:
    """An SQLite file with so many mentions, made when it is not there yet."""
    folder = CACHE / f"news-{REVISION}" / str(size)
    settings = Settings(data_dir=folder)
    if not (folder / "made").exists():
        make_news(settings, size)
        (folder / "made").touch()
    with open_house(settings) as house:
        house.database.migrate()
    return settings.sqlite_path


@contextmanager
def postgres_news(size: int) -> Iterator[str]:
    """A running PostgreSQL with so many mentions, made when they are not there yet; gives its URL.

    What is kept is a copy of its stopped data: as root the server runs as nobody, who may not enter every home.
    """
    kept = CACHE / f"news-{REVISION}" / str(size) / "postgres"
    with tempfile.TemporaryDirectory(prefix="kiosque-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        if kept.exists():
            (folder / "pg").mkdir()
            _copy(kept, folder / "pg" / "data")
        else:
            with postgres_server(folder / "pg", keep=True) as url:
                make_news(Settings(data_dir=folder, database_url=SecretStr(url)), size)
            _copy(folder / "pg" / "data", kept)
        with postgres_server(folder / "pg", keep=True) as url:
            with open_house(Settings(data_dir=folder, database_url=SecretStr(url))) as house:
                house.database.migrate()
            yield url


def _copy(source: Path, target: Path) -> None:
    """All at once or not at all, owners and rights as they are."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    subprocess.run(["cp", "-a", str(source), str(partial)], check=True)
    partial.rename(target)


def make_news(settings: Settings, size: int) -> None:
    """Schema, the shipped names, and made-up news about them. Goes on where it was broken off."""
    say(f"making news with {size:,} mentions …")
    with open_house(settings) as house:
        install(house, lambda *_: None, news=False)
        with house.database.write() as tx:
            if models.current(tx, models.POLARITY) is None:
                models.set_current(tx, models.POLARITY, "benchmark", SEEN)
        fill(house.database, mentions=size, seed=1852)


def parquet(file: Path) -> Path:
    """The tables of the SQLite `file` as Parquet beside it."""
    folder = file.parent / "parquet"
    if not (folder / "articles.parquet").exists():
        command = [str(python_of("tables")), str(HERE / "workers" / "queries.py"), "export"]
        done = subprocess.run([*command, str(folder), str(file)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise PeerMissing(done.stderr)
    return folder


def what_to_ask(file: Path) -> dict[str, Any]:
    """The six names with most mentions and one in the middle, a word that some headlines have, and a day to count
    the weeks of a campaign up to."""
    ranked = (
        "SELECT e.id FROM mention m JOIN entity e ON e.pk = m.entity_pk "
        "GROUP BY e.id ORDER BY count(*) DESC, e.id"
    )
    with closing(sqlite3.connect(file)) as db:
        names = [row[0] for row in db.execute(ranked)]
        words = [
            row[0].split()[-1] for row in db.execute("SELECT headline FROM article ORDER BY pk LIMIT 500")
        ]
    common = max(sorted(set(words)), key=words.count)
    last = LAST_DAY.isoformat()
    return {"names": [*names[:6], names[100]], "word": common, "last": last, "last_day": LAST_DAY.toordinal()}
