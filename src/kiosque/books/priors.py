"""What readers' verdicts add to a book's score, once there are enough of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FILE = "priors.json"
LEAST_VOTES = 10
"""Fewer verdicts on a book than this change nothing."""
_DOUBT = 20.0
"""Verdicts that would say "half are useful", added to the real ones: few verdicts move a book little."""
MAX_SHIFT = 1.0
"""In log-odds: at most a score of 0.50 becomes 0.73 or 0.27."""


@dataclass(frozen=True, slots=True)
class Votes:
    """How often a recommendation of one book was called useful, and how often not."""

    useful: int
    not_useful: int


def shift(votes: Votes) -> float:
    """What to add to the log-odds of a book's score; 0 with too few verdicts, never beyond `MAX_SHIFT`."""
    if min(votes.useful, votes.not_useful) < 0 or votes.useful + votes.not_useful < LEAST_VOTES:
        return 0.0
    odds = math.log((votes.useful + _DOUBT / 2) / (votes.not_useful + _DOUBT / 2))
    return max(-MAX_SHIFT, min(MAX_SHIFT, odds))


def write_votes(votes: Mapping[str, Votes], folder: Path) -> None:
    """Write verdicts by book key, sorted; those that would change nothing are left out."""
    rows = {key: [v.useful, v.not_useful] for key, v in sorted(votes.items()) if shift(v)}
    (folder / FILE).write_text(json.dumps(rows, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


def read_votes(folder: Path) -> dict[str, Votes]:
    """The inverse of `write_votes`; none without the file. Raises ValueError or TypeError on a damaged one."""
    path = folder / FILE
    if not path.exists():
        return {}
    return {
        key: Votes(int(a), int(b)) for key, (a, b) in json.loads(path.read_text(encoding="utf-8")).items()
    }
