"""Every payload and feed of the third-party data sets is read. Skipped where they are not at hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx2
import pytest

from kiosque.core.article import Article
from kiosque.core.errors import SourceUnavailable
from kiosque.sources.catalogue import BookFile
from kiosque.sources.feed_document import parse_feed
from kiosque.sources.feeds import FeedSource
from kiosque.sources.files import ArticleFile
from kiosque.sources.nyt_archive import Month, NytArchive
from kiosque.sources.nyt_books import NytBooks
from kiosque.sources.nyt_search import NytSearch
from kiosque.sources.nyt_wire import NytWire
from kiosque.sources.protocol import Page, Source
from kiosque.testing.paths import datasets
from kiosque.testing.sources import NOW, Network, NetworkSourceContract, always, assert_whole

ROOT = datasets()
pytestmark = pytest.mark.skipif(ROOT is None, reason="needs the data sets: set KIOSQUE_DATASETS")

# Articles, or books, per file: the documents that each holds.
ARTICLES = {
    "archive_v1_1851_9_flattened_excerpt.csv": 8,
    "archive_v1_1851_9_rebuilt.json": 8,
    "archive_v1_1865_4_flattened_excerpt.csv": 4,
    "archive_v1_1865_4_rebuilt.json": 4,
    "archive_v1_1978_9_empty.json": 0,
    "archive_v1_2012_1_docsample.json": 1,
    "articlesearch_1870_1964_2013-copyright.json": 2,
    "articlesearch_2012-01_docsample.json": 2,
    "articlesearch_doc_2022-05-23.json": 1,
    "timeswire_content_2010-05-04_docsample.json": 1,
    "timeswire_content_2023-06-24.json": 60,
    "timeswire_item_2019-05-10.json": 1,
}
BOOKS = {
    "books_lists_2010-10-03_docsample.json": (2, 2),
    "books_lists_current_hardcover-fiction_2024-03-31_excerpt.json": (2, 2),
    "books_lists_overview_2018-04-01.json": (65, 80),
}
FEEDS = {
    "bbc_2020-04.xml": 64, "cnn_2020-04.xml": 50, "daily-sci-tech-news.xml": 30, "encoding-gb2312.xml": 20,
    "feedburner.atom": 25, "guardian.rss": 55, "heise.atom": 15, "lemonde_2018-06.xml": 21, "missing-fields.atom": 0,
    "nytimes_2020-04.xml": 21, "nzherald_2020-04.xml": 20, "reddit-atom.rss": 24, "rnz_2020-04.xml": 18,
    "rss-1.rss": 69, "smh_2020-04.xml": 50, "uolNoticias.rss": 15, "wsj_2020-04.xml": 6,
    "youtube-channel_2020-04.xml": 9,
}  # fmt: skip


def payload(name: str) -> Path:
    assert ROOT is not None
    return ROOT / "nyt_payloads" / name


def feeds() -> list[Path]:
    return sorted((ROOT / "feeds").glob("*/*")) if ROOT else []


def articles(pages: Iterator[Page]) -> list[Article]:
    found = [article for page in pages for article in page.articles]
    for article in found:
        assert_whole(article)
    return found


def test_no_payload_is_forgotten() -> None:
    assert ROOT is not None
    assert {path.name for path in (ROOT / "nyt_payloads").iterdir()} == {*ARTICLES, *BOOKS}


@pytest.mark.parametrize(("name", "count"), ARTICLES.items())
def test_saved_payloads_are_imported_whole(name: str, count: int) -> None:
    pages = list(ArticleFile(payload(name)).poll(None))
    assert len(articles(iter(pages))) == count
    assert not any(page.skipped for page in pages)


@pytest.mark.parametrize(("name", "counts"), BOOKS.items())
def test_saved_book_lists_are_imported_whole(name: str, counts: tuple[int, int]) -> None:
    (page,) = BookFile(payload(name)).poll(None)
    assert (len(page.books), len(page.placements)) == counts
    assert page.skipped == ()
    assert not any(book.title.isupper() and len(book.title) > 4 for book in page.books)


@pytest.mark.parametrize("year", ["1851_9", "1865_4"])
def test_flattened_and_nested_documents_give_the_same_articles(year: str) -> None:
    flat = articles(ArticleFile(payload(f"archive_v1_{year}_flattened_excerpt.csv")).poll(None))
    assert flat == articles(ArticleFile(payload(f"archive_v1_{year}_rebuilt.json")).poll(None))


@pytest.mark.parametrize(("name", "count"), FEEDS.items())
def test_real_feeds_are_read_whole(name: str, count: int) -> None:
    assert ROOT is not None
    data = (ROOT / "feeds" / "real" / name).read_bytes()
    feed = parse_feed(data, source="feed-x", fetched_at=NOW, url="https://feed.example/x")
    assert len(feed.articles) == count
    undated = [article for article in feed.articles if article.published_at == NOW]
    assert len(undated) <= 2


@pytest.mark.parametrize("path", feeds(), ids=lambda path: path.name)
def test_every_feed_gives_articles_or_a_reported_error(path: Path) -> None:
    try:
        feed = parse_feed(path.read_bytes(), source="feed-x", fetched_at=NOW, url="https://feed.example/x")
    except SourceUnavailable:
        return
    for article in feed.articles:
        assert_whole(article)
    assert feed.articles or feed.skipped or feed.warnings


def test_undeclared_encodings_are_read_rightly() -> None:
    assert ROOT is not None
    letters = {"illformed__chardet__koi8r.xml": "а-я", "illformed__chardet__shiftjis.xml": "ぁ-ん"}
    for name, script in letters.items():
        data = (ROOT / "feeds" / "malformed" / name).read_bytes()
        (article,) = parse_feed(data, source="feed-x", fetched_at=NOW).articles
        first, last = script.split("-")
        assert sum(first <= letter <= last for letter in article.headline + article.abstract) > 10


class RealPayload(NetworkSourceContract):
    name = ""

    def good(self) -> bytes:
        return payload(self.name).read_bytes()


class TestWire(RealPayload):
    name = "timeswire_content_2023-06-24.json"

    def make_on(self, network: Network, folder: Path) -> Source:
        return NytWire(network.nyt(folder))


class TestArchive(RealPayload):
    name = "archive_v1_1851_9_rebuilt.json"

    def make_on(self, network: Network, folder: Path) -> Source:
        month = Month(1851, 9)
        return NytArchive(network.nyt(folder), clock=network.clock, first=month, last=month, page_size=3)


class TestSearch(RealPayload):
    name = "articlesearch_2012-01_docsample.json"

    def make_on(self, network: Network, folder: Path) -> Source:
        return NytSearch(network.nyt(folder), query="election", since=date(2012, 1, 1))


class TestBooks(RealPayload):
    name = "books_lists_overview_2018-04-01.json"

    def make_on(self, network: Network, folder: Path) -> Source:
        return NytBooks(network.nyt(folder))


class TestFeed(NetworkSourceContract):
    def good(self) -> bytes:
        assert ROOT is not None
        return (ROOT / "feeds" / "real" / "nytimes_2020-04.xml").read_bytes()

    def make_on(self, network: Network, folder: Path) -> Source:
        return FeedSource("https://rss.example/nyt", network.client(), clock=network.clock)


def test_the_headline_corpus_is_imported_to_its_last_row() -> None:
    """The 2016 file: every row is an article, a repeat or a reject."""
    assert ROOT is not None
    pages = ArticleFile(ROOT / "headlines" / "nyt_headlines_2016_keywords.csv.gz", page_size=20_000).poll(
        None
    )
    counts = [(len(page.articles), page.repeats, len(page.skipped)) for page in pages]
    assert sum(sum(count) for count in counts) == 69_489
    assert sum(count[0] for count in counts) > 68_000


def test_the_payload_of_a_wire_poll_is_the_one_that_was_asked_for(tmp_path: Path) -> None:
    network = Network(always(payload(TestWire.name).read_bytes()))
    pages = list(NytWire(network.nyt(tmp_path)).poll(None))
    assert len(articles(iter(pages))) == 60
    assert isinstance(network.requests[0], httpx2.Request)
    assert network.requests[0].url.params["limit"] == "100"
