"""The API over a seeded database, a fresh copy for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from kiosque.testing.seeded import SeededApi, fill, seeded_api

MakeApi = Callable[..., SeededApi]


@pytest.fixture(scope="session")
def seeded_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeded")
    fill(folder)
    return folder


@pytest.fixture
def make_api(seeded_template: Path, tmp_path: Path) -> Iterator[MakeApi]:
    """Makes APIs with other settings."""
    with ExitStack() as stack:

        def make(**changes: Any) -> SeededApi:
            folder = tmp_path / f"copy-{len(list(tmp_path.iterdir()))}"
            return stack.enter_context(seeded_api(seeded_template, folder, **changes))

        yield make


@pytest.fixture(scope="module")
def steady(
    seeded_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[bool, SeededApi]]:
    """One API with closed and one with open reading (the key), for requests that change nothing."""
    with ExitStack() as stack:
        yield {
            open_reading: stack.enter_context(
                seeded_api(
                    seeded_template,
                    tmp_path_factory.mktemp("steady"),
                    open_reading=open_reading,
                )
            )
            for open_reading in (False, True)
        }


@pytest.fixture
def api(make_api: MakeApi) -> SeededApi:
    return make_api()
