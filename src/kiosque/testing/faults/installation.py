"""Kiosque in its split form on this machine: servers, processes, and the ways between them, all of them real."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Protocol, TypeVar

from kiosque.bus.jetstream import JetStreamBus
from kiosque.bus.stream import StreamSettings
from kiosque.core.book import Book
from kiosque.core.clock import system_clock
from kiosque.core.errors import CorruptModel, KiosqueError
from kiosque.modelstore.manifest import Version
from kiosque.modelstore.seed import seed
from kiosque.modelstore.store import ModelStore
from kiosque.pipeline.bookshop import Bookshop
from kiosque.polarity.model import load
from kiosque.store import books, entities, sources
from kiosque.store.database import Database
from kiosque.testing.faults.clocks import Clocks
from kiosque.testing.faults.disks import Disk
from kiosque.testing.faults.network import Link, Network
from kiosque.testing.faults.news import WATCHLIST, Feed, NewsStand
from kiosque.testing.faults.supervised import Supervised
from kiosque.testing.servers import free_port, nats_binary, postgres_command
from kiosque.wiring import shipped_data


class _Closable(Protocol):
    def close(self) -> None: ...


C = TypeVar("C", bound=_Closable)

POLARITY = "polarity"
STREAM = "articles"
ACK_WAIT = 3.0
"""Seconds until the broker hands out again what a killed consumer held."""
_SHORT = {
    "KIOSQUE_NATS_ACK_WAIT": str(ACK_WAIT),
    "KIOSQUE_PREDICT_TIMEOUT": "5",
    "KIOSQUE_MODEL_POLL_SECONDS": "0.3",
    "KIOSQUE_BATCH_SIZE": "8",
}
"""Settings with which a fault is over sooner."""
_DISKS = {"store": ("postgres", 400), "broker": ("nats", 64), "models": ("models", 240)}
"""Folders that can be filled up, and their megabytes."""
_NEEDS = {
    "consumer": ("broker", "postgres", "predict"),
    "producer": ("broker", "postgres"),
    "web": ("postgres", "predict"),
}
"""Which servers a process talks to."""
_ADDRESSES = {
    "broker": ("KIOSQUE_NATS_URL", "nats://127.0.0.1:{}"),
    "postgres": ("KIOSQUE_DATABASE_URL", "postgresql://kiosque@127.0.0.1:{}/postgres"),
    "predict": ("KIOSQUE_PREDICT_URL", "http://127.0.0.1:{}"),
}
"""How a process is told where a server is."""
TOKEN = "token-for-the-rounds"
_SCRAMBLED = 200_000
"""Bytes of a network that are turned round."""
BOOK_SHELF = (
    Book("isbn:9780000000019", "The Whistle Stop", "A. Carter", 1950, subjects=("elections", "trains")),
    Book("isbn:9780000000026", "Dewey Defeats Nobody", "B. Lane", 1999, subjects=("newspapers", "votes")),
    Book("isbn:9780000000033", "Rails and Ballots", "C. Moss", 1971, subjects=("elections", "railways")),
    Book("isbn:9780000000040", "The Budget of Blame", "D. Hart", 1988, subjects=("budgets", "scandal")),
)


@dataclass(frozen=True, slots=True)
class Models:
    """Versions of the polarity model: two that are good, and one that loads but answers something else."""

    shipped: str
    second: str
    nonsense: str


class Installation:
    """Starts everything; `close` ends everything. Nothing that runs outlives it."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        producers: int = 2,
        consumers: int = 2,
        predicts: int = 2,
        webs: int = 0,
        small_disks: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`settings` of Kiosque's processes, before those that this module needs; by default such as make faults
        short. Without `small_disks` nothing can be filled up, and there is room for a long queue.
        """
        self._closing = ExitStack()
        self._settings = {**_SHORT, **(settings or {})}
        try:
            self.folder = folder or Path(mkdtemp(prefix="kiosque-faults-"))
            self._closing.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self.folder.chmod(0o755)
            self.clocks = Clocks(self.folder)
            self.network = self._kept(Network())
            self.disks = {
                name: self._kept(Disk(self.folder / folder_name, size if small_disks else None))
                for name, (folder_name, size) in _DISKS.items()
            }
            self.links: dict[tuple[str, str], Link] = {}
            self._start_servers()
            self._prepare_store()
            self._prepare_models()
            self._start_processes({"producer": producers, "consumer": consumers, "web": webs}, predicts)
        except BaseException:
            self.close()
            raise

    # ---- what there is

    @property
    def supervised(self) -> list[Supervised]:
        return [self.broker, self.postgres, *self.processes.values()]

    def of_kind(self, kind: str) -> list[Supervised]:
        """The processes of Kiosque of one kind: producer, consumer, predict."""
        return [each for name, each in self.processes.items() if name.startswith(kind)]

    def links_to(self, server: str) -> list[Link]:
        """Every process's way to `broker`, `postgres` or `predict`."""
        return [link for (_, to), link in self.links.items() if to == server]

    def links_of(self, process: str) -> list[Link]:
        return [link for (of, _), link in self.links.items() if of == process]

    def not_ready(self) -> list[str]:
        return [each.name for each in self.supervised if not each.is_ready()]

    def wait_until_ready(self, seconds: float) -> None:
        """Raises TimeoutError, saying who is not."""
        deadline = time.monotonic() + seconds
        while missing := self.not_ready():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not ready after {seconds:.0f} s: {', '.join(missing)}")
            time.sleep(0.05)

    def open_bus(self) -> JetStreamBus:
        """A bus of the runner's own, past the links, that takes no more than a producer's does."""
        wait = float(self._settings["KIOSQUE_NATS_ACK_WAIT"])
        most = int(self._settings.get("KIOSQUE_NATS_MAX_PENDING", "0"))
        return JetStreamBus(
            self.nats_url, stream=StreamSettings(name=STREAM, ack_wait=wait), max_pending=most
        )

    def close(self) -> None:
        self._closing.close()

    # ---- servers

    def _kept(self, part: C) -> C:
        self._closing.callback(part.close)
        return part

    def _start_servers(self) -> None:
        nats_port, postgres_port = free_port(), free_port()
        self.nats_url = f"nats://127.0.0.1:{nats_port}"
        self.postgres_url = f"postgresql://kiosque@127.0.0.1:{postgres_port}/postgres"
        store = self.disks["broker"].folder
        self.broker = self._kept(
            Supervised(
                "broker",
                [nats_binary(), "-a", "127.0.0.1", "-p", str(nats_port), "-js", "-sd", store],
                log=self.folder / "broker.log",
                is_ready=lambda: _greets(nats_port),
            )
        )
        command = postgres_command(
            self.disks["store"].folder / "cluster", postgres_port, max_wal_size="64MB", min_wal_size="32MB"
        )
        self.database = self._kept(Database(self.postgres_url))
        self.postgres = self._kept(
            Supervised("postgres", command, log=self.folder / "postgres.log", is_ready=self._postgres_answers)
        )
        for server in (self.broker, self.postgres):
            server.start()
        self._targets = {"broker": [("127.0.0.1", nats_port)], "postgres": [("127.0.0.1", postgres_port)]}

    def _postgres_answers(self) -> bool:
        try:
            self.database.schema_version()
        except KiosqueError:
            return False
        return True

    def _prepare_store(self) -> None:
        _wait(lambda: self.broker.is_ready() and self.postgres.is_ready(), 60, "servers")
        self.feeds = [Feed("feed-one", "127.0.0.1"), Feed("feed-two", "127.0.0.2")]
        self.stand = self._kept(NewsStand(self.feeds))
        self.database.migrate()
        now = system_clock()
        with self.database.write() as tx:
            entities.save_watchlist(tx, WATCHLIST, now)
            books.save(tx, BOOK_SHELF, now)
            for feed in self.feeds:
                sources.save(tx, feed.id, "feed", {"url": self.stand.url(feed), "interval": 0.5})

    def _prepare_models(self) -> None:
        self.model_store = ModelStore(self.disks["models"].folder / "store")
        seed(self.model_store, shipped_data() / "models", clock=system_clock)
        shipped = self.model_store.champion(POLARITY)
        second = self._variant(shipped, "second", _add_a_note)
        nonsense = self._variant(shipped, "nonsense", _scramble)
        self.models = Models(shipped.id, second.id, nonsense.id)
        Bookshop(self.database, self.model_store, shipped_data() / "models", clock=system_clock).build()
        _let_everyone_read(self.model_store.root)

    def _variant(self, original: Version, name: str, change: Callable[[Path], None]) -> Version:
        with TemporaryDirectory() as folder:
            copy = Path(folder) / "files"
            shutil.copytree(original.folder, copy, ignore=shutil.ignore_patterns("manifest.json"))
            change(copy)
            fields = original.manifest.fields
            return self.model_store.publish(POLARITY, copy, fields=fields, version=name, clock=system_clock)

    def promote(self, version: str) -> None:
        self.model_store.move_alias(
            POLARITY, "champion", version, who="faults", why="a round", clock=system_clock
        )

    # ---- processes

    def _start_processes(self, counts: Mapping[str, int], predicts: int) -> None:
        self.processes: dict[str, Supervised] = {}
        self.ports: dict[str, int] = {}
        ports = [free_port() for _ in range(predicts)]
        self._targets["predict"] = [("127.0.0.1", port) for port in ports]
        for number, port in enumerate(ports, 1):
            self._add(f"predict-{number}", port, {})
        for kind, servers in _NEEDS.items():
            for number in range(1, counts[kind] + 1):
                name = f"{kind}-{number}"
                self._add(name, free_port(), self._ways(name, servers))
        for process in self.processes.values():
            process.start()

    def _ways(self, name: str, servers: tuple[str, ...]) -> dict[str, str]:
        for server in servers:
            self.links[name, server] = self.network.link(f"{name}→{server}", *self._targets[server])
        ports = {server: self.links[name, server].port for server in servers}
        return {
            setting: address.format(ports[server])
            for server, (setting, address) in _ADDRESSES.items()
            if server in ports
        }

    def _add(self, name: str, port: int, ways: dict[str, str]) -> None:
        data = self.folder / name
        data.mkdir()
        self.ports[name] = port
        env = {key: value for key, value in os.environ.items() if not key.startswith("KIOSQUE_")}
        env |= {
            "KIOSQUE_DATA_DIR": str(data),
            "KIOSQUE_MODELS_DIR": str(self.model_store.root),
            "KIOSQUE_PORT": str(port),
            "KIOSQUE_BUS": "jetstream",
            "KIOSQUE_NATS_MAX_BYTES": "0",  # the disks of the rounds are smaller than what it would ask for
            "KIOSQUE_NATS_STREAM": STREAM,
            "KIOSQUE_PREDICT_TOKEN": TOKEN,
            "KIOSQUE_THREADS": "1",
            "KIOSQUE_SEED_DEMO": "false",
            "KIOSQUE_ALLOW_PRIVATE_HOSTS": "true",
            "KIOSQUE_LOG_FORMAT": "json",
            "PYTHONFAULTHANDLER": "1",
            **self._settings,
            **ways,
            **self.clocks.environment(name),
        }
        kind = name.rpartition("-")[0]
        self.processes[name] = self._kept(
            Supervised(
                name,
                [sys.executable, "-m", "kiosque", kind],
                log=self.folder / f"{name}.log",
                is_ready=lambda: _says_ready(port),
                env=env,
                cwd=data,
            )
        )


def _add_a_note(files: Path) -> None:
    """Another version with the same answers."""
    with (files / "card.md").open("a", encoding="utf-8") as card:
        card.write("\nThe same model under another name.\n")


def _scramble(files: Path) -> None:
    """Weights turned round, at a place where the file stays a network: it loads, and answers nonsense."""
    path = files / "model.onnx"
    original = path.read_bytes()
    for tenth in range(1, 10):
        data, start = bytearray(original), len(original) * tenth // 10
        data[start : start + _SCRAMBLED] = data[start : start + _SCRAMBLED][::-1]
        path.write_bytes(data)
        if _answers_nonsense(files):
            return
    raise AssertionError("no part of the network could be turned round")


def _answers_nonsense(files: Path) -> bool:
    try:
        scorer = load(files, threads=1)
    except CorruptModel:
        return False
    try:
        scorer.check()
    except CorruptModel:
        return True
    return False


def _let_everyone_read(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5) as probe:
            return probe.recv(4) == b"INFO"
    except OSError:
        return False


def _says_ready(port: int) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
        return bool(answer.status == 200)
    return False


def _wait(done: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} not ready after {seconds:.0f} s")
        time.sleep(0.05)
