"""The Times Newswire: stories as they are published, newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kiosque.core.article import Article
from kiosque.core.errors import SourceUnavailable
from kiosque.sources.dates import moment_of
from kiosque.sources.nyt import NytApi
from kiosque.sources.nyt_documents import describe, language_of, names_in_byline, story_key
from kiosque.sources.payload import (
    ABSTRACT_LIMIT,
    excerpt,
    first_text,
    identifier,
    mapping,
    text,
    texts,
    web_address,
)
from kiosque.sources.protocol import Cursor, Page, Reason, Skipped, SourceKind, without_repeats
from kiosque.sources.seen import Seen

_DATES = ("first_published_date", "published_date", "created_date", "updated_date")
_FACETS = ("per_facet", "org_facet", "geo_facet", "des_facet")
_INTERNAL = "internal-"


class NytWire:
    """Polls `news/v3/content`; goes back page by page until it meets what it has seen.

    Until it has, the cursor stays, so that a stop in between loses nothing. The first poll takes one page.
    """

    kind = SourceKind.NYT_WIRE

    def __init__(
        self,
        api: NytApi,
        *,
        id: str = "nyt-wire",  # noqa: A002 -- what the protocol calls it
        section: str = "all",
        interval: float = 300.0,
        page_size: int = 100,
        max_pages: int = 5,
    ) -> None:
        self.id = id
        self.interval = interval
        self._api = api
        self._path = f"news/v3/content/all/{section}.json"
        self._page_size = page_size
        self._max_pages = max_pages

    def poll(self, cursor: Cursor | None) -> Iterator[Page]:
        before = Seen.of(cursor)
        after = before
        first = not before.to_json()
        met: list[Article] = []
        for number in range(self._max_pages):
            items = self._items(number * self._page_size)
            results = [
                parse_item(item, source=self.id, where=f"result {i}") for i, item in enumerate(items, start=1)
            ]
            articles = [result for result in results if isinstance(result, Article)]
            met.extend(articles)
            caught_up = not articles or len(items) < self._page_size or articles[-1] in before
            last = first or caught_up or number + 1 == self._max_pages
            after = before.with_newest(met) if last else before
            fresh, repeats = without_repeats(article for article in articles if article not in before)
            yield Page(
                cursor={"seen": after.to_json()},
                articles=fresh,
                skipped=tuple(result for result in results if isinstance(result, Skipped)),
                repeats=repeats,
                warnings=() if first or caught_up or not last else (self._gap(),),
            )
            if last:
                return

    def _items(self, offset: int) -> list[object]:
        payload = self._api.get_json(self._path, {"limit": str(self._page_size), "offset": str(offset)})
        return read_items(payload)

    def _gap(self) -> str:
        return f"More than {self._max_pages * self._page_size} stories since the last poll: older ones were not read."


def read_items(payload: object) -> list[object]:
    """The stories in a Newswire answer, a bare list or a bare story. Raises SourceUnavailable on anything else."""
    if isinstance(payload, list):
        return payload
    document = mapping(payload)
    if "results" in document and (document["results"] is None or isinstance(document["results"], list)):
        return document["results"] or []
    if "title" in document and "url" in document:
        return [document]
    raise SourceUnavailable(
        f"The NYT answered with something else than stories ({describe(payload)}).",
        hint="Try again later; if it stays so, the API may have changed.",
    )


def parse_item(item: object, *, source: str, where: str) -> Article | Skipped:
    """The article in one Newswire result, or why there is none. Never raises.

    The date is that of first publication, as in the Archive; `published_date` can lie before it or move.
    """
    if not isinstance(item, dict):
        return Skipped(where, Reason.NOT_AN_OBJECT, type(item).__name__, excerpt(item))
    headline = text(item.get("title"))
    abstract = first_text(item, "abstract", "subheadline", limit=ABSTRACT_LIMIT)
    url = web_address(item.get("url"))
    where = identifier(item.get("uri")) or url or where
    if not headline and not abstract:
        return Skipped(where, Reason.NO_TEXT, "neither title nor abstract", excerpt(item))
    published_at = next((moment for name in _DATES if (moment := moment_of(item.get(name)))), None)
    if published_at is None:
        return Skipped(where, Reason.NO_DATE, "no date that can be read", excerpt(item))
    return Article(
        key=story_key(item, url, headline or abstract, published_at),
        source=source,
        headline=headline,
        abstract=abstract,
        published_at=published_at,
        url=url,
        section=text(item.get("section")) or None,
        byline=names_in_byline(text(item.get("byline"))),
        keywords=_facets(item),
        language=language_of(url),
        kind=text(item.get("item_type")).lower() or "article",
        extra=_extra(item),
    )


def _facets(item: Mapping[str, Any]) -> tuple[str, ...]:
    words = (word for name in _FACETS for word in texts(item.get(name)))
    return tuple(dict.fromkeys(word for word in words if not word.startswith(_INTERNAL)))


def _extra(item: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    candidates = {
        "kicker": text(item.get("kicker")),
        "subsection": text(item.get("subsection")),
        "material": text(item.get("material_type_facet")),
        "provider": text(item.get("source")),
    }
    return tuple((name, value) for name, value in candidates.items() if value)
