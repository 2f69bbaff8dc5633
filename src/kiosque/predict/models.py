"""What predict asks of a loaded model, and how one is loaded from its folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kiosque.core.book import BookQuery, Shelf
from kiosque.core.polarity import ScoringRequest, Target, TargetScore, WordContribution

POLARITY = "polarity"
BOOKS = "books"


class Servable(Protocol):
    """Safe to call from several threads once loaded."""

    def warm(self) -> None:
        """Run once, so that the first request does not pay for lazy set-up."""
        ...

    def check(self) -> None:
        """Raises CorruptModel when it does not give the answers recorded with it."""
        ...


class PolarityScorer(Servable, Protocol):
    """What `kiosque.polarity.model.load` gives."""

    def score(
        self, requests: Sequence[ScoringRequest], *, any_language: bool = False
    ) -> Sequence[tuple[TargetScore, ...]]: ...

    def explain(self, request: ScoringRequest, target: Target) -> tuple[WordContribution, ...]: ...


class Recommender(Servable, Protocol):
    """What `kiosque.books.model.load` gives."""

    def recommend(self, queries: Sequence[BookQuery]) -> list[Shelf]: ...


@dataclass(frozen=True, slots=True)
class Loaders:
    """From the folder of a verified version to the model in it."""

    polarity: Callable[[Path], PolarityScorer]
    books: Callable[[Path], Recommender]


def default_loaders(threads: int | None = None) -> Loaders:
    """The models that Kiosque has. `threads` for each network; without it what affinity and cgroup allow."""

    def load_polarity(folder: Path) -> PolarityScorer:
        from kiosque.polarity import model

        return model.load(folder, threads=threads)

    def load_books(folder: Path) -> Recommender:
        from kiosque.books import model

        return model.load(folder, threads=threads)

    return Loaders(load_polarity, load_books)
