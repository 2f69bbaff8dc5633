"""What the method is, and what it is not."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from kiosque import __version__
from kiosque.modelstore.store import ModelStore
from kiosque.web.pages.models import POLARITY, view_of
from kiosque.web.render import house, page, reading_if_possible

router = APIRouter()

REAL_HEADLINES = "nyt-candidates"
"""The test set of headlines about candidates that people labelled."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How many labelled mentions, and the share of them that the model labels as people did."""

    n: int
    share: float


@router.get("/about")
def about(request: Request) -> HTMLResponse:
    accuracy = _accuracy(house(request).context.modelstore)
    with reading_if_possible(request) as tx:
        return page(request, tx, "about.html", section="/about", version=__version__, accuracy=accuracy)


def _accuracy(store: ModelStore) -> Accuracy | None:
    """What the manifest of the polarity model that answers says of real headlines; None where it says nothing."""
    view = view_of(store, POLARITY) if POLARITY in store.names() else None
    measured = view.metrics.get(REAL_HEADLINES) if view else None
    if not isinstance(measured, dict) or "accuracy" not in measured:
        return None
    return Accuracy(int(measured["n"]), float(measured["accuracy"]))
