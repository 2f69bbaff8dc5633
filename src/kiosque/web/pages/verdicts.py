"""What readers say of the answers: a label that is wrong, a book that helped. Needs an account that may write."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse

from kiosque.api.scopes import Caller, Scope
from kiosque.core.errors import Unauthenticated
from kiosque.core.polarity import Polarity
from kiosque.store import articles, feedback
from kiosque.store.feedback import BookVerdict
from kiosque.web.language import gettext
from kiosque.web.render import house
from kiosque.web.session import sessions_of, visitor_of

router = APIRouter()

LONGEST_NOTE = 500
NOT_MEANT = "none"
Short = Annotated[str, Form(max_length=300)]


@router.post("/articles/{article_id}/corrections")
def correct(
    request: Request,
    article_id: str,
    entity: Short,
    polarity: Annotated[Polarity | Literal["none"], Form()],
    note: Annotated[str, Form(max_length=LONGEST_NOTE)] = "",
    form_token: Short = "",
) -> RedirectResponse:
    """`polarity` "none" says that the entity is not meant there."""
    writer = writer_of(request, form_token)
    with house(request).database.write() as tx:
        stored = articles.get(tx, article_id)
        feedback.correct(
            tx,
            article_id=stored.id,
            entity_id=entity,
            polarity=None if polarity == NOT_MEANT else Polarity(polarity),
            by=writer.name,
            at=house(request).clock(),
            note=note.strip(),
        )
    return RedirectResponse(f"/articles/{stored.id}?sent=correction#corrections", status_code=303)


@router.post("/articles/{article_id}/books")
def judge(
    request: Request,
    article_id: str,
    book: Short,
    verdict: Annotated[BookVerdict, Form()],
    form_token: Short = "",
) -> RedirectResponse:
    writer = writer_of(request, form_token)
    with house(request).database.write() as tx:
        stored = articles.get(tx, article_id)
        feedback.thumb(
            tx,
            book_key=book,
            verdict=verdict,
            by=writer.name,
            at=house(request).clock(),
            article_id=stored.id,
        )
    return RedirectResponse(f"/articles/{stored.id}?sent=book#books", status_code=303)


def writer_of(request: Request, form_token: str) -> Caller:
    """Who sends the form. Raises Unauthenticated, or Forbidden without the right to write or on a foreign form."""
    visitor, sessions = visitor_of(request), sessions_of(request)
    if sessions is None or not visitor.logged_in:
        raise Unauthenticated(
            gettext("Log in to say what you think of the answers."),
            hint=gettext("The page of the login is /login."),
        )
    sessions.check_form(request, form_token)
    visitor.caller.require(Scope.WRITE)
    return visitor.caller
