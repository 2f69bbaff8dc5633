"""The composition root: settings in, ready objects out. The only module that knows which parts a process has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from kiosque.core.clock import Clock, system_clock
from kiosque.core.errors import InvalidSettings, PreconditionFailed
from kiosque.settings import Settings

if TYPE_CHECKING:
    from kiosque.modelstore.store import ModelStore
    from kiosque.ops.metrics import Metrics
    from kiosque.store.database import Database

T = TypeVar("T")


def shipped_data() -> Path:
    """The folder of what a new installation starts with: inside the installed package, else in the checkout."""
    package = Path(__file__).resolve().parent
    for folder in (package / "_data", package.parents[1] / "data"):
        if folder.is_dir():
            return folder
    raise PreconditionFailed(
        "The data that ships with Kiosque is missing.",
        hint="Install Kiosque again, or run it from a checkout.",
    )


class House:
    """The parts of one process, each made when it is first asked for; `close` lets go of them in reverse order."""

    def __init__(self, settings: Settings, clock: Clock = system_clock) -> None:
        self.settings = settings
        self.clock = clock
        self._closing = ExitStack()

    def close(self) -> None:
        self._closing.close()

    def _kept(self, part: T, close: Callable[[], object]) -> T:
        self._closing.callback(close)
        return part

    # what every process has

    @cached_property
    def metrics(self) -> Metrics:
        from kiosque.ops.metrics import Metrics

        return Metrics()

    @cached_property
    def database(self) -> Database:
        """Opened, not migrated: see `migrated`."""
        from kiosque.store.database import open_database

        make_folder(self.settings.data_dir)
        database = open_database(self.settings)
        return self._kept(database, database.close)

    @cached_property
    def migrated(self) -> Database:
        """The database with its schema brought up to this program."""
        self.database.migrate()
        return self.database

    @cached_property
    def model_store(self) -> ModelStore:
        from kiosque.modelstore.store import ModelStore

        return ModelStore(self.settings.model_store)


@contextmanager
def open_house(settings: Settings, clock: Clock = system_clock) -> Iterator[House]:
    """The parts of this process for as long as the block lasts."""
    house = House(settings, clock)
    try:
        yield house
    finally:
        house.close()


def make_folder(folder: Path) -> None:
    """Make `folder`, readable by this user only: it holds keys and a database. Raises InvalidSettings."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise InvalidSettings(
            f"KIOSQUE_DATA_DIR: cannot make {folder}: {error.strerror}.",
            hint="Choose another with --data-dir.",
        ) from error
