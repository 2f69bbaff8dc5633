"""Bringing in many articles at once, from a file or an archive: page by page, resumable, counted exactly.

How far an import is lies in the store as a job, written in the very transaction that stores the
articles. Broken off anywhere, it goes on behind the last article that was stored; rejected
documents go to a file, one JSON object a line.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import structlog

from kiosque.bus.protocol import Bus
from kiosque.core.article import Article
from kiosque.core.clock import Clock
from kiosque.core.errors import InvalidInput, TryAgain
from kiosque.pipeline import decide
from kiosque.pipeline.decide import Backoff, Standing
from kiosque.pipeline.intake import Intake, Taken
from kiosque.pipeline.librarian import Librarian
from kiosque.pipeline.produce import message_of
from kiosque.pipeline.worker import Stop
from kiosque.sources.protocol import Cursor, Page, Skipped, Source
from kiosque.store import articles as article_rows
from kiosque.store import jobs
from kiosque.store.database import Database
from kiosque.store.tx import Tx

CHUNK = 1000
"""Articles a transaction. Larger ones store no faster and make other writers wait longer."""
OUTAGE_TRIES = 5
_BACKOFF = Backoff(first=0.5, cap=8.0)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Summary:
    """What an import did so far: `read` = `new` + `updated` + `duplicates` + `rejected` documents.

    `mentions` were stored with the articles; `books` were read from book files. `complete` is
    False for one that was stopped: running it again goes on.
    """

    read: int = 0
    new: int = 0
    updated: int = 0
    duplicates: int = 0
    rejected: int = 0
    mentions: int = 0
    books: int = 0
    complete: bool = False

    def counters(self) -> dict[str, int]:
        return {name: value for name, value in asdict(self).items() if name != "complete"}

    def plus(self, other: Summary) -> Summary:
        """The sum; what `other` says of completeness counts."""
        return Summary(
            read=self.read + other.read,
            new=self.new + other.new,
            updated=self.updated + other.updated,
            duplicates=self.duplicates + other.duplicates,
            rejected=self.rejected + other.rejected,
            mentions=self.mentions + other.mentions,
            books=self.books + other.books,
            complete=other.complete,
        )


Progress = Callable[[Summary, float | None], None]
"""Told after each transaction: what was done so far, and the share of the whole where it is known."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An article that could not be stored, and why."""

    article: Article
    error: Exception


@dataclass(frozen=True, slots=True)
class Put:
    """What a sink did with some articles."""

    summary: Summary
    failed: tuple[Failed, ...] = ()


Finish = Callable[[Tx, Put], None]


class Sink(Protocol):
    """Where the articles go."""

    def put(self, articles: Sequence[Article], finish: Finish) -> Put:
        """Make `articles` safe; `finish` runs in the last transaction with what was done."""
        ...


class StoreSink:
    """Takes the articles here and now: the fast way, with every number known at the end."""

    def __init__(self, intake: Intake, database: Database) -> None:
        self._intake = intake
        self._database = database

    def put(self, articles: Sequence[Article], finish: Finish) -> Put:
        try:
            taken = self._intake.take(articles, also=lambda tx, done: finish(tx, Put(_summary_of(done))))
        except Exception as error:
            if decide.is_outage(error):
                raise
            return self._put_apart(articles, error, finish)
        return Put(_summary_of(taken))

    def _put_apart(self, articles: Sequence[Article], error: Exception, finish: Finish) -> Put:
        """One of them cannot be stored: the others are, and `finish` comes last, by itself.

        Where none of them can, the fault is the program's: then nothing is rejected, and `error` ends the import.
        """
        failed: list[Failed] = []
        taken = tuple(self._halves(articles, error, failed))
        if decide.is_systemic(len(failed), len(articles)):
            raise error
        summary = replace(_summary_of(taken), read=len(articles), rejected=len(failed))
        put = Put(summary, tuple(failed))
        with self._database.write() as tx:
            finish(tx, put)
        return put

    def _halves(self, articles: Sequence[Article], error: Exception, failed: list[Failed]) -> Iterator[Taken]:
        halves = decide.split(articles, error)
        if halves is None:
            failed.append(Failed(articles[0], error))
            return
        for half in halves:
            try:
                yield from self._intake.take(half)
            except Exception as second:
                if decide.is_outage(second):
                    raise
                yield from self._halves(half, second, failed)


class BusSink:
    """Publishes the articles: consumers elsewhere do the work. Mentions are not known, so not counted."""

    def __init__(self, bus: Bus, database: Database) -> None:
        self._bus = bus
        self._database = database

    def put(self, articles: Sequence[Article], finish: Finish) -> Put:
        with self._database.read() as tx:
            known = article_rows.known(tx, [article.key for article in articles])
        self._bus.publish([message_of(article) for article in articles])
        new = len({article.key for article in articles} - set(known))
        put = Put(Summary(read=len(articles), new=new, duplicates=len(articles) - new))
        with self._database.write() as tx:
            finish(tx, put)
        return put


@dataclass(slots=True)
class _Run:
    """Where one import stands."""

    job_id: str
    cursor: Any
    """Where a poll begins again."""
    pages: int
    """Pages wholly done since then: a source whose steps are large gives several the same cursor."""
    within: int
    """Articles done of the page after these."""
    rejects: _Rejects
    summary: Summary = field(default_factory=Summary)


class Importer:
    """Reads a source to its end into a sink."""

    def __init__(self, sink: Sink, database: Database, *, clock: Clock, chunk: int = CHUNK) -> None:
        self._sink = sink
        self._database = database
        self._clock = clock
        self._chunk = chunk
        self._librarian = Librarian()

    def run(
        self,
        source: Source,
        *,
        job_id: str,
        kind: str = "import",
        start: Cursor | None = None,
        rejects: Path | None = None,
        progress: Progress | None = None,
        stop: Stop | None = None,
    ) -> Summary:
        """Read `source` from where the job `job_id` was left, or from `start` if it was finished or is new.

        `job_id` names what is read, e.g. a digest of the file: the same again goes on. Raises what
        the source, the store and the predictor raise; everything before that is kept.
        """
        stop = stop or Stop()
        with self._database.write() as tx:
            job = _begin(tx, job_id, kind, self._clock)
        with _open_rejects(rejects, int(job.position.get("rejects", 0))) as reject_file:
            run = _Run(
                job_id,
                job.position.get("cursor", start),
                int(job.position.get("pages", 0)),
                int(job.position.get("within", 0)),
                reject_file,
                _summary_from(job),
            )
            for page in islice(source.poll(run.cursor), run.pages, None):
                self._take_page(run, page, progress, stop)
                if stop.requested():
                    return run.summary
        with self._database.write() as tx:
            jobs.finish(tx, job_id, self._clock())
        _log.info("import.finished", job=job_id, **run.summary.counters())
        return replace(run.summary, complete=True)

    def _take_page(self, run: _Run, page: Page, progress: Progress | None, stop: Stop) -> None:
        todo = page.articles[run.within :]
        chunks = [todo[i : i + self._chunk] for i in range(0, len(todo), self._chunk)] or [()]
        for number, chunk in enumerate(chunks):
            last = number == len(chunks) - 1
            self._put(run, chunk, page if last else None, stop)
            if progress is not None:
                progress(run.summary, page.progress)
            if stop.requested() and not last:
                return

    def _put(self, run: _Run, chunk: Sequence[Article], page: Page | None, stop: Stop) -> None:
        """Put one chunk; with the page's last chunk (`page` given) also what else the page holds."""
        extra = _extra(page)
        cursor, pages, within = _position_after(run, chunk, page)

        def finish(tx: Tx, put: Put) -> None:
            if page is not None:
                self._save_books(tx, page)
            size = run.rejects.append(page.skipped if page is not None else (), put.failed)
            position = {"cursor": cursor, "pages": pages, "within": within, "rejects": size}
            total = run.summary.plus(put.summary).plus(extra)
            jobs.advance(tx, run.job_id, position, total.counters(), self._clock())

        put = self._insist(lambda: self._sink.put(chunk, finish), stop)
        run.rejects.keep()
        run.cursor, run.pages, run.within = cursor, pages, within
        run.summary = run.summary.plus(put.summary).plus(extra)

    def _save_books(self, tx: Tx, page: Page) -> None:
        if page.books or page.placements:
            self._librarian.file(tx, page.books, page.placements, self._clock())

    def _insist(self, put: Callable[[], Put], stop: Stop) -> Put:
        """A short outage (a lock, a server that restarts) must not break off an hour's import."""
        for attempt in range(1, OUTAGE_TRIES):
            try:
                return put()
            except TryAgain as error:
                delay = decide.retry_delay(error, attempt, _BACKOFF)
                _log.warning("import.outage", error=decide.describe(error), retry_in=delay)
                if stop.wait(delay):
                    raise
        return put()


def file_job_id(path: Path, source: str) -> str:
    """The job of importing the file as it is now: a file that was changed is another job. Raises InvalidInput."""
    try:
        status = path.stat()
    except OSError as error:
        raise InvalidInput(f"Cannot read {path}: {error.strerror}.") from error
    identity = f"{path.resolve()}\n{status.st_size}\n{status.st_mtime_ns}\n{source}"
    return (
        f"import:{hashlib.blake2b(identity.encode('utf-8', 'surrogateescape'), digest_size=12).hexdigest()}"
    )


def _position_after(run: _Run, chunk: Sequence[Article], page: Page | None) -> tuple[Any, int, int]:
    """Cursor, pages and articles done, once `chunk` is; `page` is given with its last chunk."""
    if page is None:
        return run.cursor, run.pages, run.within + len(chunk)
    cursor = dict(page.cursor)
    return cursor, run.pages + 1 if cursor == run.cursor else 0, 0


def _begin(tx: Tx, job_id: str, kind: str, clock: Clock) -> jobs.Job:
    job = jobs.start(tx, job_id, kind, clock())
    if job.finished_at is None:
        return job
    jobs.restart(tx, job_id, clock())
    return jobs.Job(job_id, kind)


def _summary_from(job: jobs.Job) -> Summary:
    counters = job.counters
    return Summary(
        read=counters.get("read", 0),
        new=counters.get("new", 0),
        updated=counters.get("updated", 0),
        duplicates=counters.get("duplicates", 0),
        rejected=counters.get("rejected", 0),
        mentions=counters.get("mentions", 0),
        books=counters.get("books", 0),
    )


def _extra(page: Page | None) -> Summary:
    """What a page counts beside its articles."""
    if page is None:
        return Summary()
    rejected = len(page.skipped)
    return Summary(
        read=rejected + page.repeats, duplicates=page.repeats, rejected=rejected, books=len(page.books)
    )


def _summary_of(taken: Sequence[Taken]) -> Summary:
    new = sum(each.standing is Standing.NEW for each in taken)
    updated = sum(each.standing is Standing.UPDATED for each in taken)
    return Summary(
        read=len(taken),
        new=new,
        updated=updated,
        duplicates=len(taken) - new - updated,
        mentions=sum(len(each.mentions) for each in taken),
    )


class _Rejects:
    """The file of rejected documents; None keeps none. Each line says where, why and what."""

    def __init__(self, file: BinaryIO | None) -> None:
        self._file = file
        self._kept = 0 if file is None else file.seek(0, os.SEEK_END)

    def append(self, skipped: Sequence[Skipped], failed: Sequence[Failed]) -> int:
        """Write lines and make them safe; returns the size of the file in bytes.

        Called again before `keep`, it writes over what it wrote: a transaction is tried again.
        """
        if self._file is None:
            return 0
        self._file.truncate(self._kept)
        self._file.seek(self._kept)
        if skipped or failed:
            for line in (*map(_skipped_line, skipped), *map(_failed_line, failed)):
                self._file.write(json.dumps(line, ensure_ascii=True).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        return self._file.tell()

    def keep(self) -> None:
        """What was appended belongs to the file now."""
        if self._file is not None:
            self._kept = self._file.tell()


def _skipped_line(each: Skipped) -> dict[str, str]:
    return {"where": each.where, "reason": each.reason.value, "detail": each.detail, "excerpt": each.excerpt}


def _failed_line(each: Failed) -> dict[str, str]:
    detail = decide.describe(each.error)
    return {
        "where": each.article.key,
        "reason": "failed",
        "detail": detail,
        "excerpt": each.article.headline[:200],
    }


@contextmanager
def _open_rejects(path: Path | None, size: int) -> Iterator[_Rejects]:
    """The file at `path`, cut to what was in it when the job was last saved."""
    if path is None:
        yield _Rejects(None)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("r+b" if path.exists() else "w+b") as file:
        file.truncate(size)
        yield _Rejects(file)
