"""From the bus into the store: what is acknowledged, tried again or given up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from kiosque.bus.protocol import Message
from kiosque.core.article import Article
from kiosque.core.errors import BusUnavailable, PredictUnavailable, StoreUnavailable
from kiosque.core.polarity import ScoringRequest
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.consume import Consumer, ConsumerPolicy
from kiosque.pipeline.decide import PROBE_FROM, Backoff, RetryPolicy
from kiosque.pipeline.intake import Intake
from kiosque.pipeline.produce import message_of
from kiosque.pipeline.worker import Stop
from kiosque.store import articles, dead_letters, mentions
from kiosque.store.database import Database
from kiosque.testing.pipeline import ManualClock, RecordedBus, ScriptedPredictor

MakeArticle = Callable[..., Article]
POLICY = ConsumerPolicy(
    batch_size=8, fetch_timeout=0.0, retry=RetryPolicy(max_deliveries=3, backoff=Backoff(1.0, 60.0))
)


@dataclass
class Setting:
    bus: RecordedBus
    consumer: Consumer
    database: Database
    predictor: ScriptedPredictor

    def letters(self) -> list[dead_letters.DeadLetter]:
        with self.database.read() as tx:
            return list(dead_letters.page(tx).items)

    def stored(self) -> set[str]:
        with self.database.read() as tx:
            return {row.article.key for row in articles.iterate(tx)}


@pytest.fixture
def setting(
    intake: Intake, database: Database, predictor: ScriptedPredictor, clock: ManualClock, metrics: Metrics
) -> Setting:
    bus = RecordedBus()
    consumer = Consumer(bus, intake, database, clock=clock, metrics=metrics, policy=POLICY)
    return Setting(bus, consumer, database, predictor)


def test_a_batch_is_acknowledged_after_it_is_stored(setting: Setting, article: MakeArticle) -> None:
    batch = setting.bus.prepare(*(message_of(article(f"k{n}")) for n in range(3)))
    assert setting.consumer.step() == 3
    assert [each.settled for each in batch] == ["ack"] * 3
    assert setting.stored() == {"k0", "k1", "k2"}


def test_an_empty_fetch_does_nothing(setting: Setting) -> None:
    assert setting.consumer.step() == 0


def test_a_redelivery_is_acknowledged_without_scoring_again(setting: Setting, article: MakeArticle) -> None:
    for attempt in (1, 2):
        (delivery,) = setting.bus.prepare(message_of(article()), attempt=attempt)
        setting.consumer.step()
        assert delivery.settled == "ack"
    assert len(setting.predictor.scored) == 1


def test_what_is_no_article_goes_to_the_dead_letters_at_once_and_the_rest_is_taken(
    setting: Setting, article: MakeArticle
) -> None:
    bad = Message("odd", "stranger", b"{not json")
    batch = setting.bus.prepare(message_of(article()), bad)
    setting.consumer.step()
    assert [each.settled for each in batch] == ["ack", "term not_ours"]
    (letter,) = setting.letters()
    assert (letter.key, letter.subject, letter.data) == ("odd", "stranger", b"{not json")
    assert letter.reason.startswith("not_ours: Not JSON")


def test_one_poison_article_holds_up_no_other(setting: Setting, article: MakeArticle) -> None:
    setting.predictor.poison = "Cursed"
    batch = setting.bus.prepare(
        *(message_of(article(f"k{n}", "Cursed Lane" if n == 5 else "Ada Lane Wins")) for n in range(8))
    )
    setting.consumer.step()
    assert [each.settled for each in batch] == ["ack"] * 5 + ["nak 1.0"] + ["ack"] * 2
    assert setting.stored() == {f"k{n}" for n in range(8)} - {"k5"}


def test_a_poison_article_is_given_up_after_its_tries_with_the_reason(
    setting: Setting, article: MakeArticle
) -> None:
    setting.predictor.poison = "Cursed"
    settled = []
    for attempt in (1, 2, 3):
        (delivery,) = setting.bus.prepare(message_of(article(headline="Cursed Lane")), attempt=attempt)
        setting.consumer.step()
        settled.append(delivery.settled)
    assert settled == ["nak 1.0", "nak 2.0", "term poison"]
    (letter,) = setting.letters()
    assert letter.key == "k1"
    assert letter.attempts == 3
    assert "cannot score" in letter.reason


def test_an_outage_makes_all_wait_longer_and_longer_and_gives_nothing_up(
    setting: Setting, article: MakeArticle
) -> None:
    setting.predictor.down = True
    delays = []
    for attempt in range(1, 12):
        batch = setting.bus.prepare(message_of(article("a")), message_of(article("b")), attempt=attempt)
        setting.consumer.step()
        delays.append([each.settled for each in batch])
    assert delays[0] == ["nak 1.0", "nak 1.0"]
    assert delays[3] == ["nak 8.0", "nak 8.0"]
    assert delays[-1] == ["nak 60.0", "nak 60.0"]
    assert setting.letters() == []
    setting.predictor.down = False
    batch = setting.bus.prepare(message_of(article("a")), message_of(article("b")), attempt=12)
    setting.consumer.step()
    assert [each.settled for each in batch] == ["ack", "ack"]


def test_failures_during_an_outage_do_not_count_for_the_article(
    setting: Setting, article: MakeArticle
) -> None:
    setting.predictor.down = True
    for attempt in (1, 2, 3, 4):
        setting.bus.prepare(message_of(article(headline="Cursed Lane")), attempt=attempt)
        setting.consumer.step()
    setting.predictor.down, setting.predictor.poison = False, "Cursed"
    (delivery,) = setting.bus.prepare(message_of(article(headline="Cursed Lane")), attempt=5)
    setting.consumer.step()
    assert delivery.settled == "nak 1.0", "its first failure of its own"


def test_where_every_article_of_a_batch_fails_none_is_given_up(
    setting: Setting, article: MakeArticle
) -> None:
    """As after an upgrade with a mistake in it: the news waits for the next one."""
    setting.predictor.poison = "Lane"
    batches = []
    for attempt in range(1, 6):
        batches.append(
            setting.bus.prepare(*(message_of(article(f"k{n}")) for n in range(8)), attempt=attempt)
        )
        setting.consumer.step()
    assert [batch[0].settled for batch in batches] == ["nak 1.0", "nak 2.0", "nak 4.0", "nak 8.0", "nak 16.0"]
    assert setting.letters() == []


def test_a_server_that_is_too_slow_for_a_batch_is_given_smaller_ones(
    setting: Setting, article: MakeArticle
) -> None:
    def give_up_on_many(requests: Sequence[ScoringRequest]) -> None:
        if len(requests) > 2:
            raise PredictUnavailable("no answer in time")

    setting.predictor.on_polarity = give_up_on_many
    messages = [message_of(article(f"k{n}")) for n in range(8)]
    for _ in range(PROBE_FROM):
        batch = setting.bus.prepare(*messages)
        setting.consumer.step()
        assert {each.settled for each in batch} <= {"nak 1.0", "nak 2.0", "nak 4.0"}
    batch = setting.bus.prepare(*messages)
    setting.consumer.step()
    assert [each.settled for each in batch] == ["ack"] * 8


def test_in_a_long_outage_no_more_than_two_articles_are_tried_by_themselves(
    setting: Setting, article: MakeArticle
) -> None:
    calls = 0

    def refuse(_: Sequence[ScoringRequest]) -> None:
        nonlocal calls
        calls += 1
        raise PredictUnavailable("no answer")

    setting.predictor.on_polarity = refuse
    for attempt in range(PROBE_FROM + 1):
        calls = 0
        setting.bus.prepare(*(message_of(article(f"k{n}")) for n in range(8)), attempt=attempt + 1)
        setting.consumer.step()
    assert calls == 3
    assert setting.letters() == []


def test_an_article_on_which_the_server_hangs_is_found_among_the_others_and_given_up(
    setting: Setting, article: MakeArticle
) -> None:
    def hang(requests: Sequence[ScoringRequest]) -> None:
        if any("Cursed" in request.headline for request in requests):
            raise PredictUnavailable("no answer in time")

    setting.predictor.on_polarity = hang
    cursed = message_of(article("cursed", "Cursed Lane"))
    for turn in range(PROBE_FROM + 3):
        others = (message_of(article(f"k{turn}-{n}")) for n in range(3))
        setting.bus.prepare(next(others), cursed, *others)
        setting.consumer.step()
    (letter,) = setting.letters()
    assert letter.key == "cursed"


def test_a_success_forgets_earlier_failures(setting: Setting, article: MakeArticle) -> None:
    message = message_of(article(headline="Cursed Lane"))
    settled = []
    for poison in ("Cursed", "Cursed", None, "Cursed"):
        setting.predictor.poison = poison
        setting.predictor.version = f"v{len(settled)}"  # so that there is something to score each time
        (delivery,) = setting.bus.prepare(message)
        setting.consumer.step()
        settled.append(delivery.settled)
    assert settled == ["nak 1.0", "nak 2.0", "ack", "nak 1.0"]


def test_without_a_database_a_message_that_is_given_up_comes_again(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def locked() -> object:  # type: ignore[misc]
        raise StoreUnavailable("locked")
        yield

    (delivery,) = setting.bus.prepare(Message("odd", "stranger", b"?"))
    monkeypatch.setattr(setting.database, "write", locked)
    setting.consumer.step()
    assert delivery.settled == "nak 1.0"


def test_without_a_model_articles_are_stored_and_acknowledged(setting: Setting, article: MakeArticle) -> None:
    setting.predictor.version = None
    (delivery,) = setting.bus.prepare(message_of(article()))
    setting.consumer.step()
    assert delivery.settled == "ack"
    with setting.database.read() as tx:
        assert mentions.count_missing(tx, "v1") == 1


def test_a_long_batch_tells_the_bus_that_it_is_being_worked_on(
    intake: Intake,
    database: Database,
    predictor: ScriptedPredictor,
    clock: ManualClock,
    metrics: Metrics,
    article: MakeArticle,
) -> None:
    bus = RecordedBus()
    policy = ConsumerPolicy(heartbeat=0.001)
    consumer = Consumer(bus, intake, database, clock=clock, metrics=metrics, policy=policy)
    batch = bus.prepare(message_of(article("a")), message_of(article("b")))
    pause = threading.Event()

    def wait_for_beats(_: object) -> None:
        for _turn in range(5_000):
            if all(each.beats >= 2 for each in batch):
                return
            pause.wait(0.002)

    predictor.on_polarity = wait_for_beats
    consumer.step()
    assert all(each.beats >= 2 for each in batch)


def test_running_ends_when_asked_with_the_batch_in_hand_finished(
    setting: Setting, article: MakeArticle
) -> None:
    stop = Stop()
    setting.predictor.on_polarity = lambda _: stop.request()
    first = setting.bus.prepare(message_of(article("a")))
    second = setting.bus.prepare(message_of(article("b")))
    setting.consumer.run(stop)
    assert first[0].settled == "ack"
    assert second[0].settled is None


def test_a_lost_broker_ends_the_loop_so_that_it_is_restarted(setting: Setting) -> None:
    setting.bus.down = True
    with pytest.raises(BusUnavailable):
        setting.consumer.run(Stop())


def test_dead_letters_and_batches_are_measured(
    setting: Setting, article: MakeArticle, metrics: Metrics
) -> None:
    setting.bus.prepare(message_of(article()), Message("odd", "stranger", b"?"))
    setting.consumer.step()
    value = metrics.registry.get_sample_value
    assert value("kiosque_dead_letters_total", {"reason": "not_ours"}) == 1
    assert value("kiosque_consume_batch_seconds_count") == 1
