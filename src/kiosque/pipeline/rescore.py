"""History under a new model or a new watch list: score what the version that answers has not scored.

It walks through the articles in chunks, each in one transaction, and goes on where it was broken off
without keeping a job: what is done can be told from the scores themselves. Readers go on seeing the
old version until nothing is missing from the new one.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

import structlog

from kiosque.core.article import Article
from kiosque.core.clock import Clock, parse_rfc3339, rfc3339
from kiosque.core.errors import NoModel
from kiosque.core.polarity import Mention
from kiosque.core.prediction import Predictor
from kiosque.pipeline import decide
from kiosque.pipeline.scoring import Found, Scorer, find, spans_of
from kiosque.pipeline.watch import Watch, Watched
from kiosque.pipeline.worker import Stop
from kiosque.store import articles as article_rows
from kiosque.store import mentions as mention_rows
from kiosque.store import meta, models
from kiosque.store.articles import StoredArticle
from kiosque.store.database import Database
from kiosque.store.mentions import ScoredArticle, StoredMention
from kiosque.store.tx import Tx

CHUNK = 200
"""Articles a transaction: enough for the model's batches, short enough for other writers and for the lease."""
LEASE = timedelta(seconds=30)
"""How long one process may rescore without a word, one for each chunk, before another takes over."""
RECHECK = timedelta(minutes=15)
"""How long it is believed that nothing is missing while the same version answers."""
_LEASE_NAME = "rescore.lease"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rescored:
    """What was done. `left` articles still lack scores by `model_version`; `current`: readers see it now."""

    model_version: str
    articles: int
    mentions: int
    left: int
    current: bool
    failed: int = 0
    """Articles that could not be scored by themselves; the log names them. They do not hold up the others."""


Progress = Callable[[int, int], None]
"""Told after each chunk: articles looked at, and how many there are to look at."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Articles to score, with the mentions that they have at this version already."""

    rows: tuple[StoredArticle, ...]
    existing: Mapping[int, tuple[StoredMention, ...]]
    watched: Watched

    @property
    def last(self) -> int:
        return self.rows[-1].pk


@dataclass(frozen=True, slots=True)
class _Done:
    articles: int = 0
    mentions: int = 0
    failed: int = 0

    def plus(self, other: _Done) -> _Done:
        return _Done(
            self.articles + other.articles, self.mentions + other.mentions, self.failed + other.failed
        )


class Rescorer:
    """Scores with the model that answers now. Safe to run beside consumers and beside itself."""

    def __init__(
        self,
        database: Database,
        predictor: Predictor,
        *,
        clock: Clock,
        watch: Watch | None = None,
        chunk: int = CHUNK,
    ) -> None:
        self._database = database
        self._scorer = Scorer(predictor)
        self._clock = clock
        self._watch = watch or Watch()
        self._chunk = chunk
        self._holder = uuid.uuid4().hex
        self._settled: tuple[str, datetime] | None = None

    def note(self, version: str | None) -> None:
        """Articles were stored with scores by `version` (None: with none): they may lack those of another one."""
        settled = self._settled
        if settled is not None and settled[0] != version:
            self._settled = None

    def pending(self) -> int:
        """How many articles the version that answers now has not scored; 0 without a model."""
        version = self._scorer.version()
        if version is None:
            return 0
        with self._database.read() as tx:
            return mention_rows.count_missing(tx, version)

    def run(
        self, *, since: date | None = None, progress: Progress | None = None, stop: Stop | None = None
    ) -> Rescored:
        """Score what is missing; with `since` only articles published on that day or later.

        Raises NoModel without a model, and what the predictor raises: what was done stays done.
        """
        return self._run(since=since, rematch=False, progress=progress, stop=stop or Stop())

    def rematch(self, *, progress: Progress | None = None, stop: Stop | None = None) -> Rescored:
        """As `run`, and match anew what was matched against an older watch list.

        A mention that stands where it stood keeps its score; only new ones are scored.
        """
        return self._run(since=None, rematch=True, progress=progress, stop=stop or Stop())

    def keep_up(self, stop: Stop, *, every: float = 10.0) -> None:
        """A loop for `Workers`: when another version begins to answer, score history with it.

        Of several processes one does it at a time.
        """
        while not stop.wait(every):
            version = self._scorer.version()
            if version is None:
                self._settled = None
            elif not self._is_settled(version) and self._lease():
                self._run(since=None, rematch=False, progress=lambda *_: self._renew(), stop=stop)
                self._settled = (version, self._clock())

    def _is_settled(self, version: str) -> bool:
        if self._settled is None:
            return False
        by, since = self._settled
        # Less than nothing: the clock has been set back.
        return by == version and timedelta() <= self._clock() - since < RECHECK

    # ---- the walk

    def _run(self, *, since: date | None, rematch: bool, progress: Progress | None, stop: Stop) -> Rescored:
        version = self._scorer.version()
        if version is None:
            raise NoModel(
                "There is no polarity model to score with.",
                hint="See `kiosque model list`, then train or import one.",
            )
        done = _Done()
        looked_at = after = 0
        total = self._count(version, rematch=rematch)
        while not stop.requested():
            chunk = self._next(version, after, rematch=rematch)
            if chunk is None:
                break
            after = chunk.last
            rows = [row for row in chunk.rows if since is None or row.article.published_at.date() >= since]
            errors: list[Exception] = []
            done = done.plus(self._take(rows, chunk, version, errors))
            if decide.is_systemic(len(errors), len(rows)):
                raise errors[-1]  # not one of them: the fault is not theirs
            looked_at += len(chunk.rows)
            if progress is not None:
                progress(looked_at, max(total, looked_at))
        left, current = self._conclude(version, done.failed)
        result = Rescored(version, done.articles, done.mentions, left, current, done.failed)
        _log.info("rescore.finished", **asdict(result))
        return result

    def _count(self, version: str, *, rematch: bool) -> int:
        with self._database.read() as tx:
            generation = self._watch.current(tx).generation if rematch else None
            return mention_rows.count_missing(tx, version, generation=generation)

    def _next(self, version: str, after: int, *, rematch: bool) -> _Chunk | None:
        with self._database.read() as tx:
            watched = self._watch.current(tx)
            generation = watched.generation if rematch else None
            rows = mention_rows.missing(tx, version, generation=generation, after=after, limit=self._chunk)
            if not rows:
                return None
            existing = (
                mention_rows.of_articles(tx, [row.pk for row in rows], model_version=version)
                if rematch
                else {}
            )
        return _Chunk(rows, existing, watched)

    def _take(
        self, rows: Sequence[StoredArticle], chunk: _Chunk, version: str, errors: list[Exception]
    ) -> _Done:
        """Score `rows` of the chunk, in halves where one of them cannot be scored; `errors` gets why not."""
        try:
            return self._take_together(rows, chunk, version)
        except Exception as error:
            if decide.is_outage(error):
                raise
            halves = decide.split(rows, error)
            if halves is None:
                key, what = rows[0].article.key, decide.describe(error)
                _log.warning("rescore.failed", key=key, error=what, exc_info=error)
                errors.append(error)
                return _Done(failed=1)
            first, second = (self._take(half, chunk, version, errors) for half in halves)
            return first.plus(second)

    def _take_together(self, rows: Sequence[StoredArticle], chunk: _Chunk, version: str) -> _Done:
        kept: dict[int, tuple[tuple[Mention, ...], int]] = {}
        for row in rows:
            found = find(row.article, chunk.watched)
            mentions = unchanged(found, chunk.existing.get(row.pk, ()))
            if mentions is not None:
                kept[row.pk] = (mentions, found.ambiguous)
        anew = [row for row in rows if row.pk not in kept]
        scored = self._scorer.score([row.article for row in anew], chunk.watched, version=version)
        if scored.model_version is None:
            raise NoModel("The polarity model went away while rescoring.", hint="Run it again: it goes on.")
        fresh = {
            row.pk: (mentions, found.ambiguous)
            for row, found, mentions in zip(anew, scored.found, scored.mentions, strict=True)
        }
        texts = {row.pk: row.article for row in rows}
        with self._database.write() as tx:
            stored = self._save(tx, texts, fresh, scored.model_version, chunk.watched.generation)
            stored += self._save(tx, texts, kept, version, chunk.watched.generation)
        return _Done(len(rows), stored)

    def _save(
        self,
        tx: Tx,
        texts: Mapping[int, Article],
        results: Mapping[int, tuple[tuple[Mention, ...], int]],
        version: str,
        generation: int,
    ) -> int:
        """Store what was found, except for articles whose text changed meanwhile: whoever changed it scored it."""
        if not results:
            return 0
        lying = article_rows.of_pks(tx, results, lock=True)
        rows = [
            ScoredArticle(pk, mentions, ambiguous)
            for pk, (mentions, ambiguous) in results.items()
            if pk in lying and _same_text(lying[pk].article, texts[pk])
        ]
        return mention_rows.save(
            tx, rows, model_version=version, generation=generation, scored_at=self._clock()
        )

    def _conclude(self, version: str, failed: int) -> tuple[int, bool]:
        """Show readers this version if it has scored all it can; how many are left, and whether they see it."""
        with self._database.write() as tx:
            left = mention_rows.count_missing(tx, version)
            current = models.current(tx, models.POLARITY)
            if current != version and (left <= failed or current is None):
                models.set_current(tx, models.POLARITY, version, self._clock())
                _log.info("rescore.current", version=version, before=current)
                current = version
        return left, current == version

    # ---- one process at a time

    def _lease(self) -> bool:
        """Whether this process may rescore in the background now. At worst two do: the same work twice."""
        now = self._clock()
        with self._database.write() as tx:
            holder, _, until = (meta.get(tx, _LEASE_NAME) or "").partition(" ")
            # A lease that ends later than any that is given now is of a clock that has been set back.
            if holder not in ("", self._holder) and now < parse_rfc3339(until) <= now + LEASE:
                return False
            meta.put(tx, _LEASE_NAME, f"{self._holder} {rfc3339(now + LEASE)}")
        return True

    def _renew(self) -> None:
        with self._database.write() as tx:
            meta.put(tx, _LEASE_NAME, f"{self._holder} {rfc3339(self._clock() + LEASE)}")


def unchanged(found: Found, existing: Sequence[StoredMention]) -> tuple[Mention, ...] | None:
    """The existing mentions if the same entities stand in the same places, else None.

    An article without any is unchanged only if nobody is found in it now.
    """
    before = {each.entity_id: spans_of(each.mention) for each in existing}
    now = {match.entity_id: frozenset(match.spans) for match in found.matches}
    return tuple(each.mention for each in existing) if before == now else None


def _same_text(one: Article, other: Article) -> bool:
    return (one.headline, one.abstract) == (other.headline, other.abstract)
