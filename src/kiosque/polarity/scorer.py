"""Running the network: prepared texts in, logits out, with onnxruntime on the CPUs that this process really has.

Texts are run one at a time, several at once in threads, and never padded into one batch: int8 networks quantise what
flows through them with one scale a run, so that in a batch the answer for a text would depend on its neighbours
(measured: 1 to 3 % of labels). On a CPU that costs nothing for sentences and a third for short headlines.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from kiosque.core.cpus import count_cpus
from kiosque.core.errors import CorruptModel

Logits = np.ndarray[Any, np.dtype[np.float32]]


class Scorer:
    """A loaded network with its tokenizer. Safe to call from several threads."""

    def __init__(self, folder: Path, *, max_tokens: int, threads: int | None = None) -> None:
        """Raises CorruptModel when a file is missing or unreadable."""
        self._tokenizer = _load_tokenizer(folder / "tokenizer.json", max_tokens)
        self._session = _load_session(folder / "model.onnx")
        self._unknown = self._tokenizer.token_to_id("[UNK]") or 0
        self._threads = threads or count_cpus()

    def logits(self, texts: Sequence[str]) -> Logits:
        """One row of three a text, in the order of `texts`. A text that stands there twice is run once."""
        distinct = list(dict.fromkeys(texts))
        place = {text: index for index, text in enumerate(distinct)}
        rows = self._encode(distinct)
        if self._threads == 1 or len(rows) == 1:
            answers = [self._run(row) for row in rows]
        else:
            answers = list(self._pool.map(self._run, rows))
        if not answers:
            return np.zeros((0, 3), dtype=np.float32)
        return np.stack(answers)[[place[text] for text in texts]]

    def count_tokens(self, texts: Sequence[str]) -> list[tuple[int, int]]:
        """For each text its tokens and how many of them are unknown to the vocabulary."""
        return [(len(row), row.count(self._unknown)) for row in self._encode(texts)]

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._threads, thread_name_prefix="polarity")

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def _run(self, row: Sequence[int]) -> Logits:
        ids = np.array([row], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        result: Logits = self._session.run(["logits"], inputs)[0][0]
        return result


def _load_tokenizer(file: Path, max_tokens: int) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:
        # tokenizers raises bare Exception for files that it can't read
        raise CorruptModel(f"Cannot read the tokenizer {file.name}: {error}.") from error
    tokenizer.enable_truncation(max_tokens)
    tokenizer.no_padding()
    return tokenizer


def _load_session(file: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime has a dozen unrelated exceptions for a file that it can't load
        raise CorruptModel(f"Cannot load the network {file.name}: {error}.") from error
