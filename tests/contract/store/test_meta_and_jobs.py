from __future__ import annotations

from datetime import timedelta

import pytest

from kiosque.core.errors import NotFound
from kiosque.store import jobs, meta
from kiosque.store.jobs import Job
from kiosque.testing.world import NOW

LATER = NOW + timedelta(hours=1)


def test_a_fact_is_put_and_put_again(database):
    with database.write() as tx:
        assert meta.get(tx, "seeded") is None
        meta.put(tx, "seeded", "yes")
        meta.put(tx, "seeded", "again")
        assert meta.get(tx, "seeded") == "again"


def test_put_once_keeps_the_first(database):
    with database.write() as tx:
        assert meta.put_once(tx, "installation", "a") == "a"
    with database.write() as tx:
        assert meta.put_once(tx, "installation", "b") == "a"


def test_a_job_goes_on_where_it_was_left(database):
    with database.write() as tx:
        assert jobs.find(tx, "import:x") is None
        assert jobs.start(tx, "import:x", "import", NOW) == Job("import:x", "import", {}, {}, NOW, NOW)
        jobs.advance(tx, "import:x", {"line": 500}, {"read": 500}, LATER)
    with database.write() as tx:
        left = jobs.start(tx, "import:x", "import", LATER)
        assert left == Job("import:x", "import", {"line": 500}, {"read": 500}, NOW, LATER)
        assert jobs.unfinished(tx) == jobs.unfinished(tx, "import") == (left,)
        assert jobs.unfinished(tx, "backfill") == ()


def test_a_finished_job_can_be_begun_anew(database):
    with database.write() as tx:
        jobs.start(tx, "j", "import", NOW)
        jobs.finish(tx, "j", LATER)
        assert jobs.unfinished(tx) == ()
        assert jobs.start(tx, "j", "import", LATER).finished_at == LATER
        jobs.restart(tx, "j", LATER)
        assert jobs.find(tx, "j") == Job("j", "import", {}, {}, LATER, LATER)


def test_recent_jobs_are_newest_first(database):
    with database.write() as tx:
        jobs.start(tx, "a", "import", NOW)
        jobs.start(tx, "b", "import", LATER)
        assert [each.id for each in jobs.recent(tx)] == ["b", "a"]
        assert [each.id for each in jobs.recent(tx, limit=1)] == ["b"]


@pytest.mark.parametrize(
    "act",
    [
        lambda tx: jobs.advance(tx, "none", {}, {}, NOW),
        lambda tx: jobs.finish(tx, "none", NOW),
        lambda tx: jobs.restart(tx, "none", NOW),
    ],
)
def test_an_unknown_job_is_not_found(database, act):
    with database.write() as tx, pytest.raises(NotFound, match="none"):
        act(tx)
