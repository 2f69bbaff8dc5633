"""The Archive: every story of a month since September 1851, in one answer of up to a hundred megabytes."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice

from kiosque.core.article import Article
from kiosque.core.clock import Clock
from kiosque.core.errors import InvalidInput, SourceUnavailable
from kiosque.sources.json_stream import DocumentStream, as_text
from kiosque.sources.nyt import NytApi
from kiosque.sources.nyt_documents import describe, parse_all
from kiosque.sources.protocol import Cursor, Page, Skipped, SourceKind, without_repeats

_MONTH = re.compile(r"(\d{4})-(\d{1,2})")
_MAX_BYTES = 536_870_912
"""A month of 2018 and later lists dozens of renditions for each picture."""


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of the calendar, e.g. 1860-11."""

    year: int
    month: int

    @classmethod
    def parse(cls, value: str) -> Month:
        """Raises InvalidInput if `value` is not like `1860-11`."""
        match = _MONTH.fullmatch(value.strip())
        if not match or not 1 <= int(match[2]) <= 12:
            raise InvalidInput(f"Not a month: {value[:40]!r}.", hint="Write it as 1860-11.")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> Month:
        return cls(day.year, day.month)

    @property
    def next(self) -> Month:
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"


FIRST_MONTH = Month(1851, 9)
"""The New York Times first appeared on 18 September 1851."""


class NytArchive:
    """Reads `first` to `last`, a request a month, and remembers the month that comes next.

    A month is delivered in pages of `page_size`; the cursor moves when the month is over and wholly read.
    """

    kind = SourceKind.NYT_ARCHIVE

    def __init__(
        self,
        api: NytApi,
        *,
        clock: Clock,
        first: Month,
        last: Month | None = None,
        id: str = "nyt-archive",  # noqa: A002 -- what the protocol calls it
        interval: float = 86_400.0,
        page_size: int = 500,
        max_bytes: int = _MAX_BYTES,
    ) -> None:
        self.months(first, last or first)
        self.id = id
        self.interval = interval
        self._api = api
        self._clock = clock
        self._first = first
        self._last = last
        self._page_size = page_size
        self._max_bytes = max_bytes

    @staticmethod
    def months(first: Month, last: Month) -> tuple[Month, ...]:
        """The requests of a backfill, one a month, both ends included. Raises InvalidInput if there are none."""
        if first < FIRST_MONTH:
            raise InvalidInput(f"There is nothing before {FIRST_MONTH}.", hint=f"Begin with {FIRST_MONTH}.")
        if last < first:
            raise InvalidInput(f"{last} lies before {first}.", hint="Give the earlier month first.")
        found = [first]
        while found[-1] < last:
            found.append(found[-1].next)
        return tuple(found)

    def remaining(self, cursor: Cursor | None) -> tuple[Month, ...]:
        """The months still to be read: what a dry run counts."""
        first = max(self._first, _next_of(cursor) or self._first)
        last = min(self._last or self._now(), self._now())
        return self.months(first, last) if first <= last else ()

    def poll(self, cursor: Cursor | None) -> Iterator[Page]:
        months = self.remaining(cursor)
        if not months:
            yield Page(cursor=cursor or {"next": str(self._first)}, progress=1.0)
        for index, month in enumerate(months, start=1):
            yield from self._read(month, index / len(months))

    def _read(self, month: Month, progress: float) -> Iterator[Page]:
        with tempfile.TemporaryFile() as file:
            self._api.get(f"archive/v1/{month.year}/{month.month}.json", max_bytes=self._max_bytes, into=file)
            stream = DocumentStream(as_text(file), arrays=frozenset({"docs"}), inside=frozenset({"response"}))
            parsed = parse_all(stream, self.id)
            while len(batch := list(islice(parsed, self._page_size))) == self._page_size:
                yield _page(batch, {"next": str(month)})
            if not stream.found:
                raise SourceUnavailable(
                    f"The NYT answered for {month} with something else than documents ({describe(stream.members)})."
                )
        over = month < self._now()
        yield _page(batch, {"next": str(month.next if over else month)}, progress=progress)

    def _now(self) -> Month:
        return Month.of(self._clock().date())


def _page(batch: Iterable[Article | Skipped], cursor: Cursor, progress: float | None = None) -> Page:
    results = list(batch)
    articles, repeats = without_repeats(result for result in results if isinstance(result, Article))
    skipped = tuple(result for result in results if isinstance(result, Skipped))
    return Page(cursor=cursor, articles=articles, skipped=skipped, repeats=repeats, progress=progress)


def _next_of(cursor: Cursor | None) -> Month | None:
    try:
        return Month.parse(str((cursor or {}).get("next")))
    except InvalidInput:
        return None
