from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosque.core.article import Article
from kiosque.core.errors import SourceUnavailable
from kiosque.sources.nyt_documents import hits, names_in_byline, parse_document, read_documents
from kiosque.sources.nyt_wire import parse_item
from kiosque.sources.protocol import Reason, Skipped
from kiosque.testing.payloads import nyt_answer, nyt_document, wire_item
from kiosque.testing.sources import assert_whole


def parse(**changes: Any) -> Article:
    result = parse_document(nyt_document(**changes), source="nyt-archive", where="document 1")
    assert isinstance(result, Article), result
    assert_whole(result)
    return result


def reason(document: object) -> Reason:
    result = parse_document(document, source="nyt-archive", where="document 1")
    assert isinstance(result, Skipped)
    return result.reason


def test_a_document_of_today_is_read_whole() -> None:
    article = parse()
    assert article == Article(
        key="nyt://article/00000000-0000-5000-8000-000000000001",
        source="nyt-archive",
        headline="Count Number 1 in Mill Creek",
        abstract="The county counted its ballots for the 1th time.",
        published_at=datetime(2020, 11, 5, 9, 0, 24, tzinfo=UTC),
        url="https://www.nytimes.com/2020/11/02/us/count-1.html",
        section="U.S.",
        byline=("Jane Doe", "Richard Q. Roe"),
        keywords=("Doe, Jane", "Voting and Voters"),
        language="en",
        kind="article",
    )
    assert dict(article.extra) == {
        "kicker": "Election",
        "subsection": "Politics",
        "desk": "National",
        "material": "News",
        "print_page": "14",
        "print_section": "A",
        "words": "812",
        "provider": "The New York Times",
    }


def test_a_document_of_the_nineteenth_century() -> None:
    article = parse(
        abstract=None,
        snippet="People of social training will learn that the...",
        lead_paragraph="People of social training will learn that the vines are lost.",
        headline={"main": "Article 6 -- No Title; NOTES [???] COMMENTS.", "kicker": "1"},
        byline=None,
        keywords=[],
        multimedia=[],
        pub_date="1870-10-16T00:03:58Z",
        news_desk="None",
        section_name=None,
        subsection_name=None,
        print_page=0,
        print_section=None,
        word_count="1573",
        uri=None,
        _id="4fbfe36e45c1498b0d04f8e0",
        web_url="http://query.nytimes.com/gst/abstract.html?res=94",
    )
    assert article.key == "https://query.nytimes.com/gst/abstract.html?res=94"
    assert article.abstract.endswith("the vines are lost.")
    assert article.headline == "Article 6 -- No Title; NOTES [???] COMMENTS."
    assert article.byline == article.keywords == ()
    assert article.section is None
    assert dict(article.extra) == {"material": "News", "words": "1573", "provider": "The New York Times"}


@pytest.mark.parametrize("missing", list(nyt_document()))
@pytest.mark.parametrize("value", [None, "", [], {}, 0, "None", "absent"])
def test_no_field_is_needed_but_a_date_and_words(missing: str, value: object) -> None:
    document = nyt_document(**{missing: value})
    if value == "absent":
        del document[missing]
    result = parse_document(document, source="nyt-archive", where="document 1")
    if missing == "pub_date":
        assert isinstance(result, Skipped)
        assert result.reason is Reason.NO_DATE
    else:
        assert isinstance(result, Article)
        assert_whole(result)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"abstract": "A", "snippet": "S", "lead_paragraph": "L"}, "A"),
        ({"abstract": "", "snippet": "S", "lead_paragraph": "L"}, "S"),
        ({"abstract": None, "snippet": "S...", "lead_paragraph": "L"}, "L"),
        ({"abstract": None, "snippet": "S...", "lead_paragraph": None}, "S..."),
        ({"abstract": None, "snippet": "", "lead_paragraph": "L"}, "L"),
        ({"abstract": "  ", "snippet": None, "lead_paragraph": ""}, ""),
    ],
)
def test_the_abstract_is_the_best_there_is(fields: dict[str, Any], expected: str) -> None:
    assert parse(**fields).abstract == expected


@pytest.mark.parametrize(
    ("headline", "expected"),
    [
        ({"main": "Main", "print_headline": "Print"}, "Main"),
        ({"main": None, "print_headline": "Print"}, "Print"),
        ({"main": "", "print_headline": None, "name": "Name"}, "Name"),
        ("Bare", "Bare"),
        ([], ""),
    ],
)
def test_headlines(headline: object, expected: str) -> None:
    assert parse(headline=headline).headline == expected


OHIO, DOE = {"name": "glocations", "value": "Ohio"}, {"name": "persons", "value": "Doe, Jane"}


@pytest.mark.parametrize(
    "keywords",
    [
        [DOE | {"rank": "2"}, OHIO | {"rank": "1"}],
        [OHIO | {"isMajor": "N"}, DOE | {"is_major": "Y"}],
        [{"value": "Ohio"}, DOE | {"name": ["odd"]}, {"name": "type_of_material", "value": "News"}, None],
        ["Ohio", "Doe, Jane", None],
    ],
)
def test_keywords_of_every_age(keywords: object) -> None:
    assert parse(keywords=keywords).keywords == ("Ohio", "Doe, Jane")


@pytest.mark.parametrize(
    ("byline", "expected"),
    [
        (None, ()),
        ({"original": "", "person": [], "organization": None}, ()),
        ({"original": "Special to The New York Times", "person": [{"organization": "", "rank": 1}]}, ()),
        ({"original": "By JANE DOE and R. Q. ROE", "person": [{"firstname": "Jane"}]}, ("Jane Doe", "R. Q. Roe")),
        ({"original": "By JANE DOE", "person": None}, ("Jane Doe",)),
        ({"original": None, "person": None, "organization": "THE ASSOCIATED PRESS"}, ("THE ASSOCIATED PRESS",)),
        ({"original": "By Jane DOE", "person": [{"firstname": "Jane", "lastname": "DOE"}]}, ("Jane Doe",)),
        ("By Jane Doe", ("Jane Doe",)),
        ([], ()),
    ],
)  # fmt: skip
def test_bylines(byline: object, expected: tuple[str, ...]) -> None:
    assert parse(byline=byline).byline == expected


def test_names_in_a_byline_of_many() -> None:
    assert names_in_byline("By JANE DOE, JOHN ROE Jr. and ANN POE") == ("Jane Doe", "John Roe Jr", "Ann Poe")
    assert names_in_byline("By John Roe, Jr., and Ann Poe") == ("John Roe, Jr", "Ann Poe")
    assert names_in_byline("Por THE NEW YORK TIMES") == ("The New York Times",)
    assert names_in_byline("Wireless to THE NEW YORK TIMES") == ()


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({}, "nyt://article/00000000-0000-5000-8000-000000000001"),
        ({"uri": None}, "nyt://article/00000000-0000-5000-8000-000000000001"),
        ({"uri": "", "_id": "54f3"}, "https://www.nytimes.com/2020/11/02/us/count-1.html"),
        ({"uri": None, "_id": "54f3", "web_url": None}, "nyt:54f3"),
        ({"uri": None, "_id": "54f3", "web_url": "not a url"}, "nyt:54f3"),
        (
            {"uri": None, "_id": None, "web_url": "http://www.nytimes.com/x/?smid=tw"},
            "https://www.nytimes.com/x",
        ),
    ],
)
def test_the_key_is_the_uri_else_the_address_else_the_id(fields: dict[str, Any], key: str) -> None:
    assert parse(**fields).key == key


def test_a_document_without_any_name_is_told_by_its_words() -> None:
    bare = {"uri": None, "_id": None, "web_url": None}
    assert parse(**bare).key.startswith("sha256:")
    assert parse(**bare).key != parse(**bare, headline={"main": "Another"}).key


def test_wire_archive_and_search_give_a_story_one_key() -> None:
    archived = parse()
    wired = parse_item(wire_item(), source="nyt-wire", where="result 1")
    assert isinstance(wired, Article)
    assert wired.key == archived.key
    assert (wired.headline, wired.abstract, wired.published_at) == (
        archived.headline, archived.abstract, archived.published_at,
    )  # fmt: skip
    by_address = [parse(uri=None, _id="54f3"), parse_item(wire_item(uri=None), source="w", where="1")]
    assert len({item.key for item in by_address if isinstance(item, Article)}) == 1


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (None, Reason.NOT_AN_OBJECT),
        ([], Reason.NOT_AN_OBJECT),
        ({}, Reason.NO_TEXT),
        ({"headline": {"main": "<b></b>"}, "abstract": " "}, Reason.NO_TEXT),
        ({"headline": {"main": "A Topic"}, "document_type": "topic"}, Reason.NO_DATE),
        ({"headline": {"main": "X"}, "pub_date": "yesterday"}, Reason.NO_DATE),
    ],
)
def test_what_is_no_article_is_left_out_with_its_reason(document: object, expected: Reason) -> None:
    assert reason(document) is expected


def test_a_reject_says_where_it_was_and_how_it_began() -> None:
    result = parse_document(
        nyt_document(headline=None, abstract=None, snippet=None, lead_paragraph=None), source="s", where="d"
    )
    assert isinstance(result, Skipped)
    assert result.where == "nyt://article/00000000-0000-5000-8000-000000000001"
    assert "web_url" in result.excerpt


@pytest.mark.parametrize(
    ("payload", "count"),
    [
        (nyt_answer([{}, {}]), 2),
        (nyt_answer([{}], meta="metadata"), 1),
        (nyt_answer(None), 0),
        (nyt_answer([]), 0),
        ({"docs": [{}]}, 1),
        ([{}, {}, {}], 3),
        (nyt_document(), 1),
    ],
)
def test_documents_are_found_in_every_envelope(payload: object, count: int) -> None:
    assert len(read_documents(payload)) == count


@pytest.mark.parametrize(
    "payload", [None, 3, {}, {"response": {}}, {"fault": {"faultstring": "k3y"}}, {"response": {"docs": 3}}]
)
def test_another_answer_is_an_error_that_does_not_quote_it(payload: object) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        read_documents(payload)
    assert "k3y" not in str(caught.value)


def test_hits_stand_in_meta_or_metadata() -> None:
    assert hits(nyt_answer([{}])) == hits(nyt_answer([{}], meta="metadata")) == 1
    assert hits({"response": None}) is None


def test_spanish_and_chinese_pages_say_their_language() -> None:
    assert parse(web_url="https://www.nytimes.com/es/2020/11/05/espanol/x.html").language == "es"
    assert parse(web_url="https://cn.nytimes.com/usa/20201105/x/").language == "zh"


ODD = st.sampled_from(["None", "", "0", "\ud800", "1870-13-01"])
NAMES = st.sampled_from(["main", "name", "value", "rank", "original", "person"])
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document, the nested ones too."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


def mutated(document: dict[str, Any], path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(document)
    holder: Any = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return changed


@settings(max_examples=400)
@given(st.sampled_from(places(nyt_document())), junk)
def test_any_change_of_a_document_gives_an_article_or_a_reason(path: tuple[Any, ...], value: Any) -> None:
    result = parse_document(mutated(nyt_document(), path, value), source="nyt-archive", where="document 1")
    if isinstance(result, Article):
        assert_whole(result)
    else:
        assert result.reason in set(Reason)


@settings(max_examples=400)
@given(st.sampled_from(places(wire_item())), junk)
def test_any_change_of_a_wire_item_gives_an_article_or_a_reason(path: tuple[Any, ...], value: Any) -> None:
    result = parse_item(mutated(wire_item(), path, value), source="nyt-wire", where="result 1")
    if isinstance(result, Article):
        assert_whole(result)
    else:
        assert result.reason in set(Reason)
