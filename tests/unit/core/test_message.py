import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.article import Article
from kiosque.core.errors import InvalidInput
from kiosque.core.message import article_to_dict, decode_article, encode_article

texts = st.text(max_size=50)
articles = st.builds(
    Article,
    key=st.text(min_size=1, max_size=50),
    source=texts,
    headline=st.text(min_size=1, max_size=50),
    abstract=texts,
    published_at=st.datetimes(timezones=st.just(UTC)),
    url=st.none() | texts,
    section=st.none() | texts,
    byline=st.lists(texts, max_size=3).map(tuple),
    keywords=st.lists(texts, max_size=3).map(tuple),
    language=st.none() | texts,
    kind=texts,
    extra=st.dictionaries(texts, texts, max_size=3).map(lambda d: tuple(d.items())),
)


@given(articles)
def test_an_article_survives_the_bus(article):
    decoded = decode_article(encode_article(article))
    assert decoded == article
    assert decoded.extra == article.extra


@given(st.binary(max_size=300))
def test_bytes_that_are_not_ours_are_refused_with_a_reason(data):
    with pytest.raises(InvalidInput):
        decode_article(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
KNOWN = article_to_dict(
    Article(key="k", source="s", headline="h", published_at=datetime(1860, 1, 1, tzinfo=UTC))
)


@given(st.sampled_from(sorted(KNOWN)), json_values)
def test_a_field_of_any_other_shape_is_refused_or_read(name, value):
    data = json.dumps(KNOWN | {name: value}).encode()
    with suppress(InvalidInput):
        assert decode_article(data).headline


def test_a_message_of_another_version_says_which():
    with pytest.raises(InvalidInput, match=r"kiosque\.article/2"):
        decode_article(json.dumps(KNOWN | {"schema": "kiosque.article/2"}).encode())


def test_deeply_nested_json_is_refused():
    with pytest.raises(InvalidInput):
        decode_article(b"[" * 200_000)
