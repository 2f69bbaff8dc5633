"""Alerts: the list, a new one with its preview beside it, and one rule's history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, BeforeValidator, Field
from starlette.responses import HTMLResponse, RedirectResponse, Response

from kiosque.api.context import Api
from kiosque.api.exports import Row
from kiosque.api.feed_tokens import FeedOf, feed_path, feed_token, new_nonce
from kiosque.api.schemas.alerts import shown_target
from kiosque.api.scopes import Scope
from kiosque.core.alert import AlertRule, Digest, Kind, Measure, Side, Window
from kiosque.core.clock import parse_rfc3339
from kiosque.core.entity import Entity
from kiosque.core.errors import InvalidInput, KiosqueError, PreconditionFailed
from kiosque.pipeline.alert_decision import Reading, Verdict
from kiosque.pipeline.alert_sending import Postman, Tried
from kiosque.pipeline.alerts import LOOKED_AT, latest, preview
from kiosque.pipeline.mail import masked
from kiosque.pipeline.webhook import host_of
from kiosque.store import alert_events, alert_outbox, alerts, meta, stats
from kiosque.store.alerts import Alert, Outputs
from kiosque.store.tx import Tx
from kiosque.web.feed import answer, base_of, check_reader
from kiosque.web.feeds import feed_of_alert
from kiosque.web.figures.alert import alert_chart, value_words
from kiosque.web.language import gettext
from kiosque.web.numbers import csv_file
from kiosque.web.pages.people import find_person, people_names
from kiosque.web.render import house, page
from kiosque.web.session import sender, visitor_of

router = APIRouter()
open_router = APIRouter()
"""Feeds, which a secret in the address opens where reading is closed."""

LISTED = 50
STRETCHES = {"year": 366, "5-years": 5 * 366, "20-years": 20 * 366, "all": 4000 * 366}
"""How far back a preview goes from the newest article, in days."""
USUAL = {Measure.VOLUME: 10.0, Measure.NEGATIVE_SHARE: 0.5, Measure.NET: -0.3}
"""Limits to begin with, of a threshold; of a spike it is USUAL_SCORE."""
USUAL_SCORE = 4.0

Short = Annotated[str, Form(max_length=300)]


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


OptionalNumber = Annotated[float | None, BeforeValidator(_none_if_empty)]


class RuleQuestion(BaseModel):
    """The sentence of a new rule, as it stands in the address. Without a limit it is one that is usual."""

    entity: str = Field(default="", max_length=200)
    measure: Measure = Measure.VOLUME
    kind: Kind = Kind.SPIKE
    side: Side = Side.ABOVE
    limit: OptionalNumber = None
    window: Window = Window.WEEK
    least: Annotated[int, Field(ge=1, le=1_000_000)] = 5
    silent: Annotated[int, Field(ge=0, le=366)] = 0
    back: str = Field(default="5-years", max_length=20)

    @property
    def number(self) -> float:
        if self.limit is not None:
            return self.limit
        return USUAL_SCORE if self.kind is Kind.SPIKE else USUAL[self.measure]

    def rule(self, entity_id: str) -> AlertRule:
        return AlertRule(
            entity_id,
            self.measure,
            self.kind,
            self.side,
            self.number,
            self.window,
            self.least,
            self.silent,
        )


class AlertForm(RuleQuestion):
    """The form that makes an alert out of the sentence."""

    name: str = Field(default="", max_length=300)
    webhook: str = Field(default="", max_length=2000)
    emails: str = Field(default="", max_length=8000)
    digest: Digest = Digest.AT_ONCE
    form_token: str = Field(default="", max_length=300)

    def outputs(self) -> Outputs:
        addresses = self.emails.replace(",", " ").split()
        return Outputs(self.webhook.strip() or None, tuple(addresses), self.digest)


class ReadingRow(Row):
    """One window of a preview."""

    first_day: date
    last_day: date
    value: float | None
    of_articles: int
    expected: float | None
    standard_deviations: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Previewed:
    """A rule with what it would have done."""

    rule: AlertRule
    entity: Entity
    readings: tuple[Reading, ...]

    @property
    def fired(self) -> list[Reading]:
        return [reading for reading in self.readings if reading.verdict is Verdict.FIRES]

    @property
    def young(self) -> bool:
        """Whether no window has enough history or articles to be judged."""
        unjudged = (Verdict.YOUNG, Verdict.THIN)
        return bool(self.readings) and all(reading.verdict in unjudged for reading in self.readings)


@router.get("/alerts")
def alert_list(request: Request, sent: str = "") -> HTMLResponse:
    with house(request).database.read() as tx:
        looked_at = meta.get(tx, LOOKED_AT)
        return page(
            request,
            tx,
            "alerts.html",
            section="/alerts",
            alerts=alerts.everything(tx),
            fired=alert_events.last_by_alert(tx),
            events=alert_events.page(tx, limit=LISTED).items,
            dead=alert_outbox.dead(tx),
            waiting=alert_outbox.waiting(tx),
            looked_at=parse_rfc3339(looked_at) if looked_at else None,
            value_words=value_words,
            rules={each.id: each.rule for each in alerts.everything(tx)},
            sent=sent,
        )


@router.get("/alerts/new")
def new_alert(request: Request, ask: Annotated[RuleQuestion, Query()]) -> HTMLResponse:
    return _form(request, ask)


@router.get("/alerts/preview.csv")
def preview_file(request: Request, ask: Annotated[RuleQuestion, Query()]) -> Response:
    with house(request).database.read() as tx:
        shown, problem = _previewed(tx, house(request), ask)
    if problem:
        raise problem
    rows = [
        ReadingRow(
            first_day=each.start,
            last_day=each.end,
            value=each.value,
            of_articles=each.articles,
            expected=each.expected,
            standard_deviations=each.score,
            verdict=each.verdict.value,
        )
        for each in (shown.readings if shown else ())
    ]
    return csv_file([*rows], ReadingRow, "alert-preview")


@router.post("/alerts", response_model=None)
def make_alert(request: Request, form: Annotated[AlertForm, Form()]) -> HTMLResponse:
    writer = sender(request, form.form_token, Scope.WRITE)
    api = house(request)
    try:
        postman = _postman(api)
        outputs = postman.checked(form.outputs())
        with api.database.write() as tx:
            entity = _person(tx, form.entity)
            made = alerts.add(
                tx,
                name=form.name,
                rule=form.rule(entity.id),
                outputs=outputs,
                by=writer.name,
                at=api.clock(),
                secret_nonce=new_nonce(),
                feed_nonce=new_nonce(),
            )
    except KiosqueError as error:
        return _form(request, form, problem=error)
    secret = postman.secret(made) if made.outputs.webhook else ""
    return _page_of(request, made.id, sent="made", secret=secret, status=201)


@router.get("/alerts/{alert_id:int}")
def alert_page(request: Request, alert_id: int, back: str = "5-years", sent: str = "") -> HTMLResponse:
    return _page_of(request, alert_id, back=back, sent=sent)


@router.post("/alerts/{alert_id:int}", response_model=None)
def change_alert(
    request: Request, alert_id: int, do: Short = "", name: Short = "", form_token: Short = ""
) -> HTMLResponse | RedirectResponse:
    """`do` is rename, off, on, feed (a new secret) or delete; secret and test answer with a page."""
    sender(request, form_token, Scope.WRITE)
    api = house(request)
    try:
        if do == "secret":
            return _new_secret(request, api, alert_id)
        if do == "test":
            return _test(request, api, alert_id)
        with api.database.write() as tx:
            _change(tx, alert_id, do, name)
    except KiosqueError as error:
        return _page_of(request, alert_id, problem=error)
    return RedirectResponse(
        "/alerts?sent=delete" if do == "delete" else f"/alerts/{alert_id}?sent=changed", status_code=303
    )


@router.post("/alerts/{alert_id:int}/deliveries/{delivery_id}", response_model=None)
def try_again(
    request: Request, alert_id: int, delivery_id: str, form_token: Short = ""
) -> HTMLResponse | RedirectResponse:
    sender(request, form_token, Scope.WRITE)
    api = house(request)
    try:
        with api.database.write() as tx:
            alert_outbox.revive(tx, delivery_id[:64], api.clock())
    except KiosqueError as error:
        return _page_of(request, alert_id, problem=error)
    return RedirectResponse(f"/alerts/{alert_id}?sent=again", status_code=303)


@open_router.get("/alerts/{alert_id}.rss")
def alert_feed(request: Request, alert_id: int, token: str = "") -> Response:
    """Without the right to read, the token of this alert opens it, and nothing else."""
    with house(request).database.read() as tx:
        alert = alerts.find(tx, alert_id)
        check_reader(request, token, FeedOf.ALERT, alert_id, alert.feed_nonce if alert else None)
        assert alert is not None
        return answer(request, feed_of_alert(tx, alert))


def _change(tx: Tx, alert_id: int, do: str, name: str) -> None:
    if do == "delete":
        alerts.delete(tx, alert_id)
    elif do in ("on", "off"):
        alerts.set_enabled(tx, alert_id, do == "on")
    elif do == "feed":
        alerts.renew_feed(tx, alert_id, new_nonce())
    else:
        alerts.rename(tx, alert_id, name)


def _new_secret(request: Request, api: Api, alert_id: int) -> HTMLResponse:
    postman = _postman(api)
    with api.database.write() as tx:
        changed = alerts.renew_secret(tx, alert_id, new_nonce())
    return _page_of(request, alert_id, sent="changed", secret=postman.secret(changed))


def _test(request: Request, api: Api, alert_id: int) -> HTMLResponse:
    postman = _postman(api)
    with api.database.read() as tx:
        alert = alerts.get(tx, alert_id)
        fired = latest(tx, alert, api.clock().date())
    return _page_of(request, alert_id, tried=postman.try_out(alert, fired))


def _postman(api: Api) -> Postman:
    if api.context.postman is None:
        raise PreconditionFailed(
            gettext("This process cannot send anything."),
            hint=gettext("Run: %(command)s", command="kiosque web"),
        )
    return api.context.postman


def _person(tx: Tx, name: str) -> Entity:
    entity = find_person(tx, name) if name.strip() else None
    if entity is None:
        raise InvalidInput(
            gettext("Nobody is watched under the name “%(name)s”, or several are.", name=name[:100]),
            hint=gettext("Choose one of the names that the field suggests."),
        )
    return entity


def _previewed(tx: Tx, api: Api, ask: RuleQuestion) -> tuple[Previewed | None, KiosqueError | None]:
    """What the rule of the sentence would have done, or why that cannot be said. Nothing before somebody is named."""
    if not ask.entity.strip():
        return None, None
    try:
        entity = _person(tx, ask.entity)
        rule = ask.rule(entity.id)
    except KiosqueError as error:
        return None, error
    return Previewed(rule, entity, _readings(tx, api, rule, ask.back)), None


def _readings(tx: Tx, api: Api, rule: AlertRule, back: str) -> tuple[Reading, ...]:
    today = api.clock().date()
    until = stats.newest_day(tx) or today
    days = min(STRETCHES.get(back, STRETCHES["5-years"]), until.toordinal() - 1)
    return preview(tx, rule, since=until - timedelta(days=days), until=until, today=today)


def _form(request: Request, ask: RuleQuestion, problem: KiosqueError | None = None) -> HTMLResponse:
    api = house(request)
    with api.database.read() as tx:
        shown, wrong = _previewed(tx, api, ask)
        problem = problem or wrong
        return page(
            request,
            tx,
            "alert_new.html",
            section="/alerts",
            status=problem.status if problem else 200,
            ask=ask,
            kept=ask if isinstance(ask, AlertForm) else AlertForm(),
            shown=shown,
            chart=alert_chart(shown.rule, shown.readings, name=shown.entity.name) if shown else None,
            problem=problem,
            names=people_names(tx),
            query_string=_query(ask),
            sends_mail=api.context.postman is not None and api.context.postman.has_mail,
            **_choices(),
        )


def _choices() -> dict[str, Any]:
    return {
        "measures": Measure,
        "kinds": Kind,
        "sides": Side,
        "windows": Window,
        "digests": Digest,
        "stretches": STRETCHES,
        "value_words": value_words,
    }


def _query(ask: RuleQuestion) -> dict[str, str]:
    """The sentence without what only the form has."""
    values = ask.model_dump(mode="json", include=set(RuleQuestion.model_fields))
    return {name: str(value) for name, value in values.items() if value not in (None, "")}


def _page_of(
    request: Request,
    alert_id: int,
    *,
    back: str = "5-years",
    sent: str = "",
    secret: str = "",
    tried: tuple[Tried, ...] = (),
    problem: KiosqueError | None = None,
    status: int = 200,
) -> HTMLResponse:
    api = house(request)
    closed = not api.context.open_reading
    with api.database.read() as tx:
        alert = alerts.get(tx, alert_id)
        readings = _readings(tx, api, alert.rule, back)
        deliveries = alert_outbox.page(tx, alert_id, limit=LISTED).items
        response = page(
            request,
            tx,
            "alert.html",
            section="/alerts",
            status=problem.status if problem else status,
            alert=alert,
            back=back,
            chart=alert_chart(alert.rule, readings, name=alert.entity_name),
            readings=readings,
            fires=[each for each in readings if each.verdict is Verdict.FIRES],
            events=alert_events.page(tx, alert_id, limit=LISTED).items,
            deliveries=[(each, shown_target(alert, each)) for each in deliveries],
            host=host_of(alert.outputs.webhook) if alert.outputs.webhook else "",
            emails=[masked(each) for each in alert.outputs.emails],
            feed=_feed(api, alert, secret=closed and visitor_of(request).writes),
            closed=closed,
            base=base_of(request),
            sent=sent,
            secret=secret,
            tried=tried,
            problem=problem,
            **_choices(),
        )
    if secret:
        response.headers["Cache-Control"] = "no-store"
    return response


def _feed(api: Api, alert: Alert, *, secret: bool) -> str:
    token = feed_token(api.context.secret_key, FeedOf.ALERT, alert.id, alert.feed_nonce) if secret else None
    return feed_path(FeedOf.ALERT, alert.id, token)
