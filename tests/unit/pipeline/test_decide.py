"""Every choice of the pipeline, without any I/O."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.article import Article
from kiosque.core.errors import (
    BusUnavailable,
    CorruptModel,
    InvalidInput,
    KiosqueError,
    NoModel,
    PredictUnavailable,
    SchemaMismatch,
    TooLarge,
    Unauthenticated,
)
from kiosque.core.message import encode_article
from kiosque.pipeline.decide import (
    Backoff,
    DeadReason,
    GiveUp,
    Known,
    PollPolicy,
    Rejected,
    Retry,
    RetryPolicy,
    Standing,
    after_failure,
    describe,
    heartbeat,
    is_due,
    is_outage,
    is_systemic,
    message_key,
    must_recommend,
    must_score,
    next_poll,
    plain_key,
    read_message,
    replay_key,
    retry_delay,
    split,
    standing,
    text_after,
    waves,
)

NOON = datetime(2024, 11, 5, 12, tzinfo=UTC)
ARTICLE = Article(
    key="k1", source="nyt-wire", headline="Lincoln Elected", published_at=NOON, abstract="At last."
)
KNOWN = Known(
    source="nyt-wire", headline="Lincoln Elected", abstract="At last.", scored_by="v1", generation=3
)


# ---- messages


def test_an_encoded_article_is_read_back() -> None:
    assert read_message(encode_article(ARTICLE)) == ARTICLE


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff\xfe not json", "Not JSON"),
        (b"[]", "Expected a JSON object"),
        (b'{"schema": "other/1"}', "Expected schema"),
        (b'{"schema": "kiosque.article/1"}', "Malformed article"),
    ],
)
def test_what_is_no_article_of_ours_is_rejected_with_the_reason(data: bytes, said: str) -> None:
    rejected = read_message(data)
    assert isinstance(rejected, Rejected)
    assert said in rejected.detail


@given(st.binary(max_size=200))
def test_no_bytes_whatever_crash_the_reading(data: bytes) -> None:
    assert isinstance(read_message(data), Rejected)


def test_a_changed_field_type_is_rejected() -> None:
    document = json.loads(encode_article(ARTICLE))
    document["byline"] = "By a Reporter"
    assert isinstance(read_message(json.dumps(document).encode()), Rejected)


# ---- retries


def test_delays_double_up_to_the_cap() -> None:
    backoff = Backoff(first=1.0, cap=10.0)
    assert [backoff.delay(n) for n in (1, 2, 3, 4, 5, 6)] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


@given(st.integers(min_value=-5, max_value=10**9))
def test_every_delay_lies_between_the_first_and_the_cap(failures: int) -> None:
    assert 0.5 <= Backoff(first=0.5, cap=60.0).delay(failures) <= 60.0


@pytest.mark.parametrize(
    "error",
    [
        PredictUnavailable("down"),
        BusUnavailable("down"),
        NoModel("none"),
        SchemaMismatch("old"),
        CorruptModel("digest"),
        Unauthenticated("wrong token"),
    ],
)
def test_an_outage_never_gives_an_article_up(error: KiosqueError) -> None:
    assert is_outage(error)
    verdict = after_failure(error, 1_000, RetryPolicy(max_deliveries=2), own=False)
    assert isinstance(verdict, Retry)
    assert not verdict.counted


@pytest.mark.parametrize("error", [ValueError("odd"), InvalidInput("odd"), TooLarge("odd"), KeyError("x")])
def test_an_article_that_fails_by_itself_is_retried_and_then_given_up(error: Exception) -> None:
    policy = RetryPolicy(max_deliveries=3, backoff=Backoff(first=2.0))
    assert not is_outage(error)
    assert after_failure(error, 1, policy, own=True) == Retry(2.0, counted=True)
    assert after_failure(error, 2, policy, own=True) == Retry(4.0, counted=True)
    assert after_failure(error, 3, policy, own=True) == GiveUp(DeadReason.POISON, describe(error))


@pytest.mark.parametrize(
    ("failed", "of", "expected"),
    [(8, 8, True), (256, 256, True), (255, 256, False), (7, 7, False), (0, 0, False)],
)
def test_where_all_of_a_larger_batch_fail_the_fault_is_not_theirs(
    failed: int, of: int, expected: bool
) -> None:
    assert is_systemic(failed, of) is expected


def test_the_other_side_may_ask_for_a_longer_wait_within_the_cap() -> None:
    backoff = Backoff(first=1.0, cap=60.0)
    assert retry_delay(PredictUnavailable("x", retry_after=20.0), 1, backoff) == 20.0
    assert retry_delay(PredictUnavailable("x", retry_after=0.1), 3, backoff) == 4.0
    assert retry_delay(PredictUnavailable("x", retry_after=9_999.0), 1, backoff) == 60.0


def test_a_description_is_one_bounded_line() -> None:
    text = describe(ValueError("a\nb" + "x" * 2_000))
    assert text.startswith("ValueError: a b")
    assert len(text) == 500


def test_a_failed_batch_is_halved_and_nothing_of_it_lost() -> None:
    halves = split(list(range(7)), ValueError("one of them"))
    assert halves is not None
    assert [*halves[0], *halves[1]] == list(range(7))
    assert min(len(halves[0]), len(halves[1])) == 3


def test_an_outage_that_is_known_to_be_partial_is_split() -> None:
    assert split([1, 2], PredictUnavailable("too slow for both"), partial=True) == ([1], [2])


def test_neither_an_outage_nor_a_single_article_is_split() -> None:
    assert split([1, 2, 3], PredictUnavailable("down")) is None
    assert split([1], ValueError("it")) is None


@given(st.integers(min_value=1, max_value=256), st.data())
def test_halving_finds_one_poison_article_and_saves_the_others(size: int, data: st.DataObject) -> None:
    poison = data.draw(st.integers(min_value=0, max_value=size - 1))
    tries = 0
    saved: list[int] = []
    failed: list[int] = []

    def handle(batch: list[int]) -> None:
        nonlocal tries
        tries += 1
        if poison not in batch:
            saved.extend(batch)
            return
        halves = split(batch, ValueError())
        if halves is None:
            failed.extend(batch)
            return
        for half in halves:
            handle(list(half))

    handle(list(range(size)))
    assert failed == [poison]
    assert sorted(saved) == [n for n in range(size) if n != poison]
    assert tries <= 17


# ---- what an article is


def test_an_unknown_key_is_new() -> None:
    assert standing(ARTICLE, None) is Standing.NEW


def test_the_same_again_is_a_duplicate() -> None:
    assert standing(ARTICLE, KNOWN) is Standing.DUPLICATE


def test_another_source_is_a_sighting_even_with_another_text() -> None:
    assert standing(replace(ARTICLE, source="feed", headline="LINCOLN IN!"), KNOWN) is Standing.SIGHTING


@pytest.mark.parametrize("change", [{"headline": "Lincoln Is Elected"}, {"abstract": "At long last."}])
def test_a_text_changed_by_its_own_source_is_an_update(change: dict[str, str]) -> None:
    assert standing(replace(ARTICLE, **change), KNOWN) is Standing.UPDATED


def test_a_text_that_is_missing_now_is_no_update() -> None:
    assert standing(replace(ARTICLE, abstract=""), KNOWN) is Standing.DUPLICATE


@pytest.mark.parametrize(
    ("source", "known", "text"),
    [
        ("nyt-wire", None, ("H2", "")),
        ("nyt-wire", ("H1", "A1"), ("H2", "A1")),
        ("feed", ("H1", "A1"), ("H1", "A1")),
        ("feed", ("", "A1"), ("H2", "A1")),
    ],
)
def test_its_own_source_replaces_a_text_and_others_fill_what_is_empty(
    source: str, known: tuple[str, str] | None, text: tuple[str, str]
) -> None:
    lying = None if known is None else replace(KNOWN, headline=known[0], abstract=known[1])
    assert text_after(replace(ARTICLE, source=source, headline="H2", abstract=""), lying) == text


SAME = ARTICLE
CHANGED = replace(ARTICLE, headline="Lincoln Is Elected")
SEEN_ELSEWHERE = replace(CHANGED, source="feed")
UNSCORED = replace(KNOWN, scored_by=None, generation=None)


@pytest.mark.parametrize(
    ("article", "known", "version", "generation", "expected"),
    [
        (SAME, None, "v1", 3, True),
        (SAME, None, None, 3, True),
        (CHANGED, KNOWN, "v1", 3, True),
        (CHANGED, KNOWN, None, 3, True),
        (SAME, KNOWN, "v1", 3, False),
        (SEEN_ELSEWHERE, KNOWN, "v1", 3, False),
        (SEEN_ELSEWHERE, replace(KNOWN, headline=""), "v1", 3, True),
        (SAME, KNOWN, "v2", 3, True),
        (SAME, KNOWN, "v1", 4, True),
        (SAME, KNOWN, None, 4, False),
        (SAME, UNSCORED, "v1", 3, True),
        (SAME, UNSCORED, None, 3, False),
    ],
)
def test_scores_are_made_for_new_text_new_model_or_new_watch_list_only(
    article: Article, known: Known | None, version: str | None, generation: int, expected: bool
) -> None:
    assert must_score(article, known, version=version, generation=generation) is expected


# ---- batches

SOURCES = st.sampled_from(["wire", "feed"])
ARTICLES = st.builds(
    lambda key, source, headline: replace(ARTICLE, key=key, source=source, headline=headline),
    st.sampled_from("abc"),
    SOURCES,
    st.sampled_from(["X", "Y"]),
)


@given(st.lists(ARTICLES, max_size=12))
def test_waves_hold_each_key_once_and_keep_the_order_of_what_is_said_of_it(batch: list[Article]) -> None:
    groups = waves(batch)
    for group in groups:
        keys = [batch[i].key for i in group]
        assert group == sorted(group)
        assert len(set(keys)) == len(keys)
    for key in "abc":
        positions = [i for group in groups for i in group if batch[i].key == key]
        said = [(batch[i].source, batch[i].headline) for i in range(len(batch)) if batch[i].key == key]
        changes = [s for n, s in enumerate(said) if n == 0 or s != said[n - 1]]
        assert positions == sorted(positions)
        assert [(batch[i].source, batch[i].headline) for i in positions] == changes


def test_a_corrected_article_travels_under_another_key_than_before() -> None:
    before, after = (message_key(a, encode_article(a)) for a in (SAME, CHANGED))
    assert before != after
    assert message_key(SAME, encode_article(SAME)) == before


def test_a_replayed_letter_travels_under_a_fresh_key_that_leads_back() -> None:
    once = replay_key("k1#abc", 7, NOON)
    assert once != "k1#abc"
    assert plain_key(once) == "k1#abc"
    again = replay_key(once, 9, NOON + seconds(60))
    assert again != once
    assert plain_key(again) == "k1#abc"


def test_books_are_kept_for_articles_that_mention_someone() -> None:
    assert must_recommend(mentions=1, books_per_article=5)
    assert not must_recommend(mentions=0, books_per_article=5)
    assert not must_recommend(mentions=3, books_per_article=0)


# ---- schedules

POLICY = PollPolicy(interval=300.0, backoff=Backoff(first=30.0, cap=3_600.0))


def seconds(n: float) -> timedelta:
    return timedelta(seconds=n)


def test_a_poll_during_which_the_clock_is_set_back_does_not_rest_until_the_old_time_has_come():
    tomorrow = NOON + seconds(86_400)
    assert next_poll(tomorrow, NOON, POLICY) == NOON + seconds(300)
    assert next_poll(tomorrow, NOON, POLICY, patience=3_600.0) == NOON + seconds(3_600)


def test_after_success_one_interval_after_the_poll_began() -> None:
    assert next_poll(NOON, NOON + seconds(20), POLICY) == NOON + seconds(300)


def test_a_poll_longer_than_the_interval_is_followed_at_once_not_earlier() -> None:
    finished = NOON + seconds(400)
    assert next_poll(NOON, finished, POLICY) == finished


def test_a_source_may_ask_for_more_patience_but_not_for_less() -> None:
    assert next_poll(NOON, NOON, POLICY, patience=3_600.0) == NOON + seconds(3_600)
    assert next_poll(NOON, NOON, POLICY, patience=5.0) == NOON + seconds(300)


def test_a_poll_that_was_stopped_goes_on_at_once() -> None:
    assert next_poll(NOON, NOON + seconds(1), POLICY, patience=60.0, unfinished=True) == NOON + seconds(1)


def test_errors_stretch_the_wait_from_the_end_of_the_poll() -> None:
    finished = NOON + seconds(10)
    waits = [next_poll(NOON, finished, POLICY, failures=n) - finished for n in (1, 2, 3, 20)]
    assert waits == [seconds(30), seconds(60), seconds(120), seconds(3_600)]


def test_retry_after_is_honoured_even_beyond_the_cap() -> None:
    assert next_poll(NOON, NOON, POLICY, failures=1, retry_after=86_400.0) == NOON + seconds(86_400)
    assert next_poll(NOON, NOON, POLICY, failures=3, retry_after=5.0) == NOON + seconds(120)


def test_a_source_is_due_when_never_polled_or_when_its_time_has_come() -> None:
    assert is_due(NOON, None)
    assert is_due(NOON, NOON)
    assert not is_due(NOON, NOON + seconds(1))


@pytest.mark.parametrize(("ack_wait", "every"), [(60.0, 10.0), (30.0, 10.0), (9.0, 3.0), (1.0, 1 / 3)])
def test_a_consumer_speaks_up_three_times_before_the_bus_gives_it_up(ack_wait: float, every: float) -> None:
    assert heartbeat(ack_wait) == every
