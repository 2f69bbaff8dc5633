from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosque.core.errors import InvalidInput, SourceUnavailable
from kiosque.sources.feed_document import FeedDocument, parse_feed
from kiosque.sources.feeds import FeedSource, feed_id
from kiosque.sources.protocol import Reason
from kiosque.testing.payloads import rss, rss_item
from kiosque.testing.sources import NOW, Network, always, assert_whole

URL = "https://courier.example/rss"


def parse(data: bytes, **options: str) -> FeedDocument:
    return parse_feed(data, source="feed-x", fetched_at=NOW, url=URL, **options)


def entry(**changes: str):  # type: ignore[no-untyped-def]
    (article,) = parse(rss(rss_item(1, **changes))).articles
    assert_whole(article)
    return article


def test_an_rss_item_is_read_whole() -> None:
    data = rss(
        "<item><title>Count &amp;amp; Recount in &lt;em&gt;Mill Creek&lt;/em&gt;</title>"
        "<link>https://courier.example/a?utm_source=rss#top</link><guid>7</guid>"
        "<description><![CDATA[<p>Ballots&nbsp;were <b>counted</b>.</p><script>alert(1)</script>]]></description>"
        "<category>Politics</category><category>Politics</category><author>By Jane Doe and Richard Roe</author>"
        "<pubDate>Thu, 05 Nov 2020 09:00:24 +0100</pubDate></item>"
    )
    (article,) = parse(data).articles
    assert_whole(article)
    assert article.key == "https://courier.example/a"
    assert article.headline == "Count & Recount in Mill Creek"
    assert article.abstract == "Ballots were counted."
    assert article.published_at == datetime(2020, 11, 5, 8, 0, 24, tzinfo=UTC)
    assert (article.byline, article.keywords, article.language) == (
        ("Jane Doe", "Richard Roe"),
        ("Politics",),
        "en",
    )


@pytest.mark.parametrize("version", ["0.91", "0.92", "2.0"])
def test_every_rss(version: str) -> None:
    assert (
        len(parse(rss(rss_item(1)).replace(b'version="2.0"', f'version="{version}"'.encode())).articles) == 1
    )


def test_rss_1() -> None:
    data = b"""<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
      xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns="http://purl.org/rss/1.0/">
      <channel rdf:about="https://courier.example/"><title>Courier</title></channel>
      <item rdf:about="https://courier.example/1"><title>Count</title><link>https://courier.example/1</link>
      <dc:creator>Doe, Jane</dc:creator><dc:date>2020-11-05</dc:date></item></rdf:RDF>"""
    (article,) = parse(data).articles
    assert (article.headline, article.byline, article.published_at.year) == ("Count", ("Doe, Jane",), 2020)


def test_atom_with_relative_links_and_content() -> None:
    data = b"""<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de-CH">
      <title>Kurier</title><entry><title type="html">Z&amp;auml;hlung</title><link href="/zaehlung"/>
      <id>tag:courier.example,2020:7</id><updated>2020-11-05T09:00:24+01:00</updated>
      <content type="html">&lt;p&gt;Es wurde gez&amp;auml;hlt.&lt;/p&gt;</content></entry></feed>"""
    (article,) = parse(data).articles
    assert article.key == "tag:courier.example,2020:7"
    assert article.url == "https://courier.example/zaehlung"
    assert (article.headline, article.abstract, article.language) == ("Zählung", "Es wurde gezählt.", "de")


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({}, "https://courier.example/2020/count-1"),
        ({"guid": "tag:courier.example,2020:1"}, "tag:courier.example,2020:1"),
        ({"guid": "nyt://article/1"}, "https://courier.example/2020/count-1"),  # not believed
        ({"guid": "https://courier.example/?p=1"}, "https://courier.example/2020/count-1"),
        ({"link": "", "guid": "urn:x:1"}, "urn:x:1"),
        ({"link": "", "guid": "nyt://article/1"}, "feed-x:nyt://article/1"),
    ],
)
def test_keys(changes: dict[str, str], key: str) -> None:
    assert entry(**changes).key == key


def test_an_entry_with_words_only_is_told_by_them() -> None:
    first, again = entry(link="", guid=""), entry(link="", guid="")
    assert first.key == again.key
    assert first.key != entry(link="", guid="", title="Recount").key


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Thu, 05 Nov 2020 09:00:24 EDT", datetime(2020, 11, 5, 13, 0, 24, tzinfo=UTC)),
        ("Qui, 05 Nov 2020 09:00:24 -0300", datetime(2020, 11, 5, 12, 0, 24, tzinfo=UTC)),
        ("2020-11-05 09:00:24", datetime(2020, 11, 5, 9, 0, 24, tzinfo=UTC)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", NOW),
        ("Thu, 05 Nov 2099 09:00:24 GMT", NOW),
        ("yesterday", NOW),
        (None, NOW),
    ],
)
def test_dates_and_where_there_is_none_the_time_of_fetching(date: str | None, expected: datetime) -> None:
    (article,) = parse(rss(rss_item(1, date=date))).articles
    assert article.published_at == expected


def test_an_entry_without_words_is_left_out_with_its_reason() -> None:
    feed = parse(rss(rss_item(1, title="", description=""), rss_item(2)))
    assert [skipped.reason for skipped in feed.skipped] == [Reason.NO_TEXT]
    assert len(feed.articles) == 1


def test_entries_that_repeat_are_counted_once() -> None:
    feed = parse(rss(rss_item(1), rss_item(1), rss_item(2)))
    assert (len(feed.articles), feed.repeats) == (2, 1)


def test_a_feed_without_entries_says_so() -> None:
    assert parse(rss()).warnings == ("The feed has no entries.",)


def test_a_feed_that_is_cut_off_is_read_as_far_as_it_goes() -> None:
    feed = parse(rss(rss_item(1), rss_item(2))[:-40])
    assert feed.articles
    assert "not well-formed" in feed.warnings[0]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"<html><head><title>Moved</title></head></html>", "web page"),
        (b"/etc/passwd", "not a feed"),
        (b"plain words", "not a feed"),
        (b'{"version": "https://jsonfeed.org/version/1"}', "not a feed"),
    ],
)
def test_what_is_no_feed_is_source_unavailable(data: bytes, says: str) -> None:
    with pytest.raises(SourceUnavailable, match=says):
        parse(data)


def test_a_web_page_that_names_its_feed_is_a_hint() -> None:
    page = b'<html><head><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head></html>'
    with pytest.raises(SourceUnavailable) as caught:
        parse(page)
    assert "/feed.xml" in (caught.value.hint or "")


def test_the_body_is_never_taken_for_the_name_of_a_local_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_bytes(rss(rss_item(1)))
    with pytest.raises(SourceUnavailable):
        parse(str(secret).encode())


def test_entities_that_multiply_do_not() -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9)
    )
    data = (bomb + "]><rss><channel><item><title>&j;</title></item></channel></rss>").encode()
    try:
        feed = parse(data)
    except SourceUnavailable:
        return
    assert all(len(article.headline) < 2_000 for article in feed.articles)


def test_nesting_without_end_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(SourceUnavailable, match="nested too deeply"):
        parse(b"<rss><channel>" + b"<a>" * 300_000)


def test_tags_in_cdata_and_comments_are_no_nesting() -> None:
    many = "<br>" * 10_000
    feed = parse(rss(rss_item(1, description=f"<![CDATA[Counted{many}]]>"), f"<!-- {many} -->", rss_item(2)))
    assert feed.articles[0].abstract == "Counted"
    assert len(feed.articles) == 2


def test_a_feed_that_is_too_large_is_refused() -> None:
    network = Network(always(b"x" * 10_485_761))
    with pytest.raises(SourceUnavailable, match="more than 10,485,760 bytes"):
        list(source(network).poll(None))


@pytest.mark.parametrize("encoding", ["koi8-r", "windows-1251", "utf-16", "utf-8"])
def test_encodings_said_or_not(encoding: str) -> None:
    title = "Президент выступил с речью"
    data = f"<rss><channel><item><title>{title}</title></item></channel></rss>".encode(encoding)
    assert parse(data).articles[0].headline == title


def test_the_encoding_of_the_answer_counts() -> None:
    data = "<rss><channel><item><title>Élu</title></item></channel></rss>".encode("iso-8859-1")
    assert parse(data, content_type="text/html; charset=iso-8859-1").articles[0].headline == "Élu"


@pytest.mark.parametrize(
    ("extra", "wait"),
    [
        ("<ttl>15</ttl>", 900),
        ("<ttl>0</ttl>", None),
        ("<ttl>99999999999</ttl>", 86_400),
        ("<ttl>soon</ttl>", None),
        (
            '<sy:updatePeriod xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">hourly</sy:updatePeriod>',
            3_600,
        ),
    ],
)
def test_the_pause_that_a_feed_asks_for(extra: str, wait: float | None) -> None:
    assert parse(rss(rss_item(1), extra=extra)).wait == wait


def source(network: Network) -> FeedSource:
    return FeedSource(URL, network.client(), clock=network.clock)


def test_what_the_server_gave_is_sent_back() -> None:
    network = Network(always(rss(rss_item(1)), etag='"v1"', last_modified="Thu, 05 Nov 2020 09:00:24 GMT"))
    feed = source(network)
    (page,) = feed.poll(None)
    network.handler = always(b"", 304)
    (unchanged,) = feed.poll(page.cursor)
    assert network.requests[1].headers["if-none-match"] == '"v1"'
    assert network.requests[1].headers["if-modified-since"] == "Thu, 05 Nov 2020 09:00:24 GMT"
    assert (unchanged.articles, unchanged.cursor) == ((), page.cursor)


def test_only_new_and_changed_entries_are_delivered() -> None:
    network = Network(always(rss(rss_item(1), rss_item(2))))
    feed = source(network)
    (page,) = feed.poll(None)
    network.handler = always(rss(rss_item(3), rss_item(1), rss_item(2, title="Recount")))
    (page,) = feed.poll(page.cursor)
    assert [article.headline for article in page.articles] == ["Count Number 3 in Mill Creek", "Recount"]


def test_an_entry_without_date_does_not_come_again() -> None:
    network = Network(always(rss(rss_item(1, date=None))))
    feed = source(network)
    (page,) = feed.poll(None)
    network.wait(86_400)
    (again,) = feed.poll(page.cursor)
    assert again.articles == ()


def test_an_entry_that_left_the_feed_and_returns_is_remembered() -> None:
    network = Network(always(rss(rss_item(1))))
    feed = source(network)
    (page,) = feed.poll(None)
    network.handler = always(rss(rss_item(2)))
    (page,) = feed.poll(page.cursor)
    network.handler = always(rss(rss_item(1)))
    (page,) = feed.poll(page.cursor)
    assert page.articles == ()


def test_a_feed_that_has_moved_for_good_is_asked_at_its_new_address() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "courier.example":
            return httpx2.Response(301, headers={"location": "https://new.example/feed"})
        return httpx2.Response(200, content=rss(rss_item(1)))

    network = Network(handler)
    feed = source(network)
    (page,) = feed.poll(None)
    assert "moved to https://new.example/feed" in page.warnings[-1]
    network.requests.clear()
    list(feed.poll(page.cursor))
    assert [request.url.host for request in network.requests] == ["new.example"]


def test_the_longer_of_two_pauses_counts_and_caches_are_not_believed_for_days() -> None:
    body = rss(rss_item(1), extra="<ttl>5</ttl>")
    for max_age, wait in ((60, 300), (900, 900), (31_536_000, 3_600)):
        (page,) = source(Network(always(body, cache_control=f"max-age={max_age}"))).poll(None)
        assert page.wait == wait


def test_spellings_of_one_address_are_one_feed() -> None:
    assert feed_id("http://WWW.Courier.example/rss/") == feed_id("https://www.courier.example:443/rss#x")
    assert feed_id(URL).startswith("feed-courier-example-")


@pytest.mark.parametrize("url", ["", "courier.example/rss", "ftp://courier.example", "file:///etc/passwd"])
def test_what_is_no_address_is_refused(url: str) -> None:
    network = Network(always(b""))
    with pytest.raises(InvalidInput):
        FeedSource(url, network.client(), clock=network.clock)


@settings(max_examples=150)
@given(st.data())
def test_any_damage_to_a_feed_gives_articles_or_an_error_of_ours(data: st.DataObject) -> None:
    whole = rss(rss_item(1), rss_item(2))
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 30)))
    damaged = whole[:start] + data.draw(st.binary(max_size=12)) + whole[end:]
    try:
        feed = parse(damaged)
    except SourceUnavailable:
        return
    for article in feed.articles:
        assert_whole(article)
