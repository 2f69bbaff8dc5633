"""What `kiosque doctor` looks at: each part by itself, so that one that is broken hides no other."""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from kiosque import __version__
from kiosque.core.errors import KiosqueError
from kiosque.wiring import House, make_folder, shipped_data

LOW_DISK_BYTES = 1_000_000_000
EARLIEST_YEAR = 2026
"""A clock before this program was written is wrong."""
LATEST_YEAR = 2100


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one part, and what to do where it is not right."""

    what: str
    state: Literal["ok", "note", "wrong"]
    detail: str
    remedy: str = ""


Check = Callable[[House], Finding]


def examine(house: House) -> Iterator[Finding]:
    """Look at every part, the ones that others stand on first."""
    for check in (
        _versions,
        _clock,
        _data_folder,
        _disk,
        _shipped,
        _database,
        _models,
        _broker,
        _predict,
        _nyt_key,
        _exposure,
    ):
        try:
            yield check(house)
        except KiosqueError as error:
            yield Finding(
                check.__name__.strip("_").replace("_", " "), "wrong", error.detail, error.hint or ""
            )


def _versions(_: House) -> Finding:
    python = platform.python_version()
    return Finding(
        "versions", "ok", f"Kiosque {__version__}, Python {python}, {platform.system()} {platform.machine()}"
    )


def _clock(house: House) -> Finding:
    now = house.clock()
    if not EARLIEST_YEAR <= now.year < LATEST_YEAR:
        return Finding("clock", "wrong", f"says {now:%Y-%m-%d}", "Set the machine's clock, e.g. by NTP.")
    return Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M} UTC")


def _data_folder(house: House) -> Finding:
    folder = house.settings.data_dir
    make_folder(folder)
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding(
            "data folder",
            "wrong",
            f"{folder}: {error.strerror}",
            "Make it writable, or set KIOSQUE_DATA_DIR.",
        )
    return Finding("data folder", "ok", str(folder))


def _disk(house: House) -> Finding:
    free = shutil.disk_usage(house.settings.data_dir).free
    if free < LOW_DISK_BYTES:
        return Finding("disk", "wrong", f"{free / 1e9:.1f} GB free", "Free some, or move the data folder.")
    return Finding("disk", "ok", f"{free / 1e9:.0f} GB free")


def _shipped(_: House) -> Finding:
    return Finding("shipped data", "ok", str(shipped_data()))


def _database(house: House) -> Finding:
    database = house.database
    version = database.schema_version()
    if version is None:
        return Finding(
            "database",
            "note",
            f"{database.dialect}, empty",
            "It is set up by: kiosque up (or kiosque db migrate)",
        )
    database.check()
    return Finding("database", "ok", f"{database.dialect}, schema {version}, {database.size() / 1e6:.1f} MB")


def _models(house: House) -> Finding:
    store = house.model_store
    champions = {name: store.aliases(name).get("champion") for name in store.names()}
    if not champions.get("polarity"):
        return Finding(
            "models", "note", f"no polarity model in {store.root}", "It is put there by: kiosque up"
        )
    for name, version in champions.items():
        if version:
            store.verify(store.get(name, version))
    return Finding(
        "models", "ok", ", ".join(f"{name} {version}" for name, version in champions.items() if version)
    )


def _broker(house: House) -> Finding:
    if house.settings.bus == "inline":
        return Finding("broker", "ok", "none is needed: the bus is inline")
    house.bus.check()
    return Finding("broker", "ok", house.settings.nats_url)


def _predict(house: House) -> Finding:
    if not house.settings.predict_url:
        return Finding("predict", "ok", "models run in this process")
    versions = house.predictor.versions()
    return Finding("predict", "ok", f"{house.settings.predict_url}: {versions or 'no model yet'}")


def _nyt_key(house: House) -> Finding:
    if not house.settings.nyt_api_key:
        return Finding(
            "NYT key", "note", "none is set: those sources are off", "Set KIOSQUE_NYT_API_KEY_FILE."
        )
    day = house.sources.quota.state().day
    return Finding("NYT key", "ok", f"set; {day.left} of {day.limit} requests left today")


def _exposure(house: House) -> Finding:
    from kiosque.processes import check_exposure, reading_is_open

    check_exposure(house.settings)
    reading = "open" if reading_is_open(house.settings) else "with a key"
    return Finding("exposure", "ok", f"binds to {house.settings.host}, reading is {reading}")
