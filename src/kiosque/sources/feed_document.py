"""Articles out of the bytes of a feed: RSS 0.9x, 1.0, 2.0 and Atom, well-formed or not."""

from __future__ import annotations

import io
import re
from calendar import timegm
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import feedparser

from kiosque.core.article import Article, article_key
from kiosque.core.errors import InvalidInput, SourceUnavailable
from kiosque.sources.dates import moment_of
from kiosque.sources.encodings import undeclared_encoding
from kiosque.sources.nyt_documents import names_in_byline
from kiosque.sources.payload import ABSTRACT_LIMIT, excerpt, identifier, mapping, text, texts, web_address
from kiosque.sources.protocol import Reason, Skipped, without_repeats

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FUTURE = timedelta(days=1)
"""A feed's clock may be wrong by its time zone; what lies further ahead is no date."""
_PERMANENT_ID = re.compile(r"(?:tag|urn):", re.IGNORECASE)
_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(?=[-_]|$)")
_BY = re.compile(r"^(?:by|von|par|por)\s+", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_SEVERAL = re.compile(r"\s(?:and|y|et|und|&)\s", re.IGNORECASE)
_DOMAIN = re.compile(r"(?:[\w-]+\.)+\w{2,}")
_ADDRESS = re.compile(r"\S+@\S+")
_PER = {"hourly": 3_600.0, "daily": 86_400.0, "weekly": 604_800.0}
_LONGEST_PAUSE = 86_400.0
_DEEPEST = 5_000
"""Real feeds go down a dozen steps; those that forget to close tags reach some hundreds."""
# A tag, or the start of what is no markup inside; one pass, so that what never ends costs no more than its length.
_TAG = re.compile(rb"<(?:(/?)[A-Za-z_][^<>]*?(/?)>|(!\[CDATA\[)|(!--))")


@dataclass(frozen=True, slots=True)
class FeedDocument:
    title: str
    articles: tuple[Article, ...]
    skipped: tuple[Skipped, ...]
    repeats: int
    warnings: tuple[str, ...]
    wait: float | None
    """Seconds between two polls that the feed asks for (`ttl`, `sy:updatePeriod`)."""


def parse_feed(
    data: bytes, *, source: str, fetched_at: datetime, url: str = "", content_type: str = ""
) -> FeedDocument:
    """The feed in `data`. `url` is what its relative links are relative to; an entry without date gets `fetched_at`.

    Raises SourceUnavailable if it is no feed. A feed without entries, or one that is not well-formed, is read as far
    as it goes and says so in `warnings`.
    """
    parsed = _parse(data, url, content_type)
    # Plain dicts: feedparser's own warn of one field when asked for another.
    entries, head = [dict(entry) for entry in parsed.get("entries") or []], dict(parsed.get("feed") or {})
    if not parsed.get("version") and not entries:
        raise SourceUnavailable(_no_feed(data, parsed), hint=_feed_named_in(data))
    language = _language(head.get("language"))
    results = [
        parse_entry(entry, source=source, fetched_at=fetched_at, language=language, where=f"entry {i}")
        for i, entry in enumerate(entries, start=1)
    ]
    articles, repeats = without_repeats(result for result in results if isinstance(result, Article))
    return FeedDocument(
        title=text(head.get("title")),
        articles=articles,
        skipped=tuple(result for result in results if isinstance(result, Skipped)),
        repeats=repeats,
        warnings=tuple(_warnings(parsed, entries)),
        wait=_pause(head),
    )


def parse_entry(
    entry: Mapping[str, Any], *, source: str, fetched_at: datetime, language: str | None, where: str
) -> Article | Skipped:
    """The article in one entry, or why there is none."""
    headline, abstract = text(entry.get("title")), _abstract(entry)
    link = web_address(entry.get("feedburner_origlink")) or web_address(entry.get("link"))
    where = identifier(entry.get("id")) or link or where
    if not headline and not abstract:
        return Skipped(where, Reason.NO_TEXT, "neither title nor summary", excerpt(entry))
    return Article(
        key=_key(entry, link, source, headline or abstract),
        source=source,
        headline=headline,
        abstract=abstract,
        published_at=_moment(entry, fetched_at) or fetched_at,
        url=link,
        section=text(entry.get("section")) or None,
        byline=_byline(entry),
        keywords=texts([mapping(tag).get("term") for tag in entry.get("tags") or ()]),
        language=_language(mapping(entry.get("title_detail")).get("language")) or language,
    )


def _check_depth(data: bytes) -> None:
    """Refuses what is nested absurdly deep: the parser's time grows with the square of the depth."""
    depth = position = 0
    while tag := _TAG.search(data, position):
        position = tag.end()
        if tag[3] or tag[4]:
            end = data.find(b"]]>" if tag[3] else b"-->", position)
            if end < 0:
                return
            position = end
            continue
        depth += -1 if tag[1] else 0 if tag[2] else 1
        if depth > _DEEPEST:
            raise SourceUnavailable("The feed is nested too deeply to be read.")


def _parse(data: bytes, url: str, content_type: str) -> Any:
    """feedparser's result. The bytes go in as a stream: given as they are, they could name a local file."""
    _check_depth(data)
    headers = {"content-type": _xml_type(content_type)}
    if web_address(url):
        headers["content-location"] = url
    if "charset" not in content_type.lower() and (encoding := undeclared_encoding(data)):
        data = data.decode(encoding, "replace").encode()
    try:
        return feedparser.parse(io.BytesIO(data), response_headers=headers)
    # feedparser runs SGML, XML, date and encoding code over whatever the net sends; it documents no exceptions
    # and has raised a dozen kinds, RecursionError and AssertionError among them.
    except Exception as error:  # noqa: BLE001
        raise SourceUnavailable(f"The feed cannot be parsed ({type(error).__name__}).") from None


def _xml_type(content_type: str) -> str:
    """The content type as feedparser wants it: many servers call a feed text/html or text/plain."""
    charset = _CHARSET.search(content_type)
    if "xml" in content_type.lower():
        return content_type
    return f"application/xml; charset={charset[1]}" if charset else "application/xml"


def _key(entry: Mapping[str, Any], link: str | None, source: str, words: str) -> str:
    """A permanent id (`tag:`, `urn:`), else the link, else the feed's own id, else a digest of the words.

    Other ids are only unique within their feed; ids that look like those of other sources are not believed.
    """
    own_id = identifier(entry.get("id"))
    permanent = own_id if _PERMANENT_ID.match(own_id) else None
    if not permanent and not link and own_id:
        return f"{source}:{own_id}"
    try:
        return article_key(uri=permanent, url=link, headline=words)
    except InvalidInput:
        return article_key(uri=None, url=None, headline=words)


def _abstract(entry: Mapping[str, Any]) -> str:
    summary = text(entry.get("summary"), limit=ABSTRACT_LIMIT)
    contents = (text(mapping(part).get("value"), limit=ABSTRACT_LIMIT) for part in entry.get("content") or ())
    return summary or next((content for content in contents if content), "")


def _moment(entry: Mapping[str, Any], fetched_at: datetime) -> datetime | None:
    """When the entry was published, else updated; None where it does not say, or says the epoch or the future."""
    for name in ("published", "updated", "created"):
        moment = _parsed(entry.get(f"{name}_parsed")) or moment_of(entry.get(name))
        if moment and moment != _EPOCH and moment <= fetched_at + _FUTURE:
            return moment
    return None


def _parsed(value: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(timegm(value), UTC) if value else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _byline(entry: Mapping[str, Any]) -> tuple[str, ...]:
    named = [mapping(author).get("name") for author in entry.get("authors") or ()]
    names: list[str] = []
    for name in texts(named or [entry.get("author")]):
        cleaned = _ADDRESS.sub("", _BY.sub("", name)).strip(" ()<>")
        names.extend(names_in_byline(cleaned) if _SEVERAL.search(cleaned) else [cleaned])
    return tuple(dict.fromkeys(name for name in names if name and not _DOMAIN.fullmatch(name)))


def _language(value: object) -> str | None:
    match = _LANGUAGE.match(text(value))
    return match.group().lower() if match else None


def _warnings(parsed: Mapping[str, Any], entries: list[Any]) -> Iterator[str]:
    problem = type(parsed.get("bozo_exception")).__name__ if parsed.get("bozo") else ""
    if problem == "CharacterEncodingOverride":
        yield "The feed is not in the encoding that it names; another one was tried."
    elif problem:
        yield f"The feed is not well-formed ({problem}); it was read as far as it goes."
    if not entries:
        yield "The feed has no entries."


def _pause(feed: Mapping[str, Any]) -> float | None:
    """How often the feed says to come, in seconds: `ttl` in minutes, `sy:updatePeriod` and its frequency."""
    ttl = text(feed.get("ttl"))
    if ttl.isdecimal() and int(ttl[:6]) > 0:
        return min(int(ttl[:6]) * 60.0, _LONGEST_PAUSE)
    period = _PER.get(text(feed.get("sy_updateperiod")).lower())
    frequency = text(feed.get("sy_updatefrequency")) or "1"
    if period and frequency.isdecimal() and int(frequency[:6]) > 0:
        return min(period / int(frequency[:6]), _LONGEST_PAUSE)
    return None


def _no_feed(data: bytes, parsed: Mapping[str, Any]) -> str:
    if not data.strip():
        return "The feed is empty."
    start = data.lstrip(b"\xef\xbb\xbf \r\n\t")[:200].lower()
    if b"<html" in start or b"<head" in start or b"<!doctype html" in start:
        return "This is a web page, not a feed."
    kind = (
        type(parsed["bozo_exception"]).__name__ if parsed.get("bozo_exception") else "no known root element"
    )
    return f"This is not a feed ({kind})."


_ALTERNATE = re.compile(rb"<link\b[^<>]{0,500}application/(?:rss|atom)\+xml[^<>]{0,500}>", re.IGNORECASE)
_HREF = re.compile(rb"""href\s*=\s*["']([^"'<>]{1,500})""", re.IGNORECASE)


def _feed_named_in(data: bytes) -> str:
    """The hint: the feed that a web page names, if it names one."""
    link = _ALTERNATE.search(data[:200_000])
    href = _HREF.search(link.group()) if link else None
    if href:
        return f"The page names this feed: {text(href.group(1).decode('utf-8', 'replace'))}"
    return "Look for the address of its RSS or Atom feed."
