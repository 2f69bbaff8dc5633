from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence

import pytest

from kiosque.core.errors import InvalidInput, PredictUnavailable
from kiosque.core.polarity import ScoringRequest, Target
from kiosque.core.prediction import ScoredBatch
from kiosque.predict.batcher import Batcher
from kiosque.testing.predictor import ToyPolarity
from kiosque.testing.waiting import PATIENCE


def request(text: str, targets: int = 1) -> ScoringRequest:
    return ScoringRequest(text, targets=tuple(Target(f"t{i}", "Ada") for i in range(targets)))


class Model:
    """Records the batches that it was given; `gate` holds it back, "poison" in a text makes it fail."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.flags: list[bool] = []
        self.gate = threading.Event()
        self.gate.set()
        self.busy = threading.Event()
        self.threads: set[str] = set()

    def __call__(self, requests: Sequence[ScoringRequest], any_language: bool) -> ScoredBatch:
        self.batches.append([each.headline for each in requests])
        self.flags.append(any_language)
        self.threads.add(threading.current_thread().name)
        self.busy.set()
        assert self.gate.wait(PATIENCE)
        if any("poison" in each.headline for each in requests):
            raise InvalidInput("poison")
        return ScoredBatch("v1", tuple(ToyPolarity().score(requests)))


@pytest.fixture
def model():
    return Model()


def run(batcher: Batcher, scenario: Callable[[], Awaitable[object]]) -> None:
    async def main() -> None:
        batcher.start()
        try:
            await asyncio.wait_for(scenario(), PATIENCE)
        finally:
            await batcher.close()

    asyncio.run(main())


def held(batcher: Batcher, model: Model, scenario: Callable[[], Awaitable[object]]) -> None:
    """Run `scenario` while the model is busy with a first call; then see every call through."""

    async def main() -> None:
        model.gate.clear()
        first = asyncio.ensure_future(batcher.score([request("first")]))
        await asyncio.to_thread(model.busy.wait, PATIENCE)
        started = await scenario()
        model.gate.set()
        await asyncio.gather(first, *(started if isinstance(started, list) else ()))

    run(batcher, main)


async def ask_all(batcher: Batcher, *asked: tuple[str, int, bool]) -> list[asyncio.Future[ScoredBatch]]:
    """Calls that have been made, in this order, and not been answered."""
    calls = [
        asyncio.ensure_future(batcher.score([request(text, targets)], any_language=flag))
        for text, targets, flag in asked
    ]
    await asyncio.sleep(0)
    return calls


def test_one_caller_gets_its_answer_off_the_event_loop(model):
    batcher = Batcher(model)

    async def scenario() -> None:
        asked = [request("Ada wins", 2), request("nobody", 0)]
        batch = await batcher.score(asked, any_language=True)
        assert list(batch.scores) == ToyPolarity().score(asked)

    run(batcher, scenario)
    assert model.flags == [True]
    assert threading.main_thread().name not in model.threads


def test_callers_who_wait_together_are_scored_together_and_told_apart(model):
    batcher = Batcher(model, max_batch=64)
    answers: list[asyncio.Future[ScoredBatch]] = []
    asked = [[request(f"Ada {'wins' if i % 2 else 'loses'} {i}")] * (1 + i % 3) for i in range(20)]

    async def scenario() -> list[asyncio.Future[ScoredBatch]]:
        answers.extend(asyncio.ensure_future(batcher.score(each)) for each in asked)
        await asyncio.sleep(0)
        return answers

    held(batcher, model, scenario)
    assert len(model.batches) == 2
    assert len(model.batches[1]) == sum(map(len, asked))
    for each, answer in zip(asked, answers, strict=True):
        assert list(answer.result().scores) == ToyPolarity().score(each)


def test_a_batch_has_its_limit_and_a_large_caller_goes_alone(model):
    batcher = Batcher(model, max_batch=4)

    asked = [(name, size, False) for name, size in (("a", 3), ("b", 2), ("c", 2), ("huge", 9), ("d", 1))]
    held(batcher, model, lambda: ask_all(batcher, *asked))
    assert model.batches == [["first"], ["a"], ["b", "c"], ["huge"], ["d"]]


def test_callers_who_want_different_things_are_not_mixed(model):
    batcher = Batcher(model)

    held(batcher, model, lambda: ask_all(batcher, ("a", 1, False), ("b", 1, True), ("c", 1, True)))
    assert model.batches == [["first"], ["a"], ["b", "c"]]
    assert model.flags == [False, False, True]


def test_lingering_gathers_who_comes_a_moment_later(model):
    batcher = Batcher(model, linger=0.05)

    async def scenario() -> None:
        first = asyncio.ensure_future(batcher.score([request("a")]))
        await asyncio.sleep(0.001)
        await asyncio.gather(first, batcher.score([request("b")]))

    run(batcher, scenario)
    assert model.batches == [["a", "b"]]


def test_too_much_waiting_is_refused_with_a_time_to_come_back(model):
    batcher = Batcher(model, max_waiting=5)
    refused: list[PredictUnavailable] = []

    async def scenario() -> None:
        waiting = asyncio.ensure_future(batcher.score([request("a", 4)]))
        await asyncio.sleep(0)
        with pytest.raises(PredictUnavailable) as caught:
            await batcher.score([request("b", 2)])
        refused.append(caught.value)
        model.gate.set()
        await waiting
        await batcher.score([request("c", 2)])

    held(batcher, model, scenario)
    assert refused[0].retry_after == 1.0
    assert model.batches[-1] == ["c"], "afterwards there is room again"


def test_a_caller_larger_than_the_queue_is_served_when_nothing_waits(model):
    batcher = Batcher(model, max_waiting=5)
    run(batcher, lambda: batcher.score([request("a", 50)]))
    assert model.batches == [["a"]]


def test_one_caller_s_fault_is_not_the_others(model):
    batcher = Batcher(model)
    outcomes: list[object] = []

    async def scenario() -> None:
        callers = [batcher.score([request(text)]) for text in ("Ada wins", "poison", "Ada loses")]
        gathered = asyncio.gather(*callers, return_exceptions=True)
        await asyncio.sleep(0)
        model.gate.set()
        outcomes.extend(await gathered)

    held(batcher, model, scenario)
    assert [isinstance(outcome, InvalidInput) for outcome in outcomes] == [False, True, False]


def test_a_caller_who_left_is_not_scored(model):
    batcher = Batcher(model)

    async def scenario() -> None:
        gone = asyncio.ensure_future(batcher.score([request("gone")]))
        stays = asyncio.ensure_future(batcher.score([request("stays")]))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        model.gate.set()
        await stays

    held(batcher, model, scenario)
    assert model.batches == [["first"], ["stays"]]


def test_closing_finishes_what_is_under_way_and_tells_the_others_to_come_back(model):
    batcher = Batcher(model)
    outcomes: list[object] = []

    async def main() -> None:
        batcher.start()
        model.gate.clear()
        calls = await ask_all(batcher, ("first", 1, False))
        await asyncio.to_thread(model.busy.wait, PATIENCE)
        calls += await ask_all(batcher, ("waiting", 1, False))
        closing = asyncio.ensure_future(batcher.close())
        await asyncio.sleep(0)
        calls += await ask_all(batcher, ("late", 1, False))
        model.gate.set()
        await closing
        outcomes.extend(await asyncio.gather(*calls, return_exceptions=True))

    asyncio.run(asyncio.wait_for(main(), PATIENCE))
    assert [type(outcome) for outcome in outcomes] == [ScoredBatch, PredictUnavailable, PredictUnavailable]
