"""Who may see which page, and how a session begins and ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from kiosque.store import users
from kiosque.testing.pages import browser_of, form_token, log_in
from kiosque.testing.seeded import ARTICLE_ID, BOOK_KEY, NOW, SeededApi

PAGES = [
    "/",
    "/people",
    "/people/abraham-lincoln",
    "/articles",
    f"/articles/{ARTICLE_ID}",
    "/elections",
    "/elections/1860",
    "/books",
    f"/books/{BOOK_KEY}",
    "/models",
    "/about",
    "/compare?entities=abraham-lincoln",
    "/try?text=Lincoln+wins",
    "/api",
]
FILES = [
    "/api/v1/articles?format=csv",
    "/people/abraham-lincoln/timeline.csv",
    "/elections.csv",
    "/elections/1860.csv",
    "/compare.csv",
]


@pytest.mark.parametrize("path", PAGES)
class TestEveryPage:
    def test_is_open_where_reading_is_open(self, browser: TestClient, path: str) -> None:
        assert browser.get(path).status_code == 200

    def test_sends_strangers_to_the_login_where_reading_is_closed(self, closed: SeededApi, path: str) -> None:
        answer = browser_of(closed).get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login?next=%2F")
        assert "Lincoln" not in answer.text

    def test_is_open_to_whoever_has_logged_in(self, closed: SeededApi, path: str) -> None:
        browser = browser_of(closed)
        assert log_in(browser, "reader").status_code == 303
        assert browser.get(path).status_code == 200


@pytest.mark.parametrize("path", FILES)
def test_the_files_beside_the_charts_follow_the_session(closed: SeededApi, path: str) -> None:
    browser = browser_of(closed)
    assert browser.get(path).status_code in (303, 401)
    log_in(browser, "reader")
    answer = browser.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")


def test_every_route_that_is_no_login_asks_who_reads(closed: SeededApi) -> None:
    """A page that is added later and forgets to ask is found here."""
    open_to_all = {"/login", "/logout", "/docs/errors"}
    browser = browser_of(closed)
    for route in closed.app.routes:
        path, methods = getattr(route, "path", ""), getattr(route, "methods", None) or set()
        if path.startswith("/api/") or path in open_to_all or not methods:
            continue
        concrete = path.replace("{year}", "1860").replace("{key:path}", BOOK_KEY)
        concrete = concrete.replace("{entity_id}", "abraham-lincoln").replace("{article_id}", ARTICLE_ID)
        answer = browser.get(concrete) if "GET" in methods else browser.post(concrete)
        assert answer.status_code in (303, 401), path


def test_a_missing_page_tells_strangers_nothing(closed: SeededApi) -> None:
    answer = browser_of(closed).get("/nowhere")
    assert answer.status_code == 404
    assert "articles</span>" not in answer.text


def test_the_login_leads_back_to_where_one_was_going(closed: SeededApi) -> None:
    browser = browser_of(closed)
    sent = browser.get("/articles?q=Lincoln").headers["location"]
    form = browser.get(sent).text
    assert 'name="next" value="/articles?q=Lincoln"' in form
    answer = log_in(browser, "reader", next="/articles?q=Lincoln")
    assert answer.headers["location"] == "/articles?q=Lincoln"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/a\\b",
        "javascript:alert(1)",
        "\t//x",
        "",
    ],
)
def test_the_login_never_leads_elsewhere(closed: SeededApi, elsewhere: str) -> None:
    answer = log_in(browser_of(closed), "reader", next=elsewhere)
    assert answer.headers["location"] == "/"


def test_the_cookie_is_kept_from_scripts_and_other_sites(closed: SeededApi) -> None:
    cookie = log_in(browser_of(closed), "reader").headers["set-cookie"]
    assert cookie.startswith("kiosque_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie


def test_behind_a_proxy_the_cookie_travels_over_tls_only(make_pages: Callable[..., SeededApi]) -> None:
    browser = browser_of(make_pages(open_reading=False, secure_cookies=True), "https://testserver")
    cookie = log_in(browser, "reader").headers["set-cookie"]
    assert cookie.startswith("__Host-kiosque_session=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert browser.get("/").status_code == 200


def test_a_wrong_password_is_said_and_gives_no_session(closed: SeededApi) -> None:
    browser = browser_of(closed)
    answer = log_in(browser, "reader", password="wrong")
    assert answer.status_code == 401
    assert "Wrong user name or password" in answer.text
    assert browser.get("/").status_code == 303


def test_an_unknown_name_is_answered_like_a_wrong_password(closed: SeededApi) -> None:
    answers = [log_in(browser_of(closed), name, password="wrong") for name in ("reader", "nobody")]
    assert [a.status_code for a in answers] == [401, 401]
    assert all("Wrong user name or password" in a.text for a in answers)


def test_guessing_is_slowed_down(closed: SeededApi) -> None:
    browser = browser_of(closed)
    for _ in range(5):
        log_in(browser, "reader", password="wrong")
    answer = log_in(browser, "reader")
    assert answer.status_code == 429
    assert browser.get("/").status_code == 303


def test_a_disabled_user_is_out_at_once(closed: SeededApi) -> None:
    browser = browser_of(closed)
    log_in(browser, "reader")
    assert browser.get("/").status_code == 200
    with closed.context.database.write() as tx:
        users.set_disabled(tx, "reader", True)
    assert browser.get("/").status_code == 303


def test_a_changed_password_ends_the_sessions_before_it(closed: SeededApi) -> None:
    browser = browser_of(closed)
    log_in(browser, "reader")
    with closed.context.database.write() as tx:
        users.set_password(tx, "reader", closed.context.passwords.hash("another pass phrase"))
    assert browser.get("/").status_code == 303


def test_a_session_ends_after_a_day_of_work(closed: SeededApi) -> None:
    browser = browser_of(closed)
    log_in(browser, "reader")
    closed.context.clock.move(12 * 3600 - 1)  # type: ignore[attr-defined]
    assert browser.get("/").status_code == 200
    closed.context.clock.move(1)  # type: ignore[attr-defined]
    assert browser.get("/").status_code == 303


def test_logging_out_ends_the_session_for_copies_of_the_cookie_too(closed: SeededApi) -> None:
    browser, copy = browser_of(closed), browser_of(closed)
    log_in(browser, "reader")
    copy.cookies.update(browser.cookies)
    assert copy.get("/").status_code == 200
    answer = browser.post("/logout", data={"form_token": form_token(browser.get("/").text)})
    assert answer.status_code == 303
    assert browser.get("/").status_code == 303
    assert copy.get("/").status_code == 303


class TestForms:
    def test_a_login_form_of_another_site_is_refused(self, closed: SeededApi) -> None:
        browser = browser_of(closed)
        assert log_in(browser, "reader", form_token="0" * 32).status_code == 403
        form = {"username": "reader", "password": "x", "form_token": form_token(browser.get("/login").text)}
        assert browser_of(closed).post("/login", data=form).status_code == 403

    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "https://evil.example"},
        ],
    )
    def test_a_form_that_says_it_comes_from_elsewhere_is_refused(
        self, closed: SeededApi, headers: dict[str, str]
    ) -> None:
        browser = browser_of(closed)
        log_in(browser, "reader")
        token = form_token(browser.get("/").text)
        assert browser.post("/logout", data={"form_token": token}, headers=headers).status_code == 403
        assert browser.get("/").status_code == 200

    def test_the_token_of_one_session_is_none_of_another(self, closed: SeededApi) -> None:
        first, second = browser_of(closed), browser_of(closed)
        log_in(first, "reader")
        log_in(second, "writer")
        token = form_token(first.get("/").text)
        assert second.post("/logout", data={"form_token": token}).status_code == 403


class TestCookies:
    def test_a_session_is_no_token_of_the_api(self, closed: SeededApi) -> None:
        browser = browser_of(closed)
        log_in(browser, "reader")
        cookie = browser.cookies["kiosque_session"]
        answer = browser_of(closed).get("/api/v1/articles", headers={"Authorization": f"Bearer {cookie}"})
        assert answer.status_code == 401

    def test_a_token_of_the_api_is_no_session(self, closed: SeededApi) -> None:
        form = {"username": "reader", "password": "the reader's pass phrase", "grant_type": "password"}
        token = browser_of(closed).post("/api/v1/token", data=form).json()["access_token"]
        browser = browser_of(closed)
        browser.cookies.set("kiosque_session", token)
        assert browser.get("/").status_code == 303

    @pytest.mark.parametrize("cookie", ["", "x", "a.b.c", "kq_00000001_" + "r" * 43])
    def test_anything_else_is_no_session(self, closed: SeededApi, cookie: str) -> None:
        browser = browser_of(closed)
        browser.cookies.set("kiosque_session", cookie)
        assert browser.get("/").status_code == 303

    def test_a_session_does_not_write_through_the_api(self, closed: SeededApi) -> None:
        """Other sites' forms could, too."""
        browser = browser_of(closed)
        log_in(browser, "writer")
        body = {"article": ARTICLE_ID, "entity": "abraham-lincoln", "polarity": "negative"}
        assert browser.post("/api/v1/feedback/corrections", json=body).status_code == 401


def test_someone_without_any_right_is_told_so(closed: SeededApi) -> None:
    with closed.context.database.write() as tx:
        hashed = closed.context.passwords.hash("nothing but a pass phrase")
        users.add(tx, "guest", password_hash=hashed, scopes=(), at=NOW)
    browser = browser_of(closed)
    log_in(browser, "guest", password="nothing but a pass phrase")
    answer = browser.get("/")
    assert answer.status_code == 403
    assert "guest" in answer.text
