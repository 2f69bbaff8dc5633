"""Labels without text, joined again to headlines that a user has: by a recipe, and by `kiosque corpus rehydrate`.

The labels on real headlines are ours and ship as `data/corpus/nyt-labels.csv.gz` (id, target, polarity). The
headlines are the newspaper's and don't. An id is the day of publication and the first ten hexadecimal digits of the
SHA-1 of the headline, so that whoever has the headlines (from the Archive API, with a free key) can join both again.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from kiosque.core.errors import InvalidInput
from kiosque.core.text import clean_text
from kiosque.polarity.examples import Example, find_offsets, read_polarity

COLUMNS = ("id", "target", "polarity")


@dataclass(frozen=True, slots=True)
class Rehydrated:
    """How far it got: labels in the file, labels that found their headline."""

    labels: int
    joined: int


def headline_id(headline: str, day: str) -> str:
    """`2011-11-15-fffe870153`. `day` is an ISO date; the headline is taken as it stands."""
    return f"{day}-{_digest(headline)}"


def _digest(headline: str) -> str:
    return hashlib.sha1(headline.encode(), usedforsecurity=False).hexdigest()[:10]


def read_labels(path: Path) -> dict[str, list[tuple[str, str]]]:
    """Id → (target, polarity) pairs. Raises InvalidInput when the file is not one of labels."""
    labels: dict[str, list[tuple[str, str]]] = defaultdict(list)
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                labels[row["id"]].append((row["target"], read_polarity(row["polarity"]).value))
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{path} is no file of labels: {error}.", hint="Columns: id, target, polarity."
        ) from error
    return dict(labels)


def write_labels(path: Path, labels: Iterable[tuple[str, str, str]]) -> None:
    """(id, target, polarity) rows, sorted; the same labels give the same bytes."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted(labels))
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(buffer.getvalue().encode())


def rehydrate(labels: Path, headlines: Iterable[tuple[str, str]], out: Path) -> Rehydrated:
    """Write the training set {id, date, text, mentions} for every label whose headline is among `headlines`.

    `headlines` are (headline, ISO date or timestamp). Archive timestamps are in UTC and may say the day after, so the
    day before and the day after are tried, too. Labels whose target the headline doesn't name are left out.
    """
    wanted = read_labels(labels)
    total, joined = sum(map(len, wanted.values())), 0
    with out.open("w", encoding="utf-8") as stream:
        for key, text, pairs in _join(headlines, wanted):
            named = [(t, p) for t, p in pairs if find_offsets(text, t)]
            joined += len(named)
            mentions = [{"target": target, "polarity": polarity} for target, polarity in named]
            record = {"id": key, "date": key[:10], "text": text, "mentions": mentions}
            stream.write(json.dumps(record, ensure_ascii=False) + "\n")
    return Rehydrated(total, joined)


def read_joined(labels: Path, headlines: Path) -> tuple[list[Example], int]:
    """Every label whose headline is in `headlines`, and how many labels there are.

    `headlines` is for `read_headlines`. The labels are sorted by id, so that the order of `headlines` does not
    matter. A target that the headline does not name has no mentions.
    """
    wanted = read_labels(labels)
    joined = sorted(_join(read_headlines(headlines), wanted))
    examples = [
        Example(text, target, find_offsets(text, target), read_polarity(polarity), key)
        for key, text, pairs in joined
        for target, polarity in pairs
    ]
    return examples, sum(map(len, wanted.values()))


def read_headlines(path: Path) -> Iterator[tuple[str, str]]:
    """(headline, date) of a CSV with these columns, or of JSONL with headline or text, and date or published_at.

    A folder gives those of all such files in it. Raises InvalidInput when a file is neither.
    """
    if path.is_dir():
        for file in sorted(path.iterdir()):
            if file.name.removesuffix(".gz").endswith((".csv", ".jsonl")):
                yield from read_headlines(file)
        return
    try:
        yield from _records(path)
    except (OSError, ValueError, TypeError) as error:
        raise InvalidInput(f"Cannot read {path}: {error}.", hint="Give CSV or JSONL.") from error


def _records(path: Path) -> Iterator[tuple[str, str]]:
    if path.name.removesuffix(".gz").endswith(".csv"):
        yield from (
            (row.get("headline") or "", row.get("date") or "") for row in csv.DictReader(_lines(path))
        )
        return
    for line in _lines(path):
        record = json.loads(line)
        if not isinstance(record, dict):
            raise TypeError("a line is no JSON object")
        text = record.get("headline") or record.get("text") or ""
        yield text, record.get("published_at") or record.get("date") or ""


def labels_of(examples: Iterable[Example], days: dict[str, str]) -> list[tuple[str, str, str]]:
    """What `write_labels` takes, for labelled texts whose day is known. `days`: text → ISO date."""
    return [(headline_id(e.text, days[e.text]), e.target, e.polarity.value) for e in examples]


def _join(
    headlines: Iterable[tuple[str, str]], labels: dict[str, list[tuple[str, str]]]
) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """(id, headline, its labels), each id once, where the first of `headlines` stands that has it."""
    wanted = dict(labels)
    digests = {key[-10:] for key in wanted}
    for headline, moment in headlines:
        for text in dict.fromkeys(
            (headline, headline.strip(), " ".join(headline.split()), clean_text(headline))
        ):
            if _digest(text) not in digests:
                continue
            for key in (headline_id(text, day) for day in _days(moment)):
                if key in wanted:
                    yield key, text, wanted.pop(key)


@lru_cache(maxsize=4096)
def _days(moment: str) -> tuple[str, ...]:
    try:
        day = datetime.fromisoformat(moment[:10]).replace(tzinfo=UTC)
    except ValueError:
        return ()
    return tuple((day + timedelta(days=shift)).date().isoformat() for shift in (0, -1, 1))


def _lines(path: Path) -> Iterator[str]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as stream:
        yield from stream
