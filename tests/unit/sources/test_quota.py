from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosque.core.errors import RateLimited, StoreUnavailable
from kiosque.sources.quota import Quota

START = datetime(2024, 5, 17, 12, tzinfo=UTC)


class Time:
    def __init__(self) -> None:
        self.now = START
        self.waits: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def time() -> Time:
    return Time()


def make(
    folder: Path, time: Time, *, per_minute: int = 5, per_day: int = 500, longest_wait: float = 75.0
) -> Quota:
    return Quota(
        folder / "data" / "quota.sqlite",
        clock=time,
        wait=time.wait,
        per_minute=per_minute,
        per_day=per_day,
        longest_wait=longest_wait,
    )


def test_the_sixth_request_of_a_minute_waits_for_the_first_to_leave_it(tmp_path: Path, time: Time) -> None:
    quota = make(tmp_path, time)
    for _ in range(5):
        quota.take()
        time.now += timedelta(seconds=1)
    assert time.waits == []
    quota.take()
    assert time.waits == [pytest.approx(55, abs=0.1)]


def test_a_wait_that_is_too_long_is_rate_limited_and_counts_nothing(tmp_path: Path, time: Time) -> None:
    quota = make(tmp_path, time, per_minute=2, longest_wait=10)
    quota.take()
    quota.take()
    with pytest.raises(RateLimited) as caught:
        quota.take()
    assert caught.value.retry_after == pytest.approx(60, abs=0.1)
    assert quota.state().minute.used == 2


def test_a_wait_that_ends_early_because_the_process_stops_gives_up(tmp_path: Path, time: Time) -> None:
    waits: list[float] = []
    quota = Quota(tmp_path / "quota.sqlite", clock=time, wait=waits.append, per_minute=1)
    quota.take()
    with pytest.raises(RateLimited):
        quota.take()
    assert 0 < len(waits) <= 20


def test_the_day_is_a_limit_of_its_own(tmp_path: Path, time: Time) -> None:
    quota = make(tmp_path, time, per_minute=5, per_day=6)
    for _ in range(6):
        quota.take()
    with pytest.raises(RateLimited) as caught:
        quota.take()
    assert caught.value.retry_after == pytest.approx(86_400 - 60, abs=1)
    time.now = START + timedelta(days=1, seconds=1)
    quota.take()


def test_it_is_kept_across_restarts_and_shared(tmp_path: Path, time: Time) -> None:
    make(tmp_path, time).take()
    second = make(tmp_path, time)
    second.take()
    assert make(tmp_path, time).state().day.used == 2


def test_names_have_allowances_of_their_own(tmp_path: Path, time: Time) -> None:
    make(tmp_path, time, per_minute=1).take()
    other = Quota(tmp_path / "data" / "quota.sqlite", clock=time, wait=time.wait, per_minute=1, name="other")
    other.take()
    assert time.waits == []


def test_the_state_shows_used_left_and_when_it_resets(tmp_path: Path, time: Time) -> None:
    quota = make(tmp_path, time)
    empty = quota.state()
    assert (empty.minute.used, empty.minute.left, empty.minute.resets_at) == (0, 5, None)
    quota.take()
    time.now += timedelta(seconds=30)
    quota.take()
    state = quota.state()
    assert (state.minute.used, state.minute.left, state.day.used, state.day.left) == (2, 3, 2, 498)
    assert state.minute.resets_at == START + timedelta(seconds=60)
    assert state.day.resets_at == START + timedelta(days=1)
    time.now += timedelta(seconds=31)
    assert quota.state().minute.used == 1


def test_asking_for_the_state_counts_nothing(tmp_path: Path, time: Time) -> None:
    quota = make(tmp_path, time)
    for _ in range(10):
        quota.state()
    assert quota.state().day.used == 0


def test_after_the_server_says_no_nothing_goes_out_for_a_while(tmp_path: Path, time: Time) -> None:
    quota = make(tmp_path, time)
    quota.close_for(3_600)
    quota.close_for(60)  # the longer one stands
    assert quota.state().closed_until == START + timedelta(hours=1)
    with pytest.raises(RateLimited) as caught:
        make(tmp_path, time).take()
    assert caught.value.retry_after == pytest.approx(3_600, abs=0.1)
    time.now += timedelta(hours=1)
    quota.take()
    assert quota.state().closed_until is None


def test_a_clock_that_was_wrong_does_not_shut_the_quota_for_years(tmp_path: Path, time: Time) -> None:
    time.now = START + timedelta(days=3_650)
    quota = make(tmp_path, time, per_minute=1)
    quota.take()
    time.now = START
    quota.take()
    assert time.waits == []


def test_a_damaged_file_is_an_error_with_a_hint(tmp_path: Path, time: Time) -> None:
    quota = make(tmp_path, time)
    quota.take()
    (tmp_path / "data" / "quota.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreUnavailable) as caught:
        quota.take()
    assert "delete it" in (caught.value.hint or "")


def test_threads_together_take_no_more_than_the_limit(tmp_path: Path, time: Time) -> None:
    quota = make(tmp_path, time, per_minute=7, longest_wait=0)
    taken: list[bool] = []

    def take() -> None:
        try:
            quota.take()
        except RateLimited:
            taken.append(False)
        else:
            taken.append(True)

    threads = [threading.Thread(target=take) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 7
    assert len(taken) == 24


@settings(max_examples=30)
@given(st.lists(st.floats(min_value=0, max_value=40), min_size=1, max_size=40))
def test_no_minute_ever_holds_more_than_the_limit(
    tmp_path_factory: pytest.TempPathFactory, gaps: list[float]
) -> None:
    time = Time()
    quota = make(tmp_path_factory.mktemp("quota"), time, per_minute=3)
    moments = []
    for gap in gaps:
        time.now += timedelta(seconds=gap)
        quota.take()
        moments.append(time.now)
    for index, moment in enumerate(moments):
        assert sum(moment <= other < moment + timedelta(seconds=60) for other in moments[index:]) <= 3
