from __future__ import annotations

from datetime import timedelta

import pytest

from kiosque.core.errors import NotFound
from kiosque.store import dead_letters
from kiosque.store.dead_letters import DeadLetter
from kiosque.testing.world import NOW

DATA = bytes(range(256))


def add(tx, key="k", data=DATA, at=NOW, **others):
    return dead_letters.add(
        tx,
        **{
            "key": key,
            "subject": "feed",
            "data": data,
            "reason": "Not JSON",
            "attempts": 5,
            "at": at,
            **others,
        },
    )


def test_a_message_is_kept_byte_for_byte(database):
    with database.write() as tx:
        letter_id = add(tx)
        assert dead_letters.get(tx, letter_id) == DeadLetter(letter_id, "k", "feed", DATA, "Not JSON", 5, NOW)


def test_the_same_message_again_renews_its_row(database):
    later = NOW + timedelta(hours=1)
    with database.write() as tx:
        letter_id = add(tx)
        dead_letters.mark_replayed(tx, letter_id, NOW)
        assert add(tx, at=later, reason="Again", attempts=6) == letter_id
        assert dead_letters.get(tx, letter_id) == DeadLetter(letter_id, "k", "feed", DATA, "Again", 6, later)
        assert add(tx, data=b"other") != letter_id


def test_letters_are_listed_newest_first_and_picked_by_replay(database):
    with database.write() as tx:
        ids = [add(tx, key=f"k{i}", at=NOW + timedelta(minutes=i)) for i in range(3)]
        dead_letters.mark_replayed(tx, ids[1], NOW)
        first = dead_letters.page(tx, limit=2)
        second = dead_letters.page(tx, limit=2, cursor=first.next)
        assert [each.id for each in (*first.items, *second.items)] == ids[::-1]
        assert [each.id for each in dead_letters.page(tx, replayed=False).items] == [ids[2], ids[0]]
        assert [each.id for each in dead_letters.page(tx, replayed=True).items] == [ids[1]]
        assert (
            dead_letters.count(tx),
            dead_letters.count(tx, replayed=True),
            dead_letters.count(tx, replayed=None),
        ) == (2, 1, 3)


def test_a_letter_is_deleted_once(database):
    with database.write() as tx:
        letter_id = add(tx)
        dead_letters.delete(tx, letter_id)
        for act in (
            dead_letters.delete,
            dead_letters.get,
            lambda tx, i: dead_letters.mark_replayed(tx, i, NOW),
        ):
            with pytest.raises(NotFound):
                act(tx, letter_id)
