"""Templates, what every page knows, and the headers that every page carries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from kiosque.api.context import Api, api_of
from kiosque.core.errors import StoreUnavailable
from kiosque.store import models, stats
from kiosque.store.tx import Tx
from kiosque.web import wording
from kiosque.web.because import because
from kiosque.web.figures import bars
from kiosque.web.figures.hues import hue_of
from kiosque.web.figures.polarity import Tone
from kiosque.web.figures.rows import bucket_rows
from kiosque.web.language import ENGLISH, LANGUAGES, N_, PARAMETER, Words, current
from kiosque.web.session import visitor_of
from kiosque.web.terms import term

NAVIGATION = (
    (N_("Today"), "/", "t"),
    (N_("People"), "/people", "p"),
    (N_("Elections"), "/elections", "e"),
    (N_("Books"), "/books", "b"),
    (N_("Models"), "/models", "m"),
)
"""Label, address, and the key that opens it."""
MORE = (
    (N_("Articles"), "/articles"),
    (N_("Saved searches"), "/searches"),
    (N_("Alerts"), "/alerts"),
    (N_("Compare"), "/compare"),
    (N_("Try it"), "/try"),
    (N_("Operations"), "/operations"),
    (N_("API"), "/api"),
    (N_("About"), "/about"),
)

MORE_OF_ADMINISTRATORS = (
    (N_("Long work"), "/jobs"),
    (N_("Users"), "/users"),
    (N_("API keys"), "/keys"),
    (N_("Settings"), "/settings"),
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
    unread: bool
    """Whether there are articles and no model has read any: nothing is known of whom they name."""
    stored: bool = True
    """Whether the database answers: without it a page shows what needs none."""


@cache
def templates() -> Environment:
    """The templates, escaping everything, failing on a name that is not there."""
    environment = Environment(
        loader=PackageLoader("kiosque.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    # what the extension adds to an environment, its types do not know
    install: Any = environment
    install.install_gettext_callables(
        gettext=Words.gettext,
        ngettext=Words.ngettext,
        pgettext=Words.pgettext,
        npgettext=Words.npgettext,
        newstyle=True,
    )
    environment.globals.update(
        language=current,
        languages=LANGUAGES,
        in_language=in_language,
        foreign=foreign,
        because=because,
        tone=tone_of,
        navigation=NAVIGATION,
        more=MORE,
        more_of_administrators=MORE_OF_ADMINISTRATORS,
        static=static_address,
        hue_of=hue_of,
        diverging_bar=bars.diverging_bar,
        describe=bars.describe,
        bucket_rows=bucket_rows,
    )
    environment.filters.update(
        day=wording.day,
        weekday=wording.weekday,
        moment=wording.moment,
        signed=wording.signed,
        thousands=wording.thousands,
        decimal=wording.decimal,
        percent=wording.percent,
        term=term,
    )
    return environment


@cache
def static_address(name: str) -> str:
    """The address of a static file, with its digest: it can be cached for ever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


@contextmanager
def reading_if_possible(request: Request) -> Iterator[Tx | None]:
    """A transaction; None while the database does not answer, for pages that have something to say without it."""
    with ExitStack() as stack:
        try:
            tx = stack.enter_context(house(request).database.read())
        except StoreUnavailable:
            tx = None
        yield tx


def page(
    request: Request, tx: Tx | None, name: str, *, section: str = "", status: int = 200, **values: Any
) -> HTMLResponse:
    """`name` filled with `values` and with what every page shows. `tx` None: the database does not answer."""
    masthead = _masthead(request, tx)
    values = {"query": "", **visitor_values(request), **values}
    html = templates().get_template(name).render(masthead=masthead, section=section, **values)
    return HTMLResponse(html, status_code=status, headers=page_headers())


def _masthead(request: Request, tx: Tx | None) -> Masthead:
    today = api_of(request).clock().date()
    if tx is None:
        return Masthead(today, None, unread=False, stored=False)
    articles = stats.total_articles(tx) if visitor_of(request).reads else None
    return Masthead(today, articles, unread=bool(articles) and models.current(tx) is None)


def visitor_values(request: Request) -> dict[str, Any]:
    """Who looks at the page, and where it is."""
    return {"visitor": visitor_of(request), "here": here(request)}


def bare_page(
    name: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
) -> HTMLResponse:
    """`name` without anything that has to be read: for when the database does not answer."""
    values = {"query": "", "visitor": None, "masthead": None, "here": "/", "section": "", **values}
    html = templates().get_template(name).render(**values)
    return HTMLResponse(html, status_code=status, headers={**page_headers(), **(headers or {})})


def page_headers() -> dict[str, str]:
    """What goes with every page. A proxy may not keep one for somebody else: it may be a logged-in one's."""
    return {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Cache-Control": "private, no-cache",
        "Vary": "Cookie, Accept-Language",
    }


def in_language(address: str, code: str) -> str:
    """`address`, one of our own, asking for the language `code`."""
    path, _, query = address.partition("?")
    kept = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != PARAMETER]
    return f"{path}?{urlencode([*kept, (PARAMETER, code)])}"


def foreign(code: str | None) -> Markup:
    """The attribute for text of another language than the page's, e.g. a headline; nothing for one of the same."""
    code = code or ENGLISH
    return Markup("") if code == current().code else Markup(' lang="{}"').format(code)


def here(request: Request) -> str:
    """The address of this page, to come back to."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def tone_of(counts: Any) -> Tone:
    """The scored part of a store's counts, as the figures take it."""
    return Tone(counts.negative, counts.neutral, counts.positive)


def house(request: Request) -> Api:
    return api_of(request)
