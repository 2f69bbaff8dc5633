"""Kiosque as a real process, started through its command line."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


@dataclass
class Running:
    """A process that answers at `address`; `messages` is what it wrote to stderr so far."""

    process: subprocess.Popen[str]
    address: str = ""
    messages: list[str] = field(default_factory=list)
    ready: threading.Event = field(default_factory=threading.Event)

    def stop(self, timeout: float = 20.0) -> int:
        """SIGTERM, as a container engine would; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up."""
        self.process.kill()
        self.process.wait()


def environment(data_dir: Path, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without any of its own Kiosque settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KIOSQUE_")}
    return kept | {"KIOSQUE_DATA_DIR": str(data_dir), "NO_COLOR": "1", **(settings or {})}


def command(
    *arguments: str, data_dir: Path, timeout: float = 240.0, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "kiosque", *arguments],
        env=environment(data_dir, settings),
        cwd=data_dir,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@contextmanager
def running(*arguments: str, data_dir: Path, timeout: float = 180.0, **settings: str) -> Iterator[Running]:
    """A server of `kiosque`, on a free port, once it answers; killed at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "kiosque", *arguments, "--port", "0"],
        env=environment(data_dir, settings),
        cwd=data_dir,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    server = Running(process)
    reader = threading.Thread(target=_read, args=(server,), daemon=True)
    reader.start()
    try:
        if not server.ready.wait(timeout) or not server.address:
            raise AssertionError(
                f"kiosque {' '.join(arguments)} did not get ready:\n{''.join(server.messages)}"
            )
        yield server
    finally:
        process.kill()
        process.wait()
        reader.join(10)
        if process.stderr:
            process.stderr.close()


def _read(server: Running) -> None:
    for line in server.process.stderr or ():
        server.messages.append(line)
        found = _ADDRESS.search(line)
        if found and not server.address and ("open" in line or "Ready" in line):
            server.address = found[0]
            server.ready.set()
    server.ready.set()
