"""The news of a run: stories that are told by feeds or put on the bus directly, and what must come of each."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

from kiosque.core.article import Article
from kiosque.core.entity import Alias, Entity, EntityKind, Watchlist

PEOPLE = ("Ada Lane", "Bo Reed", "Cy Moss", "Di Finch", "Ed Marsh", "Fay Holt")
WATCHLIST = Watchlist(
    "people",
    "People",
    tuple(Entity(name.lower().replace(" ", "-"), name, EntityKind.PERSON, (Alias(name),)) for name in PEOPLE),
)
_DEEDS = (
    "wins praise for the new railway",
    "is blamed for the budget",
    "opens the elections of the year",
    "loses the vote amid scandal",
    "speaks of trains and ballots",
    "is cheered in the capital",
)
_DAY = datetime(2024, 11, 6, 12, tzinfo=UTC)
WIRE = "wire"


@dataclass(frozen=True, slots=True)
class Story:
    """One article as it must lie in the store at last. `people` are the ids of whom it names."""

    article: Article
    people: frozenset[str]
    versions: tuple[Article, ...] = ()
    """Every text that was ever published, the last one last."""

    @property
    def key(self) -> str:
        return self.article.key


@dataclass(frozen=True, slots=True)
class Foreign:
    """A message that is not ours, and must become a dead letter."""

    key: str
    data: bytes


@dataclass
class Writer:
    """Writes stories by chance; the same chance writes the same stories."""

    name: str
    number: int = 0

    def story(self, chance: random.Random, source: str) -> Story:
        self.number += 1
        url = f"https://news.example/{self.name}/{self.number}"
        return self._told(chance, Article(url, source, "-", _DAY, url=url))

    def correction(self, chance: random.Random, story: Story) -> Story:
        """The same story with another headline, which must replace the one before."""
        self.number += 1
        corrected = self._told(chance, story.article)
        return replace(corrected, versions=(*story.versions, corrected.article))

    def _told(self, chance: random.Random, article: Article) -> Story:
        named = chance.sample(PEOPLE, chance.choice((0, 1, 1, 1, 2)))
        headline = f"{' and '.join(named) or 'Nobody'} {chance.choice(_DEEDS)}, report {self.number}"
        told = replace(article, headline=headline)
        return Story(told, frozenset(name.lower().replace(" ", "-") for name in named), (told,))


def foreign(chance: random.Random, name: str) -> Foreign:
    """Something that is no article: binary, no JSON, another schema, another version, wrong types."""
    kinds = (
        chance.randbytes(200),
        b"",
        b"{",
        b"[1, 2]",
        b'{"schema": "kiosque.article/2", "key": "x"}',
        b'{"schema": "someone.else/1"}',
        b'{"schema": "kiosque.article/1", "key": 3}',
        b'{"schema": "kiosque.article/1", "key": "x", "published_at": "never"}',
        "\ud800".encode("utf-8", "surrogatepass"),
        b"[" * 5_000,
    )
    return Foreign(name, chance.choice(kinds) + b" " * chance.randint(0, 3))


@dataclass
class Feed:
    """One RSS feed. Shows every story that was not put aside, newest first, and remembers what was fetched."""

    id: str
    host: str
    stories: dict[str, Article] = field(default_factory=dict)
    fetched: set[str] = field(default_factory=set)
    """Keys of what stood in an answer that was sent to its end."""
    aside: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, articles: Iterable[Article]) -> None:
        with self.lock:
            for article in articles:
                self.stories.pop(article.key, None)
                self.stories[article.key] = article
                self.aside.discard(article.key)

    def put_aside(self, keep: int) -> None:
        """Forget all but the last `keep` stories, as feeds do."""
        with self.lock:
            for key in list(self.stories)[:-keep]:
                del self.stories[key]
                self.aside.add(key)

    def rolled_off(self) -> set[str]:
        """What it showed and shows no more, and nobody has fetched."""
        with self.lock:
            return self.aside - self.fetched

    def note_fetched(self, stories: Sequence[Article]) -> None:
        with self.lock:
            self.fetched.update(article.key for article in stories)

    def showing(self) -> list[Article]:
        with self.lock:
            return list(reversed(self.stories.values()))

    def document(self, stories: Iterable[Article]) -> bytes:
        return (
            '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>'
            f"<title>{self.id}</title><link>https://news.example/</link>"
            f"{''.join(map(_item, stories))}</channel></rss>"
        ).encode()


def _item(article: Article) -> str:
    return (
        f"<item><title>{escape(article.headline)}</title><link>{escape(article.url or '')}</link>"
        "<pubDate>Wed, 06 Nov 2024 12:00:00 GMT</pubDate></item>"
    )


class NewsStand:
    """Serves the feeds over HTTP, each on an address of its own so that none waits for the other."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self.feeds = list(feeds)
        self._servers = [ThreadingHTTPServer((feed.host, 0), _handler(feed)) for feed in feeds]
        for server in self._servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, feed: Feed) -> str:
        server = self._servers[self.feeds.index(feed)]
        return f"http://{feed.host}:{server.server_port}/feed.xml"

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


def _handler(feed: Feed) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            stories = feed.showing()
            body = feed.document(stories)
            etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            if self.headers.get("If-None-Match") == etag:
                self.send_response(HTTPStatus.NOT_MODIFIED)
                self.send_header("ETag", etag)
                self.end_headers()
                return
            self.send_response(HTTPStatus.OK)
            self.send_header("ETag", etag)
            self.send_header("Content-Type", "application/rss+xml; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            feed.note_fetched(stories)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
