"""One way to score (text, target) pairs: `scoring.py kiosque|onnxruntime|transformers|flan-t5 FOLDER THREADS`.

FOLDER is a version of the polarity model. `prepare` gets the pairs, `score` goes through them `batch` at a time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from protocol import processor, seconds, serve

QUESTION = "What is the sentiment of this headline toward {target}? {text}"
Pairs = list[dict[str, str]]
Score = Callable[[Sequence[Any]], object]


def kiosque(folder: Path, threads: int) -> tuple[Callable[[Pairs], list[Any]], Score]:
    """As serving does it: names are found and hidden, the language is looked at, windows are cut and merged."""
    from kiosque.core.polarity import ScoringRequest, Target
    from kiosque.polarity.model import load

    model = load(folder, threads=threads)

    def prepare(pairs: Pairs) -> list[Any]:
        return [ScoringRequest(p["text"], targets=(Target("t", p["target"]),)) for p in pairs]

    return prepare, model.score


def onnxruntime(folder: Path, threads: int) -> tuple[Callable[[Pairs], list[Any]], Score]:
    """The limit: the network alone on rows of numbers that lie ready, as many runs at once as there are threads."""
    import numpy as np
    import onnxruntime as ort
    from tokenizers import Tokenizer

    from kiosque.polarity.prepare import find_mentions, make_windows

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    run = ort.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]).run
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    pool = ThreadPoolExecutor(threads)

    def prepare(pairs: Pairs) -> list[Any]:
        windows = [make_windows(p["text"], find_mentions(p["text"], p["target"]))[0].text for p in pairs]
        rows = [np.array([tokenizer.encode(window).ids], dtype=np.int64) for window in windows]
        return [{"input_ids": row, "attention_mask": np.ones_like(row)} for row in rows]

    def score(rows: Sequence[Any]) -> object:
        if threads == 1 or len(rows) == 1:
            return [run(["logits"], row) for row in rows]
        return list(pool.map(lambda row: run(["logits"], row), rows))

    return prepare, score


def transformers(folder: Path, threads: int) -> tuple[Callable[[Pairs], list[Any]], Score]:
    """The text-classification pipeline on an encoder of the same shapes in fp32. Its weights are random: they
    change what it says, not how long it takes."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast, pipeline

    torch.set_num_threads(threads)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        pad_token="[PAD]",
        unk_token="[UNK]",
        model_input_names=["input_ids", "attention_mask"],
    )
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
        num_labels=3,
    )
    model = BertForSequenceClassification(config).eval()
    classify = pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu")

    def prepare(pairs: Pairs) -> list[Any]:
        return [p["text"].replace(p["target"], "[TARGET]") for p in pairs]

    return prepare, lambda texts: classify(list(texts), batch_size=len(texts))


def flan_t5(folder: Path, threads: int) -> tuple[Callable[[Pairs], list[Any]], Score]:
    """What the reference fine-tunes, by its shapes (248 million parameters, random weights), asked once for each
    pair; it answers one label: a word and the end, two steps of the decoder. Word pieces of the polarity model's
    tokenizer stand for its own."""
    import torch
    from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

    torch.set_num_threads(threads)
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
    model = T5ForConditionalGeneration(config).eval()
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), pad_token="[PAD]")

    def prepare(pairs: Pairs) -> list[Any]:
        return [QUESTION.format(**pair) for pair in pairs]

    @torch.no_grad()
    def score(questions: Sequence[Any]) -> object:
        rows = tokenizer(list(questions), padding=True, return_tensors="pt", return_token_type_ids=False)
        return model.generate(**rows, max_new_tokens=2, min_new_tokens=2, do_sample=False)

    return prepare, score


def main() -> None:
    kinds = {"kiosque": kiosque, "onnxruntime": onnxruntime, "transformers": transformers, "flan-t5": flan_t5}
    threads = int(sys.argv[3])
    prepare, score = kinds[sys.argv[1]](Path(sys.argv[2]), threads)
    ready: list[Any] = []

    def take(pairs: Pairs) -> None:
        ready[:] = prepare(pairs)
        score(ready[:2])

    def go_through(batch: int) -> float:
        work = lambda: [score(ready[at : at + batch]) for at in range(0, len(ready), batch)]  # noqa: E731
        return seconds(work, clock=processor) if threads == 1 else seconds(work)

    serve({"prepare": take, "score": go_through})


if __name__ == "__main__":
    main()
