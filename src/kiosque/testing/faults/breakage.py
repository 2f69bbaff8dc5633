"""The faults. Each is a context: it begins, says whom it hit, and is over when the block ends."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from kiosque.core.clock import system_clock
from kiosque.core.errors import CorruptModel, KiosqueError, PreconditionFailed
from kiosque.testing.faults.installation import POLARITY, Installation
from kiosque.testing.faults.supervised import Supervised


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a fault happens, by what chance, and how long it lasts (seconds)."""

    site: Installation
    chance: random.Random
    seconds: float

    def wait(self) -> None:
        """Let the fault last. Nothing else goes on in this thread; the load comes from others."""
        threading.Event().wait(self.seconds)


Fault = Callable[[Setting], AbstractContextManager[str]]
FAULTS: dict[str, Fault] = {}
"""Kind → fault."""


def fault(kind: str) -> Callable[[Callable[[Setting], Iterator[str]]], Fault]:
    def register(begin: Callable[[Setting], Iterator[str]]) -> Fault:
        FAULTS[kind] = contextmanager(begin)
        return FAULTS[kind]

    return register


def skipped(site: Installation) -> dict[str, str]:
    """Kinds that cannot be made here, and why."""
    found: dict[str, str] = {}
    for name, disk in site.disks.items():
        if not disk.is_small:
            found[f"full disk: {name}"] = disk.why_not
    if site.clocks.why_not:
        found |= dict.fromkeys(("clock jumps: one", "clock jumps: all"), site.clocks.why_not)
    return found


# ---- killed


def _kill(kind: str) -> None:
    @fault(f"kill -9: {kind}")
    def kill(now: Setting) -> Iterator[str]:
        victim = now.chance.choice(now.site.of_kind(kind))
        victim.kill(back_in=now.chance.uniform(0.0, 0.5))
        yield victim.name


for _kind in ("producer", "consumer", "predict"):
    _kill(_kind)


@fault("kill -9: all predicts")
def kill_predicts(now: Setting) -> Iterator[str]:
    for victim in now.site.of_kind("predict"):
        victim.kill(back_in=now.chance.uniform(0.0, 0.5))
    yield "predict-*"


@fault("kill -9: consumer again and again")
def kill_repeatedly(now: Setting) -> Iterator[str]:
    victim = now.chance.choice(now.site.of_kind("consumer"))
    for _ in range(3):
        victim.kill(back_in=0.0)
        threading.Event().wait(now.chance.uniform(0.2, 1.5))
    yield victim.name


@fault("kill -9: broker")
def kill_broker(now: Setting) -> Iterator[str]:
    now.site.broker.kill(back_in=now.seconds)
    now.wait()
    yield "broker"


@fault("kill -9: PostgreSQL")
def kill_postgres(now: Setting) -> Iterator[str]:
    """Now the whole server, now its first process, now one that serves a connection (which makes it start anew)."""
    server = now.site.postgres
    how = now.chance.choice(("group", "leader", "backend"))
    if how == "group":
        server.kill(back_in=now.seconds)
    elif how == "leader":
        server.kill_leader(back_in=now.seconds)
    else:
        _kill_a_backend(server, now.chance)
    now.wait()
    yield f"postgres ({how})"


@fault("kill -9: everything at once")
def kill_everything(now: Setting) -> Iterator[str]:
    for victim in now.site.supervised:
        victim.kill(back_in=now.chance.uniform(0.0, 1.0))
    yield "all"


@fault("restart: broker, with its storage")
def restart_broker(now: Setting) -> Iterator[str]:
    now.site.broker.end(back_in=now.seconds)
    now.wait()
    yield "broker"


@fault("restart: one process")
def restart_process(now: Setting) -> Iterator[str]:
    victim = now.chance.choice(list(now.site.processes.values()))
    victim.end()
    yield victim.name


# ---- paused


def _pause(kind: str, choose: Callable[[Setting], Supervised]) -> None:
    @fault(f"SIGSTOP: {kind}")
    def pause(now: Setting) -> Iterator[str]:
        victim = choose(now)
        victim.pause()
        try:
            now.wait()
            yield victim.name
        finally:
            victim.go_on()


for _kind in ("producer", "consumer", "predict"):
    _pause(_kind, lambda now, kind=_kind: now.chance.choice(now.site.of_kind(kind)))  # type: ignore[misc]
_pause("broker", lambda now: now.site.broker)
_pause("PostgreSQL", lambda now: now.site.postgres)


# ---- disks


@fault("full disk: store")
def fill_store(now: Setting) -> Iterator[str]:
    """PostgreSQL gives up when it cannot write its log; whoever runs it starts it again."""
    disk = now.site.disks["store"]
    disk.fill()
    try:
        now.wait()
        yield "postgres"
    finally:
        disk.free()


@fault("full disk: broker")
def fill_broker(now: Setting) -> Iterator[str]:
    """nats-server turns JetStream off when it cannot write; it is started again once there is room."""
    disk = now.site.disks["broker"]
    disk.fill()
    try:
        now.wait()
        yield "broker"
    finally:
        disk.free()
        now.site.broker.end()


@fault("full disk: model store")
def fill_models(now: Setting) -> Iterator[str]:
    """Publishing fails and says so; what answers goes on; no half a version is left behind."""
    site = now.site
    disk, store = site.disks["models"], site.model_store
    before = {version.id for version in store.versions(POLARITY)}
    source = store.get(POLARITY, site.models.shipped)
    disk.fill()
    try:
        try:
            store.publish(POLARITY, _files_of(source.folder, site.folder), fields={}, clock=system_clock)
        except PreconditionFailed:
            pass
        else:
            raise AssertionError("a version was published onto a full disk")
        now.wait()
        yield "models"
    finally:
        disk.free()
    after = {version.id for version in store.versions(POLARITY)}
    if after != before:
        raise AssertionError(f"versions were {before} and are {after}")


# ---- models


@fault("model: swapped while it answers")
def swap_model(now: Setting) -> Iterator[str]:
    site = now.site
    current = site.model_store.champion(POLARITY).id
    other = site.models.second if current == site.models.shipped else site.models.shipped
    site.promote(other)
    now.wait()
    yield other


@fault("model: loads but answers nonsense")
def promote_nonsense(now: Setting) -> Iterator[str]:
    """The canary refuses it; the version before goes on answering."""
    site = now.site
    current = site.model_store.champion(POLARITY).id
    site.promote(site.models.nonsense)
    try:
        now.wait()
        yield "predict-*"
    finally:
        site.promote(current)


@fault("model: one byte flipped")
def flip_a_byte(now: Setting) -> Iterator[str]:
    yield from _damage(now, _flip)


@fault("model: file cut short")
def cut_a_file(now: Setting) -> Iterator[str]:
    yield from _damage(now, _truncate)


def _damage(now: Setting, damage: Callable[[Path, random.Random], None]) -> Iterator[str]:
    """The champion's network is damaged on disk, and a predict server has to start with it.

    A shipped version is put back when predict starts; another one has to be published again, which is done here.
    """
    site = now.site
    champion = site.model_store.champion(POLARITY)
    path = champion.folder / "model.onnx"
    good = path.read_bytes()
    damage(path, now.chance)
    victim = now.chance.choice(site.of_kind("predict"))
    victim.kill()
    try:
        now.wait()
        yield f"{victim.name} ({champion.id})"
    finally:
        with suppress(CorruptModel):
            site.model_store.verify(champion)
            good = b""
        if good:
            _put_back(path, good)


def _put_back(path: Path, good: bytes) -> None:
    temporary = path.parents[2] / ".model.onnx"
    temporary.write_bytes(good)
    temporary.replace(path)


def _flip(path: Path, chance: random.Random) -> None:
    with path.open("r+b") as file:
        place = chance.randrange(path.stat().st_size)
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ (1 << chance.randrange(8))]))


def _truncate(path: Path, chance: random.Random) -> None:
    os.truncate(path, chance.randrange(path.stat().st_size))


def _files_of(folder: Path, scratch: Path) -> Path:
    """The files of a version under another name, with one more byte, so that they are another version."""
    made = scratch / "to-publish"
    if not made.exists():
        made.mkdir()
        for path in folder.iterdir():
            if path.is_file() and path.name != "manifest.json":
                (made / path.name).write_bytes(path.read_bytes() + b" ")
    return made


# ---- clocks


_JUMPS = (-86_400 * 30, -86_400, -3_600, -61, 61, 3_600, 86_400, 86_400 * 30)


@fault("clock jumps: one")
def jump_one(now: Setting) -> Iterator[str]:
    name = now.chance.choice(list(now.site.processes))
    yield from _jump(now, [name])


@fault("clock jumps: all")
def jump_all(now: Setting) -> Iterator[str]:
    yield from _jump(now, list(now.site.processes))


def _jump(now: Setting, names: list[str]) -> Iterator[str]:
    """There, and back at the end: both are jumps."""
    seconds = now.chance.choice(_JUMPS)
    for name in names:
        now.site.clocks.set(name, seconds)
    try:
        now.wait()
        yield f"{', '.join(names)} by {seconds} s"
    finally:
        for name in names:
            now.site.clocks.set(name, 0)


# ---- the network


def _network(server: str, shown: str) -> None:
    @fault(f"slow: {shown}")
    def slow(now: Setting) -> Iterator[str]:
        for link in now.site.links_to(server):
            link.delay = now.chance.uniform(0.02, 0.2)
        try:
            now.wait()
            yield f"all → {server}"
        finally:
            now.site.network.mend()

    @fault(f"dropped: {shown}")
    def drop(now: Setting) -> Iterator[str]:
        """Every connection is reset, a few times."""
        for _ in range(3):
            for link in now.site.links_to(server):
                now.site.network.cut(link)
            threading.Event().wait(now.chance.uniform(0.05, 0.5))
        yield f"all → {server}"

    @fault(f"cut off: {shown}")
    def cut_off(now: Setting) -> Iterator[str]:
        """One process cannot reach the server: refused, or without a word."""
        link = now.chance.choice(now.site.links_to(server))
        link.refusing, link.stalled = now.chance.choice(((True, False), (False, True)))
        if link.refusing:
            now.site.network.cut(link)
        try:
            now.wait()
            yield link.name
        finally:
            now.site.network.mend()
            if now.chance.random() < 0.5:
                now.site.network.cut(link)


for _server, _shown in (("broker", "broker"), ("postgres", "PostgreSQL"), ("predict", "predict")):
    _network(_server, _shown)


# ---- messages: the load itself is the fault, see `rounds`


@fault("messages: twice and in another order")
def repeat_messages(now: Setting) -> Iterator[str]:
    yield "consumer-*"


@fault("messages: not ours")
def foreign_messages(now: Setting) -> Iterator[str]:
    yield "consumer-*"


def _kill_a_backend(server: Supervised, chance: random.Random) -> None:
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children")
    with suppress(OSError, KiosqueError):
        pids = [int(pid) for pid in children.read_text().split()]
        if pids:
            os.kill(chance.choice(pids), signal.SIGKILL)
