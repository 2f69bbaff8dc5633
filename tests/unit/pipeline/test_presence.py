"""A process says that it is there, how it fares, and when it leaves."""

from __future__ import annotations

from kiosque.core.errors import BusUnavailable
from kiosque.pipeline.presence import Identity, presence_loop, this_process
from kiosque.pipeline.worker import Stop, WorkerState
from kiosque.store import presence
from kiosque.store.database import Database
from kiosque.testing.pipeline import ManualClock

WHO = Identity("consumer", "host", 7)


class Once(Stop):
    """Lets a loop go round once, and looks at what it has said before it ends."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self.said: tuple[presence.Presence, ...] = ()

    def wait(self, seconds: float) -> bool:
        with self.database.read() as tx:
            self.said = presence.everyone(tx)
        return True


def state(name: str, *, running: bool, error: str | None = None) -> WorkerState:
    return WorkerState(name, running, 0, error, None, 0.0)


def test_it_says_how_it_fares_and_leaves(sqlite_store: Database) -> None:
    def broken() -> dict[str, object]:
        raise BusUnavailable("The broker is out of reach.")

    states = (state("consumer", running=False, error="crashed"), state("lag", running=True, error="once"))
    stop = Once(sqlite_store)
    clock = ManualClock()
    presence_loop(
        sqlite_store,
        WHO,
        clock=clock,
        states=lambda: states,
        facts={"quota": lambda: {"left_today": 3}, "bus": broken},
    )(stop)
    (said,) = stop.said
    assert (said.id, said.kind, said.host) == ("consumer:host:7", "consumer", "host")
    assert said.troubles == ("consumer: crashed", "The broker is out of reach.")
    assert said.facts == {"quota": {"left_today": 3}}
    assert (said.started_at, said.at) == (clock(), clock())
    with sqlite_store.read() as tx:
        assert presence.everyone(tx) == ()


def test_a_database_that_is_not_there_ends_nothing(tmp_path) -> None:
    from kiosque.store.database import sqlite_database

    class Ending(Stop):
        def wait(self, seconds: float) -> bool:
            return True

    database = sqlite_database(tmp_path / "none.sqlite")
    presence_loop(database, this_process("web"), clock=ManualClock(), states=tuple)(Ending())
    database.close()
