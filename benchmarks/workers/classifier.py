"""The network of a polarity version as somebody would use it by hand: hide the name, pad, run, softmax."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer


class Classifier:
    """One session that runs all texts of a call at once."""

    def __init__(self, folder: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(192)
        self._tokenizer.enable_padding()
        options = ort.SessionOptions()
        # left to itself onnxruntime counts all processors, and ties a thread to each, those beside the ones given too
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        model = str(folder / "model.onnx")
        self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def classify(self, items: list[dict[str, str]]) -> list[list[float]]:
        """Three probabilities for each {text, target}."""
        texts = [item["text"].replace(item["target"], "[TARGET]") for item in items]
        rows = self._tokenizer.encode_batch(texts)
        inputs = {
            "input_ids": np.array([row.ids for row in rows], dtype=np.int64),
            "attention_mask": np.array([row.attention_mask for row in rows], dtype=np.int64),
        }
        logits = self._session.run(["logits"], inputs)[0]
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities: list[list[float]] = (powers / powers.sum(axis=1, keepdims=True)).tolist()
        return probabilities
