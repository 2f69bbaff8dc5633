"""A small installation for tests of the API and of the pages: the campaign of 1860 in a handful of articles.

    with seeded_database(tmp_path) as database:
        context = seeded_context(database, tmp_path)

Names, articles and books are those with which the documentation's examples are written, so that a test can
replay them. Filling it takes a moment: fill one folder a session with `fill` and `copy_seeded` it for each test.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI
from starlette.testclient import TestClient

from kiosque.api.app import create_api
from kiosque.api.context import ApiContext, Hooks
from kiosque.api.keys import digest_of
from kiosque.api.passwords import Passwords
from kiosque.core.alert import AlertRule, Kind, Measure, Side, Window
from kiosque.core.article import Article
from kiosque.core.book import Book, ListPlacement
from kiosque.core.entity import Alias, Candidacy, Entity, EntityKind, Watchlist
from kiosque.core.errors import NotFound
from kiosque.core.polarity import Polarity, ScoringRequest, Target, WordContribution
from kiosque.modelstore.aliases import CHAMPION
from kiosque.modelstore.store import ModelStore
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.alert_sending import Postman
from kiosque.pipeline.intake import Intake
from kiosque.pipeline.produce import PollReport
from kiosque.pipeline.rescore import Rescorer
from kiosque.pipeline.webhook import Webhook
from kiosque.store import (
    alert_events,
    alert_outbox,
    alerts,
    books,
    dead_letters,
    entities,
    feedback,
    keys,
    models,
    saved_searches,
    sources,
    users,
)
from kiosque.store.alert_events import Fired
from kiosque.store.alert_outbox import Channel, DeliveryState, Dispatch
from kiosque.store.alerts import Outputs
from kiosque.store.articles import ArticleFilter, Sort
from kiosque.store.database import Database, sqlite_database
from kiosque.store.dead_letters import DeadLetter
from kiosque.store.feedback import BookVerdict
from kiosque.store.sources import PollCounts
from kiosque.store.tx import Tx
from kiosque.testing.pipeline import ManualClock, ScriptedPredictor

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
ARTICLE_KEY = "kiosque:demo:1860-0006"
ARTICLE_ID = "759312af1aca2a1e"
MAX_BODY_BYTES = 100_000
BOOK_KEY = "isbn:9780684824901"
PASSWORDS = {
    "reader": "the reader's pass phrase",
    "writer": "the writer's pass phrase",
    "admin": "the admin's pass phrase",
}
"""User → password; what each may do follows from the name."""
KEYS = {
    "read": "kq_00000001_" + "r" * 43,
    "write": "kq_00000002_" + "w" * 43,
    "admin": "kq_00000003_" + "a" * 43,
    "expired": "kq_00000004_" + "e" * 43,
    "revoked": "kq_00000005_" + "x" * 43,
}
"""API keys by scope, and two that are good for nothing."""


def _person(entity_id: str, name: str, surname: str) -> Entity:
    aliases = (Alias(name), Alias(surname, date(1846, 1, 1), date(1900, 12, 31)))
    return Entity(entity_id, name, EntityKind.PERSON, aliases)


ENTITIES = (
    replace(_person("abraham-lincoln", "Abraham Lincoln", "Lincoln"), excludes=("Lincoln Center",)),
    _person("stephen-a-douglas", "Stephen A. Douglas", "Douglas"),
    _person("john-c-breckinridge", "John C. Breckinridge", "Breckinridge"),
    _person("john-bell", "John Bell", "Bell"),
    Entity(
        "republican-party",
        "Republican Party",
        EntityKind.PARTY,
        (Alias("Republican Party"), Alias("Republicans")),
    ),
)
_VOTE = date(1860, 11, 6)
WATCHLIST = Watchlist(
    "campaign-of-1860",
    "The campaign of 1860",
    ENTITIES,
    (
        Candidacy(
            1860,
            _VOTE,
            "abraham-lincoln",
            "Republican",
            winner=True,
            popular_vote=1_865_908,
            popular_share=39.8,
            electoral_votes=180,
        ),
        Candidacy(
            1860,
            _VOTE,
            "john-c-breckinridge",
            "Southern Democratic",
            winner=False,
            popular_vote=848_019,
            popular_share=18.1,
            electoral_votes=72,
        ),
        Candidacy(
            1860,
            _VOTE,
            "john-bell",
            "Constitutional Union",
            winner=False,
            popular_vote=590_901,
            popular_share=12.6,
            electoral_votes=39,
        ),
        Candidacy(
            1860,
            _VOTE,
            "stephen-a-douglas",
            "Democratic",
            winner=False,
            popular_vote=1_380_202,
            popular_share=29.5,
            electoral_votes=12,
        ),
    ),
)
BOOKS = (
    Book(
        BOOK_KEY,
        "Team of Rivals",
        "Doris Kearns Goodwin",
        2005,
        isbn13="9780684824901",
        publisher="Simon & Schuster",
        subjects=("Abraham Lincoln", "cabinet", "election of 1860"),
        language="en",
        fiction=False,
        description="Lincoln and the men whom he beat in 1860 and then appointed.",
    ),
    Book(
        "work:year of meteors/egerton",
        "Year of Meteors",
        "Douglas R. Egerton",
        2010,
        subjects=("election of 1860", "Stephen Douglas"),
        language="en",
        fiction=False,
        description="How the Democrats broke apart and the Republicans won.",
    ),
    Book(
        "work:uncle tom's cabin/stowe",
        "Uncle Tom's Cabin",
        "Harriet Beecher Stowe",
        1852,
        subjects=("slavery", "novels"),
        language="en",
        fiction=True,
        description="The novel that the whole country read.",
    ),
)


def _article(number: int, day: str, headline: str, abstract: str = "", **more: Any) -> Article:
    return Article(
        key=f"kiosque:demo:1860-{number:04d}",
        source="demo",
        headline=headline,
        abstract=abstract,
        published_at=datetime.fromisoformat(f"{day}T00:00:00+00:00"),
        **{"section": "Politics", "language": "en", **more},
    )


ARTICLES = (
    _article(
        1, "1860-02-27", "Mr. Lincoln at the Cooper Institute", "The Illinoisan on the Fathers and slavery."
    ),
    _article(5, "1860-05-10", "Two Old Fence Rails Raise a Shout; Illinois Is for Lincoln"),
    _article(
        6,
        "1860-05-18",
        "Chicago Wigwam Shakes: Lincoln on the Third Ballot, Seward Overthrown",
        "Abraham Lincoln passed the Senator from New York when four Ohio votes were changed.",
        section="U.S.",
        byline=("From Our Own Correspondent",),
        keywords=("Lincoln, Abraham", "Presidential Election of 1860"),
        extra=(("print_page", "1"),),
    ),
    _article(9, "1860-06-23", "Douglas Named at Baltimore as the South Walks Out Again"),
    _article(
        10,
        "1860-08-25",
        "Douglas Answers Plainly at Norfolk: No Right to Secede if Lincoln Be Elected",
        "Breckinridge men in the crowd were silent.",
    ),
    _article(
        13, "1860-10-10", "=Pennsylvania+Indiana: Republicans Carry Both", "A cell that looks like a formula."
    ),
    _article(
        15, "1860-11-07", "Lincoln Elected; Bell and Breckinridge Divide the South, Douglas Keeps Missouri"
    ),
    _article(16, "1860-11-20", "Cotton Falls at Liverpool", section="Business"),
)


class SeededPredictor(ScriptedPredictor):
    """Answers alike for alike, with the seeded books; explains by the length of words."""

    def __init__(self, version: str | None = "v1") -> None:
        super().__init__(version, shelf=BOOKS)

    def explain(self, request: ScoringRequest, target: Target) -> tuple[WordContribution, ...]:
        from kiosque.core.article import Field

        words: list[WordContribution] = []
        for part in Field:
            text, at = request.text_of(part), 0
            for word in text.split():
                start = text.index(word, at)
                at = start + len(word)
                words.append(WordContribution(part, start, at, word, len(word) / 100))
        return tuple(words)


def fill(folder: Path) -> None:
    """Make the database `kiosque.sqlite` and the model store `models` in `folder`."""
    database = sqlite_database(folder / "kiosque.sqlite")
    database.migrate()
    seed(database)
    database.close()
    publish_models(folder / "models")


def copy_seeded(template: Path, folder: Path) -> None:
    """Copy what `fill` made."""
    shutil.copytree(template, folder, dirs_exist_ok=True)


@contextmanager
def seeded_database(folder: Path) -> Iterator[Database]:
    """The database in a folder that was filled."""
    database = sqlite_database(folder / "kiosque.sqlite")
    try:
        yield database
    finally:
        database.close()


def seeded_context(database: Database, folder: Path, /, **changes: Any) -> ApiContext:
    """What `install_api` needs, with `changes` to it. There is no rate limit, and passwords are quick to check."""
    context = ApiContext(
        database=database,
        predictor=SeededPredictor(),
        modelstore=ModelStore(folder / "models"),
        metrics=Metrics(),
        secret_key="the secret key of a test",
        clock=ManualClock(NOW),
        rate_limit="",
        passwords=Passwords.quick(),
        hooks=working_hooks(),
        postman=patient_postman(),
    )
    return replace(context, **changes)


@dataclass(frozen=True, slots=True)
class SeededApi:
    """The API over a seeded database; `app.state.api` has the rest."""

    app: FastAPI
    context: ApiContext
    folder: Path

    def client(self, key: str | None = None, **headers: str) -> TestClient:
        """A client that sends one of `KEYS` (by its name), or none."""
        given = {"Authorization": f"Bearer {KEYS[key]}"} if key else {}
        return TestClient(self.app, headers={**given, **headers}, raise_server_exceptions=False)


@contextmanager
def seeded_api(
    template: Path, folder: Path, *, max_body_bytes: int = MAX_BODY_BYTES, **changes: Any
) -> Iterator[SeededApi]:
    """The API over a copy, in `folder`, of what `fill` made in `template`."""
    copy_seeded(template, folder)
    with seeded_database(folder) as database:
        context = seeded_context(database, folder, **changes)
        yield SeededApi(create_api(context, max_body_bytes=max_body_bytes), context, folder)


def bare_api(*, open_reading: bool = False) -> FastAPI:
    """The API with nothing behind it: good for its OpenAPI document."""
    nothing: Any = None
    context = ApiContext(
        database=nothing,
        predictor=nothing,
        modelstore=nothing,
        metrics=Metrics(),
        secret_key="none",
        open_reading=open_reading,
    )
    return create_api(context)


@cache
def api_document() -> dict[str, Any]:
    """The OpenAPI document of the API. Not to be changed: it is made once."""
    return bare_api().openapi()


def working_hooks() -> Hooks:
    """Hooks that do as little as can be answered with."""

    def poll(source: str) -> PollReport:
        if source != "demo":
            raise NotFound(f"There is no source {source!r}.")
        return PollReport(source, pages=1, read=3, new=2, skipped={"no_headline": 1})

    def replay(letter: int) -> DeadLetter:
        if letter != 1:
            raise NotFound(f"There is no dead letter {letter}.")
        return DeadLetter(letter, "kiosque:demo:1860-0099", "demo", b"{}", "poison", 5, NOW, NOW)

    return Hooks(poll=poll, replay=replay)


def patient_postman() -> Postman:
    """Sends webhooks to someone who takes them all, and no mail."""
    network = httpx2.MockTransport(lambda _: httpx2.Response(204))
    return Postman(
        Webhook(network, user_agent="kiosque"),
        None,
        secret_key="the secret key of a test",
        clock=ManualClock(NOW),
        new_id=lambda: uuid.uuid4().hex,
    )


def seed(database: Database) -> None:
    """Put everything into an empty, migrated database."""
    with database.write() as tx:
        entities.save_watchlist(tx, WATCHLIST, NOW)
        books.save(tx, BOOKS, NOW)
        books.save_placements(tx, [ListPlacement(BOOK_KEY, "hardcover-nonfiction", "2005-11-13", 1, 1)])
        models.set_current(tx, models.POLARITY, "v0", NOW)
        models.set_current(tx, models.BOOKS, "b1", NOW)
        _add_accounts(tx)
        _add_sources(tx)
    predictor, clock = SeededPredictor("v0"), ManualClock(NOW - timedelta(days=1))
    Intake(database, predictor, clock=clock, metrics=Metrics()).take(ARTICLES)
    sighting = replace(ARTICLES[2], source="archive", url="https://news.example/1860/wigwam")
    Intake(database, predictor, clock=clock, metrics=Metrics()).take([sighting])
    predictor.version = "v1"
    Rescorer(database, predictor, clock=ManualClock(NOW)).run()
    with database.write() as tx:
        _add_feedback(tx)
        _add_searches(tx)
        _add_alerts(tx)


def publish_models(root: Path) -> None:
    """Three versions of the polarity model, of which v1 answers after v0 did, and one of the books model."""
    store, clock = ModelStore(root), ManualClock(NOW - timedelta(days=9))
    for name, version, score in (
        ("polarity", "v0", 0.70),
        ("polarity", "v1", 0.74),
        ("polarity", "v2", 0.76),
        ("books", "b1", 0.55),
    ):
        folder = root.parent / f"{name}-{version}"
        folder.mkdir()
        (folder / "card.md").write_text(f"# {name} {version}\n\nMade for tests.\n")
        (folder / "model.json").write_text(f'{{"version": "{version}"}}\n')
        fields = {"format": "test", "metrics": {"score": score}}
        store.publish(name, folder, fields=fields, clock=clock, version=version)
        shutil.rmtree(folder)
        clock.move(86_400)
    for name, version, why in (
        ("polarity", "v0", "The first."),
        ("polarity", "v1", "Better."),
        ("books", "b1", "The first."),
    ):
        store.move_alias(name, CHAMPION, version, who="trainer", why=why, clock=clock)


def _add_accounts(tx: Tx) -> None:
    passwords = Passwords.quick()
    for name, scope in (("reader", "read"), ("writer", "write"), ("admin", "admin")):
        hashed = passwords.hash(PASSWORDS[name])
        users.add(tx, name, password_hash=hashed, scopes=(scope,), at=NOW)
    for name, text in KEYS.items():
        scope = name if name in ("read", "write") else "admin"
        key = keys.add(
            tx,
            name=f"{name} key",
            prefix=text[:11],
            digest=digest_of(text),
            scopes=(scope,),
            at=NOW - timedelta(days=2),
            expires_at=NOW - timedelta(days=1) if name == "expired" else None,
        )
        if name == "revoked":
            keys.revoke(tx, key.id, NOW)


def _add_sources(tx: Tx) -> None:
    sources.save(tx, "demo", "file", {"label": "Demo news"}, enabled=True)
    sources.save(
        tx, "archive", "nyt_archive", {"label": "Archive", "api_key": "never to be shown"}, enabled=False
    )
    sources.record_success(tx, "demo", PollCounts(read=9, new=8, skipped=1), at=NOW)
    dead_letters.add(
        tx,
        key="kiosque:demo:1860-0099",
        subject="demo",
        data=b'{"schema": "something else"}\xff',
        reason="not_ours: Expected schema 'kiosque.article/1'.",
        attempts=1,
        at=NOW,
    )


def _add_feedback(tx: Tx) -> None:
    feedback.correct(
        tx,
        article_id=ARTICLES[0].id,
        entity_id="abraham-lincoln",
        polarity=Polarity.POSITIVE,
        by="writer key",
        at=NOW,
        note="The hall cheered.",
    )
    feedback.thumb(
        tx, book_key=BOOK_KEY, verdict=BookVerdict.USEFUL, by="writer key", at=NOW, article_id=ARTICLE_ID
    )


def _add_searches(tx: Tx) -> None:
    where = ArticleFilter(entities=("abraham-lincoln",), query="Lincoln")
    saved_searches.add(
        tx,
        name="Lincoln's year",
        where=where,
        sort=Sort.NEWEST,
        by="writer key",
        at=NOW,
        feed_nonce="search nonce",
    )


def _add_alerts(tx: Tx) -> None:
    """One that fired for the week of the convention, and of which nobody could be told."""
    alert = alerts.add(
        tx,
        name="Lincoln, suddenly",
        rule=AlertRule("abraham-lincoln", Measure.VOLUME, Kind.SPIKE, Side.ABOVE, 4.0, Window.WEEK, 1),
        outputs=Outputs("https://hooks.example/kiosque?key=never-shown"),
        by="writer key",
        at=NOW,
        secret_nonce="secret nonce",
        feed_nonce="alert nonce",
    )
    fired = Fired(date(1860, 5, 14), date(1860, 5, 20), 1.0, 1, 0.0, 4.2)
    pk = alert_events.record(tx, alert.id, fired, event_id="e" * 32, at=NOW)
    assert pk is not None
    dispatch = Dispatch(Channel.WEBHOOK, str(alert.id), "e" * 32, NOW, alert.id)
    alert_outbox.enqueue(tx, pk, dispatch, delivery_id="d" * 32)
    alert_outbox.settle(tx, "d" * 32, DeliveryState.DEAD, at=NOW, reason="hooks.example answered 410.")
