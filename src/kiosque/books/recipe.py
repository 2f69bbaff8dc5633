"""The numbers of the recommender, kept with each version. Zero switches a part off, which is what ablations do."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

FILE = "recipe.json"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How evidence becomes a score and a shelf. The defaults were chosen by cross-validation on the judged queries
    (`kiosque books evaluate`); the model card reports on them.
    """

    k1: float = 1.2
    b: float = 0.75
    title_share: float = 0.25
    """Share of title and subjects alone in a book's vector; the rest is description, subjects and title."""
    lexical_weight: float = 0.25
    """Share of BM25 beside the cosine of text and book."""
    note_lexical: float = 0.15
    """Share of BM25 beside the cosine of text and note."""
    note_years: float = 0.2
    """What agreement in years is worth between text and note."""
    notes: int = 3
    note_sharpness: float = 20.0
    """How much more the best note counts than the next."""
    doubt: float = 0.3
    """Up to this strength the notes are ignored."""
    trust: float = 0.5
    """From this strength on they count in full."""
    context_weight: float = 1.0
    """What the cosine of book and notes is worth at full confidence, where that of book and text is worth 0.75."""
    person_weight: float = 0.2
    """What the notes' persons are worth, found in a book by BM25."""
    subject_weight: float = 0.3
    author_weight: float = 0.2
    """What the same author is worth in "more like this"."""
    gate: float = 0.5
    """Least top cosine + `gate_setting` × strength for an answer to a text."""
    gate_setting: float = 0.5
    likeness_gate: float = 0.3
    """Least top cosine for an answer to "more like this"."""
    lexical_gate: float = 0.04
    """Without an encoder: least top BM25, as a share of what the text could reach."""
    floor: float = 0.02
    """Books with a lower score are not shown even where others are."""
    diversity: float = 0.3
    """How much a book loses for being like one that stands before it on the shelf."""
    slope: float = 17.8
    """Slope and offset of the logistic curve that turns the mixed evidence into a score: the share of judged books
    at that level that were graded clearly relevant.
    """
    offset: float = -7.95


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
