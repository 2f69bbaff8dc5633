"""The archive of the New York Times, month by month: planned before it is fetched, resumable in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from kiosque.core.errors import InvalidInput
from kiosque.pipeline.imports import Importer, Progress, Summary
from kiosque.pipeline.worker import Stop
from kiosque.sources.nyt_archive import Month, NytArchive
from kiosque.store import jobs
from kiosque.store.database import Database

KIND = "backfill"


@dataclass(frozen=True, slots=True)
class BackfillPlan:
    """What a backfill needs: one request a month that is not done. `per_day` requests are allowed a day."""

    job_id: str
    months: tuple[Month, ...]
    done: int
    per_day: int

    @property
    def requests(self) -> int:
        return len(self.months)

    @property
    def days(self) -> int:
        """Days that it takes at least, for the quota."""
        return -(-self.requests // self.per_day)


ArchiveFactory = Callable[[Month, Month], NytArchive]


class Backfill:
    """Reads months of the archive into the store. `until` is the last day that it may reach."""

    def __init__(
        self,
        importer: Importer,
        database: Database,
        make_archive: ArchiveFactory,
        *,
        per_day: int = 500,
        until: date | None = None,
    ) -> None:
        self._importer = importer
        self._database = database
        self._make_archive = make_archive
        self._per_day = per_day
        self._until = until

    def plan(self, first: Month, last: Month) -> BackfillPlan:
        """What is left to be done; asks nobody. Raises InvalidInput for months that there are not."""
        last = self._clipped(first, last)
        job_id = _job_id(first, last)
        archive = self._make_archive(first, last)
        with self._database.read() as tx:
            job = jobs.find(tx, job_id)
        cursor = None if job is None or job.finished_at is not None else job.position.get("cursor")
        months = archive.remaining(cursor)
        return BackfillPlan(job_id, months, len(archive.remaining(None)) - len(months), self._per_day)

    def run(
        self,
        first: Month,
        last: Month,
        *,
        rejects: Path | None = None,
        progress: Progress | None = None,
        stop: Stop | None = None,
    ) -> Summary:
        """Fetch what `plan` says. Raises RateLimited when the quota is used up: run it again later, it goes on."""
        last = self._clipped(first, last)
        return self._importer.run(
            self._make_archive(first, last),
            job_id=_job_id(first, last),
            kind=KIND,
            start={"next": str(first)},
            rejects=rejects,
            progress=progress,
            stop=stop,
        )

    def _clipped(self, first: Month, last: Month) -> Month:
        if self._until is None:
            return last
        limit = Month.of(self._until)
        if limit < first:
            raise InvalidInput(
                f"Backfills may not reach beyond {self._until}, and {first} does.",
                hint="See KIOSQUE_BACKFILL_UNTIL.",
            )
        return min(last, limit)


def _job_id(first: Month, last: Month) -> str:
    return f"{KIND}:nyt:{first}:{last}"
