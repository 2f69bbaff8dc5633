"""From a trained classifier to the files that serving reads: ONNX and tokenizer, with proof that they agree."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from kiosque.core.errors import KiosqueError
from kiosque.polarity.scorer import Scorer
from kiosque.polarity.train.encoder import MAX_TOKENS, TargetClassifier

PARITY = 1e-3
"""Largest difference of a logit between torch and the exported fp32 graph."""


def export_float(model: TargetClassifier, tokenizer: Tokenizer, folder: Path) -> Path:
    """`model.onnx` (fp32, any batch and length) and `tokenizer.json` in `folder`; proves them equal to torch.

    Raises KiosqueError where the exported graph answers differently.
    """
    folder.mkdir(parents=True, exist_ok=True)
    fold_placeholder(model)
    model.eval()
    ids = torch.tensor([tokenizer.encode("[TARGET] wins").ids] * 2)
    dynamic = {
        "input_ids": {0: "batch", 1: "tokens"},
        "attention_mask": {0: "batch", 1: "tokens"},
        "logits": {0: "batch"},
    }
    implementation = model.encoder.config._attn_implementation  # type: ignore[union-attr]  # noqa: SLF001
    model.encoder.set_attn_implementation("eager")  # type: ignore[operator]
    with warnings.catch_warnings():
        # The TorchScript exporter announces its retirement; the new one needs a further package.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (ids, torch.ones_like(ids)),
            str(folder / "model.onnx"),
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_axes=dynamic,
            opset_version=17,
            dynamo=False,
        )
    model.encoder.set_attn_implementation(implementation)  # type: ignore[operator]
    tokenizer.save(str(folder / "tokenizer.json"))
    check_parity(model, tokenizer, folder)
    return folder / "model.onnx"


@torch.no_grad()
def fold_placeholder(model: TargetClassifier) -> None:
    """Write the placeholder's vector into the embedding table, where the exported graph looks it up."""
    table = model.encoder.get_input_embeddings().weight  # type: ignore[operator]
    table[model.target_id] = model.placeholder


def check_parity(model: TargetClassifier, tokenizer: Tokenizer, folder: Path) -> None:
    """Texts of different lengths: what the exporter would have frozen shows here."""
    texts = [
        "[TARGET] wins",
        "The board praised [TARGET] for a year of steady growth, and blamed the regulator for the rest of it.",
        "After the storm, [TARGET] said that " + "the harbour and the road " * 12 + "would open again.",
    ]
    scorer = Scorer(folder, max_tokens=MAX_TOKENS)
    exported = scorer.logits(texts)
    for i, text in enumerate(texts):
        ids = torch.tensor([tokenizer.encode(text).ids])
        with torch.no_grad():
            expected = model(ids, torch.ones_like(ids)).numpy()[0]
        difference = float(np.abs(expected - exported[i]).max())
        if difference > PARITY:
            raise KiosqueError(
                f"The exported network differs from torch by {difference:.4f} on {text[:40]!r}."
            )
