"""What a container engine is told."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer
from fastapi import FastAPI

from kiosque.cli.healthcheck import healthcheck
from kiosque.core.errors import TryAgain
from kiosque.http.health import Check, health_router
from kiosque.ops.metrics import Metrics
from kiosque.testing.serving import serving


def gone() -> str | None:
    raise TryAgain("the database is gone")


def asked(check: Check, *, live: bool = False) -> int:
    app = FastAPI()
    app.include_router(health_router({"database": check}, Metrics().registry))
    with serving(app) as address, pytest.raises(typer.Exit) as ended:
        healthcheck(int(address.rsplit(":", 1)[1].strip("/")), live=live)
    return ended.value.exit_code


def test_a_ready_process_is_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(lambda: None) == 0
    assert capsys.readouterr().out == "database: ok\n"


def test_one_that_lacks_something_is_not_and_says_what(capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(gone) == 1
    assert "the database is gone" in capsys.readouterr().out


def test_asked_whether_it_lives_it_needs_nothing_else() -> None:
    assert asked(gone, live=True) == 0


@pytest.mark.parametrize(
    ("check", "code", "said"), [(lambda: None, 0, "database: ok\n"), (gone, 1, "is gone")]
)
def test_as_a_module_it_says_the_same(check: Check, code: int, said: str) -> None:
    app = FastAPI()
    app.include_router(health_router({"database": check}, Metrics().registry))
    with serving(app) as address:
        port = address.rsplit(":", 1)[1].strip("/")
        command = [sys.executable, "-m", "kiosque.ops.healthcheck", port]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == code
    assert said in done.stdout


def test_it_is_imported_without_any_library() -> None:
    code = "import kiosque.ops.healthcheck, sys; print('typer' in sys.modules or 'pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"
