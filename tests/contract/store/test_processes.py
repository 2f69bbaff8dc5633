"""Processes that say they are there, and long work that people start."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kiosque.core.errors import Conflict, NotFound
from kiosque.store import jobs, meta, presence, works
from kiosque.store.presence import Presence
from kiosque.store.works import WorkState
from kiosque.testing.world import NOW

LATER = NOW + timedelta(minutes=5)


def said(kind: str, at=NOW, **more) -> Presence:
    return Presence(id=f"{kind}:h_1%:1", kind=kind, host="h_1%", version="0", started_at=NOW, at=at, **more)


def test_a_process_says_how_it_fares_until_it_leaves(database):
    one = said("consumer", troubles=("bus: down",), facts={"lag": {"pending": 3}})
    with database.write() as tx:
        meta.put(tx, "process", "no process")
        presence.say(tx, one)
        presence.say(tx, said("producer"))
        assert presence.everyone(tx) == (one, said("producer"))
        presence.say(tx, said("consumer", LATER))
        assert presence.everyone(tx)[0] == said("consumer", LATER)
        presence.leave(tx, one.id)
        assert presence.everyone(tx) == (said("producer"),)
        assert meta.get(tx, "process") == "no process"


def test_who_is_silent_for_long_is_forgotten(database):
    with database.write() as tx:
        presence.say(tx, said("consumer"))
        presence.say(tx, said("web", NOW + presence.FORGOTTEN + timedelta(seconds=1)))
        assert [each.kind for each in presence.everyone(tx)] == ["web"]


def begin(tx, work_id="1", kind="rescore", at=NOW):
    return works.begin(tx, work_id, kind, by="ana", parameters={"since": "1860-01-01"}, at=at)


def note(tx, work, state, at, done=1, total=4):
    works.note(tx, work, state=state, done=done, total=total, message="so far", at=at)


def test_work_is_begun_noted_and_ended(database):
    with database.write() as tx:
        work = begin(tx)
        assert (work.state, work.share, work.running) == (WorkState.RUNNING, None, True)
        note(tx, work, WorkState.RUNNING, NOW)
        assert works.get(tx, "1", now=NOW).share == 0.25
        note(tx, work, WorkState.DONE, LATER, done=4)
        ended = works.get(tx, "1", now=LATER)
    assert (ended.state, ended.finished_at, ended.message, ended.by) == (
        WorkState.DONE,
        LATER,
        "so far",
        "ana",
    )
    assert ended.parameters == {"since": "1860-01-01"}


def test_one_of_a_kind_runs_at_a_time(database):
    with database.write() as tx:
        work = begin(tx)
        with pytest.raises(Conflict):
            begin(tx, "2")
        begin(tx, "3", "rematch")
        note(tx, work, WorkState.FAILED, NOW)
        begin(tx, "4")
        assert [w.id for w in works.recent(tx, now=NOW)] == ["4", "3", "1"]


def test_what_has_not_moved_is_broken_off_and_can_begin_anew(database):
    with database.write() as tx:
        begin(tx)
        assert works.get(tx, "1", now=LATER).state is WorkState.BROKEN_OFF
        begin(tx, "2", at=LATER)


def test_work_is_asked_to_stop(database):
    with database.write() as tx:
        work = begin(tx)
        assert works.asked_to_stop(tx, "1") is None
        works.ask_to_stop(tx, "1", by="eve", at=NOW)
        assert works.get(tx, "1", now=NOW).stopped_by == "eve"
        note(tx, work, WorkState.CANCELLED, NOW)
        with pytest.raises(Conflict):
            works.ask_to_stop(tx, "1", by="eve", at=NOW)
        with pytest.raises(NotFound):
            works.ask_to_stop(tx, "2", by="eve", at=NOW)


def test_old_work_is_forgotten_and_other_jobs_stay(database):
    with database.write() as tx:
        work = begin(tx)
        works.ask_to_stop(tx, "1", by="eve", at=NOW)
        note(tx, work, WorkState.DONE, NOW)
        jobs.start(tx, "import:1", "import", NOW)
        works.forget(tx, before=LATER)
        assert works.recent(tx, now=LATER) == ()
        assert works.asked_to_stop(tx, "1") is None
        assert [job.id for job in jobs.recent(tx)] == ["import:1"]
        assert not works.is_work("import:1")


def test_an_unknown_one_is_said(database):
    with database.write() as tx:
        with pytest.raises(NotFound):
            works.get(tx, "1", now=NOW)
        gone = begin(tx)
        note(tx, gone, WorkState.DONE, NOW)
        works.forget(tx, before=LATER)
        with pytest.raises(NotFound):
            note(tx, gone, WorkState.DONE, NOW)
