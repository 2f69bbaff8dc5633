from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.article import Article, article_id, article_key, canonical_url
from kiosque.core.errors import InvalidInput


def test_the_uri_of_the_source_wins_over_the_url():
    assert article_key(uri=" nyt://article/1 ", url="https://example.org/a") == "nyt://article/1"


def test_without_uri_the_key_is_the_canonical_url():
    assert article_key(uri="", url="http://Example.org:80/a/?utm_source=x#top") == "https://example.org/a"


def test_without_both_the_key_comes_from_day_and_headline():
    first = article_key(uri=None, url=None, headline="Vote Is Near", published_on="1860-11-01")
    second = article_key(uri=None, url=None, headline="Vote Is Near", published_on="1860-11-02")
    assert first.startswith("sha256:")
    assert first != second


def test_nothing_to_tell_an_article_by_is_refused():
    with pytest.raises(InvalidInput, match="URI, a URL or a headline"):
        article_key(uri=None, url="  ")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.org", "https://example.org/"),
        ("https://example.org/a?b=1&utm_medium=y&c=", "https://example.org/a?b=1&c="),
        ("HTTPS://EXAMPLE.ORG:443/A", "https://example.org/A"),
        ("https://example.org:8443/a", "https://example.org:8443/a"),
        ("tag:example.org,2020:1", "tag:example.org,2020:1"),
    ],
)
def test_a_url_loses_what_does_not_change_the_story(url, expected):
    assert canonical_url(url) == expected


def test_a_broken_url_is_refused_with_the_url():
    with pytest.raises(InvalidInput, match="Not a URL"):
        canonical_url("https://[::1")


@given(st.text(min_size=1))
def test_making_a_url_canonical_twice_changes_nothing(path):
    once = canonical_url("https://example.org/" + path.replace("[", "").replace("]", ""))
    assert canonical_url(once) == once


@given(st.text(min_size=1))
def test_ids_are_sixteen_hexadecimal_digits(key):
    assert len(article_id(key)) == 16
    assert int(article_id(key), 16) >= 0


def make(**changes):
    fields = {
        "key": "k",
        "source": "test",
        "headline": "H",
        "published_at": datetime(1860, 11, 7, tzinfo=UTC),
    }
    return Article(**(fields | changes))


def test_an_article_needs_a_text():
    with pytest.raises(InvalidInput, match="neither headline nor abstract"):
        make(headline="")


def test_an_article_needs_a_time_zone():
    with pytest.raises(InvalidInput, match="without a time zone"):
        make(published_at=datetime(1860, 11, 7))  # noqa: DTZ001


def test_what_else_a_source_says_does_not_make_another_article():
    assert make(extra=(("print_page", "1"),)) == make()
