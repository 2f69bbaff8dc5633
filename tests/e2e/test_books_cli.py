"""Books through the command line and a real predict process: import, build, swap under load, bad input."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kiosque.core.book import BookQuery
from kiosque.predict.client import HttpPredictor
from kiosque.testing.processes import command, running
from kiosque.testing.waiting import wait_until
from kiosque.wiring import shipped_data

GOOD = 12
BROKEN = ['{"title": "No end', "[1, 2]", '{"author": "Nobody"}', "Not JSON at all"]
QUERY = BookQuery(text="Lincoln and his rivals at Chicago in 1860", min_score=0.0)


def rows(count: int) -> list[str]:
    lines = (shipped_data() / "demo" / "books.jsonl").read_text(encoding="utf-8").splitlines()
    return lines[:count]


def imported(data_dir: Path, name: str, lines: list[str]) -> dict[str, object]:
    """Import a file of these lines; gives what the command says it did."""
    path = data_dir / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = command("books", "import", str(path), "--json", data_dir=data_dir)
    assert done.returncode == 0, done.stderr
    summary: dict[str, object] = json.loads(done.stdout)
    return summary


def built(data_dir: Path) -> dict[str, object]:
    done = command("books", "build", "--json", data_dir=data_dir)
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


@contextmanager
def asking(predictor: HttpPredictor) -> Iterator[set[str]]:
    """Somebody who asks for books all the time; gives the versions that answered, and raises what went wrong."""
    stop, seen, failed = threading.Event(), set[str](), list[Exception]()

    def ask() -> None:
        while not stop.is_set():
            try:
                (shelf,) = predictor.books([QUERY])
                assert shelf.recommendations
                seen.add(shelf.model_version)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong fails the test
                failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert failed == []


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a dozen books, imported out of a file with broken rows, and their index."""
    data_dir = tmp_path_factory.mktemp("shop")
    assert command("db", "migrate", data_dir=data_dir).returncode == 0
    summary = imported(data_dir, "books.jsonl", [*rows(GOOD), *BROKEN])
    assert (summary["books"], summary["rejected"]) == (GOOD, len(BROKEN))
    built(data_dir)
    return data_dir


def test_broken_rows_are_named_and_nothing_else_is_lost(shop: Path) -> None:
    rejects = (shop / "rejects" / "books.jsonl.jsonl").read_text(encoding="utf-8").splitlines()
    places = [json.loads(line)["where"] for line in rejects]
    assert places == [f"line {GOOD + n}" for n in range(1, len(BROKEN) + 1)]
    listed = command("books", "list", "--jsonl", data_dir=shop)
    assert len(listed.stdout.splitlines()) == GOOD


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["..."], 2, "at least one word"),
        ([""], 2, "Give a text"),
        (["x", "-k", "0"], 2, "1 to 50 books"),
        (["x", "-k", "10000"], 2, "1 to 50 books"),
        (["whales " * 15_000], 0, "105,000 characters; the first 20,000 are read"),
        (["--book", "nothing"], 3, "kiosque books list"),
        (["--article", "nothing"], 3, "no article 'nothing'"),
    ],
)
def test_bad_input_says_what_to_do(shop: Path, arguments: list[str], code: int, said: str) -> None:
    done = command("books", "recommend", *arguments, data_dir=shop)
    assert said in done.stderr
    assert done.returncode == code


def test_a_changed_catalogue_is_swapped_in_while_it_is_asked(shop: Path) -> None:
    first = built(shop)
    assert first["new"] is False
    with running("predict", data_dir=shop) as server:
        predictor = HttpPredictor(server.address)
        with asking(predictor) as seen:
            wait_until(lambda: first["version"] in seen)
            imported(shop, "more.jsonl", rows(GOOD + 3))
            second = built(shop)
            wait_until(lambda: second["version"] in seen)
        predictor.close()
    assert second["version"] != first["version"]
    assert seen == {first["version"], second["version"]}
