"""What is looked for on many pages in the same way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Any, axe: str, paths: Iterable[str]) -> dict[str, list[str]]:
    """What axe-core, whose source is `axe`, finds: page and rule → the first places."""
    found = {}
    for path in paths:
        page.goto(path)
        page.evaluate(axe)
        result = page.evaluate("tags => axe.run({runOnly: tags})", STANDARDS)
        for violation in result["violations"]:
            found[f"{path} {violation['id']}"] = [node["html"][:160] for node in violation["nodes"][:3]]
    return found


def too_wide(page: Any, paths: Iterable[str]) -> list[str]:
    """The pages of which something sticks out at the side."""
    wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    found = []
    for path in paths:
        page.goto(path)
        if page.evaluate(wider):
            found.append(path)
    return found
