"""From the text of articles to mentions and books: matching, then one call to each model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kiosque.core.article import Article
from kiosque.core.book import BookQuery, Shelf
from kiosque.core.clock import rfc3339
from kiosque.core.entity import Entity, Match, Span
from kiosque.core.errors import NoModel
from kiosque.core.polarity import Mention, ScoringRequest, Target, TargetScore
from kiosque.core.prediction import Predictor
from kiosque.pipeline.watch import Watched

POLARITY = "polarity"
"""The name of the polarity model in `Predictor.versions`."""


@dataclass(frozen=True, slots=True)
class Found:
    """Whom one article names, and how many names were ambiguous on its day."""

    matches: tuple[Match, ...]
    ambiguous: int = 0


@dataclass(frozen=True, slots=True)
class Scored:
    """Mentions of each article, in the order given, all by one version; no version means no model.

    Without a model `mentions` is empty for every article, and `found` says who would have been scored.
    """

    model_version: str | None
    found: tuple[Found, ...]
    mentions: tuple[tuple[Mention, ...], ...]


class Scorer:
    """Matches articles against the watch list and asks the predictor. Keeps nothing between calls."""

    def __init__(
        self, predictor: Predictor, *, books_per_article: int = 5, contemporary: bool = False
    ) -> None:
        self._predictor = predictor
        self._books_per_article = books_per_article
        self._contemporary = contemporary

    def version(self) -> str | None:
        """The polarity version that answers now; None without one.

        A predictor that loads its model when it is first needed knows no version before: it is
        asked for nothing, which makes it load.
        """
        version = self._predictor.versions().get(POLARITY)
        if version is not None:
            return version
        try:
            return self._predictor.polarity(()).model_version
        except NoModel:
            return None

    def score(self, articles: Sequence[Article], watched: Watched, *, version: str | None) -> Scored:
        """The mentions in `articles`. `version` is what `version()` said; None scores nothing.

        One call to the model, and none where nobody is named. Should the model be swapped
        meanwhile, all the answers are by the version that gave them.
        """
        found = tuple(find(article, watched) for article in articles)
        requests = [
            request_for(article, each.matches, watched.entities)
            for article, each in zip(articles, found, strict=True)
            if each.matches
        ]
        answers: Sequence[tuple[TargetScore, ...]] = ()
        if version is not None and requests:
            try:
                batch = self._predictor.polarity(requests)
            except NoModel:
                version = None
            else:
                version, answers = batch.model_version, batch.scores
        if version is None:
            return Scored(None, found, tuple(() for _ in found))
        remaining = iter(answers)
        mentions = tuple(mentions_of(next(remaining), version) if each.matches else () for each in found)
        return Scored(version, found, mentions)

    def shelves(self, articles: Sequence[Article]) -> tuple[Shelf, ...] | None:
        """Books for each article; None when no books model answers: they are found on demand then."""
        if not articles:
            return ()
        try:
            return tuple(self._predictor.books([self._query(article) for article in articles]))
        except NoModel:
            return None

    def _query(self, article: Article) -> BookQuery:
        day = rfc3339(article.published_at)[:10]
        return BookQuery(
            text=text_for_books(article),
            k=self._books_per_article,
            contemporary_on=day if self._contemporary else None,
        )


def find(article: Article, watched: Watched) -> Found:
    """Whom `article` names."""
    result = watched.matcher.match(article)
    return Found(result.matches, len(result.ambiguous))


def request_for(article: Article, matches: Sequence[Match], entities: Mapping[str, Entity]) -> ScoringRequest:
    """What is asked of the polarity model for the matches in `article`."""
    return ScoringRequest(
        headline=article.headline,
        abstract=article.abstract,
        targets=tuple(_target(match, entities[match.entity_id]) for match in matches),
        language=article.language,
    )


def _target(match: Match, entity: Entity) -> Target:
    return Target(id=entity.id, name=entity.name, spans=match.spans, kind=entity.kind)


def mentions_of(scores: Sequence[TargetScore], version: str) -> tuple[Mention, ...]:
    """What the model said of the targets of one article, as it is stored."""
    return tuple(
        Mention(
            entity_id=score.target_id,
            model_version=version,
            outcome=score.outcome,
            probabilities=score.probabilities,
            spans=score.spans,
        )
        for score in scores
    )


def spans_of(mention: Mention) -> frozenset[Span]:
    """Where a stored mention stands."""
    return frozenset(score.span for score in mention.spans)


def text_for_books(article: Article) -> str:
    """What books are looked for by: headline and abstract as one text."""
    return "\n".join(part for part in (article.headline, article.abstract) if part)
