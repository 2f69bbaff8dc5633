from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.secrets import is_secret_name, mask_address, mask_values


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://a.example/rss", "https://a.example/rss"),
        ("https://a.example/rss?page=2&q=a%20b", "https://a.example/rss?page=2&q=a%20b"),
        ("https://ann:pw@a.example:8443/rss", "https://ann:***@a.example:8443/rss"),
        ("https://ann@a.example/rss", "https://ann@a.example/rss"),
        ("https://a.example/rss?page=2&key=k1", "https://a.example/rss?page=2&key=***"),
        ("https://a.example/?access_token=t&api-key=k", "https://a.example/?access_token=***&api-key=***"),
        ("https://a.example/?X-Amz-Signature=s&monkey=1", "https://a.example/?X-Amz-Signature=***&monkey=1"),
        ("http://[::1", "***"),
        ("/srv/news.csv", "/srv/news.csv"),
    ],
)
def test_addresses_keep_what_is_no_secret(address: str, shown: str) -> None:
    assert mask_address(address) == shown


def test_a_configuration_is_shown_without_its_secrets() -> None:
    config = {"url": "https://ann:pw@a.example/", "section": "all", "key": "k", "api_key": "k", "limit": 3}
    assert mask_values(config) == {"url": "https://ann:***@a.example/", "section": "all", "limit": 3}


@given(st.text(alphabet=st.characters(codec="ascii", categories=["L", "N"]), min_size=8))
def test_no_password_and_no_token_comes_through(secret: str) -> None:
    masked = mask_address(f"https://user:{secret}@feed.example/rss?token={secret}")
    assert masked == "https://user:***@feed.example/rss?token=***"


def test_an_article_key_is_no_secret() -> None:
    assert is_secret_name("predict_token")
    assert not is_secret_name("key")
