"""`kiosque import`, killed and run again: the numbers at its end are those of one undisturbed run."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from kiosque.testing.waiting import wait_until

ROWS = 24_000
REPEATED = 500
KILL_AT = (1, 4_000, 9_000, 15_000, 21_000)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "headlines.csv"
    with path.open("w", newline="", encoding="utf-8") as target:
        writer = csv.writer(target)
        writer.writerow(["headline", "date"])
        for n in range(ROWS):
            writer.writerow([f"Report {n} of the day", f"{1950 + n % 70}-05-{1 + n % 28:02}"])
        writer.writerow(["Nobody Knows When", ""])
        for n in range(REPEATED):
            writer.writerow([f"Report {n} of the day", f"{1950 + n % 70}-05-{1 + n % 28:02}"])
    return path


def start(folder: Path, file: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "kiosque", "import", str(file), "--json"],
        env={**os.environ, "KIOSQUE_DATA_DIR": str(folder), "KIOSQUE_LOG_LEVEL": "error"},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def stored(path: Path) -> int:
    """Articles in the database, as another process sees them; 0 before there is one."""
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        try:
            number: int = connection.execute("SELECT count(*) FROM article").fetchone()[0]
        except sqlite3.OperationalError:
            return 0
    return number


@pytest.mark.timeout(600)
def test_killed_again_and_again_it_ends_with_the_numbers_of_one_run(tmp_path: Path, file: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    database = folder / "kiosque.sqlite"
    for threshold in KILL_AT:
        process = start(folder, file)

        def far_enough(process: subprocess.Popen[str] = process, threshold: int = threshold) -> bool:
            return process.poll() is not None or stored(database) >= threshold

        wait_until(far_enough)
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    out, err = start(folder, file).communicate(timeout=300)
    summary = json.loads(out)
    assert summary["complete"], err
    assert (summary["read"], summary["new"]) == (ROWS + REPEATED + 1, ROWS)
    assert (summary["duplicates"], summary["rejected"]) == (REPEATED, 1)
    assert stored(database) == ROWS
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT count(DISTINCT key) FROM article").fetchone() == (ROWS,)
