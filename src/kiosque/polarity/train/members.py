"""Members: runs from one start that differ in order and dropout only, side by side, and the mean of their weights.

One thread each keeps every core busy, which several threads in one run do not at these sizes; and networks that were
tuned from the same start lie close enough for their mean to be as good as their ensemble, at the price of one
(Wortsman et al. 2022, "Model soups").
"""

from __future__ import annotations

import multiprocessing as mp
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from kiosque.core.errors import InvalidInput
from kiosque.polarity.train.data import LoadedSet, Mixer, Sample
from kiosque.polarity.train.encoder import TargetClassifier, build_classifier, load_network, save_network
from kiosque.polarity.train.loop import Progress, ProgressHook, Trainer
from kiosque.polarity.train.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Course:
    """All that members have in common. `out` is the run's folder, `threads` those of a run without members."""

    recipe: Recipe
    sets: Sequence[LoadedSet]
    heldout: Sequence[Sample]
    out: Path
    resume: bool
    threads: int | None = None


def train(course: Course, progress: ProgressHook | None = None) -> tuple[TargetClassifier, Tokenizer]:
    """The trained network of the recipe, after both stages where it has two."""
    finish = course.recipe.finish
    if finish is None:
        return _stage(course, progress)
    second = _finishing(course)
    model, tokenizer = _stage(replace(course, recipe=replace(course.recipe, finish=None)), progress)
    save_network(model, tokenizer, course.out / "first")
    first = model.state_dict()
    model, tokenizer = _stage(second, progress and _second(progress))
    model.load_state_dict(blend(first, model.state_dict(), finish.keep))
    return model.eval(), tokenizer


def _finishing(course: Course) -> Course:
    recipe = course.recipe.finishing("../first")
    weights = {spec.name: spec for spec in recipe.sets}
    sets = [replace(s, spec=weights[s.spec.name]) for s in course.sets]
    if not any(s.training and s.spec.weight for s in sets):
        # Said before the first stage has taken its time.
        raise InvalidInput(
            "The second stage has nothing to train on: all its sets are missing or have no weight.",
            hint="Set KIOSQUE_DATASETS, give one of its sets a weight, or take [finish] out of the recipe.",
        )
    return replace(course, recipe=recipe, sets=sets, out=course.out / "finish")


def _second(progress: ProgressHook) -> ProgressHook:
    return lambda state: progress(replace(state, stage=2))


def _stage(course: Course, progress: ProgressHook | None) -> tuple[TargetClassifier, Tokenizer]:
    """One run, or the mean of the members. Sets without weight are not looked at, not even for names."""
    sets = [s if s.spec.weight else replace(s, training=()) for s in course.sets]
    course = replace(course, sets=sets)
    if not course.recipe.members:
        return _run(course, course.recipe.seed, course.out, progress)
    kept = _side_by_side(course, progress)
    model, tokenizer = _start(course)
    model.load_state_dict(mean_weights(kept), strict=False)
    return model.eval(), tokenizer


def mean_weights(members: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of weights of the same names and shapes, one by one."""
    return {name: torch.stack([m[name] for m in members]).mean(0) for name in members[0]}


def blend(first: Mapping[str, Tensor], second: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """`share` of the first weights and the rest of the second, one by one."""
    return {name: torch.lerp(second[name], first[name], share) for name in first}


def _start(course: Course) -> tuple[TargetClassifier, Tokenizer]:
    recipe = course.recipe
    if recipe.start:
        folder = (course.out / recipe.start).resolve()
        return load_network(recipe.encoder, folder, freeze_embeddings=recipe.freeze_embeddings)
    texts = [e.text for s in course.sets for e in s.training]
    return build_classifier(
        recipe.encoder,
        seed=recipe.seed,
        freeze_embeddings=recipe.freeze_embeddings,
        vocabulary=recipe.vocabulary,
        texts=texts,
    )


def _run(
    course: Course, seed: int, folder: Path, progress: ProgressHook | None
) -> tuple[TargetClassifier, Tokenizer]:
    """One run from the common start, whose order and dropout follow `seed`."""
    model, tokenizer = _start(course)
    torch.manual_seed(seed)
    trainer = Trainer(replace(course.recipe, seed=seed), model, tokenizer, folder, threads=course.threads)
    if course.resume:
        trainer.resume()
    trainer.fit(
        Mixer(course.sets, swap_others=course.recipe.swap_others, seed=seed), course.heldout, progress
    )
    return trainer.model, tokenizer


def _side_by_side(course: Course, progress: ProgressHook | None) -> list[dict[str, Tensor]]:
    """The best and the last weights of every member, trained in as many processes as there are cores for them."""
    context = mp.get_context("spawn")
    queue = context.Queue()
    members = course.recipe.members
    cores = course.threads or len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(
        min(cores, len(members)), mp_context=context, initializer=_join, initargs=(queue, os.getpid())
    ) as pool:
        futures = [pool.submit(_member, replace(course, threads=1), seed) for seed in members]
        try:
            _follow(futures, queue, progress)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [weights for future in futures for weights in _kept(future.result())]


def _kept(folder: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The held-out part is too small to tell the best evaluation from the last: both go into the mean."""
    best = torch.load(folder / "best.pt", weights_only=True)
    return best, torch.load(folder / "checkpoint.pt", weights_only=True)["average"]


def _follow(futures: list[Future[Path]], queue: Any, progress: ProgressHook | None) -> None:
    """Tell how far the slowest member is until all have ended, or the first has failed."""
    latest: dict[int, Progress] = {}
    while wait(futures, timeout=0).not_done:
        for future in futures:
            if future.done():
                future.result()
        try:
            seed, state = queue.get(timeout=1)
        except Empty:
            continue
        latest[seed] = state
        if progress:
            progress(min(latest.values(), key=lambda p: p.step))


_told: tuple[Any, int] | None = None
"""In a member's process: where it tells its progress, and the process that it works for."""


def _join(queue: Any, parent: int) -> None:
    global _told  # noqa: PLW0603 - a process of a pool gets what it shares this way
    _told = (queue, parent)


def _member(course: Course, seed: int) -> Path:
    assert _told is not None
    queue, parent = _told

    def tell(state: Progress) -> None:
        # A pool's processes outlive a parent that is killed; an hour of training for nobody is too much.
        if os.getppid() != parent:
            os._exit(1)
        queue.put((seed, state))

    folder = course.out / f"member-{seed}"
    _run(course, seed, folder, tell)
    return folder
