"""One training in this process: `training.py FOLDER`; `train` fits so many examples of the corpus that ships once."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from protocol import peak_megabytes, seconds, serve

RECIPE = """\
name = "benchmark"
encoder = "minilm"
epochs = {epochs}
evaluations = 1
vocabulary = {vocabulary}

[[sets]]
name = "sample"
path = "{path}"
heldout = 0.1
"""


def train(examples: int, epochs: int) -> dict[str, float]:
    """Seconds from reading the examples to an exported, quantised, calibrated version, and the most memory."""
    from kiosque.polarity.train.recipe import load_recipe
    from kiosque.polarity.train.run import run
    from kiosque.wiring import shipped_data

    folder = Path(sys.argv[1])
    sample, recipe = folder / "sample.jsonl", folder / "recipe.toml"
    sample.write_text(
        "".join(islice(_lines(shipped_data() / "corpus" / "polarity"), examples)), encoding="utf-8"
    )
    vocabulary = load_recipe(Path("default")).vocabulary
    text = RECIPE.format(epochs=epochs, vocabulary=vocabulary, path=sample)
    recipe.write_text(text, encoding="utf-8")
    taken = seconds(lambda: run(recipe, folder / f"out-{examples}", data=shipped_data()))
    return {"seconds": taken, "peak": peak_megabytes()}


def _lines(folder: Path) -> Iterator[str]:
    """Texts with one labelled mention or more."""
    for file in sorted(folder.glob("*.jsonl")):
        with file.open(encoding="utf-8") as lines:
            yield from (line for line in lines if json.loads(line).get("mentions"))


if __name__ == "__main__":
    serve({"train": train})
