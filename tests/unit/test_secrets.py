"""The secrets of a split installation: made once, read by owner and group."""

from __future__ import annotations

import stat
from pathlib import Path

from kiosque.wiring import BROKER_FILE, SHARED_SECRETS, make_secrets


def test_secrets_are_made_once(tmp_path: Path) -> None:
    assert make_secrets(tmp_path) == list(SHARED_SECRETS)
    first = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert make_secrets(tmp_path) == []
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == first
    assert len(set(first.values())) == len(SHARED_SECRETS) + 1


def test_others_cannot_read_them_and_the_broker_asks_for_the_same_token(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o640}
    assert (tmp_path / "nats-token").read_text().strip() in (tmp_path / BROKER_FILE).read_text()


def test_apart_each_lies_in_a_folder_of_its_own(tmp_path: Path) -> None:
    assert make_secrets(tmp_path, apart=True) == list(SHARED_SECRETS)
    assert make_secrets(tmp_path, apart=True) == []
    files = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert files == {f"{name}/{name}" for name in SHARED_SECRETS} | {f"broker-authorization/{BROKER_FILE}"}
