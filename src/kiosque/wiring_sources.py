"""From what the store knows of a source to the object that is polled: the one place that knows every kind."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from datetime import date
from functools import cached_property
from typing import Any

from pydantic import SecretStr

from kiosque.core.clock import Clock
from kiosque.core.errors import InvalidInput, PreconditionFailed
from kiosque.settings import Settings
from kiosque.sources.feeds import FeedSource
from kiosque.sources.http import HttpClient, Limits
from kiosque.sources.keys import QueryKey
from kiosque.sources.nyt import HOST, KEY_PARAMETER, NytApi
from kiosque.sources.nyt_archive import Month, NytArchive
from kiosque.sources.nyt_books import NytBooks
from kiosque.sources.nyt_search import NytSearch
from kiosque.sources.nyt_wire import NytWire
from kiosque.sources.politeness import until_stopped
from kiosque.sources.protocol import Source, SourceKind
from kiosque.sources.quota import Quota
from kiosque.store.sources import SourceState

QUOTA_FILE = "quota.sqlite"


class Sources:
    """Makes sources; they share one HTTP client and one NYT quota."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._stop = threading.Event()

    def close(self) -> None:
        """Wake whoever waits for a quota or a server."""
        self._stop.set()

    @cached_property
    def client(self) -> HttpClient:
        settings = self._settings
        key = settings.nyt_api_key or SecretStr("")
        return HttpClient(
            user_agent=settings.user_agent,
            clock=self._clock,
            wait=until_stopped(self._stop),
            jitter=random.random,
            limits=Limits(timeout=settings.fetch_timeout, max_bytes=settings.fetch_max_bytes),
            keys={HOST: QueryKey(KEY_PARAMETER, key)},
            allow_private_hosts=settings.allow_private_hosts,
            proxy=settings.proxy,
        )

    @cached_property
    def quota(self) -> Quota:
        """What is left of the NYT's allowance; needs no key to be asked."""
        return Quota(
            self._settings.data_dir / QUOTA_FILE,
            clock=self._clock,
            wait=until_stopped(self._stop),
            per_minute=self._settings.nyt_per_minute,
            per_day=self._settings.nyt_per_day,
        )

    @cached_property
    def nyt(self) -> NytApi:
        """Raises PreconditionFailed without a key."""
        if not self._settings.nyt_api_key:
            raise PreconditionFailed(
                "The New York Times sources need an API key.",
                hint="Get one at developer.nytimes.com and set KIOSQUE_NYT_API_KEY or KIOSQUE_NYT_API_KEY_FILE.",
            )
        return NytApi(self.client, self.quota)

    def make(self, state: SourceState) -> Source:
        """The source that `state` describes. Raises InvalidInput when its configuration is not one of its kind."""
        try:
            maker = self._makers[SourceKind(state.kind)]
            return maker(state.id, state.config)
        except (KeyError, ValueError, TypeError) as error:
            raise InvalidInput(
                f"The source {state.id!r} of kind {state.kind!r} is not configured rightly: {error}",
                hint="Delete it and add it again: kiosque source add --help.",
            ) from error

    def make_archive(self, first: Month, last: Month) -> NytArchive:
        """The archive's months from `first` to `last`, for a backfill. Planning one needs no key."""
        api = self.nyt if self._settings.nyt_api_key else NytApi(self.client, self.quota)
        return NytArchive(api, clock=self._clock, first=first, last=last)

    @property
    def _makers(self) -> Mapping[SourceKind, Callable[[str, Mapping[str, Any]], Source]]:
        return {
            SourceKind.FEED: self._feed,
            SourceKind.NYT_WIRE: self._wire,
            SourceKind.NYT_SEARCH: self._search,
            SourceKind.NYT_ARCHIVE: self._archive,
            SourceKind.NYT_BOOKS: self._books,
        }

    def _feed(self, source_id: str, config: Mapping[str, Any]) -> Source:
        interval = self._interval(config, self._settings.poll_seconds)
        return FeedSource(config["url"], self.client, clock=self._clock, id=source_id, interval=interval)

    def _wire(self, source_id: str, config: Mapping[str, Any]) -> Source:
        interval = self._interval(config, self._settings.poll_seconds)
        return NytWire(self.nyt, id=source_id, section=config.get("section", "all"), interval=interval)

    def _search(self, source_id: str, config: Mapping[str, Any]) -> Source:
        return NytSearch(
            self.nyt,
            id=source_id,
            query=config.get("query", ""),
            filter_query=config.get("filter", ""),
            since=date.fromisoformat(config["since"]),
            interval=self._interval(config, 3600),
        )

    def _archive(self, source_id: str, config: Mapping[str, Any]) -> Source:
        return NytArchive(
            self.nyt,
            id=source_id,
            clock=self._clock,
            first=Month.parse(config["first"]),
            last=Month.parse(config["last"]) if config.get("last") else None,
        )

    def _books(self, source_id: str, config: Mapping[str, Any]) -> Source:
        return NytBooks(
            self.nyt, id=source_id, since=config.get("since"), interval=self._interval(config, 86400)
        )

    @staticmethod
    def _interval(config: Mapping[str, Any], default: float) -> float:
        return float(config.get("interval", default))
