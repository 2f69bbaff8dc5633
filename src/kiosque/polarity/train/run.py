"""`kiosque polarity train` as a function: recipe in, finished version out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kiosque.core.errors import InvalidInput
from kiosque.polarity.examples import Example
from kiosque.polarity.train.build import Build, build
from kiosque.polarity.train.data import LoadedSet, load_sets, make_samples, normalised, without_texts
from kiosque.polarity.train.encoder import save_network
from kiosque.polarity.train.loop import ProgressHook
from kiosque.polarity.train.members import Course, train
from kiosque.polarity.train.recipe import Recipe, TrainingSet, load_recipe


def run(
    recipe_path: Path,
    out: Path,
    *,
    data: Path,
    resume: bool = False,
    progress: ProgressHook | None = None,
    threads: int | None = None,
) -> Build:
    """Train by the recipe (a file, or the name of a shipped one), and build a version under `out`.

    `data` is the folder that `{data}` in the recipe stands for. With `resume` a run that was interrupted goes on from
    its last checkpoint. Publishing `Build.folder` with `Build.fields` is the caller's to do.
    """
    recipe = load_recipe(recipe_path)
    tests = load_tests(recipe, data=data)
    sets = training_sets(recipe, tests, data=data)
    heldout = [e for s in sets for e in s.heldout]
    if not heldout:
        raise InvalidInput("Nothing is held out.", hint="Give one of the recipe's sets a `heldout` share.")
    tests |= unseen_parts(tests, sets)
    course = Course(recipe, sets, make_samples(heldout), out, resume=resume, threads=threads)
    model, tokenizer = train(course, progress)
    save_network(model, tokenizer, out / "network")
    return build(recipe, model, tokenizer, sets, tests, out, notes=read_notes(recipe.name))


def training_sets(recipe: Recipe, tests: dict[str, list[Example]], *, data: Path) -> list[LoadedSet]:
    """The recipe's sets without any text that is measured on, but for sets with `overlap`."""
    measured = {normalised(e.text) for examples in tests.values() for e in examples}
    return [
        s
        if s.spec.overlap
        else replace(
            s,
            training=tuple(without_texts(s.training, measured)),
            heldout=tuple(without_texts(s.heldout, measured)),
        )
        for s in load_sets(recipe.sets, data=data)
    ]


def unseen_parts(
    tests: Mapping[str, Sequence[Example]], sets: Sequence[LoadedSet]
) -> dict[str, list[Example]]:
    """`<name>-unseen` for each test that shares texts with a set: the examples whose texts no set has."""
    known = {normalised(e.text) for s in sets if s.spec.overlap for e in (*s.training, *s.heldout)}
    parts = {name: without_texts(examples, known) for name, examples in tests.items()}
    return {f"{name}-unseen": rest for name, rest in parts.items() if 0 < len(rest) < len(tests[name])}


def load_tests(recipe: Recipe, *, data: Path) -> dict[str, list[Example]]:
    """What is only measured on. Sets of one name are measured together."""
    return _by_name(recipe.tests, data=data)


def _by_name(specs: Sequence[TrainingSet], *, data: Path) -> dict[str, list[Example]]:
    tests: dict[str, list[Example]] = {}
    for loaded in load_sets(specs, data=data):
        tests.setdefault(loaded.spec.name, []).extend(loaded.training)
    return tests


def read_notes(name: str) -> str:
    """What a person wrote about the recipe `name`: choices, and the errors read. Empty where there is nothing."""
    file = Path(__file__).parent / "recipes" / f"{name}.md"
    return file.read_text(encoding="utf-8") if file.exists() else ""
