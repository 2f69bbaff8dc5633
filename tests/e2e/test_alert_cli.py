"""Alerts through the command line: made, listed, previewed, tried out and removed, with a real mail server."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kiosque.store.database import sqlite_database
from kiosque.testing.mail import mail_server
from kiosque.testing.processes import command
from kiosque.testing.world import LINCOLN, NEUTRAL, World, article

RULE = ("abraham-lincoln", "--kind", "threshold", "--limit", "3", "--window", "day", "--least", "1")
ADDRESS = "https://hooks.example/x?secret=1"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Three articles of one day that name Lincoln, one of another."""
    database = sqlite_database(tmp_path / "kiosque.sqlite")
    database.migrate()
    world = World(database)
    world.watch()
    for number, day in enumerate(("03", "03", "03", "05")):
        world.add(article(f"a{number}", f"1860-05-{day}T08:00"), (LINCOLN.id, NEUTRAL))
    database.close()
    return tmp_path


def told(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_alert_from_its_making_to_its_end(data_dir: Path) -> None:
    with mail_server() as box:
        smtp = {
            "KIOSQUE_SMTP_HOST": "127.0.0.1",
            "KIOSQUE_SMTP_PORT": str(box.port),
            "KIOSQUE_SMTP_TLS": "none",
        }

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            return command("alert", *arguments, data_dir=data_dir, **smtp)

        made = told(run("add", "many", *RULE, "--email", "ana@example.org", "--digest", "daily", "--json"))
        assert made == {"id": 1, "name": "many", "webhook_secret": None}
        (listed,) = told(run("list", "--json"))
        assert listed["entity"] == "abraham-lincoln"
        assert (listed["limit"], listed["enabled"], listed["last_fired_at"]) == (3.0, True, None)
        assert listed["emails"] != ["ana@example.org"], "an address is shown masked"
        assert told(run("test", "1", "--json"))[0]["problem"] is None
        assert run("remove", "1").returncode == 0
        assert told(run("list", "--json")) == []
        assert run("remove", "1").returncode == 3
    (message,) = box.messages
    assert message["To"] == "ana@example.org"


def test_the_secret_of_a_webhook_is_said_once_and_its_address_never(data_dir: Path) -> None:
    made = told(command("alert", "add", "many", *RULE, "--webhook", ADDRESS, "--json", data_dir=data_dir))
    assert made["webhook_secret"].startswith("whsec_")
    listed = command("alert", "list", "--json", data_dir=data_dir).stdout
    assert "hooks.example" in listed
    assert "secret=1" not in listed
    assert "whsec_" not in listed


def test_a_preview_says_which_windows_would_have_fired(data_dir: Path) -> None:
    fired = told(command("alert", "preview", *RULE, "--json", data_dir=data_dir))
    assert [(each["first_day"], each["value"]) for each in fired] == [("1860-05-03", 3.0)]
    whole = command("alert", "preview", *RULE, "--all", "--jsonl", data_dir=data_dir)
    assert len(whole.stdout.splitlines()) == 2
    assert "1860-05-05" in whole.stderr


def test_what_cannot_be_watched_or_told_is_said(data_dir: Path) -> None:
    unknown = command("alert", "add", "x", "nobody", "--limit", "4", data_dir=data_dir)
    assert unknown.returncode == 3
    no_server = command("alert", "add", "x", *RULE, "--email", "ana@example.org", data_dir=data_dir)
    assert no_server.returncode != 0
    assert "KIOSQUE_SMTP_HOST" in no_server.stderr
