"""The pipeline: articles a second from a file to stored, matched and scored, on real headlines of 2016.

Kiosque runs as one process on SQLite, and split: PostgreSQL, JetStream, one and two consumers. Limit: scoring alone
on the same mentions. Peers: the reference's way (for each article one call over HTTP, one find, one insert) and the
script that one would write in an afternoon (csv, a regular expression, transformers, sqlite3). Books are left out
on all sides.
"""

from __future__ import annotations

import csv
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from benchmarks.corpus import headlines, polarity_model, watched_names
from benchmarks.harness import KIOSQUE, Bench
from benchmarks.peers import OWN, PeerMissing, Worker
from benchmarks.servers import running as serving
from benchmarks.servers import wait_for
from kiosque.processes import seed_models
from kiosque.settings import Settings
from kiosque.setup import install
from kiosque.sources.files import ArticleFile
from kiosque.testing.processes import running
from kiosque.testing.servers import ServerMissing, nats_server, postgres_server
from kiosque.wiring import House, open_house

UNIT, PEAK = "articles/s", "MB at most"
LIMIT = "scoring alone"
SCRIPT, REFERENCE = "script with transformers", "one call, find and insert each"
WARM = 100
"""Articles that consumers get before they are measured."""


def measure(bench: Bench) -> None:
    count = bench.choose(1_000, 10_000)
    sizes = bench.choose((1_000, 3_000), (10_000, 212_000, 1_000_000))
    with tempfile.TemporaryDirectory(prefix="kiosque-bench-") as name:
        folder = Path(name)
        file = write_headlines(folder / "headlines.csv", count)
        _compare(bench, file, folder, count)
        _split(bench, folder, count)
        _growth(bench, folder, sizes)
    _goals(bench, f"{count:,} headlines", sizes)


def write_headlines(path: Path, count: int, first_day: str = "2016-01-01") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["headline", "published_at"])
        writer.writeheader()
        writer.writerows(headlines(count, first_day=first_day))
    path.with_suffix(".names").write_text(json.dumps(watched_names()), encoding="utf-8")
    return path


def _compare(bench: Bench, file: Path, folder: Path, count: int) -> None:
    few = max(100, count // 40)
    with ExitStack() as stack:
        model = str(polarity_model())
        limit = stack.enter_context(Worker(OWN, "pipeline.py", "scoring", str(file), str(folder), model))
        sides = {
            KIOSQUE: partial(_pass, "kiosque", OWN, file, count, ""),
            LIMIT: partial(_rate, limit, count),
        }
        try:
            limit.ask("run", count=count)
            sides[SCRIPT] = partial(_pass, "script", "transformers", file, few, model)
            server = stack.enter_context(serving("FastAPI + onnxruntime"))
            generator = stack.enter_context(Worker(OWN, "load.py"))
            answers = lambda port, path, body: generator.ask("answers", port=port, path=path, body=body)  # noqa: E731
            wait_for(server, answers, {"text": "A Vote", "target": "Vote"})
            sides[REFERENCE] = partial(_pass, "reference", OWN, file, few, str(server.port))
        except (PeerMissing, RuntimeError) as error:
            bench.missing(REFERENCE, str(error))
        bench.compare(f"{count:,} headlines", UNIT, sides, rounds=bench.choose(2, 3))


def _rate(worker: Worker, count: int) -> float:
    return count / float(worker.ask("run", count=count)["seconds"])


def _pass(kind: str, env: str, file: Path, count: int, extra: str) -> float:
    """One pass in a process and a folder of its own."""
    return count / _run(kind, env, file, count, extra)["seconds"]


def _run(kind: str, env: str, file: Path, count: int, extra: str = "") -> dict[str, float]:
    with (
        tempfile.TemporaryDirectory(prefix="kiosque-bench-") as folder,
        Worker(env, "pipeline.py", kind, str(file), folder, extra) as worker,
    ):
        found: dict[str, float] = worker.ask("run", count=count)
    return found


def _split(bench: Bench, folder: Path, count: int) -> None:
    some = bench.choose(500, 2_000)
    file = write_headlines(folder / "some.csv", some)
    for consumers in bench.choose((2,), (1, 2)):
        label = f"split, {consumers} consumer{'s' * (consumers > 1)}"
        try:
            rates = [_split_rate(folder, file, some, consumers) for _ in range(bench.choose(1, 2))]
        except (ServerMissing, RuntimeError, AssertionError, TimeoutError) as error:
            bench.missing(label, str(error))
            continue
        case = bench.found.case(f"{count:,} headlines", UNIT)
        assert case
        case.values[label] = rates


def _split_rate(folder: Path, file: Path, count: int, consumers: int) -> float:
    """From the first article published until all are stored; the consumers are warm."""
    warm = write_headlines(folder / "warm.csv", WARM, first_day="2014-01-01")
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kiosque-bench-")))
        house = stack.enter_context(_split_house(place))
        settings = house.settings
        assert settings.database_url
        for _ in range(consumers):
            stack.enter_context(
                running(
                    "consumer",
                    data_dir=place / "data",
                    KIOSQUE_DATABASE_URL=settings.database_url.get_secret_value(),
                    KIOSQUE_BUS="jetstream",
                    KIOSQUE_NATS_URL=settings.nats_url,
                    KIOSQUE_BOOKS_PER_ARTICLE="0",
                    KIOSQUE_LOG_LEVEL="warning",
                )
            )
        house.importer.run(ArticleFile(warm), job_id="warm")
        _wait_until_done(house, patience=120)
        started = time.perf_counter()
        house.importer.run(ArticleFile(file), job_id="measured")
        _wait_until_done(house, patience=900)
        return count / (time.perf_counter() - started)


@contextmanager
def _split_house(place: Path) -> Iterator[House]:
    place.chmod(0o755)  # as root PostgreSQL runs as nobody
    with postgres_server(place / "pg") as url, nats_server(place / "nats") as nats:
        settings = Settings(
            data_dir=place / "data",
            database_url=SecretStr(url),
            bus="jetstream",
            nats_url=nats.url,
            books_per_article=0,
        )
        with open_house(settings) as house:
            seed_models(house)
            install(house, lambda *_: None, news=False)
            yield house


def _wait_until_done(house: House, patience: float) -> None:
    """Until nothing is on its way any more. Raises TimeoutError."""
    deadline = time.monotonic() + patience
    while (lag := house.bus.lag()).pending + lag.in_flight:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{lag.pending:,} articles wait still after {patience:.0f} s")
        time.sleep(0.05)


def _growth(bench: Bench, folder: Path, sizes: tuple[int, ...]) -> None:
    """One process on SQLite: rate and peak memory as the file grows. Each size once."""
    for size in sizes:
        file = write_headlines(folder / f"{size}.csv", size, first_day="1996-12-01")
        found = _run("kiosque", OWN, file, size)
        bench.record(f"growing, {size:,} headlines", UNIT, {KIOSQUE: [size / found["seconds"]]})
        bench.record(
            f"growing, {size:,} headlines", PEAK, {KIOSQUE: [found["peak"]]}, more_is_better=False, x=size
        )
        file.unlink()
    bench.found.cases.sort(key=lambda case: case.unit != UNIT)


def _goals(bench: Bench, case: str, sizes: tuple[int, ...]) -> None:
    bench.goal("pipeline: one process: ≥ 0.7 of scoring alone", bench.found.ratio(case, UNIT, LIMIT), 0.7)
    first, last = (bench.found.case(f"growing, {n:,} headlines", UNIT) for n in (sizes[0], sizes[-1]))
    slower = last.values[KIOSQUE][0] / first.values[KIOSQUE][0] if first and last else None
    bench.goal(f"pipeline: rate at {sizes[-1]:,} ÷ at {sizes[0]:,} headlines", slower, 0.9)
    first, last = (bench.found.case(f"growing, {n:,} headlines", PEAK) for n in (sizes[0], sizes[-1]))
    larger = last.values[KIOSQUE][0] / first.values[KIOSQUE][0] if first and last else None
    bench.goal(
        f"pipeline: peak memory at {sizes[-1]:,} ÷ at {sizes[0]:,} headlines", larger, 1.1, at_least=False
    )
