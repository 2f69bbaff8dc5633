"""Reading labelled examples in every form that is promised."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from kiosque.core.errors import InvalidInput
from kiosque.core.polarity import Polarity
from kiosque.polarity.examples import Example, read_examples, read_polarity

TEXT = "Board praises Okafor and blames Lindqvist"


def write(folder: Path, *records: object, name: str = "set.jsonl") -> Path:
    path = folder / name
    path.write_text("\n".join(json.dumps(r) for r in records) + "\n\n", encoding="utf-8")
    return path


def told(examples: list[Example]) -> list[tuple[str, Polarity]]:
    return [(e.text[e.mentions[0][0] : e.mentions[0][1]], e.polarity) for e in examples]


def test_reads_several_mentions_of_one_text(tmp_path: Path) -> None:
    mentions = [{"target": "Okafor", "polarity": "positive"}, {"target": "Lindqvist", "polarity": -1}]
    examples = read_examples(write(tmp_path, {"text": TEXT, "mentions": mentions}))
    assert told(examples) == [("Okafor", Polarity.POSITIVE), ("Lindqvist", Polarity.NEGATIVE)]
    assert examples[0].group == examples[1].group
    assert [e.label for e in examples] == [2, 0]


@pytest.mark.parametrize(
    "record",
    [
        {"text": TEXT, "target": "Okafor", "polarity": 1},
        {"text": TEXT, "mention": "Okafor", "label": "Positive"},
        {"sentence": TEXT, "mention": "Okafor", "from": 14, "to": 20, "polarity": 1.0},
        {"sentence": TEXT, "target": "Okafor", "label": "1"},
        {"sentence": TEXT, "target": "Okafor", "from": 900, "to": 906, "polarity": "pos"},
        {
            "sentence_normalized": TEXT,
            "targets": [{"from": 14, "to": 20, "mention": "Okafor", "polarity": 6.0}],
        },
    ],
)
def test_reads_one_target_a_line_under_all_its_names(tmp_path: Path, record: dict[str, object]) -> None:
    assert told(read_examples(write(tmp_path, record))) == [("Okafor", Polarity.POSITIVE)]


def test_given_offsets_win_over_the_name(tmp_path: Path) -> None:
    record = {"sentence": "Okafor met Okafor", "mention": "Okafor", "from": 11, "to": 17, "polarity": 0}
    assert read_examples(write(tmp_path, record))[0].mentions == ((11, 17),)


def test_a_target_that_is_not_there_has_no_mentions(tmp_path: Path) -> None:
    assert read_examples(write(tmp_path, {"text": TEXT, "target": "Nobody", "polarity": 0}))[0].mentions == ()


def test_reads_csv_of_sen_and_sentfin(tmp_path: Path) -> None:
    sen = tmp_path / "sen.csv"
    sen.write_text(f'headline,entity,majority_label\n"{TEXT}",Okafor,positive\n', encoding="utf-8")
    sentfin = tmp_path / "sentfin.csv"
    sentfin.write_text(
        f"id,headline,entity,label,from,to\n7,{TEXT},Lindqvist,negative,32,41\n", encoding="utf-8"
    )
    assert told(read_examples(sen)) == [("Okafor", Polarity.POSITIVE)]
    assert told(read_examples(sentfin, "sentfin")) == [("Lindqvist", Polarity.NEGATIVE)]


def test_reads_gzip_and_folders(tmp_path: Path) -> None:
    line = json.dumps({"text": TEXT, "target": "Okafor", "polarity": 1}) + "\n"
    (tmp_path / "b.jsonl").write_text(line, encoding="utf-8")
    (tmp_path / "a.jsonl").write_text(line + line, encoding="utf-8")
    with gzip.open(tmp_path / "c.jsonl.gz", "wt", encoding="utf-8") as stream:
        stream.write(line)
    assert [e.group for e in read_examples(tmp_path)] == [
        "a.jsonl:1",
        "a.jsonl:2",
        "b.jsonl:1",
        "c.jsonl.gz:1",
    ]


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"text": "x"}', '{"text": "x", "target": "x", "polarity": "mixed"}']
)
def test_says_which_line_is_wrong(tmp_path: Path, line: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text('{"text": "x", "target": "x", "polarity": 0}\n' + line, encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"set\.jsonl, line 2"):
        read_examples(path)


def test_missing_files_and_unknown_readers_are_invalid_input(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="Cannot read"):
        read_examples(tmp_path / "none.jsonl")
    with pytest.raises(InvalidInput, match="No reader"):
        read_examples(tmp_path, "xml")


@pytest.mark.parametrize("raw", ["mixed", 2, 0.5, None, True])
def test_refuses_what_is_no_polarity(raw: object) -> None:
    with pytest.raises(InvalidInput):
        read_polarity(raw)
