"""RSS 2.0 for feed readers: well-formed whatever the text, with ids that stay, and 304 where nothing is new.

A title is plain text. A description is HTML to feed readers, so plain text in it is escaped once more.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from html import escape
from urllib.parse import urlsplit
from xml.etree import ElementTree as Xml

from fastapi import Request
from starlette.responses import Response

from kiosque.api.feed_tokens import FeedOf, is_right
from kiosque.core.errors import NotFound, RateLimited
from kiosque.web.language import gettext
from kiosque.web.render import house
from kiosque.web.session import visitor_of

MEDIA_TYPE = "application/rss+xml; charset=utf-8"
_ATOM = "http://www.w3.org/2005/Atom"
# What XML 1.0 has no way to write.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class Item:
    """One entry. `id` names it for ever; `html` is markup, made with `paragraph`."""

    id: str
    title: str
    path: str
    published_at: datetime
    html: str
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """`path` is the page that shows the same, `own_path` that of the feed, without a secret."""

    title: str
    path: str
    own_path: str
    description: str
    items: Sequence[Item]
    changed_at: datetime | None


def answer(request: Request, feed: Feed) -> Response:
    """The feed, or 304 if it is what the reader has."""
    body = document(feed, base_of(request))
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "private, no-cache",
        "Vary": "Cookie",
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
    }
    if feed.changed_at is not None:
        headers["Last-Modified"] = format_datetime(feed.changed_at.astimezone(UTC), usegmt=True)
    if _is_known(request, etag, feed.changed_at):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=MEDIA_TYPE, headers=headers)


def document(feed: Feed, base: str) -> bytes:
    """The feed as RSS; `base` is the address before every path."""
    Xml.register_namespace("atom", _ATOM)
    rss = Xml.Element("rss", version="2.0")
    channel = Xml.SubElement(rss, "channel")
    _text(channel, "title", feed.title)
    _text(channel, "link", base + feed.path)
    _text(channel, "description", feed.description)
    _text(channel, "generator", "Kiosque")
    own = {"href": writable(base + feed.own_path), "rel": "self", "type": "application/rss+xml"}
    Xml.SubElement(channel, f"{{{_ATOM}}}link", own)
    if feed.changed_at is not None:
        _text(channel, "lastBuildDate", format_datetime(feed.changed_at.astimezone(UTC), usegmt=True))
    for item in feed.items:
        _add(channel, item, base)
    found: bytes = Xml.tostring(rss, encoding="utf-8", xml_declaration=True)
    return found


def base_of(request: Request) -> str:
    """The address before every path: as it is set, else the one that was asked."""
    public = house(request).context.public_url
    return (public or str(request.base_url)).rstrip("/")


def paragraph(*parts: str) -> str:
    """Plain texts as a paragraph of HTML."""
    return f"<p>{' '.join(escape(part) for part in parts if part)}</p>"


def anchor(address: str, words: str) -> str:
    """A link as HTML; only the words where the address is none of the web."""
    if urlsplit(address).scheme not in ("http", "https"):
        return escape(words)
    return f'<a href="{escape(address)}">{escape(words)}</a>'


def writable(text: str) -> str:
    """`text` with U+FFFD for each character that XML cannot hold."""
    return _UNWRITABLE.sub("\ufffd", text)


def check_reader(request: Request, token: str, of: FeedOf, number: int, nonce: str | None) -> None:
    """That whoever asks may read, or has the secret of this feed; `nonce` is None where there is no such feed.

    Raises NotFound, which does not say whether there is one, and RateLimited.
    """
    api, visitor = house(request), visitor_of(request)
    allowance = api.limiter.take(visitor.caller.id)
    if allowance and not allowance.allowed:
        raise RateLimited(gettext("This feed was asked for too often."), retry_after=allowance.reset)
    opened = visitor.reads or (
        nonce is not None and is_right(token, api.context.secret_key, of, number, nonce)
    )
    if nonce is None or not opened:
        raise NotFound(
            gettext("There is no such feed, or its address has another secret now."),
            hint=gettext("Take its address from the page of the saved searches or of the alert."),
        )


def _add(channel: Xml.Element, item: Item, base: str) -> None:
    element = Xml.SubElement(channel, "item")
    _text(element, "title", item.title)
    _text(element, "link", base + item.path)
    _text(element, "guid", item.id, isPermaLink="false")
    _text(element, "pubDate", format_datetime(item.published_at.astimezone(UTC), usegmt=True))
    _text(element, "description", item.html)
    for category in item.categories:
        _text(element, "category", category)


def _text(parent: Xml.Element, name: str, text: str, **attributes: str) -> None:
    Xml.SubElement(parent, name, attributes).text = writable(text)


def _is_known(request: Request, etag: str, changed_at: datetime | None) -> bool:
    """`If-None-Match` decides where it is given (RFC 9110), else `If-Modified-Since`."""
    given = request.headers.get("if-none-match")
    if given is not None:
        return any(part.strip().removeprefix("W/") in (etag, "*") for part in given.split(","))
    since = request.headers.get("if-modified-since")
    if since is None or changed_at is None:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except ValueError:
        return False
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return changed_at.replace(microsecond=0) <= moment


def newest(moments: Iterable[datetime]) -> datetime | None:
    """The latest of them; None without any."""
    return max(moments, default=None)
