"""For you: books for somebody who has read these articles and texts. The address holds the whole question."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, BeforeValidator, Field
from starlette.responses import HTMLResponse, RedirectResponse

from kiosque.api.context import Api
from kiosque.core.book import BookQuery, ReadItem, Shelf
from kiosque.core.clock import to_utc
from kiosque.core.errors import KiosqueError
from kiosque.pipeline.scoring import text_for_books
from kiosque.store import articles, books, feedback
from kiosque.store.articles import ArticleFilter, Sort, StoredArticle
from kiosque.store.feedback import BookVerdict
from kiosque.store.tx import Tx
from kiosque.web.pages.verdicts import writer_of
from kiosque.web.render import house, page
from kiosque.web.session import visitor_of

router = APIRouter()

ADDRESS = "/for-you"
MOST_ARTICLES = 50
MOST_KNOWN = 200
LONGEST_TEXT = 6_000
"""The text stands in the address, and addresses have an end."""
HITS = 10
FIVE = 5
"""So many books are plenty."""
LESS = 0.8
"""What an article weighs beside the one read after it, where the last ones count most."""
_BETWEEN_TEXTS = re.compile(r"\n\s*\n")
_log = structlog.get_logger(__name__)


class Weighing(StrEnum):
    """Which of the articles count most."""

    LAST = "last"
    """Those that stand last in the list: each before them `LESS` of the next."""
    NEWEST = "newest"
    """Those that came out last: half as much for each month before the newest."""
    ALIKE = "alike"


class Kind(StrEnum):
    ANY = ""
    FICTION = "fiction"
    NON_FICTION = "non-fiction"


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


def _five_if_empty(value: object) -> object:
    return FIVE if value == "" else value


OptionalYear = Annotated[int | None, Field(ge=0, le=3000), BeforeValidator(_none_if_empty)]
OptionalScore = Annotated[float | None, Field(ge=0, le=1), BeforeValidator(_none_if_empty)]
Name = Annotated[str, Field(max_length=1000)]


class ReadingQuestion(BaseModel):
    """What somebody has read, in the order of reading, what they know already, and what books they want."""

    article: Annotated[list[Name], Field(max_length=MOST_ARTICLES)] = []
    text: str = Field(default="", max_length=LONGEST_TEXT)
    known: Annotated[list[Name], Field(max_length=MOST_KNOWN)] = []
    weigh: Weighing = Weighing.LAST
    kind: Kind = Kind.ANY
    language: str = Field(default="", max_length=20)
    since: OptionalYear = None
    until: OptionalYear = None
    contemporary: bool = False
    least: OptionalScore = None
    k: Annotated[int, Field(ge=1, le=20), BeforeValidator(_five_if_empty)] = FIVE
    q: str = Field(default="", max_length=200)
    sent: str = Field(default="", max_length=20, exclude=True)
    """What was sent from this page just now; no part of the question."""

    @property
    def texts(self) -> tuple[str, ...]:
        """The pasted texts; an empty line ends one."""
        pieces = (piece.strip() for piece in _BETWEEN_TEXTS.split(self.text.replace("\r\n", "\n")))
        return tuple(piece for piece in pieces if piece)

    @property
    def narrowed(self) -> bool:
        """Whether any option keeps books away."""
        options = (self.kind, self.language, self.since, self.until, self.contemporary, self.least)
        return any(option not in ("", None, False) for option in options)

    def address(self, **changes: object) -> str:
        """The address of this question with some of it changed; what says nothing is left out."""
        defaults = ReadingQuestion().model_dump(mode="json")
        values = {**self.model_dump(mode="json"), **changes}
        kept = {name: value for name, value in values.items() if value != defaults[name]}
        return f"{ADDRESS}?{urlencode(kept, doseq=True)}" if kept else ADDRESS

    def knowing(self, key: str) -> str:
        """The address of this question for somebody who knows the book `key`, too."""
        return self.address(known=list(dict.fromkeys((*self.known, key)))[-MOST_KNOWN:])


def question(
    ask: ReadingQuestion, read: Sequence[StoredArticle], known: frozenset[str], today: str
) -> BookQuery | None:
    """What the model is asked; None where nothing was read. `known` are the books not to be offered."""
    items = [*_weighed(read, ask.weigh), *(ReadItem(text) for text in ask.texts)]
    if not items:
        return None
    days = [to_utc(stored.article.published_at).date().isoformat() for stored in read]
    return BookQuery(
        reader=tuple(items),
        k=ask.k,
        exclude=known,
        language=ask.language or None,
        fiction=None if ask.kind is Kind.ANY else ask.kind is Kind.FICTION,
        published_from=ask.since,
        published_to=ask.until,
        contemporary_on=max(days, default=today) if ask.contemporary else None,
        min_score=ask.least,
    )


def _weighed(read: Sequence[StoredArticle], weigh: Weighing) -> list[ReadItem]:
    return [
        ReadItem(
            text_for_books(stored.article),
            to_utc(stored.article.published_at) if weigh is Weighing.NEWEST else None,
            LESS**back if weigh is Weighing.LAST else 1.0,
        )
        for back, stored in zip(range(len(read) - 1, -1, -1), read, strict=True)
    ]


def occasion(ask: ReadingQuestion) -> str:
    """By what this reading is known in verdicts, without being kept."""
    return hashlib.sha256("\n\n".join((*ask.article, *ask.texts)).encode()).hexdigest()


@router.get(ADDRESS)
def for_you(request: Request, ask: Annotated[ReadingQuestion, Query()]) -> HTMLResponse:
    api, visitor = house(request), visitor_of(request)
    with api.database.read() as tx:
        found = {name: articles.find(tx, name) for name in dict.fromkeys(ask.article)}
        read = list({stored.id: stored for stored in found.values() if stored}.values())
        known = frozenset(ask.known)
        if visitor.logged_in:
            known |= feedback.books_read(tx, visitor.caller.name)
    asked = question(ask, read, known, api.clock().date().isoformat())
    shelf, problem = _ask(api, asked) if asked else (None, None)
    with api.database.read() as tx:
        return page(
            request,
            tx,
            "for_you.html",
            section="/books",
            ask=ask,
            asked=asked,
            read=read,
            missing=[name for name, stored in found.items() if stored is None],
            hits=_search(tx, ask.q, {stored.id for stored in read}),
            known=books.of_keys(tx, ask.known),
            remembered=len(known - set(ask.known)),
            languages_of_books=books.languages(tx),
            weighings=Weighing,
            kinds=Kind,
            shelf=shelf,
            problem=problem,
        )


@router.post(f"{ADDRESS}/verdicts")
def judge(
    request: Request,
    book: Annotated[str, Form(max_length=1000)],
    verdict: Annotated[BookVerdict, Form()],
    ask: Annotated[ReadingQuestion, Query()],
    form_token: Annotated[str, Form(max_length=300)] = "",
) -> RedirectResponse:
    """Keep what a reader thinks of a book on this shelf. The question stands in the address, as on the page."""
    writer = writer_of(request, form_token)
    with house(request).database.write() as tx:
        feedback.thumb(
            tx,
            book_key=book,
            verdict=verdict,
            by=writer.name,
            at=house(request).clock(),
            text_digest=occasion(ask),
        )
    back = ask.address()
    return RedirectResponse(f"{back}{'&' if '?' in back else '?'}sent=book#shelf", status_code=303)


def _search(tx: Tx, words: str, read: set[str]) -> list[StoredArticle] | None:
    """Articles to add; None where nobody searched."""
    if not words.strip():
        return None
    found = articles.page(tx, ArticleFilter(query=words), sort=Sort.RELEVANCE, limit=HITS)
    return [stored for stored in found.items if stored.id not in read]


def _ask(api: Api, query: BookQuery) -> tuple[Shelf | None, str | None]:
    """The shelf, or why there is none. The page stands without it."""
    try:
        return api.predictor.books([query])[0], None
    except KiosqueError as error:
        _log.info("page.without_books", error=error.detail)
        return None, str(error)
