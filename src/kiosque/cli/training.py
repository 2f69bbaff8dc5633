"""What follows a training: publish the version, and promote it if it may be."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiosque.polarity.train.build import Build
    from kiosque.wiring import House


def publish(house: House, build: Build, recipe: str, data: Path, *, promote: bool) -> Iterator[str]:
    """Publish `build`; with `promote` let it through the gate. Yields what a person should know."""
    from kiosque.modelstore.aliases import CHAMPION

    store = house.model_store
    version = store.publish("polarity", build.folder, fields=build.fields, clock=house.clock)
    yield f"Published polarity {version.id}."
    if not promote:
        yield f"To use it: kiosque model promote polarity {version.id}"
        return
    champion = store.aliases("polarity").get(CHAMPION)
    passed, reasons = (
        (True, ["There was no champion."])
        if champion is None
        else _gate(house, version.id, champion, recipe, data)
    )
    yield from reasons
    if passed:
        why = f"trained by {recipe}: {' '.join(reasons)}"
        store.move_alias("polarity", CHAMPION, version.id, who=getpass.getuser(), why=why, clock=house.clock)
        yield f"{version.id} is the champion."
    else:
        yield f"{champion} stays the champion."


def _gate(house: House, new: str, old: str, recipe: str, data: Path) -> tuple[bool, list[str]]:
    from kiosque.polarity.evaluate import gate
    from kiosque.polarity.model import load
    from kiosque.polarity.train.recipe import load_recipe
    from kiosque.polarity.train.run import load_tests

    store = house.model_store
    newer, older = (load(store.get("polarity", v).folder, threads=house.settings.threads) for v in (new, old))
    verdict = gate(newer, older, load_tests(load_recipe(Path(recipe)), data=data))
    return verdict.passed, list(verdict.reasons)
