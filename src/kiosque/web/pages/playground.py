"""Try it: paste a headline, name someone, see polarity, probabilities and the words behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from kiosque.api.context import Api
from kiosque.core.article import Article
from kiosque.core.errors import KiosqueError
from kiosque.core.polarity import Polarity, ScoringRequest, Target, TargetScore
from kiosque.web.figures.bars import probability_bar
from kiosque.web.highlight import Word, words_of
from kiosque.web.render import house, page, reading_if_possible

router = APIRouter()

LONGEST_TEXT = 2000
MOST_TARGETS = 8
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the text says of one target, and which words made it so."""

    target: Target
    score: TargetScore
    words: list[Word]

    @property
    def polarity(self) -> Polarity | None:
        return self.score.polarity


@router.get("/try")
def playground(
    request: Request,
    text: Annotated[str, Query(max_length=LONGEST_TEXT)] = "",
    targets: Annotated[str, Query(max_length=400)] = "",
) -> HTMLResponse:
    api = house(request)
    text = " ".join(text.split())
    asked: tuple[Target, ...] = ()
    verdicts: list[Verdict] = []
    version = problem = None
    try:
        asked = _targets(api, text, targets) if text else ()
        verdicts, version = _judge(api, text, asked) if asked else ([], None)
    except KiosqueError as error:
        _log.info("page.without_scores", error=error.detail)
        problem = str(error)
    with reading_if_possible(request) as tx:
        return page(
            request,
            tx,
            "try.html",
            section="/try",
            text=text,
            targets=targets,
            asked=asked,
            verdicts=verdicts,
            version=version,
            problem=problem,
            probability_bar=probability_bar,
        )


def _targets(api: Api, text: str, named: str) -> tuple[Target, ...]:
    """Those named, else whoever of the watch list the text names, taken as one of today."""
    names = [name.strip() for name in named.split(",") if name.strip()]
    if names:
        return tuple(Target(name, name) for name in dict.fromkeys(names))[:MOST_TARGETS]
    with api.database.read() as tx:
        watched = api.watch.current(tx)
    article = Article(key="text", source="page", headline=text, abstract="", published_at=api.clock())
    matches = watched.matcher.match(article).matches[:MOST_TARGETS]
    known = watched.entities
    return tuple(
        Target(m.entity_id, known[m.entity_id].name, m.spans, known[m.entity_id].kind) for m in matches
    )


def _judge(api: Api, text: str, targets: tuple[Target, ...]) -> tuple[list[Verdict], str]:
    """The verdicts, and the version that gave them."""
    scoring = ScoringRequest(text, "", targets)
    batch = api.predictor.polarity([scoring])
    verdicts = [
        Verdict(
            target, score, words_of(api.predictor.explain(scoring, target)) if score.probabilities else []
        )
        for target, score in zip(targets, batch.scores[0], strict=True)
    ]
    return verdicts, batch.model_version
