"""A search is saved and its feed read; an alert is made and its preview seen: in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from kiosque.testing.seeded import PASSWORDS

OpenPage = Callable[..., Any]


def log_in(page: Any) -> None:
    page.get_by_label("Name").fill("writer")
    page.get_by_label("Password").fill(PASSWORDS["writer"])
    page.get_by_role("button", name="Log in").click()
    page.locator("form.account").wait_for()


def test_a_search_is_saved_and_its_feed_read(open_page: OpenPage) -> None:
    page = open_page("/login?next=/articles%3Fq%3DDouglas")
    log_in(page)
    page.get_by_label("Save it as").fill("What Douglas did")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/searches?sent=saved")
    feed = page.get_by_role("link", name="RSS feed of What Douglas did").get_attribute("href")
    answer = page.request.get(feed)
    assert answer.ok
    assert "Douglas Named at Baltimore" in answer.text()


def test_an_alert_is_made_and_its_preview_seen(open_page: OpenPage) -> None:
    page = open_page("/login?next=/alerts/new%3Fkind%3Dthreshold%26least%3D1%26window%3Dmonth")
    log_in(page)
    page.get_by_label("someone").fill("Abraham Lincoln")
    page.get_by_label("limit").fill("1")
    page.get_by_role("button", name="Try it").click()
    page.get_by_role("heading", name="It would have fired").wait_for()
    expect(page.locator("svg.alert")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Lincoln, any month")
    page.get_by_role("button", name="Make the alert").click()
    page.get_by_role("heading", name="Lincoln, any month").wait_for()
