"""Labels without text find their headlines again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiosque.core.errors import InvalidInput
from kiosque.polarity.examples import read_examples
from kiosque.polarity.train.rehydrate import (
    headline_id,
    read_headlines,
    read_joined,
    read_labels,
    rehydrate,
    write_labels,
)
from kiosque.testing.paths import CHECKOUT

SHIPPED = CHECKOUT / "data" / "corpus" / "nyt-labels.csv.gz"
HEADLINE = "Board Praises Okafor and Blames Lindqvist"


def labels_for(folder: Path, text: str = HEADLINE, day: str = "2011-11-15") -> Path:
    key = headline_id(text, day)
    path = folder / "labels.csv.gz"
    write_labels(
        path, [(key, "Okafor", "positive"), (key, "Lindqvist", "negative"), (key, "Nobody", "neutral")]
    )
    return path


def test_joins_labels_to_the_headlines_of_their_day(tmp_path: Path) -> None:
    out = tmp_path / "set.jsonl"
    result = rehydrate(labels_for(tmp_path), [(HEADLINE, "2011-11-15"), ("Another", "2011-11-15")], out)
    assert (result.labels, result.joined) == (3, 2)
    assert [(e.target, e.polarity.value) for e in read_examples(out)] == [
        ("Lindqvist", "negative"),
        ("Okafor", "positive"),
    ]


@pytest.mark.parametrize("moment", ["2011-11-16T03:10:00Z", "2011-11-14", "2011-11-15T05:00:00+0000"])
def test_a_timestamp_of_the_neighbouring_day_is_found(tmp_path: Path, moment: str) -> None:
    assert rehydrate(labels_for(tmp_path), [(HEADLINE, moment)], tmp_path / "set.jsonl").joined == 2


@pytest.mark.parametrize("moment", ["2011-11-18", "", "soon"])
def test_other_days_are_not(tmp_path: Path, moment: str) -> None:
    assert rehydrate(labels_for(tmp_path), [(HEADLINE, moment)], tmp_path / "set.jsonl").joined == 0


def test_untrimmed_and_escaped_headlines_are_found(tmp_path: Path) -> None:
    labels = labels_for(tmp_path, "Okafor & Sons Praise Lindqvist")
    headlines = [("  Okafor &amp; Sons  Praise <em>Lindqvist</em> ", "2011-11-15")]
    assert rehydrate(labels, headlines, tmp_path / "set.jsonl").joined == 2


def test_a_headline_that_comes_twice_is_joined_once(tmp_path: Path) -> None:
    out = tmp_path / "set.jsonl"
    assert rehydrate(labels_for(tmp_path), [(HEADLINE, "2011-11-15")] * 2, out).joined == 2
    assert len(out.read_text().splitlines()) == 1


def test_the_same_labels_give_the_same_bytes(tmp_path: Path) -> None:
    rows = [
        ("2011-11-15-aaaaaaaaaa", "Okafor", "neutral"),
        ("2010-01-01-bbbbbbbbbb", "Lindqvist", "negative"),
    ]
    write_labels(tmp_path / "a.csv.gz", rows)
    write_labels(tmp_path / "b.csv.gz", reversed(rows))
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()


def test_reads_headlines_of_csv_and_of_an_export(tmp_path: Path) -> None:
    table = tmp_path / "h.csv"
    table.write_text(f"headline,date,doc_type\n{HEADLINE},2011-11-15,article\n", encoding="utf-8")
    lines = tmp_path / "h.jsonl"
    lines.write_text(
        json.dumps({"headline": HEADLINE, "published_at": "2011-11-15T05:00:00Z"}) + "\n", encoding="utf-8"
    )
    assert list(read_headlines(table)) == [(HEADLINE, "2011-11-15")]
    assert list(read_headlines(lines)) == [(HEADLINE, "2011-11-15T05:00:00Z")]


def test_a_folder_of_headlines_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "headlines"
    folder.mkdir()
    (folder / "README.md").write_text("No headlines.")
    (folder / "a.csv").write_text(f"headline,date\nAnother,2011-11-15\n{HEADLINE},2011-11-15\n")
    (folder / "b.jsonl").write_text(json.dumps({"headline": HEADLINE, "published_at": "2011-11-15"}))
    joined, labels = read_joined(labels_for(tmp_path), folder)
    assert len(joined) == 3 <= labels


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.jsonl", b"{"), ("b.jsonl", b"[1]\n"), ("a.csv", b"headline\n\xff"), ("none.csv", None)],
)
def test_texts_that_cannot_be_read_are_named(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInput, match=name):
        read_joined(labels_for(tmp_path), tmp_path / name)


def test_what_is_no_file_of_labels_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv.gz"
    path.write_text("id,target,polarity\n", encoding="utf-8")
    with pytest.raises(InvalidInput):
        read_labels(path)


def test_the_shipped_labels_hold_no_text() -> None:
    labels = read_labels(SHIPPED)
    assert sum(map(len, labels.values())) == 86_480
    assert len(labels) == 74_616
    assert max(len(target) for pairs in labels.values() for target, _ in pairs) < 60
