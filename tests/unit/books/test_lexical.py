import numpy as np
import pytest

from kiosque.books.lexical import build_index, load_index, save_index

DOCUMENTS = [["war", "peace"], ["war", "war", "tariff"], ["bridge"], []]


def test_scores_are_those_of_bm25():
    index = build_index(DOCUMENTS, k1=1.2, b=0.75)
    length, mean = 3, 1.5
    idf = np.log(1 + (4 - 2 + 0.5) / (2 + 0.5))
    expected = idf * 2 / (2 + 1.2 * (1 - 0.75 + 0.75 * length / mean))
    assert index.scores({"war": 1.0})[1] == pytest.approx(expected, rel=1e-5)


def test_a_weight_scales_the_term_and_terms_add_up():
    index = build_index(DOCUMENTS, k1=1.2, b=0.75)
    war, peace = index.scores({"war": 1.0}), index.scores({"peace": 1.0})
    assert index.scores({"war": 0.5, "peace": 1.0, "unknown": 9.0}) == pytest.approx(0.5 * war + peace)


def test_a_rarer_term_says_more_and_an_unknown_one_nothing():
    index = build_index(DOCUMENTS, k1=1.2, b=0.75)
    assert index.rarity("bridge") > index.rarity("war") > index.rarity("unknown") == 0.0


def test_what_is_saved_is_what_is_loaded(tmp_path):
    index = build_index(DOCUMENTS, k1=1.2, b=0.75)
    save_index(index, tmp_path)
    loaded = load_index(tmp_path)
    assert loaded.vocabulary == index.vocabulary
    assert (loaded.scores({"war": 1.0}) == index.scores({"war": 1.0})).all()


@pytest.mark.parametrize("documents", [[], [[], []]])
def test_no_words_at_all_score_nothing(documents):
    index = build_index(documents, k1=1.2, b=0.75)
    assert index.scores({"war": 1.0}).tolist() == [0.0] * len(documents)
