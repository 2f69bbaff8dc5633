from __future__ import annotations

import pytest

from kiosque.store.database import Database
from kiosque.testing.world import World


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.watch()
    return made
