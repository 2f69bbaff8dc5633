import gzip
import json

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from kiosque.books.build import assemble, lexical_text
from kiosque.books.catalogue import arrange
from kiosque.books.evaluate import evaluate, markdown
from kiosque.books.evaluation.baselines import fused, scorers, tfidf_scorer
from kiosque.books.evaluation.coreading import count_pairs, read_readings
from kiosque.books.evaluation.judged import read_collections
from kiosque.books.evaluation.metrics import graded, mean_interval, ndcg, recall
from kiosque.books.evaluation.tuning import choose, crossvalidate, recipes
from kiosque.books.recipe import Recipe
from kiosque.books.terms import STOP_WORDS, words
from kiosque.core.errors import InvalidInput

DEMO = [
    {"title": "Truman", "author": "A", "subjects": ["Harry S. Truman"], "description": "A train in 1948."},
    {"title": "Bridges: A History", "author": "B", "subjects": ["steel"], "description": "Rivets."},
    {"title": "Gardens", "author": "C", "subjects": ["roses"], "description": "Soil and seasons."},
]
QUERIES = [
    {"id": "q1", "theme": "politics", "headline": "Truman Boards a Train", "abstract": "It is 1948."},
    {"id": "q2", "theme": "works", "headline": "Steel Rivets Fail", "abstract": "Bridges close."},
    {"id": "q3", "theme": "none", "headline": "Zwieback", "abstract": "Quark."},
]
QRELS = [
    {"query": "q1", "catalogue": "demo", "title": "Truman", "author": "A", "grade": 3},
    {"query": "q2", "catalogue": "demo", "title": "Bridges", "author": "B", "grade": 2},
    {"query": "q2", "catalogue": "demo", "title": "Gardens", "author": "C", "grade": 0},
]


@pytest.fixture
def files(tmp_path):
    for name, rows in (("demo", DEMO), ("queries", QUERIES), ("qrels", QRELS)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def read(files, datasets=None):
    return read_collections(
        files / "queries.jsonl", files / "qrels.jsonl", demo=files / "demo.jsonl", datasets=datasets
    )


def add_best_sellers(folder):
    (folder / "books").mkdir()
    with gzip.open(folder / "books" / "nyt_bestsellers_catalogue.csv.gz", "wt") as file:
        file.write("title,author,description,weeks_seen\nTRAINS,D,Locomotives.,7\n")


def test_a_right_book_first_is_worth_more_than_second():
    gains = graded({0: 3, 1: 1, 2: 0})
    assert ndcg([0, 1], gains, 10) == pytest.approx(1.0)
    assert ndcg([2, 0], gains, 10) == pytest.approx((7 / np.log2(3)) / (7 + 1 / np.log2(3)))
    assert ndcg([], gains, 10) == 0.0
    assert np.isnan(ndcg([0], {}, 10))


def test_recall_is_of_what_could_be_found():
    assert recall([1, 2, 3], frozenset({1, 9}), 3) == 0.5
    assert recall([1], frozenset({1, 2, 3}), 1) == 1.0


def test_an_interval_holds_its_mean_and_leaves_out_what_is_not_known():
    mean, (low, high) = mean_interval(np.array([0.0, 1.0, np.nan, 1.0]))
    assert mean == pytest.approx(2 / 3)
    assert low <= mean <= high
    assert np.isnan(mean_interval(np.array([np.nan]))[0])


def test_judged_books_are_found_even_where_a_title_was_shortened(files):
    (demo,) = read(files)
    assert demo.grades == ({0: 3}, {1: 2, 2: 0}, {})
    assert [query.answerable for query in demo.queries] == [True, True, False]


def test_a_judged_book_that_is_not_in_the_catalogue_is_left_out_and_named(files):
    (files / "qrels.jsonl").write_text(json.dumps({**QRELS[0], "title": "Nixon"}) + "\n")
    (demo,) = read(files)
    assert demo.grades[0] == {}
    assert demo.unmatched == ("Nixon (A)",)
    report = evaluate(files / "queries.jsonl", files / "qrels.jsonl", demo=files / "demo.jsonl")
    assert "left out: Nixon (A)." in markdown(report)


def test_of_two_books_with_one_main_title_the_author_decides(files):
    rows = [*DEMO, {"title": "Truman: A Play", "author": "Bo Eve", "subjects": [], "description": ""}]
    (files / "demo.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (files / "qrels.jsonl").write_text(json.dumps({**QRELS[0], "author": "Eve"}) + "\n")
    assert read(files)[0].grades[0] == {3: 3}


def test_broken_lines_are_named(files):
    (files / "queries.jsonl").write_text("{\n")
    with pytest.raises(InvalidInput, match=r"queries\.jsonl:1"):
        read(files)


@pytest.mark.parametrize(
    ("name", "line", "said"),
    [
        ("qrels", {"catalogue": "demo", "title": "Truman", "author": "A", "grade": 1}, "query missing"),
        ("qrels", {**QRELS[0], "grade": "2"}, "grade missing or of the wrong type"),
        ("qrels", {**QRELS[0], "grade": True}, "grade missing or of the wrong type"),
        ("qrels", {**QRELS[0], "grade": 7}, "the grade is 7"),
        ("qrels", {**QRELS[0], "title": None}, "title missing"),
        ("qrels", {"relevance": 3}, "query, catalogue, title, author, grade missing"),
        ("queries", {"id": "q1", "headline": "Truman"}, "abstract missing"),
        ("queries", {**QUERIES[0], "id": 7}, "id missing or of the wrong type"),
        ("demo", {"title": "Truman"}, "author missing"),
    ],
)
def test_what_a_line_lacks_is_named_with_the_line(files, name, line, said):
    (files / f"{name}.jsonl").write_text("\n" + json.dumps(line) + "\n")
    with pytest.raises(InvalidInput, match=rf"{name}\.jsonl:2: {said}"):
        read(files)


@pytest.mark.parametrize("data", [b"\xff\xfe{", b"[" * 100_000, b"[1]"], ids=["binary", "nested", "a list"])
def test_rubbish_instead_of_judgements_is_refused(files, data):
    (files / "qrels.jsonl").write_bytes(data)
    with pytest.raises(InvalidInput, match=r"qrels\.jsonl"):
        read(files)


def test_two_catalogues_are_also_measured_side_by_side(files):
    add_best_sellers(files)
    demo, best, both = read(files, files)
    assert [len(c.books) for c in (demo, best, both)] == [3, 1, 4]
    assert best.weeks == (7,)
    assert both.grades[0] == {1: 3}


def test_tfidf_agrees_with_scikit_learn(files):
    (demo,) = read(files)

    def terms(text):
        return [w.lower() for w in words(text) if w.lower() not in STOP_WORDS]

    vectorizer = TfidfVectorizer(analyzer=terms)
    matrix = vectorizer.fit_transform([lexical_text(book) for book in demo.books])
    text = "a train of roses, roses and steel"
    expected = (vectorizer.transform([text]) @ matrix.T).toarray()[0]
    assert tfidf_scorer(demo, lambda word: word)(text) == pytest.approx(expected, abs=1e-6)


def test_rank_fusion_adds_reciprocal_ranks():
    total = fused([np.array([3.0, 2.0]), np.array([1.0, 5.0])])
    assert total == pytest.approx([1 / 61 + 1 / 62] * 2)


def test_without_an_encoder_the_methods_that_need_it_are_absent(files):
    (demo,) = read(files)
    index = assemble(arrange(demo.books), Recipe(), encoder=None)
    assert set(scorers(demo, index, seed=1)) == {"tfidf_stemmed", "tfidf", "bm25", "popularity", "random"}


def test_the_report_has_the_agreed_shape(files):
    report = evaluate(files / "queries.jsonl", files / "qrels.jsonl", demo=files / "demo.jsonl")
    figures = report["systems"]["kiosque"]["demo"]
    assert figures["ndcg@10"] == 1.0
    assert figures["ndcg@5_ci"] == [1.0, 1.0]
    assert figures["unjudged@10"] is not None
    assert report["systems"]["tfidf_stemmed"].keys() == {"demo"}
    assert report["threshold"]["demo"]["unanswerable_unanswered"] == 1.0
    assert report["threshold"]["demo"]["answerable_answered"] == 1.0
    assert json.loads(json.dumps(report)) == report


def test_the_report_reads_as_markdown(files):
    text = markdown(
        evaluate(files / "queries.jsonl", files / "qrels.jsonl", demo=files / "demo.jsonl", tune=True)
    )
    assert "| kiosque | 1.000 [1.000, 1.000] |" in text
    assert "nested cross-validation" in text
    assert "| demo | 100 % of 2 | 100 % of 1 | 100 % |" in text


def test_no_queries_are_refused(files):
    (files / "queries.jsonl").write_text("")
    (files / "qrels.jsonl").write_text("")
    with pytest.raises(InvalidInput):
        evaluate(files / "queries.jsonl", files / "qrels.jsonl", demo=files / "demo.jsonl")


def test_co_reading_counts_readers_who_liked_both(tmp_path):
    assert count_pairs([[1, 2], [1, 2, 3], [4]]) == {1: {2: 2, 3: 1}, 2: {1: 2, 3: 1}, 3: {1: 1, 2: 1}}
    assert read_readings(tmp_path) is None


def test_co_reading_keeps_described_books_and_ratings_of_four_or_more(tmp_path):
    (tmp_path / "books").mkdir()
    head = "book_id,title,authors,genres,description,nyt_description\n"
    with gzip.open(tmp_path / "books" / "goodbooks_books.csv.gz", "wt") as file:
        file.write(head + "1,One (Series 1),A,Novel,Told.,\n2,Two,B,,,Said.\n3,Three,C,,,\n")
    with gzip.open(tmp_path / "books" / "goodbooks_ratings_100k_users_a.csv.gz", "wt") as file:
        file.write("user_id,book_id,rating\n7,1,5\n7,2,4\n7,3,5\n8,1,3\n8,2,5\n")
    readings = read_readings(tmp_path)
    assert [book.title for book in readings.books] == ["One", "Two"]
    assert readings.coread == {0: {1: 1}, 1: {0: 1}}
    assert readings.likes == (1, 2)
    assert readings.asked == ()


def test_the_choice_is_by_the_mean_of_the_catalogues():
    table = np.array([[[1.0, 0.0], [0.2, np.nan]], [[0.5, 0.5], [0.9, np.nan]]])
    assert choose(table) == 1


def test_cross_validation_measures_every_query_once(files):
    (demo,) = read(files)
    index = assemble(arrange(demo.books), Recipe(), encoder=None)
    report = crossvalidate([(demo, index)], [Recipe(), Recipe(lexical_weight=0.5)], folds=3)
    assert report["demo"]["ndcg@10"] == 1.0
    assert sum(report["chosen"]["lexical_weight"].values()) == 3


def test_the_grid_varies_only_what_it_names():
    grid = list(recipes(Recipe(), {"notes": (1, 2), "gate": (0.1, 0.2)}))
    assert {(r.notes, r.gate) for r in grid} == {(1, 0.1), (1, 0.2), (2, 0.1), (2, 0.2)}
    assert {r.k1 for r in grid} == {Recipe().k1}
