"""The sentence encoder: a text becomes a vector of length 1; near vectors mean near subjects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from kiosque.core.errors import CorruptModel

GRAPH = "encoder.onnx"
TOKENIZER = "tokenizer.json"
MAX_TOKENS = 256
"""all-MiniLM-L6-v2 was trained with at most 256 word pieces; what follows them is not read."""
_MAX_CHARACTERS = MAX_TOKENS * 16
"""More characters than 256 word pieces ever cover in prose; saves tokenising a book-length text."""

Vector = NDArray[np.float32]


class Encoder:
    """Loaded once, used from any thread. One text at a time: the int8 ranges of a text then come from it alone,
    so that a text has one vector whatever it is asked together with.
    """

    def __init__(self, folder: Path, *, remember: bool = False) -> None:
        """Load `encoder.onnx` and `tokenizer.json`. A run has one thread: texts are short, several are run at once,
        and onnxruntime left to itself ties threads to processors that this process may not use.
        `remember` keeps every vector, for evaluations that ask for the same texts again and again.
        """
        self._known: dict[str, Vector] | None = {} if remember else None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._tokenizer = Tokenizer.from_str((folder / TOKENIZER).read_text(encoding="utf-8"))
            self._session = onnxruntime.InferenceSession(
                str(folder / GRAPH), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise CorruptModel(
                f"The sentence encoder in {folder} cannot be loaded: {error}", hint="Publish it again."
            ) from error
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self.width = int(self._session.get_outputs()[0].shape[0])

    def encode(self, text: str) -> Vector:
        """The vector of `text`, [width], length 1."""
        if self._known is None:
            return self._encode(text)
        if text not in self._known:
            self._known[text] = self._encode(text)
        return self._known[text]

    def _encode(self, text: str) -> Vector:
        numbers = self._tokenizer.encode(text[:_MAX_CHARACTERS]).ids
        (vector,) = self._session.run(None, {"input_ids": np.asarray(numbers, np.int64)})
        return np.asarray(vector, np.float32)

    def encode_each(self, texts: Iterable[str]) -> Iterator[Vector]:
        """The vectors of `texts`, one by one."""
        return map(self.encode, texts)
