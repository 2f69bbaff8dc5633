"""Putting the pages into the application that already has the API."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from kiosque.web.pages import articles, people, today
from kiosque.web.render import STATIC


def install_pages(app: FastAPI) -> None:
    """Add every page and the static files. `install_api` must have run: pages use what it put into the state."""
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for module in (today, people, articles):
        app.include_router(module.router, include_in_schema=False)
