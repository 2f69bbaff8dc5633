"""Many articles at once: counted exactly, resumed where they were broken off."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kiosque.bus.protocol import Message
from kiosque.core.article import Article
from kiosque.core.book import Book
from kiosque.core.errors import PredictUnavailable, StoreUnavailable
from kiosque.core.message import decode_article
from kiosque.pipeline import imports
from kiosque.pipeline.imports import BusSink, Importer, StoreSink, Summary, file_job_id
from kiosque.pipeline.intake import Intake
from kiosque.pipeline.worker import Stop
from kiosque.sources.files import ArticleFile
from kiosque.sources.protocol import Page, Reason, Skipped
from kiosque.store import articles, books, jobs, mentions
from kiosque.store.database import Database
from kiosque.testing.pipeline import ManualClock, PagedSource, RecordedBus, ScriptedPredictor, pages_of

MakeArticle = Callable[..., Article]


@pytest.fixture
def importer(intake: Intake, database: Database, clock: ManualClock) -> Importer:
    return Importer(StoreSink(intake, database), database, clock=clock, chunk=2)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "_BACKOFF", imports.Backoff(first=0.001, cap=0.001))


def page(*found: Article, skipped: Sequence[Skipped] = (), **other: Any) -> Page:
    return Page(cursor={}, articles=found, skipped=tuple(skipped), **other)


def stored(database: Database) -> list[str]:
    with database.read() as tx:
        return sorted(row.article.key for row in articles.iterate(tx))


def test_every_document_is_counted_once(importer: Importer, database: Database, article: MakeArticle) -> None:
    skipped = [Skipped("line 7", Reason.NO_DATE)]
    source = PagedSource(
        pages_of(
            [
                page(
                    article("a"),
                    article("b", "Rain"),
                    article("c", "Lane Meets Reed"),
                    skipped=skipped,
                    repeats=2,
                ),
                page(article("a"), article("d", "Rain"), article("a", "Lane Loses")),
            ]
        )
    )
    summary = importer.run(source, job_id="j")
    assert summary == Summary(
        read=9, new=4, updated=1, duplicates=3, rejected=1, mentions=4, books=0, complete=True
    )
    assert stored(database) == ["a", "b", "c", "d"]


def test_a_second_import_adds_nothing(importer: Importer, database: Database, article: MakeArticle) -> None:
    source = PagedSource(pages_of([page(article("a"), article("b"))]))
    first = importer.run(source, job_id="j")
    again = importer.run(source, job_id="j")
    assert (first.new, again.new, again.duplicates, again.mentions) == (2, 0, 2, 0)
    with database.read() as tx:
        assert mentions.count(tx) == 2


def test_progress_is_told_after_each_transaction(importer: Importer, article: MakeArticle) -> None:
    source = PagedSource(pages_of([page(*(article(f"k{n}") for n in range(5))), page(article("z"))]))
    told: list[tuple[int, float | None]] = []
    importer.run(source, job_id="j", progress=lambda done, share: told.append((done.read, share)))
    assert told == [(2, 0.5), (4, 0.5), (5, 0.5), (6, 1.0)]


@pytest.mark.parametrize("stop_after", range(1, 7))
def test_stopped_anywhere_it_goes_on_without_counting_twice(
    importer: Importer, database: Database, article: MakeArticle, tmp_path: Path, stop_after: int
) -> None:
    skipped = [Skipped("line 3", Reason.NO_TEXT, "empty", "{}")]
    source = PagedSource(
        pages_of(
            [
                page(*(article(f"a{n}") for n in range(5)), skipped=skipped),
                page(article("b0"), article("b1"), article("b2")),
                page(article("c0"), article("a0"), skipped=skipped),
            ]
        )
    )
    stop, told = Stop(), iter(range(1, 100))

    def count(*_: object) -> None:
        if next(told) == stop_after:
            stop.request()

    rejects = tmp_path / "rejects.jsonl"
    broken_off = importer.run(source, job_id="j", rejects=rejects, progress=count, stop=stop)
    assert not broken_off.complete
    whole = importer.run(source, job_id="j", rejects=rejects)
    assert whole == Summary(read=12, new=9, duplicates=1, rejected=2, mentions=9, complete=True)
    assert len(rejects.read_text().splitlines()) == 2


def test_a_source_that_repeats_its_pages_under_one_cursor_is_resumed_behind_them(
    importer: Importer, article: MakeArticle
) -> None:
    """As a month of an archive: one request, several pages, and the cursor moves at the end."""
    pages = [page(article("a")), page(article("b")), page(article("c"))]

    class Monthly(PagedSource):
        def poll(self, cursor: Any) -> Any:
            self.polls.append(cursor)
            for number, each in enumerate(pages, 1):
                yield Page(cursor={"next": "m2" if number == 3 else "m1"}, articles=each.articles)

    stop = Stop()
    source = Monthly([])
    importer.run(source, job_id="j", start={"next": "m1"}, progress=lambda *_: stop.request(), stop=stop)
    summary = importer.run(source, job_id="j", start={"next": "m1"})
    assert source.polls == [{"next": "m1"}, {"next": "m1"}]
    assert (summary.read, summary.new, summary.duplicates) == (3, 3, 0)


def test_rejects_say_where_why_and_what(importer: Importer, article: MakeArticle, tmp_path: Path) -> None:
    rejects = tmp_path / "deep" / "rejects.jsonl"
    skipped = [Skipped("line 2", Reason.NO_DATE, "no date that can be read", '{"headline": "Ünder"}')]
    importer.run(PagedSource(pages_of([page(article(), skipped=skipped)])), job_id="j", rejects=rejects)
    assert [json.loads(line) for line in rejects.read_text().splitlines()] == [
        {
            "where": "line 2",
            "reason": "no_date",
            "detail": "no date that can be read",
            "excerpt": '{"headline": "Ünder"}',
        }
    ]


def test_an_article_that_cannot_be_stored_is_rejected_and_the_others_are_stored(
    importer: Importer,
    database: Database,
    predictor: ScriptedPredictor,
    article: MakeArticle,
    tmp_path: Path,
) -> None:
    predictor.poison = "Cursed"
    importer = Importer(importer._sink, database, clock=ManualClock(), chunk=100)
    source = PagedSource(
        pages_of([page(*(article(f"k{n}", "Cursed Lane" if n == 3 else "Lane Wins") for n in range(6)))])
    )
    rejects = tmp_path / "rejects.jsonl"
    summary = importer.run(source, job_id="j", rejects=rejects)
    assert (summary.read, summary.new, summary.rejected, summary.duplicates) == (6, 5, 1, 0)
    assert stored(database) == ["k0", "k1", "k2", "k4", "k5"]
    (line,) = rejects.read_text().splitlines()
    assert json.loads(line)["where"] == "k3"
    assert "cannot score" in json.loads(line)["detail"]


def test_where_no_article_can_be_stored_the_import_ends_and_rejects_none(
    importer: Importer,
    database: Database,
    predictor: ScriptedPredictor,
    article: MakeArticle,
    tmp_path: Path,
) -> None:
    """As after an upgrade with a mistake in it: a file must not be read to its end into the reject file."""
    predictor.poison = "Lane"
    importer = Importer(importer._sink, database, clock=ManualClock())
    source = PagedSource(pages_of([page(*(article(f"k{n}") for n in range(8)))]))
    rejects = tmp_path / "rejects.jsonl"
    with pytest.raises(ValueError, match="cannot score"):
        importer.run(source, job_id="j", rejects=rejects)
    assert rejects.read_text() == ""
    predictor.poison = None
    assert importer.run(source, job_id="j", rejects=rejects).new == 8


def test_a_short_outage_is_waited_out(
    importer: Importer, database: Database, article: MakeArticle, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = iter([True, True, False, False, False, False])
    write = database.write

    @contextmanager
    def sometimes() -> Any:
        if next(locked):
            raise StoreUnavailable("locked")
        with write() as tx:
            yield tx

    def begin_to_fail(*_: object) -> None:
        monkeypatch.setattr(database, "write", sometimes)

    source = PagedSource(pages_of([page(article("a")), page(article("b"))]))
    summary = importer.run(source, job_id="j", progress=begin_to_fail)
    assert summary.new == 2


def test_a_long_outage_breaks_it_off_and_what_was_done_stays(
    importer: Importer, database: Database, predictor: ScriptedPredictor, article: MakeArticle
) -> None:
    def go_down(*_: object) -> None:
        predictor.down = True

    source = PagedSource(pages_of([page(article("a")), page(article("b"))]))
    with pytest.raises(PredictUnavailable):
        importer.run(source, job_id="j", progress=go_down)
    assert stored(database) == ["a"]
    predictor.down = False
    summary = importer.run(source, job_id="j")
    assert (summary.read, summary.new, summary.duplicates) == (2, 2, 0)


def test_books_in_the_pages_go_to_the_catalogue(importer: Importer, database: Database) -> None:
    book = Book(key="work:lives/a", title="Lives", author="A. Author")
    summary = importer.run(PagedSource(pages_of([page(books=(book,))])), job_id="j")
    assert (summary.books, summary.read) == (1, 0)
    with database.read() as tx:
        assert books.count(tx) == 1


def test_the_job_tells_how_far_it_is(importer: Importer, database: Database, article: MakeArticle) -> None:
    importer.run(PagedSource(pages_of([page(article())])), job_id="j", kind="import")
    with database.read() as tx:
        job = jobs.find(tx, "j")
    assert job is not None
    assert job.kind == "import"
    assert job.counters["new"] == 1
    assert job.finished_at is not None


def test_through_the_bus_articles_are_published_and_counted_as_far_as_known(
    database: Database, clock: ManualClock, article: MakeArticle
) -> None:
    with database.write() as tx:
        articles.save(tx, [article("a")], clock())
    bus = RecordedBus()
    importer = Importer(BusSink(bus, database), database, clock=clock)
    summary = importer.run(PagedSource(pages_of([page(article("a"), article("b"))])), job_id="j")
    assert [decode_article(message.data).key for message in bus.published] == ["a", "b"]
    assert (summary.new, summary.duplicates, summary.mentions) == (1, 1, 0)


def test_what_the_bus_does_not_take_is_not_behind_us(
    database: Database, clock: ManualClock, article: MakeArticle
) -> None:
    bus = RecordedBus()

    def refuse(messages: Sequence[Message]) -> None:
        raise RuntimeError("broken")

    bus.on_publish = refuse
    importer = Importer(BusSink(bus, database), database, clock=clock)
    source = PagedSource(pages_of([page(article("a"))]))
    with pytest.raises(RuntimeError):
        importer.run(source, job_id="j")
    bus.on_publish = None
    assert importer.run(source, job_id="j").new == 1


def test_a_file_is_read_to_its_end_with_its_rejects(
    importer: Importer, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "news.jsonl"
    lines = [
        {"headline": "Lane Wins", "date": "2024-11-06", "url": "https://example.org/1"},
        {"headline": "", "date": "2024-11-06"},
        {"headline": "Reed Loses", "date": "2024-11-06", "url": "https://example.org/2"},
    ]
    file.write_text("\n".join(json.dumps(line) for line in lines) + "\nnot json\n")
    rejects = tmp_path / "rejects.jsonl"
    summary = importer.run(ArticleFile(file), job_id=file_job_id(file, "import"), rejects=rejects)
    assert (summary.read, summary.new, summary.rejected, summary.mentions) == (4, 2, 2, 2)
    assert [json.loads(line)["reason"] for line in rejects.read_text().splitlines()] == [
        "no_text",
        "not_json",
    ]


def test_a_changed_file_is_another_job(tmp_path: Path) -> None:
    file = tmp_path / "news.jsonl"
    file.write_text("{}")
    before = file_job_id(file, "import")
    assert file_job_id(file, "import") == before
    assert file_job_id(file, "other") != before
    file.write_text("{}{}")
    assert file_job_id(file, "import") != before
