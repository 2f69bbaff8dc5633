"""The model servers that are compared, as processes: how each is started, and what it is asked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.corpus import polarity_model
from benchmarks.harness import KIOSQUE
from benchmarks.peers import HERE, PeerMissing, pinned, plain_environment, python_of
from kiosque.testing.proctree import read_processes, with_descendants
from kiosque.testing.servers import free_port

WORKERS = HERE / "workers"
PEERS = ("FastAPI + onnxruntime", "LitServe", "BentoML")
Pairs = Sequence[dict[str, str]]


@dataclass
class Server:
    """One that runs; `path` is where texts are posted to."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    path: str

    def body(self, pairs: Pairs) -> str:
        """One request about all `pairs`."""
        if self.name != KIOSQUE:
            return json.dumps({"items": list(pairs)})
        targets = [(pair["text"], [{"id": "t", "name": pair["target"]}]) for pair in pairs]
        return json.dumps({"texts": [{"headline": text, "targets": each} for text, each in targets]})

    def processes(self) -> list[int]:
        """Its process and all that it started."""
        return with_descendants([self.process.pid], read_processes())

    def send(self, number: signal.Signals) -> None:
        """A signal to each of its processes that is still there."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def make_as_urgent(self) -> None:
        """The priority that the bench's own session has for those of its processes that began a session of theirs,
        as BentoML's do. On a busy machine they would wait where the others do not."""
        own = Path("/proc/self/autogroup")
        if not own.exists():
            return
        nice = own.read_text().split()[-1]
        for pid in self.processes():
            with suppress(OSError):
                Path(f"/proc/{pid}/autogroup").write_text(nice)

    def processor_seconds(self) -> float:
        """What all its processes have worked so far."""
        ticks = 0
        for pid in self.processes():
            with suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def resident_megabytes(self) -> float:
        """Memory of all its processes, what they share counted once (PSS)."""
        return sum(map(_proportional_kilobytes, self.processes())) / 1024


def _proportional_kilobytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


@contextmanager
def running(name: str, *, processors: set[int] | None = None) -> Iterator[Server]:
    """The server called `name`, started but not yet waited for; ended with all its processes. Raises PeerMissing."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="kiosque-bench-") as folder:
        command, extra = _command(name, port, Path(folder))
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(
                command,
                env=plain_environment() | extra,
                cwd=WORKERS,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
                preexec_fn=pinned(processors),  # noqa: PLW1509 - this process has no threads yet
            )
        path = "/v1/polarity" if name == KIOSQUE else "/score"
        server = Server(name, process, port, path)
        try:
            yield server
        finally:
            server.send(signal.SIGKILL)
            process.wait()


@contextmanager
def alone(server: Server, servers: Sequence[Server]) -> Iterator[None]:
    """The other ones of `servers` stand still: some work although nobody asks them anything."""
    others = [other for other in servers if other is not server]
    for other in others:
        other.send(signal.SIGSTOP)
    try:
        yield
    finally:
        for other in others:
            other.send(signal.SIGCONT)


def _command(name: str, port: int, folder: Path) -> tuple[list[str], dict[str, str]]:
    model = str(polarity_model())
    if name == KIOSQUE:
        extra = {"KIOSQUE_DATA_DIR": str(folder), "KIOSQUE_LOG_LEVEL": "warning"}
        return [sys.executable, "-m", "kiosque", "predict", "--port", str(port)], extra
    if name == "BentoML":
        extra = {"BENCH_MODEL": model, "BENTOML_DO_NOT_TRACK": "true", "BENTOML_HOME": str(folder)}
        serve = ["-m", "bentoml", "serve", "serve_bentoml:Scorer", "--port", str(port)]
        return [str(python_of("bentoml")), *serve], extra
    script, env = {
        "FastAPI + onnxruntime": ("serve_fastapi.py", "fastapi"),
        "LitServe": ("serve_litserve.py", "litserve"),
    }[name]
    return [str(python_of(env)), script, model, str(port)], {}


def wait_for(server: Server, answers: object, pair: dict[str, str], patience: float = 300) -> float:
    """Seconds until `server` gave its first good answer. Raises PeerMissing when it ends or never does."""
    assert callable(answers)
    began = time.monotonic()
    while not answers(server.port, server.path, server.body([pair])):
        if server.process.poll() is not None or time.monotonic() > began + patience:
            raise PeerMissing(f"{server.name} did not start")
        server.make_as_urgent()
        time.sleep(0.02)
    seconds = time.monotonic() - began
    server.make_as_urgent()
    return seconds
