"""Running the network: token ids in, logits out, with onnxruntime on the CPUs that this process really has."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from kiosque.core.errors import CorruptModel

MAX_BATCH = 64
"""Rows of a batch, and with `MAX_BATCH_TOKENS` the bound on the memory of one call."""
MAX_BATCH_TOKENS = 4096

Logits = np.ndarray[Any, np.dtype[np.float32]]


def count_cpus() -> int:
    """CPUs that this process may use: the smaller of its affinity and its cgroup's quota, at least 1."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cgroup_cpus(Path("/sys/fs/cgroup"))
    return max(1, min(affinity, int(quota)) if quota else affinity)


def cgroup_cpus(root: Path) -> float | None:
    """The CPU quota of a cgroup (version 2, then 1) in CPUs; None without one."""
    try:
        quota, period = (root / "cpu.max").read_text().split()[:2]
    except (OSError, ValueError):
        try:
            quota = (root / "cpu" / "cpu.cfs_quota_us").read_text().strip()
            period = (root / "cpu" / "cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    return int(quota) / int(period) if quota.isdigit() and int(quota) > 0 else None


class Scorer:
    """A loaded network with its tokenizer. Safe to call from several threads."""

    def __init__(self, folder: Path, *, max_tokens: int, threads: int | None = None) -> None:
        """Raises CorruptModel when a file is missing or unreadable."""
        self._tokenizer = _load_tokenizer(folder / "tokenizer.json", max_tokens)
        self._session = _load_session(folder / "model.onnx", threads or count_cpus())
        self._unknown = self._tokenizer.token_to_id("[UNK]") or 0

    def logits(self, texts: Sequence[str]) -> Logits:
        """One row of three a text, in the order of `texts`."""
        rows = self._encode(texts)
        out = np.zeros((len(rows), 3), dtype=np.float32)
        for chosen in make_batches([len(row) for row in rows]):
            out[chosen] = self._run([rows[i] for i in chosen])
        return out

    def count_tokens(self, texts: Sequence[str]) -> list[tuple[int, int]]:
        """For each text its tokens and how many of them are unknown to the vocabulary."""
        return [(len(row), row.count(self._unknown)) for row in self._encode(texts)]

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]

    def _run(self, rows: Sequence[Sequence[int]]) -> Logits:
        width = max(len(row) for row in rows)
        ids = np.zeros((len(rows), width), dtype=np.int64)
        mask = np.zeros((len(rows), width), dtype=np.int64)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = row
            mask[i, : len(row)] = 1
        result: Logits = self._session.run(["logits"], {"input_ids": ids, "attention_mask": mask})[0]
        return result


def make_batches(lengths: Sequence[int]) -> list[list[int]]:
    """Indices grouped into batches of alike length: little padding, bounded size, the same for the same lengths."""
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        size = len(batches[-1]) if batches else 0
        # Lengths rise, so the newest row is the widest and sets the width of its batch.
        if batches and size < MAX_BATCH and (size + 1) * lengths[index] <= MAX_BATCH_TOKENS:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def _load_tokenizer(file: Path, max_tokens: int) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:
        raise CorruptModel(f"Cannot read the tokenizer {file.name}: {error}.") from error
    tokenizer.enable_truncation(max_tokens)
    tokenizer.no_padding()
    return tokenizer


def _load_session(file: Path, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads burn the CPU that the web process on the same machine waits for.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise CorruptModel(f"Cannot load the network {file.name}: {error}.") from error
