"""Saved searches: kept from the articles' page, listed with their feeds, renamed, deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from kiosque.api.feed_tokens import FeedOf, feed_path, feed_token, new_nonce
from kiosque.api.scopes import Scope
from kiosque.core.errors import KiosqueError
from kiosque.store import saved_searches
from kiosque.store.saved_searches import SavedSearch
from kiosque.web.feed import answer, base_of, check_reader
from kiosque.web.feeds import feed_of_articles
from kiosque.web.question import ArticleQuestion, ask_of, names_of
from kiosque.web.render import house, page
from kiosque.web.session import sender, visitor_of

router = APIRouter()
open_router = APIRouter()
"""Feeds, which a secret in the address opens where reading is closed."""

Short = Annotated[str, Form(max_length=300)]


class KeptQuestion(ArticleQuestion):
    """The form that saves what the articles' sentence asks."""

    name: str = ""
    form_token: str = ""


@router.get("/searches")
def search_list(request: Request, sent: str = "") -> HTMLResponse:
    return _list(request, sent=sent)


@router.post("/searches", response_model=None)
def save_search(request: Request, form: Annotated[KeptQuestion, Form()]) -> HTMLResponse | RedirectResponse:
    writer = sender(request, form.form_token, Scope.WRITE)
    api = house(request)
    try:
        with api.database.write() as tx:
            saved_searches.add(
                tx,
                name=form.name,
                where=ask_of(tx, form).filter,
                sort=form.order,
                by=writer.name,
                at=api.clock(),
                feed_nonce=new_nonce(),
            )
    except KiosqueError as error:
        return _list(request, problem=error, back=form.address(name=None, form_token=None, cursor=None))
    return RedirectResponse("/searches?sent=saved", status_code=303)


@router.post("/searches/{search_id}", response_model=None)
def change_search(
    request: Request, search_id: int, do: Short = "", name: Short = "", form_token: Short = ""
) -> HTMLResponse | RedirectResponse:
    """`do` is rename, feed (a new secret) or delete."""
    sender(request, form_token, Scope.WRITE)
    try:
        with house(request).database.write() as tx:
            if do == "delete":
                saved_searches.delete(tx, search_id)
            elif do == "feed":
                saved_searches.renew_feed(tx, search_id, new_nonce())
            else:
                saved_searches.rename(tx, search_id, name)
    except KiosqueError as error:
        return _list(request, problem=error)
    return RedirectResponse(f"/searches?sent={do if do in ('delete', 'feed') else 'rename'}", status_code=303)


@open_router.get("/searches/{search_id}.rss")
def search_feed(request: Request, search_id: int, token: str = "") -> Response:
    """Without the right to read, the token of this search opens it, and nothing else."""
    api = house(request)
    with api.database.read() as tx:
        kept = saved_searches.find(tx, search_id)
        check_reader(request, token, FeedOf.SEARCH, search_id, kept.feed_nonce if kept else None)
        assert kept is not None
        path = ArticleQuestion.of(kept.where, kept.sort).address()
        feed = feed_of_articles(tx, kept.where, kept.sort, path, kept.name)
    return answer(request, replace(feed, own_path=feed_path(FeedOf.SEARCH, search_id)))


def _list(
    request: Request, *, sent: str = "", problem: KiosqueError | None = None, back: str = ""
) -> HTMLResponse:
    api, writes = house(request), visitor_of(request).writes
    closed = not api.context.open_reading
    with api.database.read() as tx:
        kept = saved_searches.everything(tx)
        return page(
            request,
            tx,
            "searches.html",
            section="/searches",
            status=problem.status if problem else 200,
            searches=kept,
            questions={each.id: ArticleQuestion.of(each.where, each.sort) for each in kept},
            names=names_of(tx, sorted({name for each in kept for name in each.where.entities})),
            feeds={each.id: _feed(api.context.secret_key, each, secret=closed and writes) for each in kept},
            sent=sent,
            problem=problem,
            back=back,
            closed=closed,
            base=base_of(request),
        )


def _feed(secret_key: str, search: SavedSearch, *, secret: bool) -> str:
    """The feed's address, with its secret for those who may hand it out and where one is needed."""
    token = feed_token(secret_key, FeedOf.SEARCH, search.id, search.feed_nonce) if secret else None
    return feed_path(FeedOf.SEARCH, search.id, token)
