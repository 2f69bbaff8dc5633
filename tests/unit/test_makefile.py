import re
import subprocess

import pytest

from kiosque.testing.paths import CHECKOUT

MAKEFILE = (CHECKOUT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))


def test_every_target_says_what_it_does():
    listed = subprocess.run(["make", "help"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    assert {line.split()[1] for line in listed.splitlines() if line.strip().startswith("make ")} == TARGETS


@pytest.mark.parametrize("file", [".ci/run", "README.md", "CONTRIBUTING.md"])
def test_the_targets_that_are_named_exist(file):
    named = set(
        re.findall(r"(?:^|[$`] ?|step )make ([a-z][a-z-]*)", (CHECKOUT / file).read_text(), re.MULTILINE)
    )
    assert named <= TARGETS


def test_pins_are_hashed_and_name_no_index():
    for path in (CHECKOUT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert "--index-url" not in text
        assert "--extra-index-url" not in text
        pins = re.findall(r"^([a-zA-Z0-9_.-]+(?:\[[^\]]+\])?)==", text, re.MULTILINE)
        assert pins
        blocks = re.split(r"^(?=[a-zA-Z0-9])", text, flags=re.MULTILINE)[1:]
        assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []
