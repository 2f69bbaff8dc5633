"""The language that a page is written in: which one, and its words.

Text in the code is English and the key of its translation. `gettext` and its kin look it up in the language of the
request that is being answered (a context variable; English where there is none) and fill in named values:

    gettext("Added by %(name)s", name=user.name)
    ngettext("%(n)s article", "%(n)s articles", count, n=thousands(count))

A percent sign is written twice. `N_` marks a constant that is translated later, where it is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from gettext import GNUTranslations, NullTranslations
from http.cookies import SimpleCookie
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qs

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LANGUAGES = {"en": "English", "fr": "Français"}
"""Each language's code and its own name for itself; the first is that of the code."""
ENGLISH = "en"
_LOCALES = {"en": "en_GB", "fr": "fr_FR"}
"""Whose dates and numbers a language writes."""
CATALOGUES = Path(str(files("kiosque.web"))) / "locale"
DOMAIN = "kiosque"
PARAMETER, COOKIE = "lang", "kiosque_lang"
YEAR = 365 * 24 * 3600
_NOT_PAGES = ("/api/", "/static/", "/livez", "/readyz", "/metrics")

_spoken: ContextVar[str] = ContextVar("kiosque.language", default=ENGLISH)


@dataclass(frozen=True, slots=True)
class Language:
    """A language with its words and with what it puts into numbers."""

    code: str
    locale: Locale
    catalogue: NullTranslations
    group: str
    """Between thousands."""
    decimal: str
    percent: str
    """After a number of hundredths, with the space that belongs to it."""


@cache
def language(code: str) -> Language:
    """The language of `code`, one of LANGUAGES. Its catalogue is read and compiled at first use."""
    locale = Locale.parse(_LOCALES[code])
    symbols = locale.number_symbols["latn"]
    percent = locale.percent_formats[None].pattern.rpartition("0")[2]
    return Language(code, locale, _catalogue(code), symbols["group"], symbols["decimal"], percent)


def _catalogue(code: str) -> NullTranslations:
    if code == ENGLISH:
        return NullTranslations()
    with (CATALOGUES / code / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        catalogue = read_po(file, locale=code, domain=DOMAIN)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


def current() -> Language:
    """The language of the page that is being made."""
    return language(_spoken.get())


@contextmanager
def speaking(code: str) -> Iterator[Language]:
    """What is made inside is in the language of `code`."""
    token = _spoken.set(code)
    try:
        yield language(code)
    finally:
        _spoken.reset(token)


class Words:
    """The words of the language that is spoken when they are asked for, as they stand in its catalogue."""

    @staticmethod
    def gettext(message: str) -> str:
        return current().catalogue.gettext(message)

    @staticmethod
    def ngettext(one: str, many: str, count: int) -> str:
        return current().catalogue.ngettext(one, many, count)

    @staticmethod
    def pgettext(context: str, message: str) -> str:
        return current().catalogue.pgettext(context, message)

    @staticmethod
    def npgettext(context: str, one: str, many: str, count: int) -> str:
        return current().catalogue.npgettext(context, one, many, count)


def N_(message: str) -> str:  # noqa: N802 - the name that gettext's tools look for
    """Marks `message` for the catalogue; it is translated where it is shown."""
    return message


def gettext(message: str, **values: object) -> str:
    return Words.gettext(message) % values


def ngettext(one: str, many: str, count: int, **values: object) -> str:
    """`one` or `many`, as the language counts; `%(num)s` is the bare count."""
    return Words.ngettext(one, many, count) % {"num": count, **values}


def pgettext(context: str, message: str, **values: object) -> str:
    """`message` where `context` tells it from the same word meant otherwise."""
    return Words.pgettext(context, message) % values


def npgettext(context: str, one: str, many: str, count: int, **values: object) -> str:
    return Words.npgettext(context, one, many, count) % {"num": count, **values}


def choose(asked: str | None, kept: str | None, accepted: str) -> str:
    """The code of the language to answer in: what the address asks for, else the cookie, else the browser's wish.

    `accepted` is the value of Accept-Language; what cannot be read in it is passed over.
    """
    for code in (asked, kept):
        if code in LANGUAGES:
            return code
    wishes = [_wish(part) for part in accepted.split(",")]
    known = [(weight, code) for weight, code in wishes if code in LANGUAGES and weight > 0]
    return max(known, key=lambda wish: wish[0])[1] if known else ENGLISH


def _wish(part: str) -> tuple[float, str]:
    """Weight and language of one part of Accept-Language, e.g. `fr-CA;q=0.8`."""
    tag, _, weight = part.partition(";q=")
    try:
        value = float(weight or 1)
    except ValueError:
        value = 0.0
    return value, tag.strip().partition("-")[0].lower()


class LanguageChoice:
    """Middleware: every page is made in the language chosen for its request; `?lang=` is kept in a cookie.

    What programs read (the API, files, probes) is English whoever asks.
    """

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app, self._secure = app, secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_NOT_PAGES):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        asked = parse_qs(scope["query_string"].decode("latin-1")).get(PARAMETER, [""])[-1]
        code = choose(
            asked, cookie_parser(headers.get("cookie", "")).get(COOKIE), headers.get("accept-language", "")
        )

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                answered["Content-Language"] = code
                if asked == code:
                    answered.append("Set-Cookie", self._cookie(code))
            await send(message)

        with speaking(code):
            await self._app(scope, receive, answer)

    def _cookie(self, code: str) -> str:
        cookie: SimpleCookie = SimpleCookie({COOKIE: code})
        cookie[COOKIE].update({"path": "/", "max-age": str(YEAR), "samesite": "Lax"})
        cookie[COOKIE]["httponly"] = True
        if self._secure:
            cookie[COOKIE]["secure"] = True
        return cookie.output(header="").strip()
