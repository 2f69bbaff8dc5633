"""What people do at the pages, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import expect

from kiosque.core.article import Article
from kiosque.core.polarity import Polarity
from kiosque.pipeline.intake import Intake
from kiosque.store import feedback
from kiosque.testing.seeded import ARTICLE_ID, BOOK_KEY, NOW, PASSWORDS, SeededPredictor

from .looks import too_wide, violations

OpenPage = Callable[..., Any]
PAGES = [
    "/",
    "/people",
    "/people/abraham-lincoln",
    "/compare?entities=abraham-lincoln,stephen-a-douglas",
    "/articles",
    "/searches",
    "/alerts",
    "/alerts/1",
    "/alerts/new?entity=abraham-lincoln&kind=threshold&limit=1&least=1&window=month",
    f"/articles/{ARTICLE_ID}?why=abraham-lincoln",
    "/elections",
    "/elections?years=1860",
    "/elections/1860",
    "/books",
    f"/books/{BOOK_KEY}",
    "/for-you",
    f"/for-you?article={ARTICLE_ID}&q=Lincoln&known={BOOK_KEY}",
    "/models",
    "/models/polarity",
    "/models/polarity/versions/v1",
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


def test_from_the_overview_to_a_person_to_an_article_to_its_words(open_page: OpenPage) -> None:
    page = open_page("/")
    page.locator("main").get_by_role("link", name="Abraham Lincoln").first.click()
    expect(page).to_have_title("Abraham Lincoln · Kiosque")
    expect(page.locator("svg.timeline")).to_be_visible()
    page.locator(".stories .title").first.click()
    expect(page.locator("h1 mark").first).to_be_visible()
    page.get_by_role("link", name=re.compile("Why .* of Abraham Lincoln")).click()
    assert page.locator(".word").count() > 3
    expect(page).to_have_url(re.compile("why=abraham-lincoln"))


def test_articles_are_filtered_by_a_sentence_and_the_address_keeps_it(open_page: OpenPage) -> None:
    page = open_page("/articles")
    page.get_by_label("someone").fill("Stephen A. Douglas")
    page.get_by_label("first day").fill("1860-08-01")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".stories")).to_contain_text("Norfolk")
    expect(page.locator(".stories")).not_to_contain_text("Cooper")
    address = page.url
    again = open_page(address)
    expect(again.get_by_label("someone")).to_have_value("Stephen A. Douglas")


def test_a_select_of_the_sentence_applies_itself(open_page: OpenPage) -> None:
    page = open_page("/articles")
    with page.expect_navigation():
        page.get_by_label("order").select_option("oldest")
    assert "sort=oldest" in page.url


def test_two_people_are_compared(open_page: OpenPage) -> None:
    page = open_page("/compare")
    page.get_by_label("Compare").fill("Abraham Lincoln, Stephen A. Douglas")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("svg.comparison")).to_be_visible()
    expect(page.locator("h1")).to_have_text("Abraham Lincoln · Stephen A. Douglas")


def test_campaigns_are_put_side_by_side(open_page: OpenPage) -> None:
    page = open_page("/elections")
    page.get_by_text("Put some of them side by side").click()
    page.get_by_label("1860").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("h1")).to_have_text("The campaigns of 1860")


def test_a_label_is_corrected_after_logging_in(open_page: OpenPage, site: Any) -> None:
    page = open_page(f"/articles/{ARTICLE_ID}")
    page.locator("#corrections ~ p").get_by_role("link", name="Log in").click()
    page.get_by_label("Name").fill("writer")
    page.get_by_label("Password").fill(PASSWORDS["writer"])
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"**/articles/{ARTICLE_ID}**")
    page.get_by_label("polarity").select_option("negative")
    page.get_by_label("because").fill("They wept.")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you")
    with site.made.context.database.read() as tx:
        assert feedback.corrections_of(tx, ARTICLE_ID)[0].polarity is Polarity.NEGATIVE
    page.get_by_role("button", name="log out").click()
    page.get_by_role("link", name="log in").wait_for()


def test_books_for_three_articles(open_page: OpenPage) -> None:
    page = open_page("/books")
    page.get_by_role("link", name="Books for several articles").click()
    expect(page.locator("#shelf ~ .empty")).to_contain_text("Nothing is ticked")
    for words in ("Wigwam", "Norfolk", "Cooper"):
        page.get_by_label("Find an article").fill(words)
        page.get_by_role("button", name="Search").click()
        page.get_by_role("list", name="Articles found").get_by_role("checkbox").first.check()
    page.get_by_label("Kind").select_option("non-fiction")
    page.get_by_role("button", name="Find books").click()
    chosen = page.get_by_role("list", name="Articles that count")
    expect(chosen.get_by_role("checkbox", checked=True)).to_have_count(3)
    expect(page.locator("ol.shelf .title").first).to_be_visible()
    titles = page.locator("ol.shelf .title").all_inner_texts()
    assert page.locator("ol.shelf .because").count() == len(titles)
    address = page.url
    again = open_page(address, java_script_enabled=False)
    assert again.locator("ol.shelf .title").all_inner_texts() == titles
    again.get_by_role("link", name=f"{titles[0]}: know it").click()
    expect(again.get_by_role("checkbox", name=titles[0])).to_be_checked()
    expect(again.get_by_label("Kind")).to_have_value("non-fiction")


def test_books_for_you_are_judged_after_logging_in(open_page: OpenPage, site: Any) -> None:
    page = open_page(f"/for-you?article={ARTICLE_ID}")
    page.locator("main").get_by_role("link", name="Log in").click()
    page.get_by_label("Name").fill("writer")
    page.get_by_label("Password").fill(PASSWORDS["writer"])
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"**/for-you?article={ARTICLE_ID}")
    title = page.locator("ol.shelf .title").first.inner_text()
    page.get_by_role("button", name=f"{title}: know it").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you")
    expect(page.locator("main")).to_contain_text("1 book that you said you have read is left out.")
    with site.made.context.database.read() as tx:
        assert len(feedback.books_read(tx, "writer")) == 1
    page.get_by_role("button", name="log out").click()
    page.get_by_role("link", name="log in").wait_for()


def test_a_headline_is_tried(open_page: OpenPage) -> None:
    page = open_page("/try")
    page.get_by_label("Headline", exact=True).fill("Truman wins and Dewey weeps")
    page.get_by_label("About whom?").fill("Truman, Dewey")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("h2").filter(has_text="Dewey")).to_be_visible()


def test_the_keyboard_is_enough(open_page: OpenPage) -> None:
    page = open_page("/")
    page.keyboard.press("/")
    page.keyboard.type("Cooper")
    page.keyboard.press("Enter")
    page.wait_for_url("**/articles?q=Cooper")
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()
    page.keyboard.press("e")
    page.wait_for_url("**/elections")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#content$"))


def test_new_articles_are_said_and_move_nothing(open_page: OpenPage, site: Any) -> None:
    page = open_page("/")
    first = page.locator("#live .title").first.inner_text()
    page.wait_for_function("() => document.querySelector('#live-note[data-open]') !== null")
    article = Article(
        key="live:1",
        source="demo",
        headline="Lincoln Reads a Telegram",
        published_at=datetime(1860, 11, 19, tzinfo=UTC),
        language="en",
    )
    made = site.made
    predictor = SeededPredictor("v1")
    Intake(made.context.database, predictor, clock=lambda: NOW, metrics=made.context.metrics).take([article])
    page.get_by_role("link", name="1 new article").wait_for()
    assert page.locator("#live .title").first.inner_text() == first


def test_pages_can_be_read_without_script(open_page: OpenPage) -> None:
    page = open_page("/people/abraham-lincoln", java_script_enabled=False)
    expect(page.locator("svg.timeline")).to_be_visible()
    page.get_by_role("button", name="Show").click()
    expect(page.locator("h1")).to_have_text("Abraham Lincoln")


def test_dark_is_dark(open_page: OpenPage) -> None:
    script = "getComputedStyle(document.body).backgroundColor"
    light, dark = open_page("/").evaluate(script), open_page("/", dark=True).evaluate(script)
    assert (light, dark) == ("rgb(251, 250, 247)", "rgb(22, 23, 25)")


@pytest.mark.parametrize("width", [320, 390])
def test_nothing_sticks_out_of_a_small_screen(browser: Any, site: Any, width: int) -> None:
    context = browser.new_context(base_url=site.address, viewport={"width": width, "height": 800})
    page = context.new_page()
    found = too_wide(page, PAGES)
    context.close()
    assert found == []


@pytest.mark.parametrize(
    "path",
    [
        "/people/abraham-lincoln",
        "/compare?entities=abraham-lincoln,stephen-a-douglas",
        "/compare?entities=abraham-lincoln,stephen-a-douglas&ends=1860",
    ],
)
def test_on_a_phone_a_chart_is_drawn_as_wide_as_the_screen(open_page: OpenPage, path: str) -> None:
    figure = open_page(path, width=390).locator("figure.both")
    expect(figure.locator("svg").filter(visible=True)).to_have_count(1)
    expect(figure.locator("svg.narrow")).to_be_visible()
    assert figure.evaluate("box => box.scrollWidth <= box.clientWidth")


def test_on_paper_there_is_what_was_found_and_no_way_to_look_for_more(open_page: OpenPage) -> None:
    """Light whatever the screen was, on the width that A4 leaves."""
    charts = {
        "/?period=decade": "svg.intake",
        "/people/abraham-lincoln": "svg.timeline",
        "/compare?entities=abraham-lincoln,stephen-a-douglas": "svg.comparison",
        "/elections/1860": "svg.campaign",
        "/articles?entity=abraham-lincoln": ".stories",
    }
    page = open_page("/", dark=True, width=672)
    page.emulate_media(media="print", color_scheme="dark")
    for path, chart in charts.items():
        page.goto(path)
        assert page.locator(chart).first.is_visible(), path
        for hidden in (".masthead nav", ".masthead .account", "footer", ".exports", "main button"):
            assert not page.locator(hidden).filter(visible=True).count(), (path, hidden)
        colours = "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
        assert page.evaluate(colours) == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    assert too_wide(page, charts) == []
    page.goto("/articles?entity=abraham-lincoln")
    expect(page.locator("form.sentence")).to_be_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize("path", [p for p in PAGES if p != "/nowhere"])
def test_no_page_complains_on_its_console(open_page: OpenPage, path: str) -> None:
    expect(open_page(path).locator("h1")).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing(browser: Any, site: Any, axe: str, scheme: str, width: int) -> None:
    viewport = {"width": width, "height": 900}
    context = browser.new_context(base_url=site.address, color_scheme=scheme, viewport=viewport)
    page = context.new_page()
    found = violations(page, axe, PAGES)
    context.close()
    assert found == {}
