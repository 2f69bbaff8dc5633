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
from kiosque.web.render import house, page

router = APIRouter()

CARD = "card.md"
CHAMPION = "champion"
LETTERS = 20


@dataclass(frozen=True, slots=True)
class ModelView:
    """One model with its versions, newest first."""

    name: str
    champion: str | None
    versions: tuple[Version, ...]
    card: str
    metrics: dict[str, Any]


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
            models=[view_of(store, name) for name in store.names()],
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
    with house(request).database.read() as tx:
        return page(request, tx, "about.html", section="/about", version=__version__)
