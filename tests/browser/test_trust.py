"""What administrators and sceptics do, in a real browser: models, labels, dead letters, keys, long work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from kiosque.bus.inline import InlineBus
from kiosque.core.article import Article
from kiosque.core.entity import Alias, Entity, EntityKind
from kiosque.core.message import encode_article
from kiosque.modelstore.aliases import CHAMPION
from kiosque.pipeline.consume import Consumer
from kiosque.pipeline.intake import Intake
from kiosque.pipeline.replay import replay
from kiosque.pipeline.worker import Workers
from kiosque.pipeline.works import Task
from kiosque.store import dead_letters, entities, sources
from kiosque.testing.seeded import ARTICLE_ID, NOW, PASSWORDS, SeededPredictor, working_hooks
from kiosque.web.session import session_caller

from .conftest import Site, serving
from .looks import too_wide, violations

ATTACK = "<img src=x onerror=\"document.title='hit'\"><script>document.title='hit'</script>"
LOST = Article(
    key="lost:1",
    source="demo",
    headline="Lincoln Writes a Letter",
    published_at=NOW - timedelta(hours=1),
    language="en",
)
PATIENCE = 240_000
"""Milliseconds: a busy machine is no bug."""
PRIVATE = [
    "/account",
    "/users",
    "/keys",
    "/settings",
    "/jobs",
    "/operations",
    "/operations/dead-letters/1",
    "/models/polarity",
    "/models/polarity/promote?version=v2",
    "/models/polarity/rollback",
]


@pytest.fixture(scope="module")
def desk(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation whose dead letters go through a real bus to a real consumer."""
    bus, made = InlineBus(), []

    def again(letter: int) -> Any:
        return replay(letter, bus, made[0].context.database, lambda: NOW)

    def count(parameters: Any, report: Any, stop: Any) -> str:
        for done in range(600):
            report(done, 600, "")
            if stop.wait(0.1):
                break
        return "Counted."

    tasks = (Task("rescore", count, "write"),)
    hooks = replace(working_hooks(), session=session_caller, replay=again, lag=bus.lag, tasks=tasks)
    with serving(template, tmp_path_factory.mktemp("desk"), hooks=hooks) as site:
        made.append(site.made)
        context = site.made.context
        intake = Intake(context.database, SeededPredictor("v1"), clock=lambda: NOW, metrics=context.metrics)
        workers = Workers()
        consumer = Consumer(bus, intake, context.database, clock=lambda: NOW, metrics=context.metrics)
        workers.add("consumer", consumer.run)
        workers.start()
        yield site
        site.made.app.state.api.works.close()
        workers.stop()
        bus.close()


@pytest.fixture
def opened(browser: Any, desk: Site) -> Iterator[Callable[..., Any]]:
    """Logs somebody in and opens a page; no page may have complained on its console or run what it was given."""
    complaints: list[str] = []
    with ExitStack() as stack:

        def make(name: str, path: str, **more: Any) -> Any:
            context = browser.new_context(base_url=desk.address, **more)
            context.set_default_timeout(PATIENCE)
            stack.callback(context.close)
            page = context.new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on(
                "console",
                lambda message: complaints.append(message.text) if message.type == "error" else None,
            )
            page.goto(f"/login?next={path}")
            page.get_by_label("Name").fill(name)
            page.get_by_label("Password").fill(PASSWORDS[name])
            page.get_by_role("button", name="Log in").click()
            page.wait_for_url(f"**{path.partition('?')[0]}**")
            return page

        yield make
    assert complaints == []


def test_a_model_is_promoted_and_rolled_back(opened: Callable[..., Any], desk: Site) -> None:
    page = opened("admin", "/models/polarity")
    page.get_by_role("link", name="let it answer: v2").click()
    expect(page.locator("main")).to_contain_text("v1 and becomes v2")
    page.get_by_label("Why?").fill("Better on the frozen sets")
    page.get_by_role("button", name="Let v2 answer").click()
    page.get_by_role("status").wait_for()
    expect(page.locator("#history ~ table")).to_contain_text("Better on the frozen sets")
    assert desk.made.context.modelstore.aliases("polarity")[CHAMPION] == "v2"
    page.get_by_role("link", name="Go back to v1").click()
    page.get_by_label("Why?").fill("Worse on Sundays")
    page.get_by_role("button", name="Go back to v1").click()
    row = page.locator("#history ~ table tbody tr").first
    expect(row).to_contain_text("Worse on Sundays")
    expect(row).to_contain_text("admin")
    assert desk.made.context.modelstore.aliases("polarity")[CHAMPION] == "v1"


def test_a_label_is_corrected_and_seen_in_the_agreement(opened: Callable[..., Any]) -> None:
    page = opened("writer", f"/articles/{ARTICLE_ID}")
    page.get_by_label("polarity").select_option("negative")
    page.get_by_label("because").fill("The hall wept")
    page.get_by_role("button", name="Keep").click()
    page.get_by_role("status").wait_for()
    page.goto("/models/polarity")
    section = page.locator("section[aria-labelledby=agreement]")
    expect(section).to_contain_text("Of 2 labels that people have judged")
    expect(section).to_contain_text("writer says negative")
    expect(section).to_contain_text("The hall wept")
    section.get_by_role("link", name="Chicago Wigwam Shakes").click()
    expect(page.locator("#corrections")).to_be_visible()


def test_a_dead_letter_is_tried_again_and_comes_through(opened: Callable[..., Any], desk: Site) -> None:
    with desk.made.context.database.write() as tx:
        letter = dead_letters.add(
            tx,
            key=LOST.key,
            subject="demo",
            data=encode_article(LOST),
            reason="poison: mended since",
            attempts=5,
            at=NOW,
        )
    page = opened("admin", "/operations")
    page.get_by_role("link", name=str(letter), exact=True).click()
    expect(page.locator("pre")).to_contain_text("Lincoln Writes a Letter")
    page.get_by_role("button", name="Try it again").click()
    page.get_by_role("link", name="its article").click()
    expect(page.locator("h1")).to_have_text("Lincoln Writes a Letter")


def test_a_key_is_made_shown_once_and_revoked(opened: Callable[..., Any], desk: Site) -> None:
    page = opened("admin", "/keys")
    page.get_by_label("What is it for?").fill("a notebook")
    page.get_by_role("button", name="Make the key").click()
    secret = page.locator("#secret").inner_text()
    me = f"{desk.address}/api/v1/me"
    headers = {"Authorization": f"Bearer {secret}"}
    assert page.request.get(me, headers=headers).json()["name"] == "a notebook"
    page.goto("/keys")
    assert secret not in page.content()
    page.get_by_role("button", name="Revoke a notebook").click()
    page.get_by_role("status").wait_for()
    assert page.request.get(me, headers=headers).status == 401


def test_long_work_shows_how_far_it_is_and_is_stopped(opened: Callable[..., Any]) -> None:
    page = opened("writer", "/jobs")
    page.get_by_role("button", name="Read them").click()
    page.wait_for_url("**/jobs/*")
    # the page renews itself: nobody opens it again here
    page.wait_for_function("() => document.querySelector('progress')?.value > 0")
    page.get_by_role("button", name="Stop it").click()
    page.get_by_text("stopped by writer").wait_for()


def test_long_work_is_watched_without_script(opened: Callable[..., Any]) -> None:
    page = opened("writer", "/jobs", java_script_enabled=False)
    page.get_by_role("button", name="Read them").click()
    page.get_by_role("link", name="Look again").click()
    page.get_by_role("button", name="Stop it").click()
    expect(page.locator("#work")).to_contain_text("writer")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_and_nothing_sticks_out(
    opened: Callable[..., Any], axe: str, scheme: str, width: int
) -> None:
    page = opened("admin", "/account", color_scheme=scheme, viewport={"width": width, "height": 900})
    assert violations(page, axe, PRIVATE) == {}
    assert too_wide(page, PRIVATE) == []


def test_what_attackers_write_is_never_run(opened: Callable[..., Any], desk: Site) -> None:
    with desk.made.context.database.write() as tx:
        sources.save(tx, f"feed {ATTACK}", ATTACK, {})
        sources.record_failure(tx, f"feed {ATTACK}", ATTACK, at=NOW)
        entities.save(tx, Entity("evil", f"E {ATTACK}", EntityKind.PERSON, (Alias("Evilman"),)), NOW)
        letter = dead_letters.add(
            tx, key=ATTACK, subject=ATTACK, data=ATTACK.encode(), reason=ATTACK, attempts=1, at=NOW
        )
    store, folder = desk.made.context.modelstore, desk.made.folder / "attack"
    folder.mkdir()
    (folder / "card.md").write_text(f"# {ATTACK}\n\n{ATTACK}\n\n[x](javascript:document.title='hit')")
    fields = {"format": ATTACK, "metrics": {ATTACK: {"n": 1, "macro_f1": 1, "accuracy": 1.0}}}
    store.publish("polarity", folder, fields=fields, clock=lambda: NOW, version="v6")
    page = opened("admin", "/operations")
    for path in (
        "/operations",
        "/operations/dead-letters",
        f"/operations/dead-letters/{letter}",
        "/models",
        "/models/polarity",
        "/models/polarity/versions/v6",
        "/models/polarity/promote?version=v6",
        "/people",
        "/",
    ):
        page.goto(path)
        assert "hit" not in page.title(), path
        assert page.locator("main img").count() == 0, path
