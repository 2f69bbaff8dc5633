"""A process that brings a file of articles into a store, made to be killed: `crash_process.py MODE FOLDER FILE`.

MODE `import` takes the articles directly; `poll` reads the file as a source, publishes on the inline bus
and consumes from it. It says `ready`, `at N` after each transaction or page, and ends with a summary.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import structlog

from kiosque.bus.inline import InlineBus
from kiosque.core.clock import system_clock
from kiosque.core.entity import Alias, Entity, EntityKind, Watchlist
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.consume import Consumer, ConsumerPolicy
from kiosque.pipeline.imports import Importer, StoreSink, Summary
from kiosque.pipeline.intake import Intake
from kiosque.pipeline.produce import Producer
from kiosque.pipeline.worker import Workers
from kiosque.sources.files import ArticleFile
from kiosque.store import entities, sources
from kiosque.store.database import Database, sqlite_database
from kiosque.testing.pipeline import ScriptedPredictor

CHUNK = 25
PEOPLE = ("Lane", "Reed", "Moss", "Finch")
WATCHLIST = Watchlist(
    "people",
    "People",
    tuple(Entity(name.lower(), name, EntityKind.PERSON, (Alias(name),)) for name in PEOPLE),
)


def main(mode: str, folder: Path, file: Path) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    database = sqlite_database(folder / "kiosque.sqlite")
    database.migrate()
    with database.write() as tx:
        entities.save_watchlist(tx, WATCHLIST, system_clock())
    say("ready")
    intake = Intake(
        database,
        ScriptedPredictor(),
        clock=system_clock,
        metrics=Metrics(),
        listener=None if mode == "import" else lambda stored: say(f"at {stored.article.key}"),
    )
    (run_import if mode == "import" else run_poll)(database, intake, file, folder)
    database.close()


def run_import(database: Database, intake: Intake, file: Path, folder: Path) -> None:
    importer = Importer(StoreSink(intake, database), database, clock=system_clock, chunk=CHUNK)

    def tell(done: Summary, _: float | None) -> None:
        say(f"at {done.read}")

    source = ArticleFile(file, source="file", page_size=CHUNK * 2)
    summary = importer.run(source, job_id="crash", rejects=folder / "rejects.jsonl", progress=tell)
    say(json.dumps(summary.counters()))


def run_poll(database: Database, intake: Intake, file: Path, _: Path) -> None:
    bus = InlineBus(stall_seconds=60.0)
    with database.write() as tx:
        sources.save(tx, "file", "file", {"path": str(file)})
    metrics = Metrics()
    consumer = Consumer(
        bus,
        intake,
        database,
        clock=system_clock,
        metrics=metrics,
        policy=ConsumerPolicy(batch_size=10, fetch_timeout=0.1),
    )
    producer = Producer(
        bus,
        database,
        lambda _: ArticleFile(file, source="file", page_size=CHUNK),
        clock=system_clock,
        metrics=metrics,
    )
    workers = Workers()
    workers.add("consumer", consumer.run, last=True)
    workers.start()
    producer.poll_now("file")
    workers.stop()
    bus.close()
    say("{}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
