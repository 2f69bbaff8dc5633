"""How the NYT sources page, remember, and keep to their allowance."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from kiosque.core.errors import InvalidInput, RateLimited, SourceUnavailable
from kiosque.sources.nyt_archive import Month, NytArchive
from kiosque.sources.nyt_search import NytSearch
from kiosque.sources.nyt_wire import NytWire, read_items
from kiosque.sources.protocol import Page, Reason
from kiosque.testing.payloads import as_bytes, nyt_answer, nyt_document, wire_item
from kiosque.testing.sources import NOW, Network, always

Answer = Callable[[httpx2.Request], Any]


def serving(answer: Answer) -> Network:
    return Network(lambda request: httpx2.Response(200, content=as_bytes(answer(request))))


def headlines(pages: list[Page]) -> list[str]:
    return [article.headline for page in pages for article in page.articles]


class Wire:
    """A Newswire of numbered stories, newest first, to which stories can be added."""

    def __init__(self, count: int) -> None:
        self.stories = list(range(count, 0, -1))

    def add(self, count: int) -> None:
        newest = self.stories[0]
        self.stories[:0] = range(newest + count, newest, -1)

    def __call__(self, request: httpx2.Request) -> dict[str, Any]:
        offset, limit = int(request.url.params["offset"]), int(request.url.params["limit"])
        return {"results": [wire_item(number) for number in self.stories[offset : offset + limit]]}


def test_the_first_poll_of_the_wire_takes_one_page(tmp_path: Path) -> None:
    network = serving(Wire(50))
    pages = list(NytWire(network.nyt(tmp_path), page_size=20).poll(None))
    assert len(network.requests) == 1
    assert len(headlines(pages)) == 20
    assert network.requests[0].url.path == "/svc/news/v3/content/all/all.json"


def test_the_wire_goes_back_until_it_meets_what_it_knows(tmp_path: Path) -> None:
    wire = Wire(50)
    network = serving(wire)
    source = NytWire(network.nyt(tmp_path), page_size=20)
    cursor = list(source.poll(None))[-1].cursor
    wire.add(45)
    network.requests.clear()
    pages = list(source.poll(cursor))
    assert len(network.requests) == 3
    assert headlines(pages) == [f"Count Number {number} in Mill Creek" for number in range(95, 50, -1)]
    assert [page.cursor == cursor for page in pages] == [True, True, False]
    assert headlines(list(source.poll(pages[-1].cursor))) == []


def test_a_poll_of_the_wire_that_breaks_off_loses_nothing(tmp_path: Path) -> None:
    wire = Wire(50)
    network = serving(wire)
    source = NytWire(network.nyt(tmp_path), page_size=20)
    cursor = list(source.poll(None))[-1].cursor
    wire.add(30)
    first = next(iter(source.poll(cursor)))
    again = list(source.poll(first.cursor))
    assert set(headlines([first])) < set(headlines(again))
    assert len(headlines(again)) == 30


def test_a_gap_that_is_too_wide_is_said(tmp_path: Path) -> None:
    wire = Wire(5)
    source = NytWire(serving(wire).nyt(tmp_path), page_size=20, max_pages=2)
    cursor = list(source.poll(None))[-1].cursor
    wire.add(100)
    pages = list(source.poll(cursor))
    assert len(headlines(pages)) == 40
    assert "More than 40 stories" in pages[-1].warnings[0]


def test_a_story_that_was_rewritten_comes_again(tmp_path: Path) -> None:
    items = [wire_item(1), wire_item(2)]
    source = NytWire(serving(lambda _: {"results": items}).nyt(tmp_path))
    cursor = list(source.poll(None))[-1].cursor
    items[1] = wire_item(2, title="Recount", updated_date="2020-11-05T09:00:00-05:00")
    assert headlines(list(source.poll(cursor))) == ["Recount"]


@pytest.mark.parametrize("payload", [{"results": None}, {"results": []}, []])
def test_an_empty_wire_is_a_page_without_articles(tmp_path: Path, payload: object) -> None:
    pages = list(NytWire(serving(lambda _: payload).nyt(tmp_path)).poll(None))
    assert [page.articles for page in pages] == [()]


def test_a_bare_story_is_read_and_other_things_are_not() -> None:
    assert read_items(wire_item()) == [wire_item()]
    with pytest.raises(SourceUnavailable):
        read_items({"status": "ERROR", "errors": ["Invalid section"]})


def test_months_are_the_requests_of_a_backfill() -> None:
    months = NytArchive.months(Month.parse("1860-11"), Month.parse("1861-2"))
    assert [str(month) for month in months] == ["1860-11", "1860-12", "1861-01", "1861-02"]


@pytest.mark.parametrize(("first", "last"), [("1851-08", "1860-01"), ("1860-02", "1860-01")])
def test_months_that_are_none_are_refused(first: str, last: str) -> None:
    with pytest.raises(InvalidInput):
        NytArchive.months(Month.parse(first), Month.parse(last))


@pytest.mark.parametrize("value", ["", "1860", "1860-13", "1860-00", "60-1", "1860-1-1", "next"])
def test_what_is_no_month_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput):
        Month.parse(value)


def archive(
    network: Network, folder: Path, first: str, last: str | None = None, **options: Any
) -> NytArchive:
    return NytArchive(
        network.nyt(folder),
        clock=network.clock,
        first=Month.parse(first),
        last=Month.parse(last) if last else None,
        **options,
    )


def test_the_archive_goes_month_by_month_and_says_how_far_it_is(tmp_path: Path) -> None:
    network = serving(lambda _: nyt_answer([nyt_document(1)]))
    pages = list(archive(network, tmp_path, "1860-11", "1861-01").poll(None))
    assert [request.url.path for request in network.requests] == [
        "/svc/archive/v1/1860/11.json",
        "/svc/archive/v1/1860/12.json",
        "/svc/archive/v1/1861/1.json",
    ]
    assert [page.cursor["next"] for page in pages] == ["1860-12", "1861-01", "1861-02"]
    assert [page.progress for page in pages] == [pytest.approx(1 / 3), pytest.approx(2 / 3), 1.0]


def test_the_archive_goes_on_where_it_was_left(tmp_path: Path) -> None:
    network = serving(lambda _: nyt_answer([]))
    source = archive(network, tmp_path, "1860-01", "1860-04")
    assert [str(month) for month in source.remaining({"next": "1860-03"})] == ["1860-03", "1860-04"]
    list(source.poll({"next": "1860-04"}))
    assert len(network.requests) == 1
    assert list(source.poll({"next": "1860-05"}))[-1].progress == 1.0
    assert len(network.requests) == 1


def test_a_month_is_delivered_in_pages_and_done_with_the_last(tmp_path: Path) -> None:
    network = serving(lambda _: nyt_answer([nyt_document(number) for number in range(1, 8)]))
    pages = list(archive(network, tmp_path, "1860-11", "1860-11", page_size=3).poll(None))
    assert [len(page.articles) for page in pages] == [3, 3, 1]
    assert [page.cursor["next"] for page in pages] == ["1860-11", "1860-11", "1860-12"]


def test_an_empty_month_moves_the_cursor(tmp_path: Path) -> None:
    for payload in (nyt_answer([]), nyt_answer(None)):
        pages = list(archive(serving(lambda _, p=payload: p), tmp_path, "1978-09", "1978-09").poll(None))
        assert [(page.articles, page.cursor["next"]) for page in pages] == [((), "1978-10")]


def test_the_present_month_is_asked_again_and_the_future_is_not(tmp_path: Path) -> None:
    network = serving(lambda _: nyt_answer([]))
    assert NOW.strftime("%Y-%m") == "2024-05"
    pages = list(archive(network, tmp_path, "2024-04", "2030-01").poll(None))
    assert [page.cursor["next"] for page in pages] == ["2024-05", "2024-05"]


def test_a_month_that_breaks_off_keeps_its_place(tmp_path: Path) -> None:
    body = as_bytes(nyt_answer([nyt_document(number) for number in range(1, 8)]))
    source = archive(Network(always(body[:-200])), tmp_path, "1860-11", "1860-11", page_size=2)
    pages: list[Page] = []
    with pytest.raises(SourceUnavailable):
        pages.extend(source.poll(None))
    assert pages
    assert {page.cursor["next"] for page in pages} == {"1860-11"}


def test_what_the_archive_leaves_out_is_counted_by_reason(tmp_path: Path) -> None:
    documents = [nyt_document(1), {"headline": {"main": "Topic"}}, {}, None]
    page = next(iter(archive(serving(lambda _: nyt_answer(documents)), tmp_path, "1860-11").poll(None)))
    assert page.reasons == {Reason.NO_DATE: 1, Reason.NO_TEXT: 1, Reason.NOT_AN_OBJECT: 1}


class Index:
    """Article Search over numbered stories, one an hour from 1 November 2020."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __call__(self, request: httpx2.Request) -> dict[str, Any]:
        begin = datetime.strptime(request.url.params["begin_date"], "%Y%m%d").replace(tzinfo=UTC)
        page = int(request.url.params["page"])
        stories = [self.story(n) for n in range(self.count) if self.moment(n) >= begin]
        return nyt_answer(stories[page * 10 : page * 10 + 10])

    @staticmethod
    def moment(number: int) -> datetime:
        return datetime(2020, 11, 1 + number // 24, number % 24, tzinfo=UTC)

    def story(self, number: int) -> dict[str, Any]:
        return nyt_document(number + 1, pub_date=self.moment(number).isoformat())


def test_a_search_follows_its_query_from_poll_to_poll(tmp_path: Path) -> None:
    index = Index(34)
    network = serving(index)
    source = NytSearch(network.nyt(tmp_path), query="ballots", since=date(2020, 11, 1))
    pages = list(source.poll(None))
    assert len(headlines(pages)) == 34
    assert network.requests[0].url.params["q"] == "ballots"
    assert network.requests[0].url.params["sort"] == "oldest"
    index.count = 60
    new = headlines(list(source.poll(pages[-1].cursor)))
    assert new == [f"Count Number {number} in Mill Creek" for number in range(35, 61)]


def test_a_search_goes_on_after_any_of_its_pages(tmp_path: Path) -> None:
    source = NytSearch(serving(Index(45)).nyt(tmp_path), query="ballots", since=date(2020, 11, 1))
    pages = list(source.poll(None))
    for number, page in enumerate(pages, start=1):
        rest = [*headlines(pages[:number]), *headlines(list(source.poll(page.cursor)))]
        assert sorted(rest) == sorted(headlines(pages))


def test_a_search_spends_no_more_requests_than_it_may(tmp_path: Path) -> None:
    network = serving(Index(500))
    source = NytSearch(network.nyt(tmp_path), query="ballots", since=date(2020, 11, 1), max_requests=3)
    first = list(source.poll(None))
    assert len(network.requests) == 3
    second = headlines(list(source.poll(first[-1].cursor)))
    assert second
    assert not set(second) & set(headlines(first))


def test_a_day_with_too_many_stories_is_said_and_passed(tmp_path: Path) -> None:
    def endless(request: httpx2.Request) -> dict[str, Any]:
        page = int(request.url.params["page"])
        return nyt_answer([nyt_document(page * 10 + i, pub_date="2020-11-05T12:00:00Z") for i in range(10)])

    source = NytSearch(serving(endless).nyt(tmp_path), query="x", since=date(2020, 11, 5), max_requests=100)
    last = list(source.poll(None))[-1]
    assert "more than 1,000 stories" in last.warnings[0]
    assert last.cursor["day"] == "2020-11-06"


def test_a_search_for_everything_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        NytSearch(serving(Index(1)).nyt(tmp_path), since=date(2020, 11, 1))


def test_all_sources_share_one_allowance(tmp_path: Path) -> None:
    network = serving(lambda request: {"results": [], "docs": []})
    api = network.nyt(tmp_path)
    sources = [
        NytWire(api),
        NytSearch(api, query="x", since=date(2020, 11, 1)),
        archive(network, tmp_path, "1860-11", "1860-11"),
    ]
    for _ in range(2):
        for source in sources:
            list(source.poll(None))
    assert len(network.requests) == 6
    assert max(network.waits) > 50  # the sixth waited for its minute


def test_when_the_nyt_says_no_the_other_sources_keep_still_too(tmp_path: Path) -> None:
    network = Network(always(b"", 429))
    with pytest.raises(RateLimited):
        list(NytWire(network.nyt(tmp_path)).poll(None))
    network.handler = always(as_bytes({"results": []}))
    list(NytWire(network.nyt(tmp_path)).poll(None))
    assert network.waits[-1] == pytest.approx(60, abs=0.1)


def test_a_quota_that_is_used_up_closes_nothing_further(tmp_path: Path) -> None:
    network = serving(lambda _: {"results": []})
    api = network.nyt(tmp_path)
    api._quota._longest_wait = 0
    for _ in range(5):
        list(NytWire(api).poll(None))
    with pytest.raises(RateLimited):
        list(NytWire(api).poll(None))
    assert api._quota.state().closed_until is None
