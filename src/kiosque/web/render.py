"""Templates, what every page knows, and the headers that every page carries."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from kiosque.api.context import Api, api_of
from kiosque.store import articles
from kiosque.store.tx import Tx
from kiosque.web.figures import bars
from kiosque.web.figures.polarity import Tone, signed
from kiosque.web.session import visitor_of

NAVIGATION = (
    ("Today", "/"),
    ("People", "/people"),
    ("Elections", "/elections"),
    ("Books", "/books"),
    ("Models", "/models"),
)
MORE = (
    ("Articles", "/articles"),
    ("Compare", "/compare"),
    ("Try it", "/try"),
    ("Sources", "/sources"),
    ("API", "/api"),
    ("About", "/about"),
)

# No script from elsewhere, none inline, no eval; no style either that is not in our own file.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
STATIC = Path(str(files("kiosque.web"))) / "static"


@dataclass(frozen=True, slots=True)
class Masthead:
    """The line under the name."""

    today: date
    articles: int | None
    """None for someone who may not read."""


@cache
def templates() -> Environment:
    """The templates, escaping everything, failing on a name that is not there."""
    environment = Environment(
        loader=PackageLoader("kiosque.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        tone=tone_of,
        navigation=NAVIGATION,
        more=MORE,
        static=static_address,
        diverging_bar=bars.diverging_bar,
        describe=bars.describe,
    )
    environment.filters.update(
        day=_day, moment=_moment, signed=signed, thousands=_thousands, percent=_percent
    )
    return environment


@cache
def static_address(name: str) -> str:
    """The address of a static file, with its digest: it can be cached for ever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def page(
    request: Request, tx: Tx, name: str, *, section: str = "", status: int = 200, **values: Any
) -> HTMLResponse:
    """`name` filled with `values` and with what every page shows."""
    visitor = visitor_of(request)
    masthead = Masthead(api_of(request).clock().date(), articles.count(tx) if visitor.reads else None)
    values = {"query": "", **visitor_values(request), **values}
    html = templates().get_template(name).render(masthead=masthead, section=section, **values)
    return HTMLResponse(html, status_code=status, headers=page_headers())


def visitor_values(request: Request) -> dict[str, Any]:
    """Who looks at the page, and where it is."""
    return {"visitor": visitor_of(request), "here": here(request)}


def bare_page(name: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """`name` without anything that has to be read: for when the database does not answer."""
    values = {"query": "", "visitor": None, "masthead": None, "here": "/", "section": "", **values}
    html = templates().get_template(name).render(**values)
    return HTMLResponse(html, status_code=status, headers=page_headers())


def page_headers() -> dict[str, str]:
    """What goes with every page. A proxy may not keep one for somebody else: it may be a logged-in one's."""
    return {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Cache-Control": "private, no-cache",
        "Vary": "Cookie",
    }


def here(request: Request) -> str:
    """The address of this page, to come back to."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def tone_of(counts: Any) -> Tone:
    """The scored part of a store's counts, as the figures take it."""
    return Tone(counts.negative, counts.neutral, counts.positive)


def house(request: Request) -> Api:
    return api_of(request)


def _day(moment: date | datetime | None) -> str:
    # strftime drops leading zeros of years before 1000 only; %-d is a day without its zero.
    return f"{moment.day} {moment:%B} {moment.year}" if moment else "–"


def _moment(moment: datetime | None) -> str:
    return f"{_day(moment)}, {moment:%H:%M} UTC" if moment else "never"


def _thousands(value: int) -> str:
    return f"{value:,}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"
