"""A process that works on an SQLite database, made to be killed. It says `began` when it begins, and `done`.

doomed.py rescore FOLDER            scores every article with version v2
doomed.py migrate FOLDER
doomed.py backup FOLDER FILE
doomed.py restore FOLDER FILE       over the database that is there
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import structlog

from kiosque.core.clock import system_clock
from kiosque.pipeline.rescore import Rescorer
from kiosque.store import schema
from kiosque.store.database import Database, sqlite_database
from kiosque.testing.pipeline import ScriptedPredictor

CHUNK = 20
"""Articles a transaction when rescoring: many places to be killed at."""


def main(mode: str, folder: str, *file: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    database = sqlite_database(Path(folder) / "kiosque.sqlite")
    schema.head()  # what is read at the first use is read before the clock starts
    say("began")
    work(mode, database, *map(Path, file))
    say("done")
    database.close()


def work(mode: str, database: Database, *file: Path) -> None:
    if mode == "rescore":
        Rescorer(database, ScriptedPredictor("v2"), clock=system_clock, chunk=CHUNK).run()
    elif mode == "migrate":
        database.migrate()
    elif mode == "backup":
        database.backup(*file)
    elif mode == "restore":
        database.restore(*file, overwrite=True)
    else:
        raise ValueError(mode)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
