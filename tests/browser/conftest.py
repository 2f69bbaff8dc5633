"""A real Chromium at pages that a real server sends. Skips, saying why, where there is no Chromium."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import expect

from kiosque.testing.chromium import ChromiumMissing, chromium
from kiosque.testing.seeded import SeededApi, fill, seeded_api, working_hooks
from kiosque.web.app import install_pages
from kiosque.web.session import session_caller


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


PATIENCE = 120_000
"""Milliseconds that a browser is waited for: no test here is about speed, and the machine may have other work."""
expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True, slots=True)
class Site:
    """Pages with an address; `made` has what is behind them."""

    address: str
    made: SeededApi


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that every site begins as a copy of."""
    folder = tmp_path_factory.mktemp("template")
    fill(folder)
    return folder


@pytest.fixture(scope="session")
def site(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(template, tmp_path_factory.mktemp("site")) as made:
        yield made


@contextmanager
def serving(template: Path, folder: Path, **changes: Any) -> Iterator[Site]:
    """A server of the pages over a copy, in `folder`, of what lies in `template`."""
    ending = threading.Event()
    hooks = replace(working_hooks(), session=session_caller)
    settings = {"open_reading": True, "hooks": hooks, "stream_poll_seconds": 0.1, **changes}
    with (
        seeded_api(template, folder, stopping=ending.is_set, **settings) as made,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        install_pages(made.app)
        config = uvicorn.Config(made.app, log_config=None, lifespan="off", timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        _wait_for(lambda: server.started)
        yield Site(f"http://127.0.0.1:{listener.getsockname()[1]}", made)
        ending.set()
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with ExitStack() as stack:
        try:
            yield stack.enter_context(chromium())
        except ChromiumMissing as missing:
            pytest.skip(str(missing))


@pytest.fixture
def open_page(browser: Any, site: Site) -> Iterator[Callable[..., Any]]:
    """Opens pages in windows of their own; at the end none may have complained on its console."""
    complaints: list[str] = []
    with ExitStack() as stack:

        def make(path: str = "/", *, width: int = 1280, dark: bool = False, **more: Any) -> Any:
            context = browser.new_context(
                base_url=site.address,
                viewport={"width": width, "height": 900},
                color_scheme="dark" if dark else "light",
                **more,
            )
            stack.callback(context.close)
            context.set_default_timeout(PATIENCE)
            page = context.new_page()
            page.on("console", lambda message: _note(complaints, message))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(path)
            return page

        yield make
    assert complaints == []


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, got from npm now; skips where that cannot be."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed, so that axe-core cannot be had")
    folder = tmp_path_factory.mktemp("axe")
    options = ["--no-audit", "--no-fund", "--silent", "--ignore-scripts", "--prefix", str(folder)]
    done = subprocess.run(
        [npm, "install", *options, "axe-core@4"], cwd=folder, capture_output=True, timeout=120, check=False
    )
    source = Path(folder, "node_modules", "axe-core", "axe.min.js")
    if done.returncode or not source.exists():
        pytest.skip("npm could not give axe-core")
    return source.read_text(encoding="utf-8")


def _note(complaints: list[str], message: Any) -> None:
    if message.type in ("error", "warning"):
        complaints.append(message.text)


def _wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)
