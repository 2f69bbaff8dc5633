"""A process that brings articles into a store, made to be killed. It says `ready`, and `at N` as it goes.

crash_process.py import FOLDER FILE            takes the articles of a file directly
crash_process.py poll FOLDER FILE              reads it as a source, publishes inline and consumes
crash_process.py consume POSTGRES NATS STREAM  consumes from a broker until SIGTERM
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import structlog

from kiosque.bus.inline import InlineBus
from kiosque.bus.jetstream import JetStreamBus
from kiosque.bus.protocol import Bus
from kiosque.bus.stream import StreamSettings
from kiosque.core.clock import system_clock
from kiosque.core.entity import Alias, Entity, EntityKind, Watchlist
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.consume import Consumer, ConsumerPolicy
from kiosque.pipeline.imports import Importer, StoreSink, Summary
from kiosque.pipeline.intake import Intake, Listener, Stored
from kiosque.pipeline.produce import Producer
from kiosque.pipeline.worker import Stop, Workers, stop_on_signals
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


def main(mode: str, *arguments: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    run = {"import": run_import, "poll": run_poll, "consume": run_consume}[mode]
    run(*arguments)


def prepared(database: Database) -> Database:
    database.migrate()
    with database.write() as tx:
        entities.save_watchlist(tx, WATCHLIST, system_clock())
    say("ready")
    return database


def intake_of(database: Database, listener: Listener | None = None) -> Intake:
    return Intake(database, ScriptedPredictor(), clock=system_clock, metrics=Metrics(), listener=listener)


def tell_article(stored: Stored) -> None:
    say(f"at {stored.article.key}")


def run_import(folder: str, file: str) -> None:
    database = prepared(sqlite_database(Path(folder) / "kiosque.sqlite"))
    intake = intake_of(database)
    importer = Importer(StoreSink(intake, database), database, clock=system_clock, chunk=CHUNK)

    def tell(done: Summary, _: float | None) -> None:
        say(f"at {done.read}")

    source = ArticleFile(Path(file), source="file", page_size=CHUNK * 2)
    summary = importer.run(source, job_id="crash", rejects=Path(folder) / "rejects.jsonl", progress=tell)
    database.close()
    say(json.dumps(summary.counters()))


def run_poll(folder: str, file: str) -> None:
    database = prepared(sqlite_database(Path(folder) / "kiosque.sqlite"))
    bus = InlineBus(stall_seconds=60.0)
    with database.write() as tx:
        sources.save(tx, "file", "file", {"path": file})
    consumer = consumer_of(bus, database)
    producer = Producer(
        bus,
        database,
        lambda _: ArticleFile(Path(file), source="file", page_size=CHUNK),
        clock=system_clock,
        metrics=Metrics(),
    )
    workers = Workers()
    workers.add("consumer", consumer.run, last=True)
    workers.start()
    producer.poll_now("file")
    workers.stop()
    bus.close()
    database.close()
    say("{}")


def run_consume(postgres: str, nats: str, stream: str) -> None:
    database = prepared(Database(postgres))
    bus = JetStreamBus(nats, stream=StreamSettings(name=stream, ack_wait=1.0))
    with stop_on_signals(Stop()) as stop:
        consumer_of(bus, database).run(stop)
    bus.close()
    database.close()
    say("{}")


def consumer_of(bus: Bus, database: Database) -> Consumer:
    return Consumer(
        bus,
        intake_of(database, tell_article),
        database,
        clock=system_clock,
        metrics=Metrics(),
        policy=ConsumerPolicy(batch_size=10, fetch_timeout=0.1, heartbeat=0.5),
    )


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
