"""Processes that are started again when they end, as a container engine does, and that can be killed and paused."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_LOOK = 0.03
"""Seconds between two looks whether a process still runs."""
_SLOWEST = 2.0


class Supervised:
    """One process, the leader of a group of its own. What it writes goes to `log`.

    `is_ready` says whether it answers. Its end, if nobody killed it here, is kept in `exits`: a process that gives
    up by itself is a finding, even where starting it again cures it.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        is_ready: Callable[[], bool],
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self.exits: list[tuple[float, int]] = []
        self.starts = 0
        self._command = [str(part) for part in command]
        self._env = dict(env) if env is not None else None
        self._cwd = cwd
        self._is_ready = is_ready
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.RLock()
        self._wanted = False
        self._start_at = 0.0
        self._killed = False
        self._streak = 0
        self._stopped = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name=f"watch-{name}", daemon=True)

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def is_ready(self) -> bool:
        return self.pid is not None and self._is_ready()

    def start(self) -> None:
        self._wanted = True
        self._launch()
        if self._watcher.ident is None:
            self._watcher.start()

    def kill(self, *, back_in: float = 0.0) -> None:
        """SIGKILL to the whole group; started again after `back_in` seconds."""
        with self._lock:
            self._start_at = time.monotonic() + back_in
            self._killed = True
            self._signal(signal.SIGKILL)
            if self._process:
                self._process.wait(30)

    def kill_leader(self, *, back_in: float = 0.0) -> None:
        """SIGKILL to the first process only; its children see to themselves."""
        with self._lock:
            self._start_at = time.monotonic() + back_in
            self._killed = True
            if self._process:
                self._process.kill()
                self._process.wait(30)

    def end(self, *, back_in: float = 0.0) -> None:
        """SIGTERM, as a shutdown would; started again afterwards."""
        with self._lock:
            self._start_at = time.monotonic() + back_in
            self._killed = True
            if self._process and self._process.poll() is None:
                self._process.terminate()
                try:
                    self._process.wait(30)
                except subprocess.TimeoutExpired:
                    self.exits.append((time.monotonic(), -999))
                    self._signal(signal.SIGKILL)

    def pause(self) -> None:
        """SIGSTOP to the whole group."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """Kill it for good."""
        self._wanted = False
        self._stopped.set()
        with self._lock:
            self._signal(signal.SIGKILL)
            if self._process:
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(30)
        if self._watcher.ident is not None:
            self._watcher.join(10)

    def tail(self, lines: int = 40) -> str:
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    def _launch(self) -> None:
        with self._lock, self.log.open("ab") as out:
            self.starts += 1
            self._killed = False
            self._process = subprocess.Popen(
                self._command,
                env=self._env,
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _watch(self) -> None:
        while not self._stopped.wait(_LOOK):
            with self._lock:
                process = self._process
                if process is None or process.poll() is None or not self._wanted:
                    continue
                if not self._killed:
                    self._note_exit(process.returncode)
                    continue
                if time.monotonic() >= self._start_at:
                    self._launch()

    def _note_exit(self, code: int) -> None:
        """It ended by itself: start it again after a pause that grows."""
        self.exits.append((time.monotonic(), code))
        self._streak += 1
        self._killed = True
        self._start_at = time.monotonic() + min(_SLOWEST, 0.1 * 2.0**self._streak)
