"""docs/security.md names a test for each threat: here, whether they exist."""

from __future__ import annotations

import ast
import re

import pytest

from kiosque.testing.paths import CHECKOUT

NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
ROWS = re.findall(r"^\| ([A-Z]\d+) \|(.+)$", (CHECKOUT / "docs/security.md").read_text(), re.MULTILINE)


def functions_of(path: str) -> set[str]:
    tree = ast.parse((CHECKOUT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}


def test_there_are_threats() -> None:
    assert len(ROWS) >= 25
    assert len({threat for threat, _ in ROWS}) == len(ROWS)


@pytest.mark.parametrize(("threat", "row"), ROWS, ids=[threat for threat, _ in ROWS])
def test_each_threat_has_tests_that_exist(threat: str, row: str) -> None:
    named = NAMED.findall(row)
    assert named, f"{threat} has no test"
    assert [f"{path}::{test}" for path, test in named if test not in functions_of(path)] == []
