"""A feed as a source: fetched politely, and only what is new in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from kiosque.core.article import canonical_url
from kiosque.core.clock import Clock
from kiosque.core.errors import InvalidInput
from kiosque.sources.feed_document import parse_feed
from kiosque.sources.http import Answer, HttpClient, Validators
from kiosque.sources.payload import web_address
from kiosque.sources.protocol import Cursor, Page, SourceKind
from kiosque.sources.seen import Seen

_ACCEPT = (
    "application/rss+xml, application/atom+xml, application/rdf+xml;q=0.9, application/xml;q=0.8, */*;q=0.5"
)
_LONGEST_MAX_AGE = 3_600.0
_MAX_BYTES = 10_485_760
"""Real feeds stay below two megabytes; parsing takes up to four seconds a megabyte."""
_NOT_SLUG = re.compile(r"[^a-z0-9]+")


class FeedSource:
    """One RSS or Atom address. Raises InvalidInput if it is no http(s) address.

    The cursor holds ETag and Last-Modified, digests of what was delivered, and the new address of a feed that has
    moved for good.
    """

    kind = SourceKind.FEED

    def __init__(
        self,
        url: str,
        client: HttpClient,
        *,
        clock: Clock,
        id: str | None = None,  # noqa: A002 -- what the protocol calls it
        interval: float = 300.0,
    ) -> None:
        address = web_address(url.strip())
        if address is None:
            raise InvalidInput("Not the address of a feed.", hint="It begins with http:// or https://.")
        self.url = address
        self.id = id or feed_id(address)
        self.interval = interval
        self._client = client
        self._clock = clock

    def poll(self, cursor: Cursor | None) -> Iterator[Page]:
        state = dict(cursor or {})
        url = web_address(state.get("url")) or self.url
        limit = min(_MAX_BYTES, self._client.limits.max_bytes)
        answer = self._client.fetch(url, validators=_validators(state), accept=_ACCEPT, max_bytes=limit)
        seen = Seen.of(state)
        if answer.unchanged:
            yield Page(cursor=_cursor(answer, seen, state), wait=_wait(None, answer))
            return
        feed = parse_feed(
            answer.body,
            source=self.id,
            fetched_at=self._clock(),
            url=answer.url,
            content_type=answer.content_type,
        )
        moved = (f"The feed has moved to {web_address(answer.moved_to)}.",) if answer.moved_to else ()
        yield Page(
            cursor=_cursor(answer, seen.with_newest(feed.articles), state),
            articles=tuple(article for article in feed.articles if article not in seen),
            skipped=feed.skipped,
            repeats=feed.repeats,
            warnings=(*feed.warnings, *moved),
            wait=_wait(feed.wait, answer),
        )


def _wait(asked: float | None, answer: Answer) -> float | None:
    """The longer of what the feed and the server ask for; caches are told longer times than news can wait."""
    max_age = min(answer.max_age, _LONGEST_MAX_AGE) if answer.max_age else None
    return max((wait for wait in (asked, max_age) if wait), default=None)


def feed_id(url: str) -> str:
    """`feed-<host>-<8 digits>`, the same for all spellings of one address."""
    canonical = canonical_url(url)
    host = _NOT_SLUG.sub("-", (urlsplit(canonical).hostname or "").removeprefix("www.")).strip("-")[:60]
    return f"feed-{host}-{hashlib.blake2b(canonical.encode('utf-8', 'replace'), digest_size=4).hexdigest()}"


def _validators(state: dict[str, Any]) -> Validators:
    etag, modified = state.get("etag"), state.get("modified")
    return Validators(
        etag if isinstance(etag, str) else None, modified if isinstance(modified, str) else None
    )


def _cursor(answer: Answer, seen: Seen, state: dict[str, Any]) -> Cursor:
    """What to send back next time. A 304 may leave its validators out: the old ones then stay good."""
    known = _validators(state) if answer.unchanged else Validators()
    pairs = {
        "etag": answer.validators.etag or known.etag,
        "modified": answer.validators.last_modified or known.last_modified,
        "url": answer.moved_to or state.get("url"),
        "seen": seen.to_json(),
    }
    return {name: value for name, value in pairs.items() if value}
