"""The words behind a score, asked of the model once and kept for a while: it takes time to leave out every word."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

import structlog
from fastapi import Request

from kiosque.api.context import Api
from kiosque.core.entity import Entity
from kiosque.core.errors import KiosqueError
from kiosque.core.polarity import ScoringRequest, Target, WordContribution
from kiosque.store.articles import StoredArticle
from kiosque.store.mentions import StoredMention
from kiosque.web.highlight import Word, words_of

LARGEST = 4000
"""Explanations kept; the one that nobody has asked for longest goes first."""
_log = structlog.get_logger(__name__)

_Key = tuple[str, str, str, str, str]


@dataclass
class Explanations:
    """What one process has been told. Safe to share between threads."""

    kept: OrderedDict[_Key, tuple[WordContribution, ...]] = field(default_factory=OrderedDict)
    lock: Lock = field(default_factory=Lock)

    def words(self, api: Api, stored: StoredArticle, entity: Entity, mention: StoredMention) -> list[Word]:
        """The words that pushed the score of `mention`; none when the model does not answer."""
        version = mention.mention.model_version
        # the text itself, since an article can be rewritten
        key = (stored.id, entity.id, version, stored.article.headline, stored.article.abstract)
        with self.lock:
            known = self.kept.get(key)
            if known is not None:
                self.kept.move_to_end(key)
        if known is None:
            known = _asked(api, stored, entity, mention)
            if known:
                self._keep(key, known)
        return words_of(known)

    def _keep(self, key: _Key, known: tuple[WordContribution, ...]) -> None:
        with self.lock:
            self.kept[key] = known
            while len(self.kept) > LARGEST:
                self.kept.popitem(last=False)


def explanations_of(request: Request) -> Explanations:
    """Those of the application that answers."""
    found: Explanations = request.app.state.explanations
    return found


def _asked(
    api: Api, stored: StoredArticle, entity: Entity, mention: StoredMention
) -> tuple[WordContribution, ...]:
    spans = tuple(scored.span for scored in mention.mention.spans)
    target = Target(entity.id, entity.name, spans, entity.kind)
    article = stored.article
    scoring = ScoringRequest(article.headline, article.abstract, (target,), article.language)
    try:
        return api.predictor.explain(scoring, target)
    except KiosqueError as error:
        _log.info("page.without_words", error=error.detail)
        return ()
