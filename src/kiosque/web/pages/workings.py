"""How Kiosque itself fares: models, sources, what was given up, and what the method is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from kiosque import __version__
from kiosque.core.errors import CorruptModel
from kiosque.modelstore.manifest import Version
from kiosque.modelstore.store import ModelStore
from kiosque.store import dead_letters, models, sources, stats
from kiosque.web.figures.scores import score_dots
from kiosque.web.render import house, page

router = APIRouter()

CARD = "card.md"
CHAMPION = "champion"
LETTERS = 20
POLARITY = "polarity"
REAL_HEADLINES = "nyt-candidates"
"""The test set of headlines about candidates that people labelled."""
CLASSES = ("negative", "neutral", "positive")


@dataclass(frozen=True, slots=True)
class ModelView:
    """One model with its versions, newest first."""

    name: str
    champion: str | None
    versions: tuple[Version, ...]
    card: str
    metrics: dict[str, Any]

    @property
    def measured(self) -> dict[str, dict[str, Any]]:
        """The test sets with their numbers: those of the metrics that were measured on labelled examples."""
        return {name: m for name, m in self.metrics.items() if isinstance(m, dict) and "accuracy" in m}

    @property
    def single(self) -> dict[str, float]:
        """The metrics that are one number each."""
        return {name: m for name, m in self.metrics.items() if isinstance(m, (int, float))}

    @property
    def grouped(self) -> dict[str, dict[str, float]]:
        """The metrics of other kinds of sets, as far as they are numbers."""
        rest = {n: m for n, m in self.metrics.items() if isinstance(m, dict) and n not in self.measured}
        plain = {n: {k: v for k, v in m.items() if isinstance(v, (int, float))} for n, m in rest.items()}
        return {name: numbers for name, numbers in plain.items() if numbers}


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How many labelled mentions, and the share of them that the model labels as people did."""

    n: int
    share: float


@router.get("/models")
def model_list(request: Request) -> HTMLResponse:
    api = house(request)
    store = api.context.modelstore
    with api.database.read() as tx:
        return page(
            request,
            tx,
            "models.html",
            section="/models",
            models=[
                view_of(store, name) for name in sorted(store.names(), key=lambda name: name != POLARITY)
            ],
            classes=CLASSES,
            score_dots=score_dots,
            uses={use.version: use for use in models.uses(tx)},
        )


def view_of(store: ModelStore, name: str) -> ModelView:
    """What the store says of one model. One whose champion cannot be read is shown without card."""
    champion = store.aliases(name).get(CHAMPION)
    versions = tuple(reversed(store.versions(name)))
    chosen = next((version for version in versions if version.id == champion), None)
    metrics = dict(chosen.manifest.fields.get("metrics") or {}) if chosen else {}
    return ModelView(name, champion, versions, _card(chosen), metrics)


def _card(version: Version | None) -> str:
    if version is None:
        return ""
    try:
        return (version.folder / CARD).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, CorruptModel):
        return ""


@router.get("/sources")
def source_list(request: Request) -> HTMLResponse:
    with house(request).database.read() as tx:
        return page(
            request,
            tx,
            "sources.html",
            section="/sources",
            sources=sources.everything(tx),
            letters=dead_letters.page(tx, replayed=False, limit=LETTERS).items,
            letter_count=dead_letters.count(tx),
            gaps=stats.gaps(tx, limit=10),
        )


@router.get("/about")
def about(request: Request) -> HTMLResponse:
    accuracy = _accuracy(house(request).context.modelstore)
    with house(request).database.read() as tx:
        return page(request, tx, "about.html", section="/about", version=__version__, accuracy=accuracy)


def _accuracy(store: ModelStore) -> Accuracy | None:
    """What the manifest of the polarity model that answers says of real headlines; None where it says nothing."""
    view = view_of(store, POLARITY) if POLARITY in store.names() else None
    measured = view.metrics.get(REAL_HEADLINES) if view else None
    if not isinstance(measured, dict) or "accuracy" not in measured:
        return None
    return Accuracy(int(measured["n"]), float(measured["accuracy"]))
