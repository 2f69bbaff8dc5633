"""The training data: read, split by text, mixed by weight, with a digest that says what went in."""

from __future__ import annotations

import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from kiosque.core.errors import InvalidInput
from kiosque.polarity.examples import Example, read_examples
from kiosque.polarity.prepare import Offsets, make_windows
from kiosque.polarity.train.recipe import TrainingSet, resolve_path
from kiosque.polarity.train.rehydrate import read_joined

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedSet:
    """One set of a recipe: what is trained on, what is held out, and the digest of all of it."""

    spec: TrainingSet
    training: tuple[Example, ...]
    heldout: tuple[Example, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Sample:
    """What the encoder gets in one epoch: the prepared text and the class."""

    text: str
    label: int


def load_sets(specs: Sequence[TrainingSet], *, data: Path) -> list[LoadedSet]:
    """Every set that is there. Raises InvalidInput when one that is not optional is missing or empty."""
    loaded = []
    for spec in specs:
        path = resolve_path(spec.path, data=data)
        if not path.exists():
            if not spec.optional:
                raise InvalidInput(
                    f"The training set {spec.name} is missing: {path}.", hint="Set KIOSQUE_DATASETS."
                )
            log.warning("training.set_missing", set=spec.name, path=str(path))
            continue
        examples = [e for e in _read(spec, path, data=data) if e.mentions]
        if not examples and not spec.optional:
            raise InvalidInput(
                f"The training set {spec.name} has no labelled target in {path}.",
                hint="Each needs a text that names its target, and a polarity.",
            )
        training, heldout = split_by_text(examples, spec.heldout)
        loaded.append(LoadedSet(spec, tuple(training), tuple(heldout), digest_examples(examples)))
    return loaded


def _read(spec: TrainingSet, path: Path, *, data: Path) -> list[Example]:
    if spec.labels:
        joined, total = read_joined(resolve_path(spec.labels, data=data), path)
        say = log.info if len(joined) > total / 2 else log.warning
        say("training.labels_joined", set=spec.name, labels=total, joined=len(joined), headlines=str(path))
        return joined
    return read_examples(path, spec.reader)


def split_by_text(examples: Sequence[Example], share: float) -> tuple[list[Example], list[Example]]:
    """`share` of the texts held out, decided by a digest of the text: stable when lines are added or moved."""
    limit = int(share * 2**32)
    training: list[Example] = []
    heldout: list[Example] = []
    for example in examples:
        drawn = int.from_bytes(hashlib.sha256(example.text.encode()).digest()[:4], "big")
        (heldout if drawn < limit else training).append(example)
    return training, heldout


def digest_examples(examples: Sequence[Example]) -> str:
    """SHA-256 over text, offsets and label of every example, in their order."""
    digest = hashlib.sha256()
    for example in examples:
        record = [example.text, example.target, example.mentions, example.polarity.value]
        digest.update(json.dumps(record, ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()


def without_texts(examples: Sequence[Example], banned: set[str]) -> list[Example]:
    """Examples whose text does not also stand in a set that is measured on."""
    return [e for e in examples if normalised(e.text) not in banned]


def normalised(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


class Mixer:
    """Draws the samples of an epoch: weights applied, other names swapped, order shuffled; same seed, same draw."""

    def __init__(self, sets: Sequence[LoadedSet], *, swap_others: float, seed: int) -> None:
        self._sets = sets
        self._swap_others = swap_others
        self._seed = seed
        self._names = sorted({e.target for s in sets for e in s.training if e.target[:1].isupper()})
        self._others = _other_mentions([e for s in sets for e in s.training])

    def epoch(self, number: int) -> list[Sample]:
        rng = random.Random(f"{self._seed}/{number}")  # noqa: S311 - sampling, not secrets
        drawn = [e for s in self._sets for e in _draw(s.training, s.spec.weight, rng)]
        rng.shuffle(drawn)
        return [self._sample(example, rng) for example in drawn]

    def _sample(self, example: Example, rng: random.Random) -> Sample:
        text, mentions = example.text, example.mentions
        if self._swap_others:
            others = [o for o in self._others[example.text] if rng.random() < self._swap_others]
            swaps = [(other, rng.choice(self._names)) for other in others]
            # A stand-in called like the target would be taken for another mention of it.
            text, mentions = swap_names(text, mentions, [s for s in swaps if s[1] != example.target])
        return Sample(make_windows(text, mentions)[0].text, example.label)


def make_samples(examples: Sequence[Example]) -> list[Sample]:
    """Examples as they are read when nothing is left to chance: for measuring."""
    return [Sample(make_windows(e.text, e.mentions)[0].text, e.label) for e in examples]


def swap_names(
    text: str, mentions: Sequence[Offsets], swaps: Sequence[tuple[Offsets, str]]
) -> tuple[str, tuple[Offsets, ...]]:
    """`text` with the places in `swaps` renamed, and `mentions` moved along. Places on a mention are left alone."""
    free = [s for s in swaps if all(s[0][1] <= start or end <= s[0][0] for start, end in mentions)]
    moved = list(mentions)
    for (start, end), name in sorted(free, reverse=True):
        shift = len(name) - (end - start)
        text = text[:start] + name + text[end:]
        moved = [(a + shift, b + shift) if a >= end else (a, b) for a, b in moved]
    return text, tuple(moved)


def _other_mentions(examples: Sequence[Example]) -> dict[str, list[Offsets]]:
    """For each text the places of all labelled names in it, apart from those that overlap another."""
    places: dict[str, set[Offsets]] = defaultdict(set)
    for example in examples:
        if example.target[:1].isupper():
            places[example.text].update(example.mentions)
    return {text: _apart(sorted(spans)) for text, spans in places.items()} | {
        e.text: [] for e in examples if e.text not in places
    }


def _apart(spans: list[Offsets]) -> list[Offsets]:
    kept: list[Offsets] = []
    for span in spans:
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept


def _draw(examples: Sequence[Example], weight: float, rng: random.Random) -> list[Example]:
    whole = list(examples) * int(weight)
    return whole + rng.sample(list(examples), round(len(examples) * (weight % 1)))
