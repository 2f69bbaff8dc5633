"""Users, keys, settings and one's own account, at the pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from kiosque.settings import effective, load_settings
from kiosque.store import keys, users
from kiosque.testing.pages import browser_of, form_token, log_in
from kiosque.testing.seeded import NOW, PASSWORDS, SeededApi, working_hooks
from kiosque.web.session import session_caller

MakePages = Callable[..., SeededApi]
HOSTILE = "<script>alert(1)</script>"
PRIVATE = ("/users", "/keys", "/settings")


@pytest.fixture
def admin(pages: SeededApi) -> TestClient:
    browser = browser_of(pages)
    log_in(browser, "admin")
    return browser


def send(browser: TestClient, path: str, page: str, **form: str) -> Any:
    """Send a form with the token of `page`."""
    return browser.post(path, data={"form_token": form_token(browser.get(page).text), **form})


@pytest.mark.parametrize("path", PRIVATE)
class TestEveryPage:
    def test_sends_a_stranger_to_the_login(self, browser: TestClient, path: str) -> None:
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next=%2F{path[1:]}")

    def test_refuses_a_writer(self, pages: SeededApi, path: str) -> None:
        writer = browser_of(pages)
        log_in(writer, "writer")
        assert writer.get(path).status_code == 403

    def test_opens_for_an_administrator(self, admin: TestClient, path: str) -> None:
        answer = admin.get(path)
        assert answer.status_code == 200
        assert len(re.findall(r"<h1[\s>]", answer.text)) == 1


class TestKeys:
    def test_a_key_is_shown_once_works_and_is_revoked(self, pages: SeededApi, admin: TestClient) -> None:
        made = send(admin, "/keys", "/keys", name=f"notebook {HOSTILE}", scope="read")
        assert made.status_code == 200
        assert made.headers["cache-control"] == "no-store"
        assert HOSTILE not in made.text
        secret = re.search(r"kq_[0-9a-f]{8}_[\w-]{43}", made.text)
        assert secret
        headers = {"Authorization": f"Bearer {secret[0]}"}
        assert browser_of(pages).get("/api/v1/me", headers=headers).json()["scopes"] == ["read"]
        html = admin.get("/keys").text
        assert secret[0] not in html
        assert secret[0][:11] in html
        with pages.context.database.read() as tx:
            key = keys.everything(tx)[0]
        assert send(admin, f"/keys/{key.id}/revoke", "/keys").status_code == 303
        assert browser_of(pages).get("/api/v1/me", headers=headers).status_code == 401
        assert "revoked on" in admin.get("/keys?sent=revoked").text

    def test_one_is_good_until_a_day_and_with_its_owner(self, pages: SeededApi, admin: TestClient) -> None:
        assert (
            send(admin, "/keys", "/keys", name="x", expires="2027-01-31", owner="reader").status_code == 200
        )
        with pages.context.database.read() as tx:
            key = keys.everything(tx)[0]
        assert (key.owner, str(key.expires_at)[:10]) == ("reader", "2027-01-31")

    @pytest.mark.parametrize(
        ("form", "status"),
        [
            ({"name": ""}, 422),
            ({"name": "x", "scope": "all"}, 422),
            ({"name": "x", "expires": "2020-01-01"}, 422),
            ({"name": "x", "expires": "soon"}, 422),
            ({"name": "x", "owner": "nobody"}, 404),
            ({"name": "x", "form_token": "0"}, 403),
        ],
    )
    def test_what_is_not_right_makes_none(
        self, pages: SeededApi, admin: TestClient, form: dict[str, str], status: int
    ) -> None:
        with pages.context.database.read() as tx:
            before = len(keys.everything(tx))
        answer = send(admin, "/keys", "/keys", **form)
        assert answer.status_code == status
        assert "kq_" not in answer.text.replace("kq_0000", "")
        with pages.context.database.read() as tx:
            assert len(keys.everything(tx)) == before


class TestUsers:
    def test_somebody_is_added_changed_and_deleted(self, pages: SeededApi, admin: TestClient) -> None:
        form = {"name": "ana", "password": "a long pass phrase", "scope": "write"}
        assert send(admin, "/users", "/users", **form).status_code == 303
        ana = browser_of(pages)
        token = form_token(ana.get("/login").text)
        credentials = {"username": "ana", "password": form["password"], "form_token": token, "next": "/"}
        assert ana.post("/login", data=credentials).status_code == 303
        for do, more in (("scope", {"scope": "read"}), ("disable", {}), ("enable", {}), ("delete", {})):
            assert send(admin, "/users/ana", "/users", do=do, **more).status_code == 303
            with pages.context.database.read() as tx:
                user = users.find(tx, "ana")
            if do == "scope":
                assert user
                assert user.scopes == ("read",)
            if do == "disable":
                assert user
                assert user.disabled
                assert ana.get("/account").status_code == 303
        assert user is None

    @pytest.mark.parametrize("do", ["scope", "disable", "delete"])
    def test_nobody_takes_away_their_own_rights(self, pages: SeededApi, admin: TestClient, do: str) -> None:
        assert send(admin, "/users/Admin", "/users", do=do, scope="read").status_code == 409
        with pages.context.database.read() as tx:
            user = users.get(tx, "admin")
        assert (user.scopes, user.disabled) == (("admin",), False)

    @pytest.mark.parametrize(
        ("form", "status"),
        [
            ({"name": HOSTILE, "password": "a long pass phrase"}, 422),
            ({"name": "ana", "password": "short"}, 422),
            ({"name": "reader", "password": "a long pass phrase"}, 409),
            ({"name": "ana", "password": "a long pass phrase", "scope": "?"}, 422),
        ],
    )
    def test_what_is_not_right_adds_nobody(
        self, pages: SeededApi, admin: TestClient, form: dict[str, str], status: int
    ) -> None:
        answer = send(admin, "/users", "/users", **form)
        assert answer.status_code == status
        assert 'role="alert"' in answer.text
        assert HOSTILE not in answer.text
        with pages.context.database.read() as tx:
            assert users.count(tx) == 3

    def test_an_unknown_deed_is_refused(self, admin: TestClient) -> None:
        assert send(admin, "/users/reader", "/users", do="promote").status_code == 422


class TestAccount:
    NEW = "another long pass phrase"

    def test_a_stranger_is_sent_to_the_login(self, browser: TestClient) -> None:
        assert browser.get("/account").status_code == 303

    def test_the_password_is_changed_and_other_browsers_are_logged_out(self, pages: SeededApi) -> None:
        here, there = browser_of(pages), browser_of(pages)
        for each in (here, there):
            log_in(each, "reader")
        form = {"current": PASSWORDS["reader"], "new": self.NEW, "again": self.NEW}
        done = send(here, "/account/password", "/account", **form)
        assert done.headers["location"] == "/account?sent=password"
        assert "Your password is changed" in here.get("/account?sent=password").text
        assert there.get("/account").status_code == 303

    @pytest.mark.parametrize(
        ("form", "status"),
        [
            ({"current": "wrong"}, 401),
            ({"again": "different from it"}, 422),
            ({"new": "short", "again": "short"}, 422),
            ({"form_token": "0"}, 403),
        ],
    )
    def test_what_is_not_right_changes_nothing(
        self, pages: SeededApi, form: dict[str, str], status: int
    ) -> None:
        browser = browser_of(pages)
        log_in(browser, "reader")
        right = {"current": PASSWORDS["reader"], "new": self.NEW, "again": self.NEW}
        assert send(browser, "/account/password", "/account", **{**right, **form}).status_code == status
        again = browser_of(pages)
        assert log_in(again, "reader").status_code == 303


class TestSettings:
    SECRET = "canary-7f3a"

    def test_every_setting_is_there_with_its_origin_and_no_secret(
        self, make_pages: MakePages, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("KIOSQUE_NYT_API_KEY", self.SECRET)
        monkeypatch.setenv("KIOSQUE_BATCH_SIZE", "17")
        monkeypatch.setenv("KIOSQUE_NATS_URL", f"nats://{self.SECRET}@broker:4222")
        monkeypatch.setenv("KIOSQUE_PROXY", f"http://me:{self.SECRET}@proxy:3128")
        monkeypatch.setenv("KIOSQUE_FEEDS", f"https://news.example/rss?key={self.SECRET}")
        (tmp_path / "token").write_text(self.SECRET)
        monkeypatch.setenv("KIOSQUE_PREDICT_TOKEN_FILE", str(tmp_path / "token"))
        (tmp_path / ".env").write_text("KIOSQUE_THREADS=3\n")
        settings = load_settings(port=8123)
        hooks = replace(working_hooks(), session=session_caller, settings=lambda: effective(settings))
        browser = browser_of(make_pages(hooks=hooks))
        log_in(browser, "admin")
        html = browser.get("/settings").text
        assert self.SECRET not in html
        rows = {
            row.split("</code>")[0]: re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "|", row))
            for row in html.split("<tr><td><code>")[1:]
        }
        assert len(rows) == len(type(settings).model_fields)
        assert "set, not shown" in rows["KIOSQUE_NYT_API_KEY"]
        assert "environment" in rows["KIOSQUE_BATCH_SIZE"]
        assert "file" in rows["KIOSQUE_PREDICT_TOKEN"]
        assert ".env" in rows["KIOSQUE_THREADS"]
        assert "command line" in rows["KIOSQUE_PORT"]
        assert "default" in rows["KIOSQUE_HOST"]


def test_a_hostile_key_owner_and_name_stay_text(pages: SeededApi, admin: TestClient) -> None:
    with pages.context.database.write() as tx:
        users.add(tx, f"u{HOSTILE}", password_hash="x", scopes=("read",), at=NOW)
        keys.add(tx, name=HOSTILE, prefix="kq_x", digest="d", scopes=("read",), at=NOW, owner=f"u{HOSTILE}")
    for path in ("/users", "/keys"):
        html = admin.get(path).text
        assert HOSTILE not in html
        assert "&lt;script&gt;" in html
