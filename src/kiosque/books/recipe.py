"""The numbers of the recommender, kept with each version, and the switches that the ablations turn."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

FILE = "recipe.json"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How evidence becomes a score and a shelf. Defaults are what `docs` and the model card report on."""

    k1: float = 1.2
    b: float = 0.75
    cosine_weight: float = 0.7
    """Share of the encoder's cosine in the score; the rest is BM25's."""
    lexical_weight: float = 0.3
    gate: float = 0.30
    """Top cosine below which no book is a good match."""
    lexical_gate: float = 0.20
    """The same without an encoder, on BM25 as a share of what the query could reach."""
    diversity: float = 0.15
    """How much a book loses for being like one that stands before it on the shelf."""


def write_recipe(recipe: Recipe, folder: Path) -> None:
    text = json.dumps(asdict(recipe), indent=1, sort_keys=True)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")


def read_recipe(folder: Path) -> Recipe:
    """Raises OSError, ValueError or TypeError on a damaged file. Unknown names are refused, missing ones default."""
    values = json.loads((folder / FILE).read_text(encoding="utf-8"))
    unknown = set(values) - {field.name for field in fields(Recipe)}
    if unknown:
        raise ValueError(f"unknown in the recipe: {', '.join(sorted(unknown))}")
    return Recipe(**values)
