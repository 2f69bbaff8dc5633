"""The pages of models: what was measured, how it drifts, what people say, and which version answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from kiosque.core.drift import ENOUGH, Tokens
from kiosque.core.prediction import Answering, Replica
from kiosque.modelstore.aliases import CHAMPION
from kiosque.modelstore.store import ModelStore
from kiosque.store import entities, feedback
from kiosque.testing.pages import browser_of, form_token, log_in
from kiosque.testing.seeded import ARTICLE_ID, NOW, SeededApi, working_hooks
from kiosque.web.pages.models import bins_of
from kiosque.web.session import session_caller

MakePages = Callable[..., SeededApi]
REFERENCE = {
    "n": 1000,
    "class_shares": {"negative": 0.2, "neutral": 0.6, "positive": 0.2},
    "confidence_mean": 0.7,
    "confidence_edges": [0.0, 0.5, 0.7, 1.0001],
    "confidence_shares": [0.2, 0.4, 0.4],
    "unknown_token_share": 0.001,
    "no_mention_share": 0.0,
}
MEASURED = {
    "n": 200,
    "macro_f1": 0.7,
    "macro_f1_ci": [0.65, 0.75],
    "accuracy": 0.75,
    "ece": 0.02,
    "confusion": [[90, 5, 5], [10, 80, 10], [0, 50, 50]],
}
BINS = [
    {"low": 0.3, "high": 0.4, "n": 0, "confidence": None, "accuracy": None},
    {"low": 0.7, "high": 0.8, "n": 90, "confidence": 0.8, "accuracy": 0.7},
]
HOSTILE = "<script>alert(1)</script>"


def store_with(folder: Path, *, version: str = "v1", card: str = "# Card", **files: Any) -> ModelStore:
    """A store with one version of the polarity model, which answers; `files` are its JSON files."""
    source = folder / "source"
    source.mkdir()
    (source / "card.md").write_text(card)
    for name, document in files.items():
        (source / f"{name}.json").write_text(json.dumps(document))
    store = ModelStore(folder / "made")
    metrics = {"nyt-candidates": {**MEASURED, "reliability": BINS}}
    fields = {"format": "test", "metrics": metrics}
    store.publish("polarity", source, fields=fields, clock=lambda: NOW, version=version)
    store.move_alias("polarity", CHAMPION, version, who="x", why="y", clock=lambda: NOW)
    return store


def hooked(**hooks: Any) -> dict[str, Any]:
    return {"hooks": replace(working_hooks(), session=session_caller, **hooks)}


@pytest.fixture
def admin(pages: SeededApi) -> TestClient:
    browser = browser_of(pages)
    log_in(browser, "admin")
    return browser


class TestCard:
    def test_is_rendered_and_can_do_no_harm(self, make_pages: MakePages, tmp_path: Path) -> None:
        attacks = f"{HOSTILE} [x](javascript:alert(1)) ![i](https://evil.example/i.png)"
        card = f"# Polarity\n\n{attacks}\n\n| a | b |\n|--|-:|\n| 1 | 2 |"
        browser = browser_of(make_pages(modelstore=store_with(tmp_path, card=card)))
        for path in ("/models/polarity", "/models/polarity/versions/v1"):
            html = browser.get(path).text
            assert "<h3>Polarity</h3>" in html
            assert "&lt;script&gt;alert(1)" in html
            assert HOSTILE not in html
            assert 'href="javascript' not in html
            assert "<img" not in html
            assert '<td class="number">2</td>' in html
            assert "style=" not in html


class TestMeasured:
    def test_the_calibration_is_drawn_where_the_version_has_its_bins(
        self, make_pages: MakePages, tmp_path: Path
    ) -> None:
        html = browser_of(make_pages(modelstore=store_with(tmp_path))).get("/models/polarity").text
        assert 'class="reliability"' in html
        assert '<td class="number">70.0%</td>' in html
        assert "0.650 to 0.750" in html

    def test_a_version_without_bins_gets_a_sentence(self, make_pages: MakePages, tmp_path: Path) -> None:
        store = store_with(tmp_path)
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "card.md").write_text("x")
        fields = {"format": "test", "metrics": {"s": MEASURED}}
        store.publish("polarity", tmp_path / "other", fields=fields, clock=lambda: NOW, version="v9")
        html = browser_of(make_pages(modelstore=store)).get("/models/polarity/versions/v9").text
        assert "without the bins of its calibration" in html

    @pytest.mark.parametrize("bad", [None, "x", [{}], [{"confidence": "a", "accuracy": 1, "n": 1}], [3]])
    def test_bins_of_another_make_are_none(self, bad: Any) -> None:
        assert bins_of({"reliability": bad}) == ()

    def test_a_card_too_many_or_an_unknown_model_is_a_page_that_says_so(self, browser: TestClient) -> None:
        assert browser.get("/models/none").status_code == 404
        assert browser.get("/models/polarity/versions/none").status_code == 404
        assert browser.get("/models/polarity/versions/%2e%2e").status_code in (404, 422)


class TestDrift:
    def test_too_few_answers_say_nothing(self, make_pages: MakePages, tmp_path: Path) -> None:
        store = store_with(tmp_path, drift=REFERENCE)
        html = browser_of(make_pages(modelstore=store)).get("/models/polarity").text
        assert f"{ENOUGH} are needed" in html

    def test_without_a_reference_that_is_said(self, browser: TestClient) -> None:
        assert "brings no reference" in browser.get("/models/polarity").text

    def test_enough_answers_are_compared(
        self, make_pages: MakePages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("kiosque.core.drift.ENOUGH", 5)
        store = store_with(tmp_path, drift=REFERENCE)
        count = {"count_tokens": lambda folder, texts: Tokens(len(texts), 500, 100)}
        html = browser_of(make_pages(modelstore=store, **hooked(**count))).get("/models/polarity").text
        assert "unknown word pieces" in html
        assert "20.0%" in html
        assert "have moved" in html

    @pytest.mark.parametrize("window", ["newest", "month", "year", "x"])
    def test_the_stretch_is_chosen_in_the_address(
        self, make_pages: MakePages, tmp_path: Path, window: str
    ) -> None:
        store = store_with(tmp_path, drift=REFERENCE)
        answer = browser_of(make_pages(modelstore=store)).get(f"/models/polarity?window={window}")
        assert answer.status_code == 200
        assert ("<p>8 articles, " in answer.text) == (window != "month")


class TestAgreement:
    def test_a_correction_shows_beside_what_the_model_says(
        self, pages: SeededApi, browser: TestClient
    ) -> None:
        with pages.context.database.write() as tx:
            from kiosque.core.polarity import Polarity

            for polarity in Polarity:
                feedback.correct(
                    tx,
                    article_id=ARTICLE_ID,
                    entity_id="abraham-lincoln",
                    polarity=polarity,
                    by=f"{polarity}{HOSTILE}",
                    at=NOW,
                    note=HOSTILE,
                )
        html = browser.get("/models/polarity").text
        assert "Of 4 labels that people have judged" in html
        assert HOSTILE not in html
        assert html.count("&lt;script&gt;") >= 6
        assert "People have judged 4 labels" in browser.get("/models").text

    def test_without_any_it_says_where_to_begin(self, make_pages: MakePages, tmp_path: Path) -> None:
        store = store_with(tmp_path, version="v7")
        html = browser_of(make_pages(modelstore=store)).get("/models/polarity").text
        assert "Of 1 judged name it says nothing" in html


class TestReplicas:
    def test_each_says_with_what_it_answers(self, make_pages: MakePages) -> None:
        servers = (
            Replica("10.0.0.1:8005", (Answering("polarity", "v1"),)),
            Replica("10.0.0.2:8005", (Answering("polarity", "v0", "v1 is damaged"),)),
            Replica("10.0.0.3:8005", trouble="refused"),
        )
        browser = browser_of(make_pages(**hooked(replicas=lambda: servers)))
        html = browser.get("/models/polarity").text
        assert "10.0.0.1:8005 answers with v1." in html
        assert "10.0.0.2:8005 still answers with v0, not with the champion v1." in html
        assert "v1 is damaged" in html
        assert "10.0.0.3:8005 does not say" in html


class TestMoves:
    def test_a_stranger_is_sent_to_the_login_and_a_reader_refused(
        self, pages: SeededApi, browser: TestClient
    ) -> None:
        asked = browser.get("/models/polarity/promote?version=v2")
        assert (asked.status_code, asked.headers["location"][:12]) == (303, "/login?next=")
        reader = browser_of(pages)
        log_in(reader, "writer")
        assert reader.get("/models/polarity/promote?version=v2").status_code == 403
        token = form_token(reader.get("/account").text)
        form = {"version": "v2", "why": "x", "form_token": token}
        assert reader.post("/models/polarity/promote", data=form).status_code == 403
        assert pages.context.modelstore.aliases("polarity")[CHAMPION] == "v1"

    def test_the_page_before_names_what_changes(self, admin: TestClient) -> None:
        html = admin.get("/models/polarity/promote?version=v2").text
        assert "<strong>v1</strong> and becomes <strong>v2</strong>" in html
        assert "8 articles are then read anew" in html

    def test_a_version_is_promoted_and_rolled_back_with_who_and_why(
        self, pages: SeededApi, admin: TestClient
    ) -> None:
        form = {"version": "v2", "why": f"Better {HOSTILE}", "expected": "v1"}
        token = form_token(admin.get("/models/polarity/promote?version=v2").text)
        done = admin.post("/models/polarity/promote", data={**form, "form_token": token})
        assert done.headers["location"] == "/models/polarity?sent=moved#answers"
        html = admin.get("/models/polarity?sent=moved").text
        assert "Better &lt;script&gt;" in html
        assert ">admin</td>" in html
        assert 'role="status"' in html
        back = admin.get("/models/polarity/rollback").text
        assert "Go back to v1?" in back
        again = {"version": "v1", "why": "Worse", "expected": "v2", "form_token": form_token(back)}
        assert admin.post("/models/polarity/promote", data=again).status_code == 303
        moves = pages.context.modelstore.history("polarity")
        assert [(m.to_version, m.who) for m in moves[-2:]] == [("v2", "admin"), ("v1", "admin")]

    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({"form_token": "0" * 32}, 403),
            ({"why": " "}, 412),
            ({"expected": "v0"}, 409),
            ({"version": "no"}, 404),
        ],
    )
    def test_what_is_not_right_moves_nothing(
        self, pages: SeededApi, admin: TestClient, changes: dict[str, str], status: int
    ) -> None:
        token = form_token(admin.get("/account").text)
        form = {"version": "v2", "why": "x", "expected": "v1", "form_token": token, **changes}
        assert admin.post("/models/polarity/promote", data=form).status_code == status
        assert pages.context.modelstore.aliases("polarity")[CHAMPION] == "v1"

    def test_a_model_that_never_moved_cannot_go_back(self, admin: TestClient) -> None:
        assert admin.get("/models/books/rollback").status_code == 412


def test_an_entity_named_hostile_stays_text_among_corrections(pages: SeededApi) -> None:
    from kiosque.core.entity import Alias, Entity, EntityKind

    with pages.context.database.write() as tx:
        entities.save(tx, Entity("evil", f"E {HOSTILE}", EntityKind.PERSON, (Alias("Evilman"),)), NOW)
        feedback.correct(tx, article_id=ARTICLE_ID, entity_id="evil", polarity=None, by="x", at=NOW)
    html = browser_of(pages).get("/models/polarity").text
    assert HOSTILE not in html
    assert "somebody else is meant" in html
