from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.article import Article
from kiosque.core.errors import InvalidInput, NotFound
from kiosque.core.message import article_to_dict
from kiosque.sources.columns import Columns, parse_list, parse_literal, parse_mapping
from kiosque.sources.files import VOCABULARY, ArticleFile, parse_record
from kiosque.sources.protocol import Page, Reason, Skipped
from kiosque.sources.records import Record
from kiosque.testing.paths import CHECKOUT
from kiosque.testing.payloads import nyt_answer, nyt_document, wire_item
from kiosque.testing.sources import assert_whole


def poll(folder: Path, name: str, data: str | bytes, **options: Any) -> list[Page]:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return list(ArticleFile(path, **options).poll(None))


def articles(pages: list[Page]) -> list[Article]:
    return [article for page in pages for article in page.articles]


def row(**fields: Any) -> Article | Skipped:
    return parse_record(Record("line 1", fields), Columns(VOCABULARY), "import")


def test_our_own_demo_articles_are_read() -> None:
    for path in sorted((CHECKOUT / "data/demo").glob("articles-*.jsonl")):
        pages = list(ArticleFile(path, source="demo").poll(None))
        lines = path.read_text(encoding="utf-8").count("\n")
        assert len(articles(pages)) == lines
        assert not any(page.skipped or page.repeats or page.warnings for page in pages)
        for article in articles(pages):
            assert_whole(article)
            assert article.key.startswith("kiosque:demo:")
            assert article.source == "demo"
            assert article.keywords


def test_a_headline_list(tmp_path: Path) -> None:
    data = (
        "headline,date,doc_type,material_type,section\n"
        '"Count, and Recount",2016-01-01,article,News,\n'
        ',2016-01-01,article,News,\n"Count, and Recount",2016-01-01,article,News,\n'
        "<em>Very</em> Close,2016-01-02,multimedia,Video,\n"
    )
    (page,) = poll(tmp_path, "headlines.csv", data)
    first, second = page.articles
    assert (first.headline, first.kind, first.section) == ("Count, and Recount", "article", None)
    assert first.published_at == datetime(2016, 1, 1, tzinfo=UTC)
    assert first.extra == (("material", "News"),)
    assert first.key.startswith("sha256:")
    assert second.headline == "Very Close"
    assert page.repeats == 1
    assert page.reasons == {Reason.NO_TEXT: 1}
    assert page.skipped[0].where == "line 3"
    assert page.progress == 1.0


def test_a_list_of_keywords_in_a_cell(tmp_path: Path) -> None:
    data = (
        "headline,date,keywords\n"
        """A,2016-01-01,"['States (US)', ""Coups D'Etat""]"\n"""
        'B,2016-01-01,"Doe, Jane; Ohio"\n'
    )
    first, second = articles(poll(tmp_path, "a.csv", data))
    assert first.keywords == ("States (US)", "Coups D'Etat")
    assert second.keywords == ("Doe, Jane", "Ohio")


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst", "a.jsonl", "a"])
def test_packed_or_not(tmp_path: Path, name: str) -> None:
    data = b'{"headline": "Count", "date": "2016-01-01"}\n'
    packed = {"gz": gzip.compress, "zst": zstandard.ZstdCompressor().compress}.get(
        name.rpartition(".")[2], bytes
    )(data)
    assert [article.headline for article in articles(poll(tmp_path, name, packed))] == ["Count"]


def test_columns_of_another_language_are_mapped(tmp_path: Path) -> None:
    data = "Schlagzeile;Datum;Anriss\nZählung;2016-01-01;Es wurde gezählt.\n"
    mapping = parse_mapping(["Schlagzeile=headline", "Datum=published_at", "Anriss=abstract"])
    (article,) = articles(poll(tmp_path, "a.csv", data, mapping=mapping))
    assert (article.headline, article.abstract) == ("Zählung", "Es wurde gezählt.")


def test_a_mapped_column_goes_before_one_of_a_known_name(tmp_path: Path) -> None:
    data = "headline,kicker,date\nA,B,2016-01-01\n"
    (article,) = articles(poll(tmp_path, "a.csv", data, mapping={"kicker": "headline"}))
    assert article.headline == "B"


@pytest.mark.parametrize(
    ("data", "mapping", "says"),
    [
        ("a,b\n1,2\n", {}, "No column for headline or abstract"),
        ("headline,date\nA,2016\n", {"Titel": "headline"}, "No such column: Titel"),
        ("headline,date\nA,2016\n", {"headline": "titel"}, "No such field: titel"),
    ],
)
def test_columns_that_do_not_fit_are_said_before_anything_is_read(
    tmp_path: Path, data: str, mapping: dict[str, str], says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        poll(tmp_path, "a.csv", data, mapping=mapping)


@pytest.mark.parametrize("pair", ["", "a", "=b", "a=", " = "])
def test_what_is_no_mapping_is_refused(pair: str) -> None:
    with pytest.raises(InvalidInput):
        parse_mapping([pair])


def test_a_column_may_hold_an_equals_sign() -> None:
    assert parse_mapping(["a=b=headline"]) == {"a=b": "headline"}


def test_columns_that_were_not_used_are_said(tmp_path: Path) -> None:
    (page,) = poll(tmp_path, "a.csv", "headline,date,mood\nA,2016-01-01,x\n")
    assert page.warnings == ("Columns that were not used: mood.",)


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"uri": "nyt://article/1", "url": "https://x.example/a"}, "nyt://article/1"),
        ({"id": "x", "url": "http://x.example/a?utm_source=b"}, "https://x.example/a"),
        ({"_id": "4f8", "link": "https://x.example/a"}, "https://x.example/a"),  # unique in its file only
        ({"guid": "tag:x.example,2020:1"}, "tag:x.example,2020:1"),
    ],
)
def test_keys(fields: dict[str, str], key: str) -> None:
    article = row(headline="Count", date="2016-01-01", **fields)
    assert isinstance(article, Article)
    assert article.key == key


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, Reason.NO_TEXT),
        ({"headline": " ", "date": "2016-01-01"}, Reason.NO_TEXT),
        ({"headline": "Count"}, Reason.NO_DATE),
        ({"headline": "Count", "date": "soon"}, Reason.NO_DATE),
        ({"schema": "kiosque.article/1"}, Reason.INVALID),
        ({"headline": {"main": "Count"}}, Reason.NO_DATE),
    ],
)
def test_what_is_no_article_is_left_out_with_its_reason(fields: dict[str, Any], reason: Reason) -> None:
    result = row(**fields)
    assert isinstance(result, Skipped)
    assert (result.reason, result.where) == (reason, "line 1")


def test_an_export_of_kiosque_comes_back_as_it_was(tmp_path: Path) -> None:
    article = row(
        headline="Count", abstract="Again.", date="1876-11-08", url="https://x.example/a", byline=["Jane Doe"]
    )
    assert isinstance(article, Article)
    original = Article(
        **{**{name: getattr(article, name) for name in Article.__slots__}, "source": "nyt-wire"}
    )
    (again,) = articles(poll(tmp_path, "export.jsonl", json.dumps(article_to_dict(original))))
    assert again == original


@pytest.mark.parametrize(
    "payload",
    [
        nyt_answer([nyt_document(1)]),
        nyt_document(1),
        {"results": [wire_item(1)]},
        wire_item(1),
        [nyt_document(1)],
    ],
)
def test_saved_answers_of_the_nyt(tmp_path: Path, payload: object) -> None:
    (article,) = articles(poll(tmp_path, "saved.json", json.dumps(payload)))
    assert article.key == "nyt://article/00000000-0000-5000-8000-000000000001"
    assert article.keywords == ("Doe, Jane", "Voting and Voters")


def test_documents_that_a_csv_has_flattened(tmp_path: Path) -> None:
    document = nyt_document(1)
    fields = ["web_url", "headline", "keywords", "pub_date", "byline", "_id", "abstract", "multimedia"]
    cells = ",".join('"' + str(document[name]).replace('"', '""') + '"' for name in fields)
    (article,) = articles(poll(tmp_path, "flat.csv", ",".join(fields) + "\n" + cells + "\n"))
    assert article.headline == "Count Number 1 in Mill Creek"
    assert article.keywords == ("Doe, Jane", "Voting and Voters")
    assert article.byline == ("Jane Doe", "Richard Q. Roe")


def test_a_file_is_read_page_by_page_and_goes_on_after_any(tmp_path: Path) -> None:
    data = "headline,date\n" + "".join(f"Count {number},2016-01-01\n" for number in range(10))
    pages = poll(tmp_path, "a.csv", data, page_size=4)
    assert [len(page.articles) for page in pages] == [4, 4, 2]
    assert pages[-1].progress == 1.0
    source = ArticleFile(tmp_path / "a.csv", page_size=4)
    for number, page in enumerate(pages):
        rest = articles(list(source.poll(json.loads(json.dumps(page.cursor)))))
        assert rest == articles(pages[number + 1 :])


def test_what_came_before_the_damage_is_delivered(tmp_path: Path) -> None:
    rows = "".join(
        json.dumps({"headline": f"Count {n * 7919 % 10_007}", "date": "2016-01-01"}) + "\n"
        for n in range(20_000)
    )
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(rows.encode())[:-2_000])
    pages: list[Page] = []
    with pytest.raises(InvalidInput, match="damaged or cut off"):
        pages.extend(ArticleFile(path).poll(None))
    assert len(articles(pages)) > 0
    assert all(page.progress is None or page.progress <= 1 for page in pages)


def test_an_empty_file_is_one_page_without_articles(tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.csv"):
        assert [page.articles for page in poll(tmp_path, name, "")] == [()]


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        list(ArticleFile(tmp_path / "nothing.csv").poll(None))


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("['a', 'b']", ["a", "b"]), ('["a", "b"]', ["a", "b"]), ("('a', 'b')", ["a", "b"]),
        ("a; b|c", ["a", "b", "c"]),
        ("Doe, Jane", "Doe, Jane"), ("[broken", "[broken"), ("", ""), (None, None), (["a"], ["a"]),
        ("[" * 5_000, "[" * 5_000), ("{}" + "x" * 200_000, "{}" + "x" * 200_000),
        ("[__import__('os')]", "[__import__('os')]"),
    ],
    ids=range(12),
)  # fmt: skip
def test_lists_in_cells(cell: object, expected: object) -> None:
    assert parse_list(cell) == expected


@given(st.text(max_size=60))
def test_any_text_is_a_literal_or_itself(value: str) -> None:
    parse_literal(value)


FIELDS = "headline title abstract date url uri byline keywords kind word_count _id pub_date schema x"
names = st.sampled_from(FIELDS.split())
odd = st.sampled_from(["2016-01-01", "kiosque.article/1", "['a']"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | odd,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(names, values, max_size=8))
def test_any_record_gives_an_article_or_a_reason(fields: dict[str, Any]) -> None:
    result = row(**fields)
    if isinstance(result, Article):
        assert_whole(result)
    else:
        assert result.reason in set(Reason)
