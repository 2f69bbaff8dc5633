"""Long work: started from here, watched while it goes, stopped when asked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse

from kiosque.api.context import Api
from kiosque.api.scopes import Scope
from kiosque.core.errors import Forbidden, KiosqueError
from kiosque.store import entities, jobs, mentions, models, works
from kiosque.store.tx import Tx
from kiosque.web.render import house, page
from kiosque.web.session import sender, visitor_of

router = APIRouter()

Short = Annotated[str, Form(max_length=300)]
PARAMETERS = ("since", "first", "last", "recipe", "promote", "resume")
SHOWN = 30


@router.get("/jobs")
def job_list(request: Request, sent: str = "") -> HTMLResponse:
    return _listed(request, sent=sent)


@router.get("/jobs/{work}")
def one_job(request: Request, work: str, sent: str = "") -> HTMLResponse:
    _need_login(request)
    api = house(request)
    with api.database.read() as tx:
        found = works.get(tx, work, now=api.clock())
        return page(
            request,
            tx,
            "job.html",
            section="/jobs",
            work=found,
            may=_may(request, api, found.kind),
            sent=sent,
        )


@router.post("/jobs", response_model=None)
def start(
    request: Request,
    kind: Short,
    since: Short = "",
    first: Short = "",
    last: Short = "",
    recipe: Short = "",
    promote: Short = "",
    resume: Short = "",
    form_token: Short = "",
) -> HTMLResponse | RedirectResponse:
    api = house(request)
    caller = sender(request, form_token, Scope.WRITE)
    given = dict(zip(PARAMETERS, (since, first, last, recipe, promote, resume), strict=True))
    parameters = {name: value.strip() for name, value in given.items() if value.strip()}
    try:
        caller.require(Scope(api.works.task(kind).scope))
        work = api.works.start(kind, parameters, by=caller.name)
    except Forbidden:
        raise
    except KiosqueError as error:
        return _listed(request, problem=error)
    return RedirectResponse(f"/jobs/{work.id}", status_code=303)


@router.post("/jobs/{work}/stop")
def stop(request: Request, work: str, form_token: Short = "") -> RedirectResponse:
    api = house(request)
    caller = sender(request, form_token, Scope.WRITE)
    with api.database.read() as tx:
        found = works.get(tx, work, now=api.clock())
    if found.kind in api.works.tasks:
        caller.require(Scope(api.works.task(found.kind).scope))
    api.works.cancel(work, by=caller.name)
    return RedirectResponse(f"/jobs/{work}?sent=stop", status_code=303)


def _listed(request: Request, *, sent: str = "", problem: KiosqueError | None = None) -> HTMLResponse:
    _need_login(request)
    api = house(request)
    scopes = visitor_of(request).caller.scopes
    with api.database.read() as tx:
        found = works.recent(tx, now=api.clock(), limit=SHOWN)
        return page(
            request,
            tx,
            "jobs.html",
            section="/jobs",
            status=problem.status if problem else 200,
            works=found,
            running=any(work.running for work in found),
            others=[job for job in jobs.recent(tx, SHOWN) if not works.is_work(job.id)],
            tasks={kind: Scope(task.scope) in scopes for kind, task in api.works.tasks.items()},
            unread=_unread(tx),
            problem=problem,
            sent=sent,
        )


def _unread(tx: Tx) -> dict[str, int]:
    """How many articles the current model has not read, and how many were read by an older watch list."""
    version = models.current(tx, models.POLARITY)
    if version is None:
        return {"rescore": 0, "rematch": 0}
    return {
        "rescore": mentions.count_missing(tx, version),
        "rematch": mentions.count_missing(tx, version, generation=entities.generation(tx)),
    }


def _may(request: Request, api: Api, kind: str) -> bool:
    """Whether the visitor may stop work of this kind; what another process does, whoever may write."""
    scope = Scope(api.works.tasks[kind].scope) if kind in api.works.tasks else Scope.WRITE
    return scope in visitor_of(request).caller.scopes


def _need_login(request: Request) -> None:
    visitor_of(request).caller.require(Scope.WRITE)
