"""Article Search: the stories that fit a query, oldest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from kiosque.core.article import Article
from kiosque.core.errors import InvalidInput
from kiosque.sources.nyt import NytApi
from kiosque.sources.nyt_documents import parse_all, read_documents
from kiosque.sources.protocol import Cursor, Page, Skipped, SourceKind, without_repeats
from kiosque.sources.seen import Seen

_PER_PAGE = 10
_NEW_YORK = timedelta(hours=5)
_LAST_PAGE = 99
"""The API pages no further: 1,000 results a query."""


class NytSearch:
    """Follows a query: from day to day, ten stories a request, at most `max_requests` of them a poll.

    The cursor holds the day reached and what was delivered last; new stories come after them. A day with more than
    1,000 stories cannot be read to its end; that is said as a warning.
    """

    kind = SourceKind.NYT_SEARCH

    def __init__(
        self,
        api: NytApi,
        *,
        since: date,
        query: str = "",
        filter_query: str = "",
        until: date | None = None,
        id: str = "nyt-search",  # noqa: A002 -- what the protocol calls it
        interval: float = 3_600.0,
        max_requests: int = 10,
    ) -> None:
        if not query and not filter_query:
            raise InvalidInput("A search needs a query or a filter.", hint="For everything use the Archive.")
        self.id = id
        self.interval = interval
        self._api = api
        self._since = since
        self._until = until
        self._asked = {name: value for name, value in (("q", query), ("fq", filter_query)) if value}
        self._max_requests = max_requests

    def poll(self, cursor: Cursor | None) -> Iterator[Page]:
        day, seen = _day_of(cursor) or self._since, Seen.of(cursor)
        begin, number = day, 0
        for _ in range(self._max_requests):
            documents = read_documents(
                self._api.get_json("search/v2/articlesearch.json", self._params(begin, number))
            )
            results = list(parse_all(documents, self.id))
            articles = [result for result in results if isinstance(result, Article)]
            fresh, repeats = without_repeats(article for article in articles if article not in seen)
            day, seen = _reached(day, fresh), seen.with_newest(fresh)
            warnings: tuple[str, ...] = ()
            if number == _LAST_PAGE and day == begin:
                warnings = (f"{day} has more than 1,000 stories for this query: the rest was not read.",)
                day += timedelta(days=1)
            yield Page(
                cursor={"day": day.isoformat(), "seen": seen.to_json()},
                articles=fresh,
                skipped=tuple(result for result in results if isinstance(result, Skipped)),
                repeats=repeats,
                warnings=warnings,
            )
            if len(documents) < _PER_PAGE:
                return
            begin, number = (day, 0) if number == _LAST_PAGE else (begin, number + 1)

    def _params(self, begin: date, number: int) -> dict[str, str]:
        until = {"end_date": f"{self._until:%Y%m%d}"} if self._until else {}
        return {
            **self._asked,
            "begin_date": f"{begin:%Y%m%d}",
            **until,
            "sort": "oldest",
            "page": str(number),
        }


def _reached(day: date, articles: Sequence[Article]) -> date:
    """The latest day among `articles`, in New York's winter time: never later than the API's own day."""
    return max([day, *((article.published_at - _NEW_YORK).date() for article in articles)])


def _day_of(cursor: Cursor | None) -> date | None:
    try:
        return date.fromisoformat(str((cursor or {}).get("day")))
    except ValueError:
        return None
