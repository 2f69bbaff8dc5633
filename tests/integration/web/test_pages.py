"""Each page over a seeded installation: what it shows, that it harms nobody, and that parts fail alone."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from kiosque.core.article import Article
from kiosque.core.entity import Alias, Candidacy, Entity, EntityKind, Watchlist
from kiosque.core.errors import NoModel, PredictUnavailable, StoreUnavailable
from kiosque.modelstore.store import ModelStore
from kiosque.pipeline.intake import Intake
from kiosque.store import entities
from kiosque.store.database import Database
from kiosque.testing.pages import browser_of
from kiosque.testing.seeded import ARTICLE_ID, BOOK_KEY, NOW, SeededApi, SeededPredictor
from kiosque.web.figures.hues import hue_of

MakePages = Callable[..., SeededApi]
PAGES = [
    "/",
    "/?period=decade",
    "/people",
    "/people?q=Lincoln",
    "/people/abraham-lincoln",
    "/people/abraham-lincoln?by=week&since=1860-01-01&until=&q=",
    "/compare",
    "/compare?entities=abraham-lincoln,stephen-a-douglas",
    "/articles",
    "/articles?q=Lincoln&entity=&polarity=&section=&since=&until=&sort=newest",
    f"/articles/{ARTICLE_ID}",
    f"/articles/{ARTICLE_ID}?why=abraham-lincoln",
    "/elections",
    "/elections?years=1860",
    "/elections/1860",
    "/books",
    "/books?text=Lincoln+and+his+rivals",
    f"/books/{BOOK_KEY}",
    "/for-you",
    f"/for-you?article={ARTICLE_ID}&q=Lincoln&known={BOOK_KEY}&kind=&language=&since=&until=&least=&k=",
    "/models",
    "/models/polarity",
    "/models/polarity?window=year",
    "/models/polarity/versions/v1",
    "/models/books",
    "/operations",
    "/operations?period=quarter",
    "/operations/dead-letters",
    "/operations/dead-letters?which=replayed",
    "/operations/dead-letters/1",
    "/about",
    "/api",
    "/docs/errors",
    "/try",
    "/try?text=Lincoln+wins&targets=Lincoln",
    "/login",
]


class Down(SeededPredictor):
    """A predict server that does not answer."""

    def polarity(self, *_: Any, **__: Any) -> Any:
        raise PredictUnavailable("Predict does not answer.")

    def explain(self, *_: Any) -> Any:
        raise PredictUnavailable("Predict does not answer.")

    def books(self, *_: Any) -> Any:
        raise NoModel("There is no model for books yet.")


@pytest.mark.parametrize("path", PAGES)
class TestEveryPage:
    def test_opens_with_one_headline_and_the_policy(self, browser: TestClient, path: str) -> None:
        answer = browser.get(path)
        assert answer.status_code == 200, answer.text
        assert len(re.findall(r"<h1[\s>]", answer.text)) == 1
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"

    def test_needs_no_inline_script_or_style(self, browser: TestClient, path: str) -> None:
        html = browser.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", html)
        assert not re.search(r"<style\b|\sstyle=|\son\w+=", html)
        assert not re.search(
            r'(?:src|href)="(?:https?:)?//', re.sub(r'href="https?://[^"]*" rel="noopener', "", html)
        )

    def test_has_a_label_for_every_field_and_no_id_twice(self, browser: TestClient, path: str) -> None:
        html = browser.get(path).text
        ids = re.findall(r'\sid="([^"]*)"', html)
        assert len(ids) == len(set(ids))
        labelled = set(re.findall(r'<label[^>]*\bfor="([^"]*)"', html))
        fields = re.findall(
            r'<(?:input|select|textarea)\b(?![^>]*type="(?:hidden|checkbox)")[^>]*\bid="([^"]*)"', html
        )
        assert set(fields) <= labelled

    def test_opens_without_predict(self, make_pages: MakePages, path: str) -> None:
        assert browser_of(make_pages(predictor=Down())).get(path).status_code == 200


def test_the_overview_weighs_little(browser: TestClient) -> None:
    html = browser.get("/").text
    files = re.findall(r'(?:src|href)="(/static/[^"]*)"', html)
    assert len(files) >= 3
    assert len(html.encode()) + sum(len(browser.get(file).content) for file in files) <= 150_000


def test_static_files_are_named_by_what_they_hold_and_kept_for_good(browser: TestClient) -> None:
    found = re.search(r"/static/kiosque\.css\?v=[0-9a-f]{12}", browser.get("/").text)
    assert found
    assert "immutable" in browser.get(found[0]).headers["cache-control"]
    assert "cache-control" not in browser.get("/static/kiosque.css").headers


class TestToday:
    def test_names_the_people_and_the_period(self, browser: TestClient) -> None:
        html = browser.get("/").text
        assert "Abraham Lincoln" in html
        assert "20 November 1860" in html

    def test_says_when_there_is_nothing_to_compare_with(self, browser: TestClient) -> None:
        html = browser.get("/").text
        assert "there is no article to compare with" in html
        assert "Before</th>" not in html

    def test_listens_to_the_stream_of_the_api(self, browser: TestClient) -> None:
        assert 'data-stream="/api/v1/stream"' in browser.get("/").text

    def test_an_empty_installation_says_what_to_do(
        self, make_pages: MakePages, sqlite_store: Database
    ) -> None:
        empty = browser_of(make_pages(database=sqlite_store))
        assert "kiosque source add" in empty.get("/").text
        for path in ("/people", "/articles", "/elections", "/books", "/operations", "/compare"):
            answer = empty.get(path)
            assert answer.status_code == 200
            assert 'class="empty"' in answer.text


class TestPerson:
    def test_has_the_chart_its_table_and_its_file(self, browser: TestClient) -> None:
        html = browser.get("/people/abraham-lincoln").text
        assert '<svg viewBox="0 0 960' in html
        link = re.search(r'href="(/people/abraham-lincoln/timeline\.csv[^"]*)"', html)
        assert link
        answer = browser.get(link[1].replace("&amp;", "&"))
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert answer.headers["content-type"].startswith("text/csv")
        assert sum(int(row["articles_positive"]) + int(row["articles_neutral"]) for row in rows) > 0
        assert html.count("<tr><td>18") >= len([r for r in rows if r["entity"] == "abraham-lincoln"]) - 2

    def test_an_unknown_one_is_a_page_that_says_so(self, browser: TestClient) -> None:
        answer = browser.get("/people/nobody")
        assert answer.status_code == 404
        assert "There is no entity" in answer.text


class TestArticles:
    @pytest.mark.parametrize("who", ["abraham-lincoln", "Abraham Lincoln", "abraham lincoln", "Lincoln"])
    def test_someone_is_found_by_id_name_or_alias(self, browser: TestClient, who: str) -> None:
        html = browser.get("/articles", params={"entity": who}).text
        assert "<h1>7 articles</h1>" in html or re.search(r"<h1>\d articles?</h1>", html)
        assert "Cotton Falls" not in html
        assert "Cooper Institute" in html

    def test_someone_unknown_is_said_and_in_no_article(self, browser: TestClient) -> None:
        html = browser.get("/articles?entity=Nobody").text
        assert "Nobody is watched under the name" in html
        assert "<h1>0 articles</h1>" in html

    def test_words_and_days_narrow_the_list(self, browser: TestClient) -> None:
        html = browser.get("/articles?q=Douglas&since=1860-08-01&until=1860-10-01").text
        assert "<h1>1 article</h1>" in html

    def test_the_address_says_the_sentence(self, browser: TestClient) -> None:
        html = browser.get("/articles?entity=abraham-lincoln&polarity=neutral").text
        assert 'value="Abraham Lincoln"' in html
        assert '<option value="neutral" selected>neutral</option>' in html

    def test_a_day_that_is_none_is_a_page_that_says_so(self, browser: TestClient) -> None:
        assert browser.get("/articles?since=tomorrow").status_code == 422


class TestArticle:
    def test_marks_who_is_named_and_says_why(self, browser: TestClient) -> None:
        html = browser.get(f"/articles/{ARTICLE_ID}?why=abraham-lincoln").text
        assert re.search(
            r'<mark class="\w+" title="Abraham Lincoln: [^"]*" tabindex="0">Lincoln</mark>', html
        )
        assert "The words behind it: Abraham Lincoln" in html
        assert 'class="word' in html

    def test_stands_without_the_models_and_says_what_is_missing(self, make_pages: MakePages) -> None:
        html = (
            browser_of(make_pages(predictor=Down())).get(f"/articles/{ARTICLE_ID}?why=abraham-lincoln").text
        )
        assert "What it says of whom" in html
        assert "The model does not answer for this name now" in html

    def test_a_stranger_is_told_how_to_correct(self, browser: TestClient) -> None:
        html = browser.get(f"/articles/{ARTICLE_ID}").text
        assert "/corrections" not in re.sub(r"next=\S+", "", html)
        assert "kiosque user add" in html


class TestElections:
    def test_who_is_in_no_article_has_no_lane(self, browser: TestClient) -> None:
        html = browser.get("/elections?years=1860").text
        assert "Also stood: John Bell" in html
        assert ">John Bell<tspan" not in html
        assert ">Abraham Lincoln<tspan" in html

    def test_years_that_had_no_election_are_left_out(self, browser: TestClient) -> None:
        html = browser.get("/elections?years=1860,1861,abc&years=99999").text
        assert "The campaigns of 1860</h1>" in html

    @pytest.mark.parametrize("path", ["/elections.csv", "/elections/1860.csv", "/elections.csv?years=1860"])
    def test_the_numbers_are_a_file(self, browser: TestClient, path: str) -> None:
        rows = list(csv.DictReader(io.StringIO(browser.get(path).text)))
        assert {row["candidate"] for row in rows} >= {"Abraham Lincoln", "John Bell"}
        assert {row["won"] for row in rows} == {"True", "False"}

    def test_an_unknown_year_is_not_found(self, browser: TestClient) -> None:
        assert browser.get("/elections/1861").status_code == 404
        assert browser.get("/elections/1861.csv").status_code == 404


class TestCompare:
    def test_two_people_have_two_lines_and_a_file(self, browser: TestClient) -> None:
        html = browser.get("/compare?entities=abraham-lincoln,Stephen A. Douglas&by=month").text
        for name in ("abraham-lincoln", "stephen-a-douglas"):
            assert f'class="swatch {hue_of(name).classes}' in html
        rows = csv.DictReader(
            io.StringIO(browser.get("/compare.csv?entities=abraham-lincoln,stephen-a-douglas&by=month").text)
        )
        assert {row["entity"] for row in rows} == {"abraham-lincoln", "stephen-a-douglas"}

    def test_whoever_is_unknown_is_named(self, browser: TestClient) -> None:
        html = browser.get("/compare?entities=abraham-lincoln,nobody").text
        assert "Nobody, or more than one, is watched under: nobody" in html
        assert "Abraham Lincoln</h1>" in html

    def test_no_more_than_there_are_hues(self, browser: TestClient) -> None:
        asked = ",".join(["abraham-lincoln"] * 9 + ["john-bell"])
        assert browser.get(f"/compare?entities={asked}").text.count('class="swatch') == 2


class TestTry:
    def test_a_named_target_gets_its_verdict_and_words(self, browser: TestClient) -> None:
        html = browser.get("/try?text=Truman+wins&targets=Truman").text
        assert ">Truman</h2>" in html
        assert "negative" in html
        assert 'class="word' in html

    def test_without_names_the_watch_list_is_asked(self, browser: TestClient) -> None:
        assert ">Republican Party</h2>" in browser.get("/try?text=The+Republican+Party+wins").text

    def test_nobody_found_is_said(self, browser: TestClient) -> None:
        assert "names nobody who is watched" in browser.get("/try?text=Cotton+falls").text

    def test_a_model_that_does_not_answer_is_said(self, make_pages: MakePages) -> None:
        html = browser_of(make_pages(predictor=Down())).get("/try?text=Truman+wins&targets=Truman").text
        assert "Predict does not answer." in html


class TestModels:
    def test_the_champion_and_its_card_are_shown(self, browser: TestClient) -> None:
        assert "<strong>v1</strong>" in browser.get("/models").text
        html = browser.get("/models/polarity").text
        assert "<strong>v1</strong>" in html
        assert "Made for tests." in html

    def test_what_was_measured_is_shown_and_said_on_the_page_about_the_method(
        self, make_pages: MakePages, tmp_path: Any
    ) -> None:
        store = published(tmp_path)
        browser = browser_of(make_pages(modelstore=store))
        assert "Macro-F1" in browser.get("/models").text
        html = browser.get("/models/polarity").text
        assert "Macro-F1" in html
        assert 'class="number right">90' in html
        assert "on 400 mentions of candidates" in re.sub(r"\s+", " ", browser.get("/about").text)
        assert "25% of its labels were" in browser.get("/about").text

    def test_without_measurements_the_page_about_the_method_claims_no_number(
        self, browser: TestClient
    ) -> None:
        assert "%" not in browser.get("/about").text.split("What it is not")[1]

    def test_without_a_model_it_says_what_to_do(self, make_pages: MakePages, tmp_path: Any) -> None:
        html = browser_of(make_pages(modelstore=ModelStore(tmp_path / "none"))).get("/models").text
        assert "kiosque model seed" in html


def published(folder: Any) -> ModelStore:
    store = ModelStore(folder / "measured")
    source = folder / "source"
    source.mkdir()
    (source / "card.md").write_text("# Card\n")
    measured = {
        "n": 400,
        "macro_f1": 0.7,
        "macro_f1_ci": [0.65, 0.75],
        "accuracy": 0.75,
        "ece": 0.02,
        "name_swap_flips": None,
        "confusion": [[90, 5, 5], [10, 80, 10], [0, 50, 50]],
    }
    fields = {"format": "test", "metrics": {"nyt-candidates": measured, "size": 3.0, "books": {"ndcg": 0.5}}}
    store.publish("polarity", source, fields=fields, clock=lambda: NOW, version="m1")
    store.move_alias("polarity", "champion", "m1", who="x", why="y", clock=lambda: NOW)
    return store


class TestManual:
    def test_every_operation_of_the_api_is_there(self, pages: SeededApi, browser: TestClient) -> None:
        html = browser.get("/api").text
        for path, methods in pages.app.openapi()["paths"].items():
            for method in methods:
                assert f"{method.upper()} {path}".replace("&", "&amp;") in html

    def test_every_problem_points_to_its_code(self, browser: TestClient) -> None:
        kind = browser.get("/api/v1/articles/nothing").json()["type"]
        page, _, code = kind.partition("#")
        assert f'id="{code}"' in browser.get(page).text


class TestTrouble:
    def test_a_missing_page_is_a_page(self, browser: TestClient) -> None:
        answer = browser.get("/nowhere")
        assert answer.status_code == 404
        assert "<h1>Not Found</h1>" in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]

    def test_a_database_that_does_not_answer_is_said_on_a_page(
        self, pages: SeededApi, browser: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def gone() -> Any:
            raise StoreUnavailable("The database does not answer.")

        monkeypatch.setattr(pages.context.database, "read", gone)
        answer = browser.get("/")
        assert answer.status_code == 503
        assert "The database does not answer." in answer.text

    def test_too_many_requests_are_said_on_a_page(self, make_pages: MakePages) -> None:
        browser = browser_of(make_pages(rate_limit="2/minute"))
        assert [browser.get("/about").status_code for _ in range(3)] == [200, 200, 429]


HOSTILE = "<script>alert(1)</script>"


class TestHostileText:
    @pytest.fixture
    def attacked(self, pages: SeededApi) -> TestClient:
        """An installation into which feeds and lists have brought markup and formulas."""
        at = datetime(1860, 10, 20, tzinfo=UTC)
        entity = Entity("evil", f"=Evil {HOSTILE}", EntityKind.PERSON, (Alias("Evilman"),))
        article = Article(
            key="x:1",
            source=f"feed{HOSTILE}",
            headline=f"Evilman {HOSTILE} \"'onmouseover=alert(1)",
            abstract=f"{HOSTILE} Evilman",
            published_at=at,
            section=HOSTILE,
            url="javascript:alert(1)",
            byline=(HOSTILE,),
            keywords=(HOSTILE,),
            language="en",
        )
        database = pages.context.database
        with database.write() as tx:
            entities.save(tx, entity, NOW)
        predictor = SeededPredictor("v1")
        Intake(database, predictor, clock=lambda: NOW, metrics=pages.context.metrics).take([article])
        self.article_id = article.id
        return browser_of(pages)

    def test_stays_text_on_every_page(self, attacked: TestClient) -> None:
        paths = [
            *PAGES,
            "/people/evil",
            "/compare?entities=evil,abraham-lincoln",
            f"/articles/{self.article_id}?why=evil",
        ]
        seen = 0
        for path in paths:
            html = attacked.get(path).text
            assert HOSTILE not in html, path
            assert 'href="javascript:' not in html
            seen += html.count("&lt;script&gt;")
        assert seen > 10

    @pytest.mark.parametrize(
        "path",
        [
            "/articles?q={}",
            "/articles?entity={}",
            "/people?q={}",
            "/books?q={}",
            "/books?text={}",
            "/try?text={}&targets={}",
            "/compare?entities={}",
            "/login?next=/{}",
            "/people/{}",
            "/articles/{}",
            "/{}",
            "/articles/x?why={}",
            "/elections?years={}",
        ],
    )
    def test_stays_text_when_it_comes_in_the_address(self, browser: TestClient, path: str) -> None:
        for attack in (HOSTILE, '"><img src=x onerror=alert(1)>', "'onfocus='alert(1)"):
            html = browser.get(path.replace("{}", attack.replace("&", "%26").replace("#", "%23"))).text
            assert "<script>alert" not in html
            assert "<img" not in html
            assert "'onfocus='" not in html

    def test_is_no_formula_in_a_file(self, attacked: TestClient) -> None:
        text = attacked.get("/api/v1/entities?format=csv").text
        assert "'=Evil" in text

    def test_is_no_formula_in_the_file_of_a_campaign(self, pages: SeededApi, attacked: TestClient) -> None:
        evil = Candidacy(1860, date(1860, 11, 6), "evil", "@party", winner=False)
        entity = Entity("evil", "=Evil", EntityKind.PERSON, (Alias("Evilman"),))
        with pages.context.database.write() as tx:
            entities.save_watchlist(tx, Watchlist("bad", "Bad", (entity,), (evil,)), NOW)
        rows = list(csv.DictReader(io.StringIO(attacked.get("/elections/1860.csv").text)))
        assert {(r["candidate"], r["party"]) for r in rows if "Evil" in r["candidate"]} == {
            ("'=Evil", "'@party")
        }
