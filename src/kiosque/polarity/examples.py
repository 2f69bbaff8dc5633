"""Labelled examples: the JSONL forms that Kiosque reads for training and for evaluation."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosque.core.errors import InvalidInput
from kiosque.core.polarity import Polarity
from kiosque.polarity.prepare import Offsets, find_mentions

LABELS = (Polarity.NEGATIVE, Polarity.NEUTRAL, Polarity.POSITIVE)
"""The order of the classes, everywhere: in logits, confusion matrices and shares."""

_WORDS: dict[str, Polarity] = {
    "-1": Polarity.NEGATIVE,
    "0": Polarity.NEUTRAL,
    "1": Polarity.POSITIVE,
    "+1": Polarity.POSITIVE,
    "neg": Polarity.NEGATIVE,
    "neu": Polarity.NEUTRAL,
    "pos": Polarity.POSITIVE,
    **{p.value: p for p in Polarity},
}
# NewsMTSC's multi-target files count 2, 4, 6.
_MULTI_TARGET = {2.0: Polarity.NEGATIVE, 4.0: Polarity.NEUTRAL, 6.0: Polarity.POSITIVE}


@dataclass(frozen=True, slots=True)
class Example:
    """One target in one text, with its label. `group` names the text: examples of one text share it."""

    text: str
    target: str
    mentions: tuple[Offsets, ...]
    polarity: Polarity
    group: str

    @property
    def label(self) -> int:
        """The class as an index into `LABELS`."""
        return LABELS.index(self.polarity)


def read_polarity(raw: object) -> Polarity:
    """-1, 0, 1, numbers as strings, and words in any case. Raises InvalidInput on anything else."""
    key = str(int(raw)) if isinstance(raw, float) and raw.is_integer() else str(raw)
    try:
        return _WORDS[key.strip().lower()]
    except KeyError:
        raise InvalidInput(
            f"Not a polarity: {raw!r}.", hint="Use negative, neutral, positive or -1, 0, 1."
        ) from None


def read_examples(path: Path, reader: str = "auto") -> list[Example]:
    """Every labelled mention of `path`, in the order of the file. `reader` is a key of `READERS`.

    `path` is a file (`.gz` is unpacked) or a folder, whose `*.jsonl` and `*.jsonl.gz` are read in the order of their
    names. A target that the text does not name is an example without mentions; the caller counts those.
    """
    if reader not in READERS:
        raise InvalidInput(f"No reader {reader!r}.", hint=f"Known: {', '.join(sorted(READERS))}.")
    if path.is_dir():
        files = sorted((*path.glob("*.jsonl"), *path.glob("*.jsonl.gz")))
        return [e for file in files for e in read_examples(file, reader)]
    if reader == "auto":
        reader = "csv" if path.name.removesuffix(".gz").endswith(".csv") else "jsonl"
    try:
        return list(READERS[reader](path))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"Cannot read {path}: {error}.") from error


def _read_jsonl(path: Path) -> Iterator[Example]:
    """One object a line: {text, mentions: [{target, polarity}]}, {sentence, targets: […]} or one target a line."""
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            if not isinstance(record, dict):
                raise InvalidInput("Not a JSON object.")
            yield from _examples_of(record, f"{path.name}:{number}")
        except (ValueError, TypeError, KeyError, InvalidInput) as error:
            detail = error.detail if isinstance(error, InvalidInput) else f"{type(error).__name__}: {error}"
            raise InvalidInput(
                f"{path.name}, line {number}: {detail}",
                hint='Expected {"text", "mentions": [{"target", "polarity"}]} or {"text", "target", "polarity"}.',
            ) from error


def _examples_of(record: dict[str, Any], group: str) -> Iterator[Example]:
    text = _first(record, "text", "sentence", "sentence_normalized", "headline")
    if "targets" in record and isinstance(record["targets"], list):
        for target in record["targets"]:
            offsets = (int(target["from"]), int(target["to"]))
            yield Example(text, target["mention"], (offsets,), _multi_target(target["polarity"]), group)
        return
    for mention in record.get("mentions", [record]):
        target = str(_first(mention, "target", "mention", "entity"))
        polarity = read_polarity(_first(mention, "polarity", "label"))
        yield Example(text, target, _offsets(text, target, mention), polarity, group)


def _first(record: dict[str, Any], *names: str) -> Any:
    for name in names:
        if record.get(name) is not None:
            return record[name]
    raise InvalidInput(f"Without any of: {', '.join(names)}.")


def _multi_target(raw: object) -> Polarity:
    return (
        _MULTI_TARGET[float(raw)]
        if isinstance(raw, int | float) and raw in _MULTI_TARGET
        else read_polarity(raw)
    )


def _offsets(text: str, target: str, record: dict[str, Any]) -> tuple[Offsets, ...]:
    """The given offsets where they fit the text, else every place that names the target."""
    start, end = record.get("from"), record.get("to")
    if isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text):
        return ((start, end),)
    return find_offsets(text, target)


def find_offsets(text: str, target: str) -> tuple[Offsets, ...]:
    """Whole words first; a target glued to other letters ("anti-Trumpism") counts where nothing else is found."""
    found = find_mentions(text, target)
    at = text.find(target) if not found and target else -1
    return ((at, at + len(target)),) if at >= 0 else found


def _read_csv(path: Path) -> Iterator[Example]:
    """SEN (headline, entity, majority_label), SEntFiN (headline, entity, label, from, to) and their like."""
    for number, row in enumerate(csv.DictReader(_lines(path)), 2):
        text = _first(row, "headline", "text", "sentence")
        target = str(_first(row, "entity", "target", "mention"))
        polarity = read_polarity(_first(row, "majority_label", "polarity", "label"))
        yield Example(
            text, target, find_offsets(text, target), polarity, f"{path.name}:{row.get('id', number)}"
        )


def _lines(path: Path) -> Iterator[str]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as stream:
        yield from stream


READERS: dict[str, Callable[[Path], Iterator[Example]]] = {
    "auto": _read_jsonl,
    "jsonl": _read_jsonl,
    "newsmtsc": _read_jsonl,
    "csv": _read_csv,
    "sen": _read_csv,
    "sentfin": _read_csv,
}
