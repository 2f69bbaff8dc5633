"""The pages in French, in a real browser: no English left between the words, nothing out of place."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from kiosque.testing.seeded import ARTICLE_ID, BOOK_KEY, PASSWORDS

from .looks import too_wide, violations

OpenPage = Callable[..., Any]
PAGES = [
    "/",
    "/people",
    "/people/abraham-lincoln",
    "/compare?entities=abraham-lincoln,stephen-a-douglas",
    "/articles",
    f"/articles/{ARTICLE_ID}?why=abraham-lincoln",
    "/elections",
    "/elections?years=1860",
    "/elections/1860",
    "/books",
    "/for-you",
    f"/books/{BOOK_KEY}",
    "/models",
    "/searches",
    "/alerts",
    "/alerts/1",
    "/alerts/new?entity=abraham-lincoln&kind=threshold&limit=1&least=1&window=month",
    "/operations",
    "/operations/dead-letters",
    "/operations/dead-letters/1",
    "/about",
    "/api",
    "/docs/errors",
    "/try?text=Lincoln+wins&targets=Lincoln",
    "/login",
    "/nowhere",
]
PRIVATE = [
    "/account",
    "/jobs",
    "/users",
    "/keys",
    "/settings",
    "/searches",
    "/operations",
    "/models/polarity",
]
ENGLISH = re.compile(
    r"\b(?:the|and|of|is|are|with|from|that|this|not|by|for|who|what|articles? name)\b", re.IGNORECASE
)
# What the reader sees, but for text that says itself to be of another language, commands, and names.
VISIBLE = """() => {
  const words = [];
  const walk = node => {
    if (node.nodeType === 3) { words.push(node.textContent); return; }
    if (node.nodeType !== 1) return;
    if (node.matches('title, code, pre, kbd, script, style, option, datalist, [lang]:not(html)')) return;
    for (const child of node.childNodes) walk(child);
  };
  walk(document.documentElement);
  for (const node of document.querySelectorAll('[aria-label], [placeholder], [title]')) {
    if (node.closest('[lang]:not(html)')) continue;
    for (const name of ['aria-label', 'placeholder', 'title']) words.push(node.getAttribute(name) || '');
  }
  return words.join('\\n');
}"""
NAMES = ("Voters Turn on Truman as Dewey Surges",)


@pytest.fixture
def in_french(open_page: OpenPage) -> OpenPage:
    def make(path: str = "/", **more: Any) -> Any:
        return open_page(path, locale="fr-FR", **more)

    return make


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/nowhere"])
def test_no_page_has_english_between_its_words(in_french: OpenPage, path: str) -> None:
    page = in_french(path)
    assert page.locator("html").get_attribute("lang") == "fr"
    shown = page.evaluate(VISIBLE)
    for name in NAMES:
        shown = shown.replace(name, "")
    assert [line.strip() for line in shown.splitlines() if ENGLISH.search(line)] == []


def test_no_page_of_an_administrator_has_english_between_its_words(in_french: OpenPage, axe: str) -> None:
    page = in_french("/login")
    page.get_by_label("Nom d’utilisateur").fill("admin")
    page.get_by_label("Mot de passe").fill(PASSWORDS["admin"])
    page.locator("main").get_by_role("button").click()
    page.wait_for_url("**/")
    left = {}
    for path in PRIVATE:
        page.goto(path)
        assert page.locator("html").get_attribute("lang") == "fr"
        shown = page.evaluate(VISIBLE)
        left[path] = [line.strip() for line in shown.splitlines() if ENGLISH.search(line)]
    assert {path: lines for path, lines in left.items() if lines} == {}
    assert violations(page, axe, PRIVATE) == {}


def test_a_way_through_the_pages(in_french: OpenPage) -> None:
    page = in_french("/")
    expect(page).to_have_title("À la une · Kiosque")
    page.get_by_role("link", name="Personnes").click()
    page.locator("main").get_by_role("link", name="Abraham Lincoln").first.click()
    expect(page.locator("svg.timeline")).to_be_visible()
    page.get_by_label("pas de temps").select_option("week")
    page.wait_for_url("**by=week**")
    page.locator(".stories .title").first.click()
    page.get_by_role("link", name=re.compile("Pourquoi .* envers Abraham Lincoln")).click()
    expect(page.get_by_role("heading", name="Les mots en cause")).to_be_visible()
    page.get_by_role("link", name="Élections").click()
    page.get_by_text("En mettre plusieurs côte à côte").click()
    page.get_by_label("1860").check()
    page.get_by_role("button", name="Comparer").click()
    expect(page.locator("h1")).to_have_text("La campagne de 1860")


def test_the_switch_in_the_footer_is_kept_and_keeps_the_page(in_french: OpenPage) -> None:
    page = in_french("/articles?q=Lincoln")
    page.get_by_role("link", name="English").click()
    page.wait_for_url("**/articles?q=Lincoln&lang=en")
    assert page.locator("html").get_attribute("lang") == "en"
    page.get_by_role("link", name="Elections").click()
    expect(page.locator("h1")).to_have_text("Elections since 1852")
    page.get_by_role("link", name="Français").click()
    page.locator("html[lang=fr]").wait_for(state="attached")
    page.goto("/people")
    expect(page.locator("h1")).to_have_text("Personnes")


def test_a_problem_is_french_around_the_words_of_the_server(in_french: OpenPage) -> None:
    page = in_french("/login")
    page.get_by_label("Nom d’utilisateur").fill("nobody")
    page.get_by_label("Mot de passe").fill("nothing at all")
    page.route("**/*", lambda route: route.continue_())
    answer = page.request.get("/articles/nowhere", headers={"Accept-Language": "fr"})
    assert answer.status == 404
    assert "<h1>Introuvable</h1>" in answer.text()


@pytest.mark.parametrize("width", [320, 390])
def test_nothing_sticks_out_of_a_small_screen(browser: Any, site: Any, width: int) -> None:
    context = browser.new_context(
        base_url=site.address, viewport={"width": width, "height": 800}, locale="fr-FR"
    )
    page = context.new_page()
    found = too_wide(page, PAGES)
    context.close()
    assert found == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1280)])
def test_axe_finds_nothing(browser: Any, site: Any, axe: str, scheme: str, width: int) -> None:
    viewport = {"width": width, "height": 900}
    context = browser.new_context(
        base_url=site.address, color_scheme=scheme, viewport=viewport, locale="fr-FR"
    )
    page = context.new_page()
    found = violations(page, axe, PAGES)
    context.close()
    assert found == {}
