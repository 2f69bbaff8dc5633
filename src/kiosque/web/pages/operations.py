"""Is everything running? Processes, sources, the queue, what was given up, and what came in with gaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse

from kiosque.api.context import Api
from kiosque.api.scopes import Scope
from kiosque.bus.protocol import Lag
from kiosque.core.errors import KiosqueError, NotFound, PreconditionFailed
from kiosque.core.message import decode_article
from kiosque.store import articles, dead_letters, presence, quality, sources, stats
from kiosque.store.dead_letters import DeadLetter
from kiosque.store.presence import Presence
from kiosque.store.quality import Quality
from kiosque.store.tx import Tx
from kiosque.web.language import gettext
from kiosque.web.pages.models import replicas
from kiosque.web.render import house, page
from kiosque.web.session import sender

router = APIRouter()

LETTERS = 40
FEW_LETTERS = 5
PREVIEW = 20_000
"""Bytes of a dead letter that are shown."""
QUIET = timedelta(seconds=45)
"""A process that has said nothing for so long is no longer taken to run."""
DAYS = {"week": 7, "month": 30, "quarter": 91}
EVERY_PROCESS = ("producer", "consumer")
"""What a split installation needs beside the page's own process; each is in the one of `kiosque up`."""
Short = Annotated[str, Form(max_length=300)]


@dataclass(frozen=True, slots=True)
class ProcessView:
    """One process and whether it still says that it is there."""

    said: Presence
    silent_for: timedelta | None
    """None: it has spoken just now."""

    @property
    def bus_answers(self) -> bool:
        return "bus" in self.said.facts


@dataclass(frozen=True, slots=True)
class QueueView:
    """How far the consumers are behind; `trouble` says why that is not known."""

    lag: Lag | None = None
    trouble: str = ""
    known: bool = True
    """False where this process has no queue to look at."""


@router.get("/operations")
def overview(request: Request, period: str = "week", sent: str = "") -> HTMLResponse:
    api = house(request)
    queue, servers = _queue(api), replicas(api)
    now = api.clock()
    with api.database.read() as tx:
        known = process_views(presence.everyone(tx), now)
        came_in, last = _quality(tx, period)
        return page(
            request,
            tx,
            "operations.html",
            section="/operations",
            processes=known,
            missing=missing(known),
            replicas=servers,
            queue=queue,
            quotas=quotas_of(known),
            sources=sources.everything(tx),
            letters=dead_letters.page(tx, replayed=False, limit=FEW_LETTERS).items,
            letter_count=dead_letters.count(tx),
            by_source=by_source(came_in),
            by_day=by_day(came_in),
            capped=any(each.capped for each in came_in),
            last=last,
            given_up=quality.given_up(tx, since=last - timedelta(days=_days(period) - 1)) if last else {},
            period=period if period in DAYS else "week",
            periods=DAYS,
            gaps=stats.gaps(tx, limit=10),
            can_poll=api.context.hooks.poll is not None,
            sent=sent,
        )


@router.get("/sources")
def moved() -> RedirectResponse:
    """Where the sources were before they had company."""
    return RedirectResponse("/operations#sources", status_code=308)


@router.post("/operations/sources/{source:path}")
def change_source(request: Request, source: str, do: Short = "", form_token: Short = "") -> RedirectResponse:
    """`do` is on, off or poll."""
    sender(request, form_token, Scope.WRITE)
    api = house(request)
    if do == "poll":
        if api.context.hooks.poll is None:
            raise PreconditionFailed(
                gettext("This process cannot ask sources."), hint=gettext("The producer does, at its time.")
            )
        api.context.hooks.poll(source)
    elif do in ("on", "off"):
        with api.database.write() as tx:
            sources.set_enabled(tx, source, do == "on")
    else:
        raise NotFound(gettext("Nobody can do “%(deed)s” to a source.", deed=do[:40]))
    return RedirectResponse(f"/operations?sent={do}#sources", status_code=303)


@router.get("/operations/dead-letters")
def letter_list(request: Request, which: str = "waiting", cursor: str | None = None) -> HTMLResponse:
    chosen = {"waiting": False, "replayed": True}.get(which)
    with house(request).database.read() as tx:
        return page(
            request,
            tx,
            "dead_letters.html",
            section="/operations",
            found=dead_letters.page(tx, replayed=chosen, limit=LETTERS, cursor=cursor),
            which=which if which in ("waiting", "replayed") else "all",
            waiting=dead_letters.count(tx),
            replayed=dead_letters.count(tx, replayed=True),
        )


@router.get("/operations/dead-letters/{letter}")
def one_letter(request: Request, letter: int, sent: str = "") -> HTMLResponse:
    api = house(request)
    with api.database.read() as tx:
        found = dead_letters.get(tx, letter)
        return page(
            request,
            tx,
            "dead_letter.html",
            section="/operations",
            letter=found,
            body=readable(found.data),
            size=len(found.data),
            shown=PREVIEW,
            became=became(tx, found),
            can_replay=api.context.hooks.replay is not None,
            sent=sent,
        )


@router.post("/operations/dead-letters/{letter}/replay")
def replay_letter(request: Request, letter: int, form_token: Short = "") -> RedirectResponse:
    sender(request, form_token, Scope.ADMIN)
    replay = house(request).context.hooks.replay
    if replay is None:
        raise PreconditionFailed(
            gettext("This process cannot put messages on the queue."),
            hint=gettext("Run: %(command)s", command=f"kiosque dead-letter replay {letter}"),
        )
    replay(letter)
    return RedirectResponse(f"/operations/dead-letters/{letter}?sent=replayed", status_code=303)


@router.post("/operations/dead-letters/{letter}/discard")
def discard_letter(request: Request, letter: int, form_token: Short = "") -> RedirectResponse:
    sender(request, form_token, Scope.ADMIN)
    with house(request).database.write() as tx:
        dead_letters.delete(tx, letter)
    return RedirectResponse("/operations/dead-letters?sent=discarded", status_code=303)


def process_views(said: Sequence[Presence], now: datetime) -> list[ProcessView]:
    """Each process, and for how long it has said nothing if that is long."""
    return [ProcessView(each, now - each.at if now - each.at > QUIET else None) for each in said]


def missing(known: Sequence[ProcessView]) -> list[str]:
    """The kinds of process that an installation needs and of which none speaks."""
    alive = {each.said.kind for each in known if each.silent_for is None}
    return [] if "up" in alive or not alive else [kind for kind in EVERY_PROCESS if kind not in alive]


def quotas_of(known: Sequence[ProcessView]) -> list[Mapping[str, Any]]:
    """What is left of each API's allowance, as the process said that reads it."""
    return [each.said.facts["quota"] for each in known if "quota" in each.said.facts]


def by_source(rows: Iterable[Quality]) -> list[Quality]:
    """Added up over the days, those with the most articles first."""
    sums: dict[str, Quality] = {}
    for row in rows:
        sums[row.source] = _plus(sums[row.source], row) if row.source in sums else row
    return sorted(sums.values(), key=lambda each: (-each.articles, each.source))


def by_day(rows: Iterable[Quality]) -> list[Quality]:
    """Added up over the sources, the newest day first."""
    sums: dict[date, Quality] = {}
    for row in rows:
        sums[row.day] = _plus(sums[row.day], row) if row.day in sums else row
    return [sums[day] for day in sorted(sums, reverse=True)]


def readable(data: bytes) -> str:
    """The start of a message as text; bytes that are none, and what controls a terminal, as U+FFFD."""
    text = data[:PREVIEW].decode("utf-8", "replace")
    return "".join(c if c in "\n\t" or c.isprintable() else "\ufffd" for c in text)


def became(tx: Tx, letter: DeadLetter) -> str | None:
    """The id of the article that the message was of, if that lies in the store by now."""
    try:
        article = decode_article(letter.data)
    except KiosqueError:
        return None
    return article.id if articles.known(tx, [article.key]) else None


def _plus(one: Quality, other: Quality) -> Quality:
    numbers = ("articles", "without_text", "unscored", "without_mention", "late", "repeats")
    return replace(
        one,
        capped=one.capped or other.capped,
        **{name: getattr(one, name) + getattr(other, name) for name in numbers},
    )


def _quality(tx: Tx, period: str) -> tuple[tuple[Quality, ...], date | None]:
    last = quality.newest_day(tx)
    return (quality.by_day(tx, last=last, days=_days(period)) if last else ()), last


def _days(period: str) -> int:
    return DAYS.get(period, DAYS["week"])


def _queue(api: Api) -> QueueView:
    ask = api.context.hooks.lag
    if ask is None:
        return QueueView(known=False)
    try:
        return QueueView(lag=ask())
    except KiosqueError as error:
        return QueueView(trouble=error.detail)
