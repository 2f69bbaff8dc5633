"""How fast the champion scores beside a text-to-text model of the size that the reference fine-tunes.

    python benchmarks/scoring.py [--version FOLDER] [--pairs 200] [--reference 24] [--json]

Needs the extra polarity-train. The reference is Flan-T5-base by its shapes (248 million parameters) with random
weights: the time of a generation depends on shapes and lengths, not on what the weights say. It is asked as the
reference asks, once for each (text, target), and answers one label: a word and the end, two steps of the decoder.
Both see the same pairs, drawn from the corpus that ships, in turns, on one thread each. What counts is processor
time, so that other programs on the machine move the result little.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import T5Config, T5ForConditionalGeneration

from kiosque.polarity.evaluate import request_of
from kiosque.polarity.examples import Example, read_examples
from kiosque.polarity.model import PolarityModel, load

DATA = Path(__file__).parent.parent / "data"
QUESTION = "What is the sentiment of this headline toward {target}? {text}"
BATCH = 16


def main() -> None:
    options = _parse()
    torch.set_num_threads(1)
    folder = options.version or champion_folder()
    pairs = draw_pairs(max(options.pairs, options.reference))
    model, reference = load(folder, threads=1), reference_model()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    asked = pairs[: options.reference]
    model.warm()
    generate(reference, tokenizer, asked[:2], batch=2)
    result = {
        "version": folder.name,
        "pairs": len(pairs),
        "kiosque_one_by_one": rate(lambda: score(model, pairs, batch=1), len(pairs)),
        "reference_one_by_one": rate(lambda: generate(reference, tokenizer, asked, batch=1), len(asked)),
        "kiosque_together": rate(lambda: score(model, pairs, batch=len(pairs)), len(pairs)),
        f"reference_{BATCH}_together": rate(
            lambda: generate(reference, tokenizer, asked, batch=BATCH), len(asked)
        ),
    }
    result["times_one_by_one"] = result["kiosque_one_by_one"] / result["reference_one_by_one"]
    result["times_together"] = result["kiosque_together"] / result[f"reference_{BATCH}_together"]
    if options.json:
        sys.stdout.write(json.dumps(result) + "\n")
        return
    for name, value in result.items():
        shown = f"{value:.1f}" if isinstance(value, float) else str(value)
        sys.stdout.write(f"{name.replace('_', ' '):32} {shown}\n")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--version", type=Path, help="folder of a version; the one that ships without it")
    parser.add_argument("--pairs", type=int, default=200, help="pairs that Kiosque scores")
    parser.add_argument("--reference", type=int, default=24, help="pairs that the reference is asked about")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def champion_folder() -> Path:
    models = DATA / "models" / "polarity"
    aliases = json.loads((models / "aliases.json").read_text(encoding="utf-8"))
    return models / "versions" / str(aliases["aliases"]["champion"])


def draw_pairs(count: int, seed: int = 1) -> list[Example]:
    examples = [e for e in read_examples(DATA / "corpus" / "polarity") if e.mentions]
    return random.Random(seed).sample(examples, count)


def reference_model() -> T5ForConditionalGeneration:
    torch.manual_seed(1)
    config = T5Config(
        vocab_size=32_128,
        d_model=768,
        d_kv=64,
        d_ff=2048,
        num_layers=12,
        num_heads=12,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        decoder_start_token_id=0,
    )
    return T5ForConditionalGeneration(config).eval()


@torch.no_grad()
def generate(
    model: T5ForConditionalGeneration, tokenizer: Tokenizer, pairs: Sequence[Example], *, batch: int
) -> None:
    """Two tokens for each pair. Word pieces of the champion's tokenizer stand for the reference's own."""
    rows = [tokenizer.encode(QUESTION.format(target=e.target, text=e.text)).ids for e in pairs]
    for start in range(0, len(rows), batch):
        chosen = rows[start : start + batch]
        width = max(map(len, chosen))
        ids = torch.zeros((len(chosen), width), dtype=torch.long)
        for i, row in enumerate(chosen):
            ids[i, : len(row)] = torch.tensor(row)
        model.generate(
            input_ids=ids,
            attention_mask=(ids > 0).long(),
            max_new_tokens=2,
            min_new_tokens=2,
            do_sample=False,
        )


def score(model: PolarityModel, pairs: Sequence[Example], *, batch: int) -> None:
    """As serving does it: one request a pair, hiding and windows included."""
    for start in range(0, len(pairs), batch):
        model.score([request_of(e.text, e.mentions) for e in pairs[start : start + batch]], any_language=True)


def rate(work: Callable[[], Any], items: int) -> float:
    """Items a second of processor time."""
    started = time.process_time()
    work()
    return items / (time.process_time() - started)


if __name__ == "__main__":
    main()
