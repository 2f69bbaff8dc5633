from __future__ import annotations

from datetime import timedelta

import pytest

from kiosque.core.errors import InvalidInput, NotFound
from kiosque.store import sources
from kiosque.store.sources import PollCounts, SourceState
from kiosque.testing.world import NOW

SOON = NOW + timedelta(minutes=5)


@pytest.fixture
def feed(database):
    with database.write() as tx:
        assert sources.save(tx, "feed", "rss", {"label": "A feed", "address": "https://example.org/rss"})
    return database


def state(database, source_id="feed"):
    with database.read() as tx:
        return sources.get(tx, source_id)


def test_a_new_source_has_never_been_polled(feed):
    config = {"label": "A feed", "address": "https://example.org/rss"}
    assert state(feed) == SourceState("feed", "rss", config)


def test_changing_the_config_keeps_the_state(feed):
    with feed.write() as tx:
        sources.move_cursor(tx, "feed", {"seen": ["a", 1]}, etag='"x"', last_modified="Tue")
        assert not sources.save(tx, "feed", "atom", {"label": "B"}, enabled=False)
    changed = state(feed)
    assert (changed.kind, changed.config, changed.enabled) == ("atom", {"label": "B"}, False)
    assert (changed.cursor, changed.etag, changed.last_modified) == ({"seen": ["a", 1]}, '"x"', "Tue")


def test_a_cursor_can_be_forgotten(feed):
    with feed.write() as tx:
        sources.move_cursor(tx, "feed", {"a": 1}, etag="x")
        sources.move_cursor(tx, "feed", None)
    assert (state(feed).cursor, state(feed).etag) == (None, None)


def test_failures_are_counted_until_a_success(feed):
    with feed.write() as tx:
        assert sources.record_failure(tx, "feed", "timeout", at=NOW, next_poll_at=SOON) == 1
        assert sources.record_failure(tx, "feed", "x" * 9000, at=NOW) == 2
    failed = state(feed)
    assert (failed.last_poll_at, failed.last_success_at, failed.next_poll_at) == (NOW, None, None)
    assert len(failed.last_error or "") == 2000
    with feed.write() as tx:
        sources.record_success(tx, "feed", PollCounts(read=5, new=3, skipped=1), at=NOW, next_poll_at=SOON)
        sources.record_success(tx, "feed", PollCounts(read=2), at=SOON, next_poll_at=SOON)
    well = state(feed)
    assert (well.consecutive_errors, well.last_error, well.last_success_at) == (0, None, SOON)
    assert (well.articles_read, well.articles_new, well.articles_skipped) == (7, 3, 1)


def test_a_source_that_was_polled_in_the_future_is_due_since_the_clock_was_set_back(feed):
    with feed.write() as tx:
        sources.record_success(
            tx,
            "feed",
            PollCounts(),
            at=NOW + timedelta(days=1),
            next_poll_at=NOW + timedelta(days=1, minutes=5),
        )
        assert [each.id for each in sources.due(tx, NOW)] == ["feed"]
        sources.record_success(tx, "feed", PollCounts(), at=NOW, next_poll_at=NOW + timedelta(minutes=5))
        assert sources.due(tx, NOW) == ()


def test_due_are_those_on_whose_time_has_come_longest_overdue_first(database):
    with database.write() as tx:
        for name, when in (("later", SOON), ("now", NOW), ("overdue", NOW - timedelta(days=1)), ("off", NOW)):
            sources.save(tx, name, "rss", {}, enabled=name != "off")
            sources.record_success(tx, name, PollCounts(), at=NOW, next_poll_at=when)
        sources.save(tx, "never", "rss", {})
        assert [each.id for each in sources.due(tx, NOW)] == ["never", "overdue", "now"]
        assert [each.id for each in sources.everything(tx)] == ["later", "never", "now", "off", "overdue"]
        assert [each.id for each in sources.everything(tx, enabled=False)] == ["off"]


def test_a_source_is_switched_and_deleted(feed):
    with feed.write() as tx:
        sources.set_enabled(tx, "feed", False)
        assert not sources.get(tx, "feed").enabled
        sources.delete(tx, "feed")
        assert sources.find(tx, "feed") is None


@pytest.mark.parametrize(
    "act",
    [
        lambda tx: sources.get(tx, "none"),
        lambda tx: sources.delete(tx, "none"),
        lambda tx: sources.set_enabled(tx, "none", True),
        lambda tx: sources.move_cursor(tx, "none", {}),
        lambda tx: sources.record_success(tx, "none", PollCounts(), at=NOW),
        lambda tx: sources.record_failure(tx, "none", "x", at=NOW),
    ],
)
def test_an_unknown_source_is_not_found(database, act):
    with database.write() as tx, pytest.raises(NotFound, match="none"):
        act(tx)


@pytest.mark.parametrize("source_id", ["", "  ", "x" * 201])
def test_an_id_out_of_range_is_refused(database, source_id):
    with database.write() as tx, pytest.raises(InvalidInput):
        sources.save(tx, source_id, "rss", {})
