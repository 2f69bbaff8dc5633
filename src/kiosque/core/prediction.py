"""The seam between the pipeline and the models: called in memory or over HTTP, it is the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kiosque.core.book import BookQuery, Shelf
from kiosque.core.polarity import ScoringRequest, Target, TargetScore, WordContribution


@dataclass(frozen=True, slots=True)
class ScoredBatch:
    """Scores in the order of the requests, each in the order of its targets, all by one model version."""

    model_version: str
    scores: tuple[tuple[TargetScore, ...], ...]


@dataclass(frozen=True, slots=True)
class Answering:
    """One model of one server: `version` None where nothing answers; `trouble` says why, or what was refused."""

    name: str
    version: str | None
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Replica:
    """One server of the models, and with which versions it answers."""

    address: str
    models: tuple[Answering, ...] = ()
    trouble: str | None = None
    """Why it did not say."""

    def version(self, name: str) -> str | None:
        """The version with which it answers for the model `name`."""
        return next((model.version for model in self.models if model.name == name), None)


class Predictor(Protocol):
    """Polarity and books. Raises NoModel without a usable version, PredictUnavailable when out of reach."""

    def polarity(self, requests: Sequence[ScoringRequest], *, any_language: bool = False) -> ScoredBatch:
        """Score every target of every request. `any_language` scores text that is not English, too."""
        ...

    def explain(self, request: ScoringRequest, target: Target) -> tuple[WordContribution, ...]:
        """The words of the request's text, in order, with what each contributed toward `target`."""
        ...

    def books(self, queries: Sequence[BookQuery]) -> list[Shelf]:
        """A shelf for each query."""
        ...

    def versions(self) -> dict[str, str]:
        """Model name → version that answers now; a model without a usable version is left out."""
        ...
