"""A coverage-guided fuzzer for what reads the outside world: feeds, API answers, files, messages, watch lists.

    python tests/security/fuzz_adapters.py TARGET [libFuzzer options, e.g. -runs=100000 -seed=1] [CORPUS FOLDER]

An input that raises anything but an error of Kiosque, or that yields an article which cannot be kept, is written to
`crash-…` and ends the run with status 77. `make fuzz` runs all targets.
"""

from __future__ import annotations

import contextlib
import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["kiosque", "feedparser"]):
    from kiosque.core.article import Article
    from kiosque.core.book import Book
    from kiosque.core.errors import KiosqueError
    from kiosque.core.message import decode_article, encode_article
    from kiosque.entities.watchlists import format_watchlist, parse_watchlist
    from kiosque.sources.feed_document import parse_feed
    from kiosque.sources.files import ArticleFile
    from kiosque.sources.json_stream import parse_json
    from kiosque.sources.nyt_books import collect, read_books
    from kiosque.sources.nyt_documents import hits, parse_all, read_documents
    from kiosque.sources.nyt_wire import parse_item, read_items
    from kiosque.testing.paths import CHECKOUT, datasets
    from kiosque.testing.payloads import (
        as_bytes,
        books_overview,
        nyt_answer,
        nyt_document,
        rss,
        rss_item,
        wire_item,
    )

NOW = datetime(2024, 7, 22, 12, tzinfo=UTC)
SCRATCH = Path(tempfile.mkdtemp(prefix="kiosque-fuzz-"))
LONGEST = {"feed": 6_000, "file": 16_000}
"""Bytes of an input, by target: feedparser's time grows with the length, and what breaks it is short."""
WATCHLIST_KINDS = (".toml", ".csv", ".json")
WATCHLIST = """
id = "clerks"
name = "Clerks"
[[entities]]
id = "jane-doe"
name = "Jane Doe"
kind = "person"
aliases = ["Jane Doe", { text = "Doe", valid_from = 1950, valid_to = 2050 }]
"""
FRAGMENTS = (
    b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;", b"&#0;", b"&#xD800;",
    b"&#x110000;",
    b"<item>", b"</item>", b"<title>", b"<guid isPermaLink='true'>", b"<pubDate>", b"xml:base='file:///etc/passwd'",
    b"\x00", b"\xff\xfe", b"\xed\xa0\x80", "\u202e\u2066".encode(), b"javascript:alert(1)", b"99999-99-99T99:99:99Z",
    b"<link href='http://[::1'/>", b"encoding='utf-7'", b"xml:lang='\xc3\xa9'",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, float("nan"), float("inf"), 10**30, "", "null", "NaN", "\x00", "\ud800", "\u202eabc",
    "a" * 5_000, "<b>&amp;amp;amp;", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2024-02-30", "-5",
    "http://[::1", "http://x:99999/", "javascript:x", [], {}, [[[[]]]], {"main": None}, [None, 1, "x"], {"": ""},
)  # fmt: skip


def read_feed(data: bytes) -> None:
    check(parse_feed(data, source="fuzz", fetched_at=NOW, url="https://feed.example/rss").articles)


def read_archive(data: bytes) -> None:
    payload = parse_json(data)
    hits(payload)
    check(parse_all(read_documents(payload), "fuzz"))


def read_wire(data: bytes) -> None:
    items = read_items(parse_json(data))
    check(parse_item(item, source="fuzz", where="story") for item in items)


def read_lists(data: bytes) -> None:
    books, placements, _ = collect(read_books(parse_json(data)))
    assert {placement.book_key for placement in placements} <= {book.key for book in books}
    for book in books:
        check_book(book)


def read_file(data: bytes) -> None:
    """The first byte chooses how the file is named, and with it how it is read."""
    name = ("a.csv", "a.jsonl", "a.json", "a.csv.gz", "a.txt", "a.json.zst")[data[0] % 6] if data else "a.csv"
    path = SCRATCH / name
    path.write_bytes(data[1:])
    for page in ArticleFile(path).poll(None):
        check(page.articles)
        json.dumps(page.cursor)


def read_message(data: bytes) -> None:
    article = decode_article(data)
    assert decode_article(encode_article(article)) == article


def read_watchlist(data: bytes) -> None:
    """The first byte chooses the format."""
    kind = WATCHLIST_KINDS[data[0] % 3] if data else ".toml"
    watchlist = parse_watchlist(data[1:].decode("utf-8", "replace"), kind=kind, origin="fuzz")
    assert parse_watchlist(format_watchlist(watchlist, kind=kind), kind=kind, origin="fuzz") == watchlist


def check(results: Iterable[object]) -> None:
    """Each article survives the way over the bus and into a database."""
    for article in results:
        if not isinstance(article, Article):
            continue
        assert decode_article(encode_article(article)) == article
        for text in (article.key, article.headline, article.abstract, *article.byline, *article.keywords):
            text.encode()  # no lone surrogate
            assert "\x00" not in text
        assert len(article.key) <= 500
        assert not article.url or article.url.startswith(("http://", "https://"))
        assert 1 <= article.published_at.astimezone(UTC).year <= 9999


def check_book(book: Book) -> None:
    json.dumps([book.key, book.title, book.author, book.description, *book.subjects]).encode()
    for text in (book.key, book.title, book.author, book.description):
        text.encode()
        assert "\x00" not in text


def mutate_bytes(data: bytes, size: int, seed: int) -> bytes:
    """Half of the time the fuzzer's own mutation, else a fragment that means something where a tag ends."""
    rng = random.Random(seed)
    if rng.random() < 0.5 or not data:
        return atheris.Mutate(data, size)
    at = data.find(rng.choice((b"<", b">")), rng.randrange(len(data)))
    cut = at if at >= 0 else rng.randrange(len(data))
    return (data[:cut] + rng.choice(FRAGMENTS) + data[cut + rng.randrange(8) :])[:size]


def mutate_json(data: bytes, size: int, seed: int) -> bytes:
    """Mostly another JSON document: a value replaced, dropped, doubled, wrapped, or put under another name."""
    rng = random.Random(seed)
    if rng.random() < 0.1:
        return atheris.Mutate(data, size)
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return atheris.Mutate(data, size)
    for _ in range(rng.randint(1, 3)):
        document = change(document, rng)
    result = json.dumps(document).encode()
    return result if len(result) <= size else data


def change(document: Any, rng: random.Random) -> Any:
    """`document` with one change somewhere inside."""
    if isinstance(document, dict) and document and rng.random() < 0.85:
        name = rng.choice(list(document))
        deed = rng.random()
        if deed < 0.08:
            return {key: value for key, value in document.items() if key != name}
        if deed < 0.12:
            return {(rng.choice(list(document)) if key == name else key): v for key, v in document.items()}
        return document | {name: change(document[name], rng)}
    if isinstance(document, list) and document and rng.random() < 0.85:
        at = rng.randrange(len(document))
        inserted = [change(document[at], rng)] * rng.choice((0, 1, 1, 1, 1, 2))
        return document[:at] + inserted + document[at + 1 :]
    if isinstance(document, str) and document and rng.random() < 0.4:
        cut = rng.randrange(len(document))
        return document[:cut] + str(rng.choice(VALUES)) + document[cut + rng.randrange(4) :]
    return rng.choice(([document], {"main": document}, *VALUES))


def real(folder: str, pattern: str) -> list[bytes]:
    """Third-party examples, where they are at hand: they stay on this machine."""
    root = datasets()
    files = sorted((root / folder).rglob(pattern)) if root else []
    return [data for file in files if file.is_file() and len(data := file.read_bytes()) <= 65_536]


def file_seeds() -> list[bytes]:
    csv = b'date,headline,url\n2020-11-05,"Count, again",https://a.example/1\n'
    lines = as_bytes({"headline": "Count", "published_at": "2020-11-05"}) + b"\n"
    return [b"\x00" + csv, b"\x01" + lines, b"\x02" + as_bytes(nyt_answer([nyt_document()])), b"\x04" + csv]


def message_seeds() -> list[bytes]:
    return [encode_article(a) for a in parse_all([nyt_document()], "demo") if isinstance(a, Article)]


def watchlist_seeds() -> list[bytes]:
    """The start of each shipped list as TOML, and a small list in all formats."""
    folder = CHECKOUT / "data" / "watchlists"
    shipped = [b"\x00" + file.read_bytes()[:2_000] for file in sorted(folder.glob("*.toml"))]
    lists = [parse_watchlist(WATCHLIST, kind=".toml", origin="fuzz")]
    texts = [(kind, format_watchlist(each, kind=kind)) for each in lists for kind in WATCHLIST_KINDS]
    return [*shipped, *(bytes([WATCHLIST_KINDS.index(kind)]) + text.encode() for kind, text in texts)]


def mutate_watchlist(data: bytes, size: int, seed: int) -> bytes:
    mutate = mutate_json if data[:1] == b"\x02" else mutate_bytes
    return data[:1] + mutate(data[1:], size - 1, seed)


Mutator = Callable[[bytes, int, int], bytes]
TARGETS: dict[str, tuple[Callable[[bytes], None], Mutator, Callable[[], list[bytes]]]] = {
    "feed": (read_feed, mutate_bytes, lambda: [rss(rss_item(1), rss_item(2)), *real("feeds", "*")]),
    "archive": (
        read_archive,
        mutate_json,
        lambda: [as_bytes(nyt_answer([nyt_document(), nyt_document(2)])), *real("nyt_payloads", "arch*.json")],
    ),
    "wire": (
        read_wire,
        mutate_json,
        lambda: [as_bytes({"results": [wire_item()]}), *real("nyt_payloads", "timeswire*.json")],
    ),
    "books": (read_lists, mutate_json, lambda: [as_bytes(books_overview()), *real("nyt_payloads", "books*.json")]),
    "file": (read_file, mutate_bytes, file_seeds),
    "message": (read_message, mutate_json, message_seeds),
    "watchlist": (
        read_watchlist,
        mutate_watchlist,
        watchlist_seeds,
    ),
}  # fmt: skip


def main() -> None:
    name, *options = sys.argv[1:] or ["?"]
    if name not in TARGETS:
        sys.exit(f"usage: fuzz_adapters.py {{{','.join(TARGETS)}}} [libFuzzer options] [corpus folder]")
    read, mutate, seeds = TARGETS[name]
    corpus = SCRATCH / "seeds"
    corpus.mkdir()
    for number, seed in enumerate(seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)

    def run(data: bytes) -> None:
        with contextlib.suppress(KiosqueError):  # a refusal with a reason is the right answer to rubbish
            read(data)

    atheris.Setup(
        [sys.argv[0], f"-max_len={LONGEST.get(name, 65_536)}", "-timeout=20", *options, str(corpus)],
        run,
        custom_mutator=mutate,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
