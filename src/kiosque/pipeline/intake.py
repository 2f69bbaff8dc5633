"""The way of an article into the store: match, score, find books, store all of it in one transaction.

Whoever brings articles (the consumer, an import, a backfill, the seed) hands them to `Intake.take`.
Taking an article again changes nothing: it is told by its key from those that are there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from kiosque.core.article import Article
from kiosque.core.book import Shelf
from kiosque.core.clock import Clock
from kiosque.core.errors import StoreUnavailable
from kiosque.core.polarity import Mention
from kiosque.core.prediction import Predictor
from kiosque.ops.metrics import Metrics
from kiosque.pipeline import decide
from kiosque.pipeline.decide import Known, Standing
from kiosque.pipeline.scoring import Found, Scored, Scorer
from kiosque.pipeline.watch import Watch, Watched
from kiosque.store import articles as article_rows
from kiosque.store import mentions as mention_rows
from kiosque.store import models, recommendations
from kiosque.store.articles import SavedArticle
from kiosque.store.columns import storable
from kiosque.store.database import Database
from kiosque.store.mentions import ScoredArticle
from kiosque.store.tx import Tx

REPLANS = 5
"""How often a batch is planned anew because another process changed one of its articles meanwhile."""

_DAY_SECONDS = 86_400.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one article. `scored` is False where there was nothing to do, or no model to do it."""

    article: Article
    standing: Standing
    scored: bool = False
    mentions: tuple[Mention, ...] = ()
    """What was stored now; empty for one that needed no scoring."""
    ambiguous: int = 0


@dataclass(frozen=True, slots=True)
class Stored:
    """Told to listeners after the commit, for articles that are new or whose text changed."""

    article: Article
    standing: Standing
    mentions: tuple[Mention, ...]
    model_version: str | None
    stored_at: datetime


Listener = Callable[[Stored], None]
ScoredBy = Callable[[str | None], None]
"""Told after the commit which polarity version has scored the articles; None when there was no model."""
AlsoStore = Callable[[Tx, Sequence[Taken]], None]
"""What else belongs into the transaction of a batch, e.g. how far an import is."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to do with the articles of one batch, each key once."""

    articles: tuple[Article, ...]
    standings: tuple[Standing, ...]
    to_score: tuple[Article, ...]
    """Those that need mentions, with the text that the store will hold."""
    watched: Watched
    version: str | None


@dataclass(frozen=True, slots=True)
class _Work:
    """What the models said of the plan's articles to score, in their order; shelves by key."""

    scored: Scored
    shelves: Mapping[str, Shelf]


class _Stale(Exception):
    """The store changed between planning and storing."""


class Intake:
    """Safe to share between threads. `listener` is called in the thread that took the article."""

    def __init__(
        self,
        database: Database,
        predictor: Predictor,
        *,
        clock: Clock,
        metrics: Metrics,
        books_per_article: int = 5,
        contemporary: bool = False,
        watch: Watch | None = None,
        listener: Listener | None = None,
        scored_by: ScoredBy | None = None,
    ) -> None:
        self._database = database
        self._books_per_article = books_per_article
        self._scorer = Scorer(predictor, books_per_article=books_per_article, contemporary=contemporary)
        self._clock = clock
        self._metrics = metrics
        self._watch = watch or Watch()
        self._listener = listener
        self._scored_by = scored_by

    def take(self, articles: Sequence[Article], *, also: AlsoStore | None = None) -> tuple[Taken, ...]:
        """Store `articles` with their mentions and books; returns what became of each, in the order given.

        One transaction for all of them. Only a key that comes again with another text is taken in a
        further one; `also` runs in the last, with what became of the articles of that transaction
        and of those before it. Raises what the store and the predictor raise: then nothing of
        the last transaction is stored, and taking the same articles again is safe.
        """
        articles = [_storable(article) for article in articles]
        taken: dict[int, Taken] = {}
        groups = decide.waves(articles) or [[]]
        repeats = set(range(len(articles))).difference(*groups)
        taken.update({i: Taken(articles[i], Standing.DUPLICATE) for i in repeats})
        for group in groups:
            finish = _finish(also, taken) if group is groups[-1] else None
            done = self._take_group(tuple(articles[i] for i in group), finish)
            taken.update(zip(group, done, strict=True))
        self._count(taken.values())
        return tuple(taken[i] for i in range(len(articles)))

    def _take_group(self, articles: tuple[Article, ...], also: AlsoStore | None) -> tuple[Taken, ...]:
        for _ in range(REPLANS):
            plan = self._plan(articles)
            work = self._work(plan)
            try:
                taken, stored_at = self._store(plan, work, also)
            except _Stale:
                continue
            if self._scored_by is not None and plan.to_score:
                self._scored_by(work.scored.model_version)
            self._tell(taken, work.scored.model_version, stored_at)
            return taken
        raise StoreUnavailable(
            "Another process keeps changing the same articles.", hint="It is tried again.", retry_after=1.0
        )

    def _plan(self, articles: tuple[Article, ...]) -> _Plan:
        version = self._scorer.version()
        with self._database.read() as tx:
            watched = self._watch.current(tx)
            generation = watched.generation
            pks, known = _known(tx, articles, version)
            standings = tuple(decide.standing(article, known.get(article.key)) for article in articles)
            pending = [
                article
                for article in articles
                if decide.must_score(article, known.get(article.key), version=version, generation=generation)
            ]
            texts = _texts_to_be(tx, pending, known, pks)
        return _Plan(articles, standings, texts, watched, version)

    def _work(self, plan: _Plan) -> _Work:
        scored = self._scorer.score(plan.to_score, plan.watched, version=plan.version)
        named = [
            article
            for article, found in zip(plan.to_score, scored.found, strict=True)
            if decide.must_recommend(mentions=len(found.matches), books_per_article=self._books_per_article)
        ]
        shelves = self._scorer.shelves(named) or ()
        return _Work(scored, {article.key: shelf for article, shelf in zip(named, shelves, strict=False)})

    def _store(self, plan: _Plan, work: _Work, also: AlsoStore | None) -> tuple[tuple[Taken, ...], datetime]:
        now = self._clock()
        with self._database.write() as tx:
            saved = {s.key: s for s in article_rows.save(tx, plan.articles, now)}
            _check_still_true(tx, plan, saved)
            self._store_scores(tx, plan, work, saved, now)
            self._store_shelves(tx, {saved[key].pk: shelf for key, shelf in work.shelves.items()}, now)
            taken = _taken(plan, work, saved)
            if also is not None:
                also(tx, taken)
        return taken, now

    def _store_scores(
        self, tx: Tx, plan: _Plan, work: _Work, saved: Mapping[str, SavedArticle], now: datetime
    ) -> None:
        version = work.scored.model_version
        if version is None or not plan.to_score:
            return
        if models.current(tx, models.POLARITY) is None:
            models.set_current(tx, models.POLARITY, version, now)
        rows = [
            ScoredArticle(saved[article.key].pk, mentions, found.ambiguous)
            for article, found, mentions in zip(
                plan.to_score, work.scored.found, work.scored.mentions, strict=True
            )
        ]
        mention_rows.save(tx, rows, model_version=version, generation=plan.watched.generation, scored_at=now)

    def _store_shelves(self, tx: Tx, shelves: Mapping[int, Shelf], now: datetime) -> None:
        """Readers see the books version that answered last: what it has not answered is asked on demand."""
        if not shelves:
            return
        version = next(iter(shelves.values())).model_version
        if models.current(tx, models.BOOKS) != version:
            models.set_current(tx, models.BOOKS, version, now)
        recommendations.replace(tx, shelves, now)

    def _tell(self, taken: Sequence[Taken], version: str | None, stored_at: datetime) -> None:
        """Let the listener know what is new. What it raises must not undo what is committed."""
        if self._listener is None:
            return
        for each in taken:
            if each.standing in (Standing.NEW, Standing.UPDATED):
                try:
                    self._listener(Stored(each.article, each.standing, each.mentions, version, stored_at))
                except Exception as error:  # noqa: BLE001 - a listener is a stranger's code
                    _log.warning("intake.listener_failed", key=each.article.key, exc_info=error)

    def _count(self, taken: Iterable[Taken]) -> None:
        now = self._clock()
        for each in taken:
            self._metrics.consumed.labels(each.standing.value).inc()
            if each.standing is Standing.NEW:
                self._observe_age((now - each.article.published_at).total_seconds())
            self._metrics.ambiguous.inc(each.ambiguous)
            for mention in each.mentions:
                polarity = mention.polarity.value if mention.polarity else mention.outcome.value
                self._metrics.mentions.labels(mention.model_version, polarity).inc()

    def _observe_age(self, seconds: float) -> None:
        if 0 <= seconds <= _DAY_SECONDS:
            self._metrics.article_age.observe(seconds)


def _storable(article: Article) -> Article:
    """`article` with the text that the store will hold, so that spans are offsets into that."""
    headline, abstract = storable(article.headline), storable(article.abstract)
    if headline is article.headline and abstract is article.abstract:
        return article
    return replace(article, headline=headline, abstract=abstract)


def _finish(also: AlsoStore | None, before: Mapping[int, Taken]) -> AlsoStore | None:
    """`also` told of the articles taken `before`, too."""
    if also is None:
        return None
    earlier = tuple(before.values())
    return lambda tx, taken: also(tx, (*earlier, *taken))


def _known(
    tx: Tx, articles: Sequence[Article], version: str | None
) -> tuple[dict[str, int], dict[str, Known]]:
    """The pk and what else is known of those that lie in the store, by key."""
    rows = article_rows.known(tx, [article.key for article in articles])
    scorings = (
        mention_rows.scorings(tx, [row.pk for row in rows.values()], model_version=version)
        if version is not None and rows
        else {}
    )
    known = {
        key: Known(
            row.source,
            row.headline,
            row.abstract,
            scored_by=version if row.pk in scorings else None,
            generation=scorings[row.pk].generation if row.pk in scorings else None,
            told_at=row.told_at,
        )
        for key, row in rows.items()
    }
    return {key: row.pk for key, row in rows.items()}, known


def _texts_to_be(
    tx: Tx, pending: Sequence[Article], known: Mapping[str, Known], pks: Mapping[str, int]
) -> tuple[Article, ...]:
    """The articles as they will lie in the store: with its date and, where a rule says so, its text."""
    stored = article_rows.of_pks(tx, [pks[article.key] for article in pending if article.key in pks])
    return tuple(
        article
        if article.key not in pks
        else _text_to_be(article, stored[pks[article.key]].article, known[article.key])
        for article in pending
    )


def _text_to_be(article: Article, stored: Article, known: Known) -> Article:
    headline, abstract = decide.text_after(article, known)
    return replace(stored, headline=headline, abstract=abstract)


def _check_still_true(tx: Tx, plan: _Plan, saved: Mapping[str, SavedArticle]) -> None:
    """Raises _Stale when the store holds another text than the one that was scored."""
    planned = {article.key: article for article in plan.to_score}
    doubtful = [s for s in saved.values() if not s.new and (s.changed or s.key in planned)]
    if not doubtful:
        return
    rows = article_rows.of_pks(tx, [s.pk for s in doubtful], lock=True)
    for each in doubtful:
        text = planned.get(each.key)
        lies = rows[each.pk].article
        if text is None or (text.headline, text.abstract) != (lies.headline, lies.abstract):
            raise _Stale


def _taken(plan: _Plan, work: _Work, saved: Mapping[str, SavedArticle]) -> tuple[Taken, ...]:
    scored = work.scored
    results = {
        article.key: (found, mentions)
        for article, found, mentions in zip(plan.to_score, scored.found, scored.mentions, strict=True)
    }
    return tuple(
        _taken_one(article, standing, saved[article.key], results.get(article.key), scored.model_version)
        for article, standing in zip(plan.articles, plan.standings, strict=True)
    )


def _taken_one(
    article: Article,
    standing: Standing,
    saved: SavedArticle,
    result: tuple[Found, tuple[Mention, ...]] | None,
    version: str | None,
) -> Taken:
    if standing is Standing.NEW and not saved.new:
        standing = Standing.DUPLICATE  # another consumer was faster, with the same text
    if result is None:
        return Taken(article, standing)
    found, mentions = result
    return Taken(article, standing, version is not None, mentions, found.ambiguous)
