"""Can I trust the models? What each version measured, how it drifts, what people say, which one answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse

from kiosque.api.context import Api
from kiosque.api.scopes import Scope
from kiosque.core.clock import parse_rfc3339
from kiosque.core.errors import CorruptModel, NotFound, PreconditionFailed
from kiosque.core.polarity import Polarity
from kiosque.core.prediction import Replica
from kiosque.modelstore.aliases import CHAMPION, Move
from kiosque.modelstore.manifest import Version
from kiosque.modelstore.store import ModelStore
from kiosque.pipeline import drift
from kiosque.pipeline.drift import DriftReport
from kiosque.store import agreement, mentions, models, observations
from kiosque.store.tx import Tx
from kiosque.web.figures.reliability import Bin, reliability
from kiosque.web.figures.scores import score_dots
from kiosque.web.language import gettext
from kiosque.web.markdown import render
from kiosque.web.render import house, page, reading_if_possible
from kiosque.web.session import need_admin, sender

router = APIRouter()

CARD = "card.md"
LARGEST_CARD = 1_000_000
POLARITY = "polarity"
CLASSES = tuple(polarity.value for polarity in Polarity)
SCORES = ("macro_f1", "ndcg@10")
"""The figure by which versions of a model are compared: the first one that it has."""
WINDOWS: Mapping[str, int | None] = {"newest": None, "month": 30, "quarter": 91, "year": 365}
"""The stretch of drift: the newest articles, of which `NEWEST` at most, or so many days up to the newest one."""
MOVES, JUDGED = 20, 20
Short = Annotated[str, Form(max_length=300)]


@dataclass(frozen=True, slots=True)
class ModelView:
    """One model with its versions, newest first."""

    name: str
    champion: str | None
    versions: tuple[Version, ...]
    chosen: Version | None
    """The champion, where it can be read."""

    @property
    def metrics(self) -> dict[str, Any]:
        return metrics_of(self.chosen) if self.chosen else {}

    @property
    def measured(self) -> dict[str, dict[str, Any]]:
        return measured_of(self.metrics)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of two versions on the same set, each with its interval where there is one."""

    set: str
    figure: str
    now: float | None
    now_reach: Sequence[float] | None
    then: float | None
    then_reach: Sequence[float] | None


@router.get("/models")
def model_list(request: Request) -> HTMLResponse:
    api = house(request)
    views = [view_of(api.context.modelstore, name) for name in _names(api.context.modelstore)]
    servers = replicas(api)
    with reading_if_possible(request) as tx:
        return page(
            request,
            tx,
            "models.html",
            section="/models",
            models=views,
            dots=_dots,
            replicas=servers,
            uses=_uses(tx),
            agreements={view.name: _agreement(tx, view) if tx else None for view in views},
        )


@router.get("/models/{name}")
def one_model(request: Request, name: str, window: str = "newest", sent: str = "") -> HTMLResponse:
    api = house(request)
    store = api.context.modelstore
    view = view_of(store, _known(store, name))
    servers = replicas(api)
    with reading_if_possible(request) as tx:
        return page(
            request,
            tx,
            "model.html",
            section="/models",
            model=view,
            classes=CLASSES,
            dots=_dots,
            card=card_of(view.chosen),
            singles=single_of(view.metrics),
            groups=grouped_of(view.metrics),
            reliabilities=_reliabilities(view.measured),
            replicas=servers,
            answering=[r.version(name) for r in servers] if servers else [],
            uses=_uses(tx, name),
            history=[(_moment(move.at), move) for move in store.history(name)[::-1][:MOVES]],
            back=previous(store.history(name)),
            agreement=_agreement(tx, view) if tx else None,
            judged=agreement.judged(tx, view.champion, limit=JUDGED)
            if tx and name == POLARITY and view.champion
            else (),
            drift=_drift(api, tx, view, window) if tx else None,
            window=window if window in WINDOWS else "newest",
            windows=WINDOWS,
            newest=drift.NEWEST,
            sent=sent,
        )


@router.get("/models/{name}/versions/{version}")
def one_version(request: Request, name: str, version: str) -> HTMLResponse:
    api = house(request)
    store = api.context.modelstore
    found = store.get(_known(store, name), version)
    measured = measured_of(metrics_of(found))
    with reading_if_possible(request) as tx:
        return page(
            request,
            tx,
            "version.html",
            section="/models",
            version=found,
            champion=store.aliases(name).get(CHAMPION),
            classes=CLASSES,
            measured=measured,
            dots=_dots,
            metrics=metrics_of(found),
            singles=single_of(metrics_of(found)),
            groups=grouped_of(metrics_of(found)),
            reliabilities=_reliabilities(measured),
            card=card_of(found),
            use=_uses(tx, name).get(version),
        )


@router.get("/models/{name}/promote")
def ask_to_promote(request: Request, name: str, version: str) -> HTMLResponse:
    return _confirm(request, name, version, back=False)


@router.get("/models/{name}/rollback")
def ask_to_roll_back(request: Request, name: str) -> HTMLResponse:
    need_admin(request)
    store = house(request).context.modelstore
    return _confirm(request, name, _before(store, _known(store, name)), back=True)


@router.post("/models/{name}/promote")
def promote(
    request: Request, name: str, version: Short, why: Short = "", expected: Short = "", form_token: Short = ""
) -> RedirectResponse:
    """Raises Conflict when another version answers than the page had said."""
    caller = sender(request, form_token, Scope.ADMIN)
    api = house(request)
    store = api.context.modelstore
    if not why.strip():
        raise PreconditionFailed(
            gettext("A move needs a reason: those who come later read it."),
            hint=gettext("Go back and say why."),
        )
    store.move_alias(
        _known(store, name),
        CHAMPION,
        version,
        who=caller.name,
        why=why.strip(),
        clock=api.clock,
        expected=expected or None,
    )
    return RedirectResponse(f"/models/{name}?sent=moved#answers", status_code=303)


def _confirm(request: Request, name: str, version: str, *, back: bool) -> HTMLResponse:
    """The page that names what changes, before anything does."""
    need_admin(request)
    api = house(request)
    store = api.context.modelstore
    view = view_of(store, _known(store, name))
    found = store.get(name, version)
    servers = replicas(api)
    with api.database.read() as tx:
        unread = mentions.count_missing(tx, version) if name == POLARITY else 0
        return page(
            request,
            tx,
            "promote.html",
            section="/models",
            model=view,
            version=found,
            back=back,
            comparisons=list(comparisons(view.metrics, metrics_of(found))),
            replicas=servers,
            unread=unread,
        )


def view_of(store: ModelStore, name: str) -> ModelView:
    """What the store says of one model. One whose champion cannot be read has none `chosen`."""
    champion = store.aliases(name).get(CHAMPION)
    versions = tuple(reversed(store.versions(name)))
    chosen = next((version for version in versions if version.id == champion), None)
    return ModelView(name, champion, versions, chosen)


def card_of(version: Version | None) -> str:
    """The card as HTML; nothing where there is none or where it cannot be read."""
    entry = version.manifest.files.get(CARD) if version else None
    if version is None or entry is None or entry.size > LARGEST_CARD:
        return ""
    try:
        return render((version.folder / CARD).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, CorruptModel):
        return ""


def metrics_of(version: Version) -> dict[str, Any]:
    metrics = version.manifest.fields.get("metrics")
    return dict(metrics) if isinstance(metrics, Mapping) else {}


def measured_of(metrics: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The test sets with their numbers: those that were measured on labelled examples."""
    return {name: m for name, m in metrics.items() if isinstance(m, dict) and "accuracy" in m}


def single_of(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The metrics that are one number each."""
    return {name: m for name, m in metrics.items() if isinstance(m, (int, float))}


def grouped_of(metrics: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """The metrics of other kinds of sets, as far as they are numbers."""
    rest = {n: m for n, m in metrics.items() if isinstance(m, dict) and "accuracy" not in m}
    plain = {n: {k: v for k, v in m.items() if isinstance(v, (int, float))} for n, m in rest.items()}
    return {name: numbers for name, numbers in plain.items() if numbers}


def comparisons(now: Mapping[str, Any], then: Mapping[str, Any]) -> Iterable[Comparison]:
    """Each set that either version was measured on, by the figure that both have."""
    for name in dict.fromkeys([*now, *then]):
        ours, theirs = now.get(name), then.get(name)
        one, other = (m if isinstance(m, dict) else {} for m in (ours, theirs))
        figure = next((score for score in SCORES if score in one or score in other), None)
        if figure is not None:
            reach = f"{figure}_ci"
            yield Comparison(
                name, figure, one.get(figure), one.get(reach), other.get(figure), other.get(reach)
            )


def previous(history: Sequence[Move]) -> str | None:
    """The version that answered before the last move of the champion."""
    moves = [move for move in history if move.alias == CHAMPION]
    return moves[-1].from_version if moves else None


def _moment(text: str) -> datetime | None:
    """The time of a move; None where somebody wrote something else by hand."""
    try:
        return parse_rfc3339(text)
    except ValueError:
        return None


def replicas(api: Api) -> tuple[Replica, ...]:
    """Every server of the models with the versions it answers with; none where this process cannot know."""
    ask = api.context.hooks.replicas
    return tuple(ask()) if ask else ()


def bins_of(measured: Mapping[str, Any]) -> tuple[Bin, ...]:
    """The bins of calibration in the numbers of one set; none in versions that were published without."""
    found = measured.get("reliability")
    if not isinstance(found, list):
        return ()
    try:
        return tuple(Bin(float(b["confidence"]), float(b["accuracy"]), int(b["n"])) for b in found if b["n"])
    except (KeyError, TypeError, ValueError):
        return ()


def _reliabilities(measured: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    drawn = {name: (reliability(bins_of(m), name=name), bins_of(m)) for name, m in measured.items()}
    return {name: each for name, each in drawn.items() if each[0]}


def _dots(metrics: Mapping[str, Any]) -> Any:
    """The figure of scores, whatever the model is measured by."""
    sets = {name: m for name, m in metrics.items() if isinstance(m, dict)}
    score = next((s for s in SCORES if any(s in m for m in sets.values())), SCORES[0])
    return score_dots(sets, score)


def _drift(api: Api, tx: Tx, view: ModelView, window: str) -> DriftReport | None:
    if view.name != POLARITY or view.chosen is None:
        return None
    reference = drift.read_reference(view.chosen)
    if reference is None:
        return DriftReport(view.chosen.id, None)
    days = WINDOWS.get(window)
    newest = observations.newest_day(tx, view.chosen.id) if days else None
    return drift.report(
        tx,
        view.chosen,
        reference,
        count_tokens=api.context.hooks.count_tokens,
        since=newest - timedelta(days=days - 1) if newest and days else None,
    )


def _uses(tx: Tx | None, name: str | None = None) -> dict[str, models.ModelUse]:
    """What is stored of each version."""
    return {use.version: use for use in models.uses(tx, name)} if tx else {}


def _agreement(tx: Tx, view: ModelView) -> agreement.Agreement | None:
    return agreement.agreement(tx, view.champion) if view.name == POLARITY and view.champion else None


def _names(store: ModelStore) -> list[str]:
    return sorted(store.names(), key=lambda name: name != POLARITY)


def _known(store: ModelStore, name: str) -> str:
    if name not in store.names():
        raise NotFound(
            gettext("There is no model “%(name)s”.", name=name[:80]),
            hint=gettext("The page of models lists those there are."),
        )
    return name


def _before(store: ModelStore, name: str) -> str:
    before = previous(store.history(name))
    if before is None:
        raise PreconditionFailed(
            gettext("No other version of “%(name)s” has answered before.", name=name),
            hint=gettext("Choose one from the list of versions."),
        )
    return before
