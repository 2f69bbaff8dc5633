"""What a new installation starts with: watch lists, books and the demo news, each loaded once.

What was loaded is remembered, so that a list, book or article that somebody deleted afterwards stays
deleted. The demo takes the way of all articles: matched, scored and given books like any other. The
labels that its file carries are for evaluation and are not stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from kiosque.core.clock import Clock, rfc3339
from kiosque.entities.watchlists import read_folder
from kiosque.pipeline.imports import Importer, StoreSink, Summary
from kiosque.pipeline.intake import Intake
from kiosque.pipeline.worker import Stop
from kiosque.sources.catalogue import BookFile
from kiosque.sources.files import ArticleFile
from kiosque.sources.protocol import Source
from kiosque.store import entities, meta
from kiosque.store.database import Database

SOURCE = "demo"
"""The source of the demo's articles."""
KIND = "seed"

_log = structlog.get_logger(__name__)

Progress = Callable[[str, float], None]
"""Told what is being loaded (watch lists, books, news) and the share that is done."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """What this run loaded; nothing where everything was loaded before."""

    entities: int = 0
    books: int = 0
    articles: int = 0
    mentions: int = 0

    @property
    def anything(self) -> bool:
        return self != Seeded()


class Seeder:
    """Loads the folder `data`: `watchlists/*`, `demo/books*`, `demo/articles*`."""

    def __init__(self, data: Path, database: Database, intake: Intake, *, clock: Clock) -> None:
        self._data = data
        self._database = database
        self._importer = Importer(StoreSink(intake, database), database, clock=clock)
        self._clock = clock

    def run(
        self,
        *,
        progress: Progress | None = None,
        stop: Stop | None = None,
        after_books: Callable[[], object] = lambda: None,
        news: bool = True,
    ) -> Seeded:
        """Load what was not loaded before. The models must be in place, or the news is scored later.

        `after_books` runs when the catalogue is there and the news is not: the place to index it.
        Without `news` it ends there.

        Broken off anywhere, the next run goes on. Safe to call at every start.
        """
        stop = stop or Stop()
        tell = progress or (lambda *_: None)
        loaded = Seeded(entities=self._load_watchlists(tell))
        for path in self._files("demo/books*"):
            books = self._load(path, BookFile(path, source=SOURCE), "books", tell, stop)
            loaded = replace(loaded, books=loaded.books + books.books)
        after_books()
        for path in self._files("demo/articles*") if news else ():
            told = self._load(path, ArticleFile(path, source=SOURCE), "news", tell, stop)
            loaded = replace(
                loaded, articles=loaded.articles + told.new, mentions=loaded.mentions + told.mentions
            )
        if loaded.anything:
            _log.info("seed.finished", entities=loaded.entities, books=loaded.books, articles=loaded.articles)
        return loaded

    def _files(self, pattern: str) -> Sequence[Path]:
        return sorted(self._data.glob(pattern))

    def _load_watchlists(self, tell: Progress) -> int:
        folder = self._data / "watchlists"
        if not folder.is_dir():
            return 0
        lists = read_folder(folder)
        loaded = 0
        with self._database.write() as tx:
            for watchlist in lists:
                mark = f"seed.watchlist:{watchlist.id}"
                if meta.get(tx, mark) is None:
                    change = entities.save_watchlist(tx, watchlist, self._clock())
                    loaded += change.added + change.updated
                    meta.put(tx, mark, rfc3339(self._clock()))
        tell("watch lists", 1.0)
        return loaded

    def _load(self, path: Path, source: Source, what: str, tell: Progress, stop: Stop) -> Summary:
        mark = f"seed.file:{path.name}"
        if self._was_loaded(mark) or stop.requested():
            return Summary()
        summary = self._importer.run(
            source,
            job_id=f"{KIND}:{path.name}",
            kind=KIND,
            progress=lambda _, share: tell(what, share or 0.0),
            stop=stop,
        )
        if summary.complete:
            with self._database.write() as tx:
                meta.put(tx, mark, rfc3339(self._clock()))
        return summary

    def _was_loaded(self, mark: str) -> bool:
        with self._database.read() as tx:
            return meta.get(tx, mark) is not None
