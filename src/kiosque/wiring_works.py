"""The long work that a page may start, as far as this process can do it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from kiosque.core.errors import InvalidInput, PreconditionFailed
from kiosque.pipeline.works import Report, Task

if TYPE_CHECKING:
    from kiosque.pipeline.worker import Stop
    from kiosque.wiring import House

SHARES = 1000
"""What a share is told in, where the work does not count."""
_TRAINS = ("torch", "transformers", "onnx")


def tasks(house: House, *, polls: bool) -> tuple[Task, ...]:
    """`polls`: the sources are read in this process, so that it can read an archive, too."""
    return tuple(_tasks(house, polls=polls))


def _tasks(house: House, *, polls: bool) -> Iterator[Task]:
    yield Task("rescore", _Rescore(house), "write", _check_since)
    yield Task("rematch", _Rematch(house), "write")
    if polls:
        backfill = _Backfill(house)
        yield Task("backfill", backfill, "write", backfill.check)
        yield Task("books", _Books(house), "admin")
    if all(find_spec(name) for name in _TRAINS):
        training = _Training(house)
        yield Task("training", training, "admin", training.check)


class _Rescore:
    """History by the version that answers now."""

    def __init__(self, house: House) -> None:
        self._house = house

    def __call__(self, parameters: Mapping[str, str], report: Report, stop: Stop) -> str:
        done = self._house.rescorer.run(
            since=_day(parameters.get("since", "")),
            progress=lambda looked_at, total: report(looked_at, total, ""),
            stop=stop,
        )
        read = f"{done.articles:,} articles read by {done.model_version}"
        return f"{read}, {done.mentions:,} mentions; {done.left:,} left."


class _Rematch:
    """History by the watch list as it is now."""

    def __init__(self, house: House) -> None:
        self._house = house

    def __call__(self, parameters: Mapping[str, str], report: Report, stop: Stop) -> str:  # noqa: ARG002
        done = self._house.rescorer.rematch(
            progress=lambda looked_at, total: report(looked_at, total, ""), stop=stop
        )
        return f"{done.articles:,} articles matched anew, {done.mentions:,} mentions."


class _Backfill:
    """Months of the archive of the New York Times."""

    def __init__(self, house: House) -> None:
        self._house = house

    def check(self, parameters: Mapping[str, str]) -> None:
        first, last = self._months(parameters)
        self._house.sources.nyt  # noqa: B018 - says that there is no key before anything is begun
        self._house.backfill.plan(first, last)

    def __call__(self, parameters: Mapping[str, str], report: Report, stop: Stop) -> str:
        first, last = self._months(parameters)
        rejects = self._house.settings.data_dir / "rejects" / f"nyt-{first}-{last}.jsonl"
        done = self._house.backfill.run(
            first,
            last,
            rejects=rejects,
            stop=stop,
            progress=lambda summary, share: report(
                round((share or 0.0) * SHARES),
                SHARES if share else 0,
                f"{summary.read:,} read, {summary.new:,} new.",
            ),
        )
        return f"{done.read:,} documents read, {done.new:,} new articles, {done.rejected:,} rejected."

    @staticmethod
    def _months(parameters: Mapping[str, str]) -> tuple[Any, Any]:
        from kiosque.sources.nyt_archive import Month

        first = parameters.get("first", "")
        return Month.parse(first), Month.parse(parameters.get("last") or first)


class _Books:
    """The recommender out of the catalogue as it is."""

    def __init__(self, house: House) -> None:
        self._house = house

    def __call__(self, parameters: Mapping[str, str], report: Report, stop: Stop) -> str:  # noqa: ARG002
        def tell(done: int, total: int) -> None:
            if stop.requested():
                raise _Stopped
            report(done, total, "")

        try:
            built = self._house.bookshop.build(tell)
        except _Stopped:
            return "Stopped; nothing was published."
        return f"{built.books:,} books; version {built.version}{'' if built.new else ', as before'}."


class _Training:
    """`kiosque polarity train` in a process of its own: it takes hours, gigabytes and every core."""

    def __init__(self, house: House) -> None:
        self._house = house

    def check(self, parameters: Mapping[str, str]) -> None:
        recipe = parameters.get("recipe", "default")
        if not recipe.replace("-", "").replace("_", "").isalnum():
            raise InvalidInput(
                f"{recipe[:80]!r} is no recipe that ships.",
                hint="Other recipes are trained on the command line.",
            )

    def __call__(self, parameters: Mapping[str, str], report: Report, stop: Stop) -> str:
        settings = self._house.settings
        environment = {
            **os.environ,
            "KIOSQUE_DATA_DIR": str(settings.data_dir),
            "KIOSQUE_MODELS_DIR": str(settings.model_store),
            "NO_COLOR": "1",
        }
        command = [sys.executable, "-m", "kiosque", "polarity", "train", parameters.get("recipe", "default")]
        if parameters.get("resume"):
            command.append("--resume")
        if parameters.get("promote"):
            command.append("--promote")
        report(0, 0, "Training has begun; it shows no progress before it ends.")
        log = settings.data_dir / "training.log"
        with log.open("w", encoding="utf-8") as file:
            process = subprocess.Popen(  # noqa: S603 - our own program, the recipe's name was checked
                command, env=environment, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
            )
            while process.poll() is None:
                if stop.wait(1.0):
                    process.send_signal(signal.SIGINT)
                    try:
                        process.wait(30)
                    except subprocess.TimeoutExpired:
                        process.kill()
        words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        last = words[-1] if words else ""
        if process.returncode and not stop.requested():
            raise PreconditionFailed(f"The training ended with {process.returncode}: {last[:500]}")
        return last[:500]


class _Stopped(Exception):
    """Leads out of a build that somebody has asked to end."""


def _check_since(parameters: Mapping[str, str]) -> None:
    _day(parameters.get("since", ""))


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text[:40]!r} is no day.", hint="Days are written YYYY-MM-DD.") from None
