"""Being reached from other machines takes two words: that TLS ends in front, and that reading is meant to be open."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosque.core.errors import InvalidSettings
from kiosque.processes import check_exposure, reading_is_open
from kiosque.settings import load_settings
from kiosque.testing.processes import command


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_this_machine_may_ask_without_more(host: str) -> None:
    settings = load_settings(host=host)
    check_exposure(settings)
    assert reading_is_open(settings)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "kiosque.example"])
def test_others_may_not_unless_a_proxy_is_said_to_stand_in_front(host: str) -> None:
    with pytest.raises(InvalidSettings, match="KIOSQUE_BEHIND_PROXY"):
        check_exposure(load_settings(host=host, open_reading=True))
    settings = load_settings(host=host, behind_proxy=True)
    check_exposure(settings)
    assert not reading_is_open(settings)


@pytest.mark.parametrize("process", ["up", "web", "predict", "producer", "consumer"])
def test_every_process_refuses_to_start(process: str, tmp_path: Path) -> None:
    done = command(process, data_dir=tmp_path, KIOSQUE_HOST="0.0.0.0", KIOSQUE_BUS="jetstream")
    assert done.returncode == 2
    assert "KIOSQUE_BEHIND_PROXY=true" in done.stderr
