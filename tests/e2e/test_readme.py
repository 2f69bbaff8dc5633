"""Each command that README.md shows is run, against a running installation."""

import re
import shlex
import subprocess
import sys

import pytest

from kiosque.testing.paths import CHECKOUT
from kiosque.testing.processes import environment, running

README = (CHECKOUT / "README.md").read_text()
SETUP = {"git", "make", "cd"}
"""Commands that get a reader this far; the tests of the Makefile look after them."""


def commands():
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


RUNNABLE = [command for command in commands() if command.split()[0] not in SETUP]


def test_the_readme_is_short_and_says_the_two_commands():
    assert len(README.splitlines()) <= 150
    assert {"make run", "make test"} <= set(commands())
    assert "@@" not in README


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readme")
    with running("up", data_dir=folder) as server:
        yield server, folder


@pytest.mark.parametrize("command", RUNNABLE)
def test_each_command_works(up, command):
    server, folder = up
    words = shlex.split(command.replace("http://127.0.0.1:8000", server.address))
    if words[0] == "kiosque":
        words = [sys.executable, "-m", *words]
    result = subprocess.run(
        words, env=environment(folder), cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip()
