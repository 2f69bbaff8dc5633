"""The pages over a seeded database, a fresh copy for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from kiosque.testing.pages import browser_of
from kiosque.testing.seeded import SeededApi, fill, seeded_api, working_hooks
from kiosque.web.app import install_pages
from kiosque.web.session import session_caller

MakePages = Callable[..., SeededApi]


@pytest.fixture(scope="session")
def seeded_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeded-pages")
    fill(folder)
    return folder


@pytest.fixture
def make_pages(seeded_template: Path, tmp_path: Path) -> Iterator[MakePages]:
    """Makes pages with other settings; reading is open unless said otherwise."""
    with ExitStack() as stack:

        def make(*, secure_cookies: bool = False, **changes: Any) -> SeededApi:
            folder = tmp_path / f"copy-{len(list(tmp_path.iterdir()))}"
            hooks = replace(working_hooks(), session=session_caller)
            settings = {"open_reading": True, "hooks": hooks, **changes}
            made = stack.enter_context(seeded_api(seeded_template, folder, **settings))
            install_pages(made.app, secure_cookies=secure_cookies)
            return made

        yield make


@pytest.fixture
def pages(make_pages: MakePages) -> SeededApi:
    """Pages that everybody may read."""
    return make_pages()


@pytest.fixture
def closed(make_pages: MakePages) -> SeededApi:
    """Pages that only those who log in may read."""
    return make_pages(open_reading=False)


@pytest.fixture
def browser(pages: SeededApi) -> TestClient:
    """Somebody at the open pages."""
    return browser_of(pages)
