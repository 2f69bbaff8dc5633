from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kiosque.bus.ledger import Batch, Entry, Ledger, State
from kiosque.bus.protocol import Message


@pytest.fixture
def ledger():
    return Ledger()


def _add(ledger: Ledger, count: int) -> tuple[list[Entry], Batch]:
    batch = Batch(count)
    return [ledger.add(Message(str(i), "s", b""), batch) for i in range(count)], batch


def test_entries_come_in_order_and_are_counted(ledger):
    entries, _ = _add(ledger, 3)

    assert ledger.take(2, now=0, settle_by=10) == entries[:2]
    assert (ledger.waiting, ledger.in_hand, ledger.delayed) == (1, 2, 0)


def test_what_is_not_settled_in_time_comes_back(ledger):
    [entry], _ = _add(ledger, 1)
    ledger.take(1, now=0, settle_by=10)

    assert ledger.take(1, now=9.9, settle_by=20) == []
    assert ledger.take(1, now=10, settle_by=20) == [entry]
    assert entry.attempt == 2


def test_more_time_is_more_time(ledger):
    [entry], _ = _add(ledger, 1)
    ledger.take(1, now=0, settle_by=10)
    ledger.extend(entry, 1, settle_by=30)

    assert ledger.take(1, now=20, settle_by=99) == []
    assert ledger.next_due() == 30


def test_what_was_put_back_comes_when_it_is_due(ledger):
    [entry], _ = _add(ledger, 1)
    ledger.take(1, now=0, settle_by=10)
    ledger.put_back(entry, 1, due=40)

    assert (ledger.waiting, ledger.in_hand, ledger.delayed) == (0, 0, 1)
    assert ledger.take(1, now=39, settle_by=99) == []
    assert ledger.take(1, now=40, settle_by=99) == [entry]


def test_an_old_delivery_cannot_give_back_what_another_has(ledger):
    [entry], _ = _add(ledger, 1)
    ledger.take(1, now=0, settle_by=1)
    ledger.take(1, now=1, settle_by=9)

    ledger.put_back(entry, 1, due=2)
    ledger.extend(entry, 1, settle_by=99)

    assert entry.state is State.IN_HAND
    assert ledger.next_due() == 9


def test_settled_late_is_settled(ledger):
    [entry], batch = _add(ledger, 1)
    ledger.take(1, now=0, settle_by=1)
    assert ledger.take(0, now=5, settle_by=9) == []
    assert entry.state is State.WAITING

    ledger.settle(entry)
    ledger.settle(entry)

    assert batch.unsettled == 0
    assert ledger.settled == 1
    assert ledger.take(1, now=6, settle_by=9) == []


def test_withdrawing_leaves_what_is_in_hand(ledger):
    entries, batch = _add(ledger, 3)
    ledger.take(2, now=0, settle_by=9)
    ledger.put_back(entries[1], 1, due=5)
    _add(ledger, 1)

    ledger.withdraw(batch)

    assert (ledger.waiting, ledger.in_hand, ledger.delayed) == (1, 1, 0)


class LedgerMachine(RuleBasedStateMachine):
    """Whatever happens in whatever order, every entry is somewhere and counted there."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.entries: list[Entry] = []
        self.batches: list[Batch] = []
        self.now = 0.0

    @rule(count=st.integers(0, 4))
    def add(self, count: int) -> None:
        entries, batch = _add(self.ledger, count)
        self.entries += entries
        self.batches.append(batch)

    @rule(limit=st.integers(0, 4), wait=st.integers(0, 5))
    def take(self, limit: int, wait: int) -> None:
        for entry in self.ledger.take(limit, now=self.now, settle_by=self.now + wait):
            assert entry.state is State.IN_HAND

    @rule(which=st.integers(0), attempt=st.integers(0, 3))
    def settle_extend_or_put_back(self, which: int, attempt: int) -> None:
        if self.entries:
            entry = self.entries[which % len(self.entries)]
            (
                lambda: self.ledger.settle(entry),
                lambda: self.ledger.put_back(entry, entry.attempt, due=self.now + 1),
                lambda: self.ledger.put_back(entry, entry.attempt - 1, due=self.now + 1),
                lambda: self.ledger.extend(entry, entry.attempt, settle_by=self.now + 3),
            )[attempt]()

    @rule(which=st.integers(0))
    def withdraw(self, which: int) -> None:
        if self.batches:
            self.ledger.withdraw(self.batches[which % len(self.batches)])

    @rule()
    def pass_time(self) -> None:
        self.now += 1

    @invariant()
    def counts_agree(self) -> None:
        states = [entry.state for entry in self.entries]
        assert self.ledger.waiting == states.count(State.WAITING)
        assert self.ledger.in_hand == states.count(State.IN_HAND)
        assert self.ledger.delayed == states.count(State.DELAYED)

    def teardown(self) -> None:
        found = self.ledger.take(len(self.entries), now=self.now + 100, settle_by=self.now + 200)
        open_entries = [entry for entry in self.entries if entry.state is not State.SETTLED]
        assert sorted(map(id, found)) == sorted(map(id, open_entries))


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(deadline=None, max_examples=50)
