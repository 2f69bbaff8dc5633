"""The training loop: length-sorted batches, warm-up, running average, checkpoints, early stopping."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import structlog
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from kiosque.core.errors import InvalidInput
from kiosque.polarity.metrics import macro_f1
from kiosque.polarity.train.data import Mixer, Sample
from kiosque.polarity.train.encoder import TargetClassifier, token_ids
from kiosque.polarity.train.recipe import Recipe

log = structlog.get_logger(__name__)

TOKENS_AT_ONCE = 4_096
"""Word pieces, padding included, that go through the network together. A batch of more is taken in parts whose
gradients add up: what attention keeps for the way back grows with the square of the length."""

Batch = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a stage stands. `seconds_left` is estimated from the batches done so far in this process."""

    epoch: int
    step: int
    steps: int
    loss: float
    seconds_left: float
    heldout_macro_f1: float | None = None
    stage: int = 1


ProgressHook = Callable[[Progress], None]


@dataclass(slots=True)
class State:
    """What a checkpoint holds besides weights and optimiser."""

    epoch: int = 0
    step: int = 0
    best: float = -1.0
    since_best: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


class Trainer:
    """One run. `fit` trains to the end; after a kill, a new Trainer on the same folder goes on where it stood."""

    def __init__(
        self,
        recipe: Recipe,
        model: TargetClassifier,
        tokenizer: Tokenizer,
        folder: Path,
        *,
        threads: int | None = None,
    ) -> None:
        if threads:
            torch.set_num_threads(threads)
        self.recipe = recipe
        self.bfloat16 = recipe.bfloat16 and computes_bfloat16()
        self.model = model
        self.tokenizer = tokenizer
        self.folder = folder
        self.state = State()
        self.average = {k: v.detach().clone() for k, v in model.named_parameters() if v.requires_grad}
        self.optimiser = _optimiser(recipe, model)

    def fit(self, mixer: Mixer, heldout: Sequence[Sample], progress: ProgressHook | None = None) -> State:
        """Train; the model ends with the best averaged weights seen on `heldout`."""
        steps = sum(_batch_count(mixer.epoch(e), self.recipe.batch) for e in range(self.recipe.epochs))
        started, first = time.monotonic(), self.state.step
        for epoch in range(self.state.epoch, self.recipe.epochs):
            batches = make_batches(
                mixer.epoch(epoch), self.tokenizer, self.recipe.batch, f"{self.recipe.seed}/{epoch}"
            )
            skip = self.state.step - sum(
                _batch_count(mixer.epoch(e), self.recipe.batch) for e in range(epoch)
            )
            marks = {
                round(len(batches) * (i + 1) / self.recipe.evaluations)
                for i in range(self.recipe.evaluations)
            }
            for number, batch in enumerate(batches[skip:], skip + 1):
                loss = self._step(batch, steps)
                score = self._evaluate(heldout) if number in marks else None
                if score is not None:
                    self._save()
                if progress and (score is not None or self.state.step % 20 == 0):
                    left = (
                        (time.monotonic() - started) / (self.state.step - first) * (steps - self.state.step)
                    )
                    progress(Progress(epoch, self.state.step, steps, loss, left, score))
                if self.state.since_best >= self.recipe.patience:
                    log.info("training.stopped_early", step=self.state.step, best=round(self.state.best, 4))
                    return self._finish()
            self.state.epoch = epoch + 1
        return self._finish()

    def resume(self) -> bool:
        """Take up the checkpoint of the folder, if there is one. Raises InvalidInput if its recipe differs."""
        file = self.folder / "checkpoint.pt"
        if not file.exists():
            return False
        saved = torch.load(file, weights_only=True)
        if saved["recipe"] != _identity(self.recipe):
            raise InvalidInput(
                f"{file} belongs to another recipe.",
                hint="Give another output folder, or start without --resume.",
            )
        self.model.load_state_dict(saved["model"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.average = saved["average"]
        self.state = State(**saved["state"])
        torch.set_rng_state(saved["rng"])
        log.info("training.resumed", step=self.state.step, epoch=self.state.epoch)
        return True

    def _step(self, batch: Batch, steps: int) -> float:
        ids, mask, labels = batch
        self.model.train()
        rate = schedule(self.state.step, steps, self.recipe.warmup)
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * rate
        loss = 0.0
        for part in torch.arange(len(ids)).split(max(1, TOKENS_AT_ONCE // ids.shape[1])):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bfloat16):
                logits = self.model(ids[part], mask[part])
            share = functional.cross_entropy(
                logits.float(), labels[part], label_smoothing=self.recipe.smoothing, reduction="sum"
            ) / len(ids)
            share.backward()
            loss += float(share.detach())
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.state.step += 1
        self._move_average()
        return loss

    @torch.no_grad()
    def _move_average(self) -> None:
        # A young average follows fast: with few steps behind it, the start would weigh too much.
        decay = (
            min(self.recipe.average, self.state.step / (self.state.step + 50)) if self.recipe.average else 0.0
        )
        live = [p for p in self.model.parameters() if p.requires_grad]
        torch._foreach_lerp_(list(self.average.values()), live, 1.0 - decay)

    def _evaluate(self, heldout: Sequence[Sample]) -> float:
        live = {k: v.detach().clone() for k, v in self.model.named_parameters() if v.requires_grad}
        self._load(self.average)
        logits = predict(self.model, self.tokenizer, heldout, bfloat16=self.bfloat16)
        score = macro_f1(np.array([s.label for s in heldout]), logits.argmax(1))
        self._keep_if_best(score)
        self._load(live)
        log.info("training.measured", step=self.state.step, heldout_macro_f1=round(score, 4))
        return score

    def _keep_if_best(self, score: float) -> None:
        self.state.history.append({"step": self.state.step, "macro_f1": score})
        self.state.since_best += 1
        if score > self.state.best:
            self.state.best, self.state.since_best = score, 0
            _write(self.folder / "best.pt", self.average)

    def _load(self, weights: dict[str, Tensor]) -> None:
        self.model.load_state_dict(weights, strict=False)

    def _save(self) -> None:
        state = {name: getattr(self.state, name) for name in State.__slots__}
        _write(
            self.folder / "checkpoint.pt",
            {
                "recipe": _identity(self.recipe),
                "model": self.model.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "average": self.average,
                "state": state,
                "rng": torch.get_rng_state(),
            },
        )

    def _finish(self) -> State:
        self._load(torch.load(self.folder / "best.pt", weights_only=True))
        self.model.eval()
        return self.state


def computes_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 itself. Without, PyTorch emulates at a higher price."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # noqa: SLF001 - there is no public name


def schedule(step: int, steps: int, warmup: float) -> float:
    """Linear up over the share `warmup` of all steps, then linear down to zero."""
    rise = max(1, round(steps * warmup))
    return (step + 1) / rise if step < rise else max(0.0, (steps - step) / max(1, steps - rise))


def make_batches(samples: Sequence[Sample], tokenizer: Tokenizer, size: int, seed: str) -> list[Batch]:
    """Batches of alike length (sorted within stretches of 50 batches), in random order."""
    rng = random.Random(seed)  # noqa: S311 - order, not secrets
    encoded = list(token_ids(tokenizer, [s.text for s in samples]))
    batches = []
    for start in range(0, len(samples), size * 50):
        stretch = sorted(range(start, min(start + size * 50, len(samples))), key=lambda i: len(encoded[i]))
        for at in range(0, len(stretch), size):
            chosen = stretch[at : at + size]
            batches.append(_pad([encoded[i] for i in chosen], [samples[i].label for i in chosen]))
    rng.shuffle(batches)
    return batches


@torch.no_grad()
def predict(
    model: TargetClassifier, tokenizer: Tokenizer, samples: Sequence[Sample], *, bfloat16: bool = False
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Logits, one row a sample, in their order."""
    model.eval()
    encoded = list(token_ids(tokenizer, [s.text for s in samples]))
    order = sorted(range(len(samples)), key=lambda i: len(encoded[i]))
    logits = np.zeros((len(samples), 3), dtype=np.float32)
    for at in range(0, len(order), 64):
        chosen = order[at : at + 64]
        ids, mask, _ = _pad([encoded[i] for i in chosen], [0] * len(chosen))
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
            logits[chosen] = model(ids, mask).float().numpy()
    return logits


def _pad(rows: Sequence[Sequence[int]], labels: Sequence[int]) -> Batch:
    # Few different widths: for each that it meets, the library keeps kernels and memory.
    width = -(-max(len(row) for row in rows) // 8) * 8
    ids = torch.zeros((len(rows), width), dtype=torch.long)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
        mask[i, : len(row)] = 1
    return ids, mask, torch.tensor(labels)


def _optimiser(recipe: Recipe, model: TargetClassifier) -> torch.optim.AdamW:
    head = {id(p) for p in [*model.head.parameters(), model.placeholder]}
    groups: list[dict[str, Any]] = []
    for rate, mine in ((recipe.encoder_rate, False), (recipe.head_rate, True)):
        for decay in (True, False):
            chosen = [p for p in model.parameters() if p.requires_grad and (id(p) in head) is mine]
            chosen = [p for p in chosen if (p.ndim > 1) is decay]
            groups.append(
                {"params": chosen, "peak": rate, "weight_decay": recipe.weight_decay if decay else 0.0}
            )
    return torch.optim.AdamW(groups, lr=recipe.encoder_rate, fused=True)


def _identity(recipe: Recipe) -> str:
    """What of a recipe decides the weights: not what is measured or how the file is made."""
    return repr(replace(recipe, tests=(), notes=(), keep_float=()))


def _batch_count(samples: Sequence[Sample], size: int) -> int:
    return -(-len(samples) // size)


def _write(file: Path, content: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    torch.save(content, partial)
    partial.replace(file)
