from __future__ import annotations

from datetime import timedelta

from kiosque.core.book import Shelf
from kiosque.store import models, recommendations
from kiosque.store.models import ModelUse
from kiosque.testing.world import NOW, POSITIVE, article


def test_there_is_no_current_version_at_first(database):
    with database.read() as tx:
        assert models.current(tx) is None
        assert models.uses(tx) == ()


def test_the_current_version_of_each_model_is_its_own(database):
    with database.write() as tx:
        models.set_current(tx, models.POLARITY, "p1", NOW)
        models.set_current(tx, models.BOOKS, "b1", NOW)
        models.set_current(tx, models.POLARITY, "p2", NOW)
        models.set_current(tx, models.POLARITY, "p2", NOW)
        assert (models.current(tx), models.current(tx, models.BOOKS)) == ("p2", "b1")


def test_uses_lists_versions_newest_first_with_what_they_did(world):
    pk = world.add(article("a", "1860-01-01"), ("abraham-lincoln", POSITIVE))
    world.add(article("b", "1860-01-01"))
    later = NOW + timedelta(days=1)
    with world.database.write() as tx:
        models.set_current(tx, models.POLARITY, "v2", later)
        recommendations.replace(tx, {pk: Shelf((), "b1", "none")}, NOW)
    with world.database.read() as tx:
        assert models.uses(tx) == (
            ModelUse("books", "b1", current=False, first_used_at=NOW, articles=1),
            ModelUse("polarity", "v2", current=True, first_used_at=later, articles=0),
            ModelUse("polarity", "v1", current=False, first_used_at=NOW, articles=2),
        )
        assert [each.version for each in models.uses(tx, models.BOOKS)] == ["b1"]
