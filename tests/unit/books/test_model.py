import json
from pathlib import Path

import pytest

from kiosque.books.build import build
from kiosque.books.model import BooksModel, load
from kiosque.core.book import BookQuery, ReadItem
from kiosque.core.errors import CorruptModel, InvalidInput, NoModel, NotFound
from kiosque.testing.books import BOOKS, BRIDGE, LINCOLN, PLAIN, TRUMAN

CAMPAIGN = "Truman carries his whistle-stop campaign of 1948 to Missouri"


def titles(model: BooksModel, query: BookQuery) -> list[str]:
    return [r.book.title for r in model.recommend([query])[0].recommendations]


def test_a_text_gets_the_book_that_shares_its_words_first(lexical_model):
    (shelf,) = lexical_model.recommend([BookQuery(text=CAMPAIGN)])
    assert shelf.recommendations[0].book == TRUMAN
    assert shelf.recommendations[0].rank == 1
    assert 0 < shelf.recommendations[0].score <= 1
    assert shelf.note == ""


def test_the_version_is_the_name_of_the_folder(lexical_model):
    assert lexical_model.recommend([BookQuery(text=CAMPAIGN)])[0].model_version == "20260101-abc"
    assert lexical_model.info.books == len(BOOKS)
    assert not lexical_model.info.encoder


def test_reasons_name_persons_and_terms_as_the_text_has_them(lexical_model):
    reasons = lexical_model.recommend([BookQuery(text=CAMPAIGN)])[0].recommendations[0].reasons
    assert reasons.persons == ("Harry S. Truman",)
    assert "whistle-stop" in reasons.terms
    assert reasons.sentence.startswith("shares: Harry S. Truman, ")
    assert "1948" in reasons.sentence


def test_a_text_that_no_book_fits_gets_none_and_is_told_so(lexical_model):
    (shelf,) = lexical_model.recommend([BookQuery(text="Sourdough wants a hot oven and patience")])
    assert shelf.recommendations == ()
    assert shelf.note.startswith("No good match")


def test_a_reader_gets_books_for_what_was_read(lexical_model):
    reader = (ReadItem(CAMPAIGN), ReadItem("Steel bridges, riveted by hand"))
    assert set(titles(lexical_model, BookQuery(reader=reader, k=2))) == {TRUMAN.title, BRIDGE.title}


def test_more_like_this_leaves_the_book_itself_out(lexical_model):
    assert TRUMAN.title not in titles(lexical_model, BookQuery(book_key=TRUMAN.key, min_score=0.0))


def test_an_excluded_book_does_not_come(lexical_model):
    query = BookQuery(text=CAMPAIGN, exclude=frozenset({TRUMAN.key}), min_score=0.0)
    assert TRUMAN.title not in titles(lexical_model, query)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"language": "fr"}, {BRIDGE.title}),
        ({"language": "EN-us"}, {TRUMAN.title, LINCOLN.title}),
        ({"fiction": True}, {LINCOLN.title}),
        ({"published_from": 1984}, {TRUMAN.title, LINCOLN.title}),
        ({"published_to": 1984}, {LINCOLN.title, BRIDGE.title}),
        ({"contemporary_on": "1931-05-04"}, {BRIDGE.title}),
        ({"contemporary_on": "1984-12-30"}, {BRIDGE.title}),
        ({"contemporary_on": "1984-12-31"}, {BRIDGE.title, LINCOLN.title}),
    ],
)
def test_filters_keep_only_books_of_which_it_is_known_that_they_pass(lexical_model, filters, expected):
    assert set(titles(lexical_model, BookQuery(text="book", min_score=0.0, **filters))) == expected


def test_when_filters_leave_nothing_the_note_says_so(lexical_model):
    (shelf,) = lexical_model.recommend([BookQuery(text=CAMPAIGN, contemporary_on="1850-01-01")])
    assert shelf.recommendations == ()
    assert shelf.note == "None of the 4 books passes the filters."


def test_a_least_score_that_nothing_reaches_is_said(lexical_model):
    (shelf,) = lexical_model.recommend([BookQuery(text="Nobody Known of bridges", min_score=1.0)])
    assert shelf.recommendations == ()
    assert "no book reaches the score 1;" in shelf.note


@pytest.mark.parametrize(
    "query",
    [
        BookQuery(),
        BookQuery(text=" \n"),
        BookQuery(text="?!"),
        BookQuery(text="war", k=0),
        BookQuery(text="war", k=10_000),
        BookQuery(text="war", book_key=TRUMAN.key),
        BookQuery(text="war", min_score=1.5),
        BookQuery(text="war", contemporary_on="yesterday"),
        BookQuery(text="war", published_from=1900, published_to=1800),
        BookQuery(reader=(ReadItem("war", weight=0.0),)),
    ],
)
def test_a_malformed_query_is_refused_with_a_hint(lexical_model, query):
    with pytest.raises(InvalidInput) as refusal:
        lexical_model.recommend([query])
    assert refusal.value.hint


def test_an_unknown_book_is_not_found(lexical_model):
    with pytest.raises(NotFound):
        lexical_model.recommend([BookQuery(book_key="isbn:0")])


def test_of_a_very_long_text_the_beginning_counts(lexical_model):
    text = CAMPAIGN + " and then" * 12_000
    assert titles(lexical_model, BookQuery(text=text, k=1, min_score=0.0)) == [TRUMAN.title]


def test_queries_are_answered_in_their_order(lexical_model):
    shelves = lexical_model.recommend([BookQuery(text="steel bridges riveted"), BookQuery(text=CAMPAIGN)])
    assert [shelf.recommendations[0].book for shelf in shelves] == [BRIDGE, TRUMAN]


def test_a_version_passes_its_own_check(lexical_model):
    lexical_model.warm()
    lexical_model.check()


def test_a_version_that_answers_otherwise_than_recorded_is_corrupt(tmp_path):
    build(BOOKS, tmp_path, encoder=None)
    canary = json.loads((tmp_path / "canary.json").read_text())
    assert canary
    canary[0]["score"] += 0.5
    (tmp_path / "canary.json").write_text(json.dumps(canary))
    with pytest.raises(CorruptModel):
        load(tmp_path).check()


@pytest.mark.parametrize("name", ["books.jsonl", "recipe.json", "canary.json", "lexical.worth.npy"])
def test_a_damaged_folder_is_corrupt(tmp_path, name):
    build(BOOKS, tmp_path, encoder=None)
    (tmp_path / name).write_bytes(b"\x00{")
    with pytest.raises(CorruptModel):
        load(tmp_path)


def test_a_missing_folder_is_no_model(tmp_path: Path):
    with pytest.raises(NoModel):
        load(tmp_path / "none")


def test_an_empty_catalogue_answers_with_an_empty_shelf(tmp_path):
    build([], tmp_path, encoder=None)
    model = load(tmp_path)
    model.warm()
    model.check()
    (shelf,) = model.recommend([BookQuery(text=CAMPAIGN)])
    assert shelf.note == "There are no books in the catalogue yet."


def test_a_book_without_anything_known_is_found_by_its_title(lexical_model):
    assert titles(lexical_model, BookQuery(text="The untold story", k=1)) == [PLAIN.title]
