"""What a model's inputs and answers look like when all is well: the reference that later days are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kiosque.core.drift import Tokens
from kiosque.polarity.calibrate import Array
from kiosque.polarity.examples import LABELS

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOKENIZER, UNKNOWN = "tokenizer.json", "[UNK]"
TOKEN_EDGES = (0, 10, 15, 20, 30, 50, 80, 193)
CONFIDENCE_EDGES = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0001)


def summarise(probabilities: Array, tokens: Sequence[tuple[int, int]], *, asked: int) -> dict[str, Any]:
    """Shares over a batch of answers; the same function serves for the reference and for a day in production.

    `tokens` holds (tokens, unknown tokens) of each prepared text, `asked` how many targets were asked about,
    those without a mention included.
    """
    lengths = np.array([count for count, _ in tokens], dtype=np.int64)
    unknown = sum(count for _, count in tokens)
    confidence = probabilities.max(axis=1)
    answered = len(probabilities)
    shares = np.bincount(probabilities.argmax(axis=1), minlength=len(LABELS)) / max(1, answered)
    return {
        "n": answered,
        "class_shares": {label.value: round(float(shares[i]), 5) for i, label in enumerate(LABELS)},
        "confidence_mean": round(float(confidence.mean()), 5),
        "confidence_edges": list(CONFIDENCE_EDGES),
        "confidence_shares": _histogram(confidence, CONFIDENCE_EDGES),
        "token_edges": list(TOKEN_EDGES),
        "token_shares": _histogram(lengths, TOKEN_EDGES),
        "unknown_token_share": round(unknown / max(1, int(lengths.sum())), 6),
        "no_mention_share": round(1 - answered / max(1, asked), 5),
    }


def population_stability(reference: Sequence[float], now: Sequence[float]) -> float:
    """The population stability index of two histograms: below 0.1 nothing happened, above 0.25 look closely."""
    a, b = (np.clip(np.asarray(shares, dtype=np.float64), 1e-4, None) for shares in (reference, now))
    return float(((b - a) * np.log(b / a)).sum())


def _histogram(values: Any, edges: Sequence[float]) -> list[float]:
    counts, _ = np.histogram(values, bins=np.asarray(edges))
    return [round(float(c), 5) for c in counts / max(1, len(values))]


def count_tokens(folder: Path, texts: Sequence[str]) -> Tokens:
    """Word pieces of `texts` by the tokenizer of the version in `folder`, and how many of them are unknown to it.

    A version never changes, so what was counted of a text is kept: the next look at the newest texts meets most of
    them again. Raises what the tokenizer raises where the version has none.
    """
    counted = [_pieces(folder, text) for text in texts]
    return Tokens(len(texts), sum(tokens for tokens, _ in counted), sum(unknown for _, unknown in counted))


@lru_cache(maxsize=4096)
def _pieces(folder: Path, text: str) -> tuple[int, int]:
    """How many word pieces a text has, and how many of them are unknown."""
    tokenizer, unknown = _tokenizer(folder)
    ids = tokenizer.encode(text.lower(), add_special_tokens=False).ids
    return len(ids), ids.count(unknown)


@lru_cache(maxsize=4)
def _tokenizer(folder: Path) -> tuple[Tokenizer, int]:
    """And the number of the piece that stands for all that it does not know."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_padding()
    unknown: int | None = tokenizer.token_to_id(UNKNOWN)
    return tokenizer, -1 if unknown is None else unknown
