from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.sources.encodings import guess_encoding, undeclared_encoding

TEXTS = {
    "gb18030": "今天的新闻报道：总统在华盛顿发表讲话。据新华社报道，会议将于明天在北京举行，各国代表已经到达。",
    "big5": "總統今天在台北發表談話。根據報導，會議將於明天舉行，各國代表已經到達。",
    "cp932": "大統領選挙の結果が発表された。首相は明日、東京で会見を開く予定です。",
    "euc_jp": "大統領選挙の結果が発表された。首相は明日、東京で会見を開く予定です。",
    "euc_kr": "대통령 선거 결과가 발표되었다. 총리는 내일 서울에서 기자회견을 열 예정이다.",
    "koi8-r": "Президент выступил с речью. Завтра в Москве состоится встреча министров.",
    "windows-1251": "Президент выступил с речью. Завтра в Москве состоится встреча министров.",
    "windows-1252": "Eleições: últimas notícias. Não há informações sobre a reunião de amanhã.",
}


@pytest.mark.parametrize(("encoding", "text"), TEXTS.items())
def test_the_encoding_is_guessed_from_the_text(encoding: str, text: str) -> None:
    data = f"<rss><title>Kiosque</title><p>{text}</p></rss>".encode(encoding)
    assert guess_encoding(data) == encoding


def test_a_sample_that_ends_inside_a_character_is_no_hindrance() -> None:
    data = ("選挙の結果" * 20_000).encode("cp932")
    assert guess_encoding(b"x" + data) == "cp932"


@pytest.mark.parametrize("text", ["plain", "Élu à Paris", "日本", ""])
def test_utf8_needs_no_guess(text: str) -> None:
    assert guess_encoding(text.encode()) is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'<?xml version="1.0" encoding="big5"?><t>\xa4\xa4</t>', None),
        (b"\xef\xbb\xbf<rss/>", None),
        ("<?xml version='1.0' encoding='utf-16'?><rss/>".encode("utf-16"), None),
        ("<rss/>".encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + "<rss/>".encode("utf-16-be"), "utf-16"),
        (b'<?xml version="1.0"?><t>un t\xe9l</t>', "windows-1252"),
        (b"<rss>encoding='x'</rss>", None),
    ],
)
def test_only_where_the_parser_would_not_know_an_encoding_is_named(data: bytes, expected: str | None) -> None:
    assert undeclared_encoding(data) == expected


@given(st.binary(max_size=300))
def test_any_bytes_can_be_decoded_as_guessed(data: bytes) -> None:
    guessed = guess_encoding(data)
    data.decode(guessed or "utf-8", "replace")
