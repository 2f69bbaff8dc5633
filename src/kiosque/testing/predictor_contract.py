"""What every predictor must do. Subclass `PredictorContract` with a `predictor` and an `empty_predictor` fixture.

The predictor answers with the toys of `kiosque.testing.predictor`, whatever it wraps round them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from kiosque.core.article import Field
from kiosque.core.book import BookQuery, ReadItem
from kiosque.core.entity import EntityKind, Span
from kiosque.core.errors import InvalidInput, NoModel, NotFound
from kiosque.core.polarity import Outcome, Polarity, ScoringRequest, Target
from kiosque.core.prediction import Predictor
from kiosque.testing.predictor import DEMO_BOOKS, LONGEST, ToyBooks, ToyPolarity

ADA, BO = Target("ada", "Ada"), Target("bo", "Bo", kind=EntityKind.ORGANISATION)
ODD_TEXTS = ("Ada 🗳️ wins — “naïve” \u2028 Ñandú", "Ada\twins\nAda", "ADA Ada", "🏴󠁧󠁢󠁥󠁮󠁧󠁿Ada's triumph")


def request(
    headline: str, *targets: Target, abstract: str = "", language: str | None = None
) -> ScoringRequest:
    return ScoringRequest(headline, abstract, targets, language)


class PredictorContract:
    def test_scores_come_in_order_by_the_version_that_answers(self, predictor: Predictor) -> None:
        batch = predictor.polarity(
            [
                request("Ada wins, Bo sleeps", ADA, BO),
                request("nobody"),
                request("A scandal", ADA, abstract="Bo jeered Ada"),
            ]
        )

        assert batch.model_version == predictor.versions()["polarity"]
        assert [[s.target_id for s in scores] for scores in batch.scores] == [["ada", "bo"], [], ["ada"]]
        assert batch.scores[0][0].polarity is Polarity.POSITIVE
        assert batch.scores[2][0].polarity is Polarity.NEGATIVE

    def test_everything_in_a_score_arrives(self, predictor: Predictor) -> None:
        spans = (Span(Field.HEADLINE, 0, 3), Span(Field.ABSTRACT, 4, 7))
        asked = request("Ada praised", Target("x/y ü", "Ada", spans), abstract="Did Ada cheat?")

        assert list(predictor.polarity([asked]).scores) == ToyPolarity().score([asked])
        [[score]] = predictor.polarity([asked]).scores
        assert [s.span for s in score.spans] == list(spans)

    @pytest.mark.parametrize("text", ODD_TEXTS)
    def test_offsets_are_those_of_the_text_as_it_was_given(self, predictor: Predictor, text: str) -> None:
        asked = request(text, ADA)

        [[score]] = predictor.polarity([asked]).scores
        for each in score.spans:
            assert text[each.span.start : each.span.end] == "Ada"
        assert score == ToyPolarity().score([asked])[0][0]

    def test_where_there_is_no_score_the_reason_is_said(self, predictor: Predictor) -> None:
        batch = predictor.polarity(
            [
                request("Nobody here", ADA),
                request("Ada gana", ADA, language="es"),
                request("Ada " + "x" * LONGEST, ADA),
            ]
        )

        outcomes = [scores[0].outcome for scores in batch.scores]
        assert outcomes == [Outcome.NO_MENTION, Outcome.NOT_ENGLISH, Outcome.TOO_LONG]
        assert {scores[0].probabilities for scores in batch.scores} == {None}

    def test_another_language_is_scored_if_that_is_wanted(self, predictor: Predictor) -> None:
        batch = predictor.polarity([request("Ada gana", ADA, language="es")], any_language=True)
        assert batch.scores[0][0].outcome is Outcome.SCORED

    def test_spans_outside_of_the_text_name_nobody(self, predictor: Predictor) -> None:
        beyond = Target("ada", "Ada", (Span(Field.HEADLINE, 90, 99),))
        [[score]] = predictor.polarity([request("Ada", beyond)]).scores
        assert score.outcome is Outcome.NO_MENTION

    def test_no_requests_no_scores(self, predictor: Predictor) -> None:
        batch = predictor.polarity([])
        assert batch.scores == ()
        assert batch.model_version == predictor.versions()["polarity"]

    def test_any_number_of_requests_is_answered(self, predictor: Predictor) -> None:
        words = ("wins", "loses", "sleeps")
        requests = [request(f"Ada {words[i % 3]} {i}", ADA, BO) for i in range(700)]

        batch = predictor.polarity(requests)

        assert list(batch.scores) == ToyPolarity().score(requests)

    def test_any_number_of_targets_is_answered(self, predictor: Predictor) -> None:
        asked = request("Ada wins", *(Target(f"t{i}", "Ada" if i % 2 else "Bo") for i in range(1500)))
        assert list(predictor.polarity([asked]).scores) == ToyPolarity().score([asked])

    def test_long_texts_are_answered(self, predictor: Predictor) -> None:
        requests = [request("Ada wins", ADA, abstract="ü" * (LONGEST - 1)) for _ in range(200)]
        assert [s[0].outcome for s in predictor.polarity(requests).scores] == [Outcome.SCORED] * 200

    def test_an_explanation_names_the_words_in_order(self, predictor: Predictor) -> None:
        asked = request("🗳 Ada wins", ADA, abstract="a scandal")

        words = predictor.explain(asked, ADA)

        assert words == ToyPolarity().explain(asked, ADA)
        assert [asked.text_of(w.part)[w.start : w.end] for w in words] == ["Ada", "wins", "a", "scandal"]
        assert [w.contribution for w in words] == [0.0, 1.0, 0.0, -1.0]

    def test_nobody_named_nothing_explained(self, predictor: Predictor) -> None:
        assert predictor.explain(request("Nobody", ADA), ADA) == ()

    def test_each_query_gets_its_shelf(self, predictor: Predictor) -> None:
        read = ReadItem("trains", datetime(1948, 11, 3, 12, tzinfo=UTC), 2.0)
        queries = [
            BookQuery(text="Truman and the elections", k=1),
            BookQuery(text="elections", k=50, exclude=frozenset({DEMO_BOOKS[0].key}), published_from=1900),
            BookQuery(reader=(read, ReadItem("newspapers"))),
            BookQuery(book_key=DEMO_BOOKS[0].key, contemporary_on="1960-01-01"),
            BookQuery(text="zzzz", fiction=False, language="en", min_score=0.5, published_to=2000),
        ]

        shelves = predictor.books(queries)

        assert shelves == ToyBooks(predictor.versions()["books"]).recommend(queries)
        assert [len(shelf.recommendations) for shelf in shelves] == [1, 1, 2, 1, 0]
        assert "No good match" in shelves[-1].note

    def test_no_queries_no_shelves(self, predictor: Predictor) -> None:
        assert predictor.books([]) == []

    def test_any_number_of_queries_is_answered(self, predictor: Predictor) -> None:
        queries = [BookQuery(text=("Truman", "nothing", "trains")[i % 3]) for i in range(150)]
        assert [len(shelf.recommendations) for shelf in predictor.books(queries)] == [1, 0, 1] * 50

    def test_a_query_that_makes_no_sense_is_invalid(self, predictor: Predictor) -> None:
        with pytest.raises(InvalidInput) as caught:
            predictor.books([BookQuery(text="a", book_key="b")])
        assert caught.value.hint

    def test_an_unknown_book_is_not_found(self, predictor: Predictor) -> None:
        with pytest.raises(NotFound, match="isbn:0"):
            predictor.books([BookQuery(book_key="isbn:0")])

    def test_threads_do_not_get_one_another_s_answers(self, predictor: Predictor) -> None:
        def score(i: int) -> bool:
            word = "wins" if i % 2 else "loses"
            asked = request(f"Ada {word} {i}", ADA, *([BO] * (i % 3)))
            return list(predictor.polarity([asked]).scores) == ToyPolarity().score([asked])

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(score, range(200)))

    def test_without_a_model_each_method_says_so(self, empty_predictor: Predictor) -> None:
        assert empty_predictor.versions() == {}
        for ask in (
            lambda: empty_predictor.polarity([request("Ada", ADA)]),
            lambda: empty_predictor.polarity([]),
            lambda: empty_predictor.explain(request("Ada", ADA), ADA),
            lambda: empty_predictor.books([BookQuery(text="Truman")]),
        ):
            with pytest.raises(NoModel) as caught:
                ask()
            assert caught.value.hint
