"""Saved searches, feeds and alerts, at the pages."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

import pytest

from kiosque.testing.pages import browser_of, form_token, log_in

RULE = {"entity": "Abraham Lincoln", "kind": "threshold", "limit": "1", "least": "1", "window": "month"}


@pytest.fixture
def writer(pages):
    browser = browser_of(pages)
    log_in(browser, "writer")
    return browser


def token_of(browser):
    return form_token(browser.get("/articles").text)


def test_a_search_is_saved_and_its_feed_read(pages, writer):
    assert 'rel="alternate" type="application/rss+xml"' in writer.get("/articles?q=Douglas").text
    form = {"q": "Douglas", "name": "<script>alert(1)</script>", "form_token": token_of(writer)}
    assert writer.post("/searches", data=form).status_code == 303
    assert "<script>alert" not in writer.get("/searches").text
    feed = Xml.fromstring(writer.get("/searches/2.rss").content)
    assert feed.findtext("channel/title") == "<script>alert(1)</script> · Kiosque"
    assert len(feed.findall("channel/item")) == 3


def test_a_feed_says_when_nothing_is_new(writer):
    first = writer.get("/articles.rss")
    for name, value in (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified")):
        assert writer.get("/articles.rss", headers={name: first.headers[value]}).status_code == 304
    assert writer.get("/articles.rss", headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_secret_opens_one_feed_until_there_is_a_new_one(closed):
    browser, stranger = browser_of(closed), browser_of(closed)
    assert stranger.get("/searches/1.rss?token=x").status_code == 404
    log_in(browser, "writer")
    html = browser.get("/searches").text
    address = re.findall(r"/searches/1\.rss\?token=[\w-]+", html)[0]
    assert stranger.get(address).status_code == 200
    assert stranger.get(address.replace("searches", "alerts")).status_code == 404
    browser.post("/searches/1", data={"do": "feed", "form_token": form_token(html)})
    assert stranger.get(address).status_code == 404


def test_an_alert_is_previewed_and_made(writer):
    html = writer.get("/alerts/new", params=RULE).text
    assert "It would have fired 4 times" in html
    form = {**RULE, "name": "=1+1", "webhook": "https://e.example/h", "form_token": form_token(html)}
    made = writer.post("/alerts", data=form)
    assert made.status_code == 201
    assert "whsec_" in made.text
    assert made.headers["cache-control"] == "no-store"
    assert "whsec_" not in writer.get("/alerts/2").text
    assert ",'=1+1," in writer.get("/api/v1/alerts?format=csv").text
    assert writer.get("/alerts/2.rss").status_code == 200


@pytest.mark.parametrize("path", ["/searches", "/searches/1", "/alerts", "/alerts/1"])
def test_nobody_changes_anything_without_logging_in_or_from_elsewhere(pages, writer, path):
    assert browser_of(pages).post(path, data={"name": "x"}).status_code == 401
    assert writer.post(path, data={"name": "x", "form_token": "0" * 32}).status_code == 403
