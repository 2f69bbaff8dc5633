"""Which language a page is in, and that one request's is no other's."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from kiosque.core.entity import EntityKind
from kiosque.core.errors import KiosqueError
from kiosque.core.polarity import Outcome, Polarity
from kiosque.store.stats import Granularity
from kiosque.web.language import (
    LANGUAGES,
    LanguageChoice,
    choose,
    current,
    gettext,
    language,
    ngettext,
    pgettext,
    speaking,
)
from kiosque.web.terms import TERMS, term


class TestChoice:
    @pytest.mark.parametrize(
        ("asked", "kept", "accepted", "code"),
        [
            ("fr", "en", "en", "fr"),
            (None, "fr", "en", "fr"),
            ("de", "fr", "en", "fr"),
            ("", None, "fr-CA,fr;q=0.9,en;q=0.8", "fr"),
            ("", None, "de,en;q=0.5,fr;q=0.7", "fr"),
            ("", None, "fr;q=0, en;q=0.1", "en"),
            ("", None, "FR", "fr"),
            ("", None, "de-DE,de", "en"),
            ("", "../../etc", "*", "en"),
            ("", None, "fr;q=many", "en"),
            ("", None, "", "en"),
        ],
    )
    def test_the_address_then_the_cookie_then_the_browser(
        self, asked: str | None, kept: str | None, accepted: str, code: str
    ) -> None:
        assert choose(asked, kept, accepted) == code

    @given(st.text(), st.text(), st.text())
    def test_nothing_that_is_sent_breaks_it(self, asked: str, kept: str, accepted: str) -> None:
        assert choose(asked, kept, accepted) in LANGUAGES


class TestWords:
    def test_are_english_where_nobody_asked(self) -> None:
        assert current().code == "en"
        assert gettext("Elections") == "Elections"

    def test_are_those_of_the_language_spoken(self) -> None:
        with speaking("fr"):
            assert gettext("Elections") == "Élections"
            assert pgettext("polarity", "Net") == "Nette"
            assert [ngettext("%(num)s week", "%(num)s weeks", n) for n in (0, 1, 2)] == [
                "0 semaine",
                "1 semaine",
                "2 semaines",
            ]
        assert gettext("Elections") == "Elections"

    def test_take_values_with_percent_signs(self) -> None:
        assert gettext("%(name)s over time", name="100 % Obama %s") == "100 % Obama %s over time"

    def test_of_our_lists_are_all_in_the_catalogue(self) -> None:
        for kind in (Polarity, Outcome, EntityKind, Granularity):
            assert {str(value) for value in kind} <= set(TERMS)
        assert _titles(KiosqueError) <= set(TERMS)

    def test_that_are_on_no_list_stay(self) -> None:
        assert term("Metropolitan Desk") == "Metropolitan Desk"


def _titles(kind: type[KiosqueError]) -> set[str]:
    own = {kind.title} if kind is not KiosqueError and kind.__module__ == KiosqueError.__module__ else set()
    return own.union(*(_titles(child) for child in kind.__subclasses__()))


class TestMiddleware:
    @pytest.fixture
    def client(self) -> TestClient:
        def show(_: Request) -> PlainTextResponse:
            return PlainTextResponse(gettext("Elections"))

        app = Starlette(routes=[Route("/", show), Route("/api/v1/x", show)])
        app.add_middleware(LanguageChoice, secure=True)
        return TestClient(app, base_url="https://testserver")

    def test_answers_in_the_language_that_the_browser_wants(self, client: TestClient) -> None:
        answer = client.get("/", headers={"Accept-Language": "fr-FR"})
        assert (answer.text, answer.headers["content-language"]) == ("Élections", "fr")
        assert "set-cookie" not in answer.headers

    def test_keeps_what_the_address_asked_for(self, client: TestClient) -> None:
        cookie = client.get("/?lang=fr").headers["set-cookie"]
        assert cookie.startswith("kiosque_lang=fr;")
        for part in ("HttpOnly", "Path=/", "SameSite=Lax", "Secure", "Max-Age=31536000"):
            assert part in cookie
        assert client.get("/").text == "Élections"
        assert client.get("/?lang=en").text == "Elections"
        assert client.get("/").text == "Elections"

    def test_keeps_nothing_that_it_does_not_speak(self, client: TestClient) -> None:
        assert "set-cookie" not in client.get("/?lang=xx").headers

    def test_leaves_what_programs_read_in_english(self, client: TestClient) -> None:
        answer = client.get("/api/v1/x?lang=fr", headers={"Accept-Language": "fr"})
        assert answer.text == "Elections"
        assert "content-language" not in answer.headers


def test_two_requests_at_once_each_have_their_own() -> None:
    turn = asyncio.Event()
    heard: dict[str, Any] = {}

    async def ask(code: str) -> None:
        with speaking(code):
            if code == "fr":
                await turn.wait()
            heard[code] = await asyncio.to_thread(gettext, "Elections")
            turn.set()

    async def both() -> None:
        await asyncio.gather(ask("fr"), ask("en"))

    asyncio.run(both())
    assert heard == {"fr": "Élections", "en": "Elections"}


def test_every_language_has_its_catalogue_and_its_name() -> None:
    for code in LANGUAGES:
        assert language(code).locale.language == code
    assert language("fr").decimal == ","
