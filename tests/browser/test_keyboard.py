"""Everything by keyboard once: search, read, log in, correct a label, log out; and the keys of the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from kiosque.core.polarity import Polarity
from kiosque.store import feedback
from kiosque.testing.seeded import ARTICLE_ID, PASSWORDS

OpenPage = Callable[..., Any]
MOST_TABS = 150


def tab_to(page: Any, selector: str) -> None:
    """Press Tab until what `selector` names has the focus, as somebody without a mouse must be able to."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"{selector} has the focus and does not show it"
            return
    raise AssertionError(f"{MOST_TABS} times Tab do not lead to {selector}")


def test_all_by_keyboard_once(open_page: OpenPage, site: Any) -> None:
    page = open_page("/")
    page.keyboard.press("/")
    page.keyboard.type("Cooper")
    page.keyboard.press("Enter")
    page.wait_for_url("**/articles?q=Cooper")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.className") == "title"
    page.keyboard.press("Enter")
    page.wait_for_url("**/articles/*")

    page.goto(f"/articles/{ARTICLE_ID}")
    tab_to(page, "main a[href^='/login']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/login**")
    assert page.evaluate("document.activeElement.id") == "username"
    page.keyboard.type("writer")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORDS["writer"])
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)

    tab_to(page, "#c-polarity")
    page.keyboard.type("negative")
    tab_to(page, "#c-note")
    page.keyboard.type("By keyboard.")
    page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()
    with site.made.context.database.read() as tx:
        kept = feedback.corrections_of(tx, ARTICLE_ID)
    assert [c.polarity for c in kept if c.note == "By keyboard."] == [Polarity.NEGATIVE]

    tab_to(page, ".masthead form.account button")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="log in").wait_for()


def test_the_list_of_keys_is_a_dialog_that_gives_the_focus_back(open_page: OpenPage) -> None:
    page = open_page("/people")
    tab_to(page, "footer [data-keys]")
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_be_visible()
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()
    assert page.evaluate("document.activeElement.matches('[data-keys]')")
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_be_visible()


def test_single_keys_can_be_turned_off_and_stay_so(open_page: OpenPage) -> None:
    page = open_page("/people")
    page.keyboard.press("?")
    page.locator("#single-keys").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    page.reload()
    for key in ("e", "?", "j"):
        page.keyboard.press(key)
    assert page.url.endswith("/people")
    expect(page.locator("dialog")).to_be_hidden()
    page.locator("[data-keys]").press("Enter")
    page.locator("#single-keys").press("Space")
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("e")
    page.wait_for_url("**/elections")


def test_the_next_headline_and_the_one_before(open_page: OpenPage) -> None:
    page = open_page("/articles")
    titles = page.locator("main .title")
    for key, place in (("j", 0), ("j", 1), ("k", 0), ("k", 0)):
        page.keyboard.press(key)
        assert titles.nth(place).evaluate("e => e === document.activeElement")


def test_the_keys_are_listed_in_french(open_page: OpenPage) -> None:
    page = open_page("/", locale="fr-FR")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Raccourcis clavier")).to_be_visible()
