"""Every source keeps the contract, over payloads of our own."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import httpx2

from kiosque.sources.catalogue import BookFile
from kiosque.sources.feeds import FeedSource
from kiosque.sources.files import ArticleFile
from kiosque.sources.nyt_archive import Month, NytArchive
from kiosque.sources.nyt_books import NytBooks
from kiosque.sources.nyt_search import NytSearch
from kiosque.sources.nyt_wire import NytWire
from kiosque.sources.protocol import Source
from kiosque.testing.payloads import (
    as_bytes,
    books_overview,
    nyt_answer,
    nyt_document,
    rss,
    rss_item,
    wire_item,
)
from kiosque.testing.sources import Handler, Network, NetworkSourceContract, SourceContract, always

ODD = [None, 3, "x", [], {}, {"headline": None, "abstract": ""}]


class TestNytWire(NetworkSourceContract):
    def good(self) -> bytes:
        return as_bytes({"status": "OK", "num_results": 500, "results": [*map(wire_item, range(1, 9)), *ODD]})

    def make_on(self, network: Network, folder: Path) -> Source:
        return NytWire(network.nyt(folder))


class TestNytArchive(NetworkSourceContract):
    def good(self) -> bytes:
        return as_bytes(nyt_answer([*map(nyt_document, range(1, 9)), *ODD]))

    def make_on(self, network: Network, folder: Path) -> Source:
        first, last = Month(2020, 11), Month(2020, 12)
        return NytArchive(network.nyt(folder), clock=network.clock, first=first, last=last, page_size=3)


class TestNytSearch(NetworkSourceContract):
    def good(self) -> bytes:
        return as_bytes(nyt_answer([*map(nyt_document, range(1, 9)), {}], meta="metadata"))

    def make_on(self, network: Network, folder: Path) -> Source:
        return NytSearch(network.nyt(folder), query="ballots", since=date(2020, 11, 1))


class TestNytBooks(NetworkSourceContract):
    def good(self) -> bytes:
        return as_bytes(books_overview(books=[{"title": ""}, None, *_listed()]))

    def make_on(self, network: Network, folder: Path) -> Source:
        return NytBooks(network.nyt(folder))


class TestFeed(NetworkSourceContract):
    def good(self) -> bytes:
        return rss(rss_item(1), rss_item(2, date=None), rss_item(3, title="", description=""), rss_item(1))

    def make_on(self, network: Network, folder: Path) -> Source:
        return FeedSource("https://courier.example/rss", network.client(), clock=network.clock)


class TestFeedWithValidators(TestFeed):
    def handler(self, body: bytes) -> Handler:
        def answer(request: httpx2.Request) -> httpx2.Response:
            if request.headers.get("if-none-match") == '"v1"':
                return httpx2.Response(304)
            return always(body, etag='"v1"')(request)

        return answer


class TestJsonLines(SourceContract):
    name = "articles.jsonl"

    def good(self) -> bytes:
        rows = [_row(1), _row(2), {"headline": "No date"}, _row(2)]
        return "\n".join(json.dumps(row) for row in rows).encode()

    def make(self, folder: Path, body: bytes | None = None) -> Source:
        path = folder / self.name
        path.write_bytes(self.good() if body is None else body)
        return ArticleFile(path)


class TestCsv(TestJsonLines):
    name = "articles.csv"

    def good(self) -> bytes:
        return (
            b'headline,date\n"Count, again",2020-11-05\nRecount,2020-11-06\n,2020-11-07\nRecount,2020-11-06\n'
        )


class TestJson(TestJsonLines):
    name = "saved.json"

    def good(self) -> bytes:
        return as_bytes(nyt_answer([nyt_document(1), nyt_document(2), None]))


class TestBookFile(SourceContract):
    def good(self) -> bytes:
        return b"title,author,isbn\nTHE LONG COUNT,J.R. Doe,9780000000019\nThe Long Count,JR Doe,\n,Nobody,\n"

    def make(self, folder: Path, body: bytes | None = None) -> Source:
        path = folder / "books.csv"
        path.write_bytes(self.good() if body is None else body)
        return BookFile(path)


def _row(number: int) -> dict[str, object]:
    return {
        "uri": f"kiosque:test:{number}",
        "headline": f"Count Number {number}",
        "abstract": "",
        "published_at": "1876-11-08",
        "section": "Politics",
        "byline": [],
        "keywords": ["Hayes, Rutherford B"],
        "mentions": [{"target": "Hayes", "polarity": "neutral"}],
    }


def _listed() -> list[dict[str, object]]:
    results = books_overview()["results"]
    books: list[dict[str, object]] = results["lists"][0]["books"]
    return books
