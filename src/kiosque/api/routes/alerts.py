"""Alerts: rules, previews, what fired, and telling it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request
from starlette.responses import Response

from kiosque.api.context import Api, ApiDep, CallerDep, unable
from kiosque.api.feed_tokens import FeedOf, feed_path, feed_token, new_nonce
from kiosque.api.lists import answer_list, list_responses, map_page, slice_page
from kiosque.api.route import NEEDS_READ, NEEDS_WRITE, PREFIX, ApiRoute, problems
from kiosque.api.schemas.alerts import (
    AlertAnswer,
    AlertBody,
    AlertChangeBody,
    AlertListing,
    DeliveryAnswer,
    DeliveryListing,
    EventAnswer,
    EventListing,
    NewAlertAnswer,
    PreviewAnswer,
    PreviewBody,
    ReadingAnswer,
    SecretAnswer,
    TrialAnswer,
    TriedAnswer,
    alert_fields,
)
from kiosque.api.schemas.base import ListQuery
from kiosque.api.schemas.searches import FeedAnswer
from kiosque.core.errors import Conflict, InvalidInput, NotFound
from kiosque.pipeline.alert_decision import Verdict
from kiosque.pipeline.alert_sending import Postman
from kiosque.pipeline.alerts import latest, preview
from kiosque.store import alert_events, alert_outbox, alerts, stats
from kiosque.store.paging import Page

router = APIRouter(prefix=f"{PREFIX}/alerts", tags=["alerts"], route_class=ApiRoute)

PREVIEWED = timedelta(days=730)
EARLIEST = date(3, 1, 1)
"""Before it there are not as many days to go back."""
AlertId = Annotated[int, Path(ge=1, le=2**63 - 1, description="Id of the alert.", examples=[1])]
DeliveryId = Annotated[
    str, Path(pattern="^[0-9a-z-]{1,40}$", description="Id of the delivery.", examples=["d" * 32])
]
_RULE = {
    "entity": "abraham-lincoln",
    "measure": "volume",
    "kind": "spike",
    "side": "above",
    "limit": 4,
    "window": "week",
    "cool_down": 2,
}
_ALERT = {
    "spike": {
        "summary": "Much more of Lincoln than usual",
        "value": {"name": "Lincoln, more than usual", "webhook": "https://example.org/hook", **_RULE},
    },
    "threshold": {
        "summary": "Douglas spoken of badly, once a month at most",
        "value": {
            "name": "Douglas, badly",
            "entity": "stephen-a-douglas",
            "measure": "negative_share",
            "kind": "threshold",
            "limit": 0.5,
            "window": "month",
            "min_articles": 10,
        },
    },
}
_CHANGE = {"off": {"summary": "Switch it off", "value": {"enabled": False}}}
_PREVIEW = {
    "year": {
        "summary": "Would it have fired in 1860?",
        "value": {**_RULE, "since": "1860-01-01", "until": "1860-12-31"},
    }
}


@router.get(
    "",
    summary="Alerts",
    operation_id="list_alerts",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=list_responses(AlertListing) | problems(),
)
def list_alerts(request: Request, api: ApiDep, query: Annotated[ListQuery, Query()]) -> Response:
    """By name, with when each last fired."""

    def fetch(limit: int, cursor: str | None) -> Page[AlertAnswer]:
        with api.database.read() as tx:
            found, fired = alerts.everything(tx), alert_events.last_by_alert(tx)
        return map_page(
            slice_page(found, limit, cursor), lambda alert: AlertAnswer.of(alert, fired.get(alert.id))
        )

    return answer_list(request, query, fetch, AlertListing, AlertAnswer, "alerts")


@router.post(
    "",
    summary="Make an alert",
    operation_id="create_alert",
    dependencies=NEEDS_WRITE,
    status_code=201,
    responses=problems(400, 404, 409, 412, 413),
)
def create_alert(
    api: ApiDep,
    caller: CallerDep,
    response: Response,
    body: Annotated[AlertBody, Body(openapi_examples=_ALERT)],
) -> NewAlertAnswer:
    """It can fire for the window that is under way, not for one that is over. The secret is shown this once."""
    postman = _postman(api)
    outputs = postman.checked(body.outputs())
    with api.database.write() as tx:
        made = alerts.add(
            tx,
            name=body.name,
            rule=body.rule(),
            outputs=outputs,
            by=caller.name,
            at=api.clock(),
            secret_nonce=new_nonce(),
            feed_nonce=new_nonce(),
        )
    secret = postman.secret(made) if made.outputs.webhook else None
    response.headers["Cache-Control"] = "no-store"
    return NewAlertAnswer.model_validate({**alert_fields(made, None), "webhook_secret": secret})


@router.post(
    "/preview",
    summary="When a rule would have fired",
    operation_id="preview_alert",
    dependencies=NEEDS_READ,
    responses=problems(400, 404, 413),
)
def preview_alert(
    api: ApiDep, body: Annotated[PreviewBody, Body(openapi_examples=_PREVIEW)]
) -> PreviewAnswer:
    """The rule, tried on history, with its cool-down. Nothing is kept."""
    rule, today = body.rule(), api.clock().date()
    with api.database.read() as tx:
        until = body.until or stats.newest_day(tx) or today
        since = body.since or max(until, EARLIEST) - PREVIEWED
        if since > until:
            raise InvalidInput("`since` is after `until`.", hint="Swap the two days.")
        readings = preview(tx, rule, since=since, until=until, today=today)
    return PreviewAnswer(
        windows=len(readings),
        fired=sum(reading.verdict is Verdict.FIRES for reading in readings),
        readings=[ReadingAnswer.of(reading) for reading in readings],
    )


@router.get(
    "/{alert:int}",
    summary="One alert",
    operation_id="get_alert",
    dependencies=NEEDS_READ,
    responses=problems(404),
)
def get_alert(api: ApiDep, alert: AlertId) -> AlertAnswer:
    """Its rule, and where it is said that it fired."""
    with api.database.read() as tx:
        return AlertAnswer.of(alerts.get(tx, alert), alert_events.last_by_alert(tx).get(alert))


@router.patch(
    "/{alert:int}",
    summary="Rename an alert, or switch it off or on",
    operation_id="change_alert",
    dependencies=NEEDS_WRITE,
    responses=problems(400, 404, 409, 413),
)
def change_alert(
    api: ApiDep, alert: AlertId, body: Annotated[AlertChangeBody, Body(openapi_examples=_CHANGE)]
) -> AlertAnswer:
    """What fires cannot be changed: make another alert, so that the history of this one stays true."""
    with api.database.write() as tx:
        if body.name is not None:
            alerts.rename(tx, alert, body.name)
        if body.enabled is not None:
            alerts.set_enabled(tx, alert, body.enabled)
        return AlertAnswer.of(alerts.get(tx, alert), alert_events.last_by_alert(tx).get(alert))


@router.delete(
    "/{alert:int}",
    summary="Delete an alert",
    operation_id="delete_alert",
    dependencies=NEEDS_WRITE,
    status_code=204,
    response_class=Response,
    responses=problems(404),
)
def delete_alert(api: ApiDep, alert: AlertId) -> None:
    """With what it fired and what was still to be sent."""
    with api.database.write() as tx:
        alerts.delete(tx, alert)


@router.post(
    "/{alert:int}/test",
    summary="Send a test message",
    operation_id="try_alert",
    dependencies=NEEDS_WRITE,
    responses=problems(404, 409, 412),
)
def try_alert(api: ApiDep, alert: AlertId) -> TrialAnswer:
    """To every output, now, with `type` `alert.test`; says of each whether it arrived."""
    postman = _postman(api)
    with api.database.read() as tx:
        tried = alerts.get(tx, alert)
        fired = latest(tx, tried, api.clock().date())
    if not tried.outputs.webhook and not tried.outputs.emails:
        raise Conflict("This alert has neither a webhook nor a mail address.", hint="Its feed needs no test.")
    return TrialAnswer(outputs=[TriedAnswer.of(each) for each in postman.try_out(tried, fired)])


@router.post(
    "/{alert:int}/secret",
    summary="A new secret for the webhook of an alert",
    operation_id="renew_alert_secret",
    dependencies=NEEDS_WRITE,
    responses=problems(404, 409, 412),
)
def renew_alert_secret(api: ApiDep, response: Response, alert: AlertId) -> SecretAnswer:
    """Signs from now on. It is shown this once."""
    postman = _postman(api)
    with api.database.write() as tx:
        changed = alerts.renew_secret(tx, alert, new_nonce())
        if not changed.outputs.webhook:
            raise Conflict("This alert has no webhook.", hint="Only a webhook is signed.")
    response.headers["Cache-Control"] = "no-store"
    return SecretAnswer(webhook_secret=postman.secret(changed))


@router.post(
    "/{alert:int}/feed",
    summary="A new secret for the feed of an alert",
    operation_id="renew_alert_feed",
    dependencies=NEEDS_WRITE,
    responses=problems(404),
)
def renew_alert_feed(api: ApiDep, response: Response, alert: AlertId) -> FeedAnswer:
    """For feed readers where reading is closed. Addresses given out before open nothing any more."""
    with api.database.write() as tx:
        changed = alerts.renew_feed(tx, alert, new_nonce())
    token = feed_token(api.context.secret_key, FeedOf.ALERT, changed.id, changed.feed_nonce)
    response.headers["Cache-Control"] = "no-store"
    return FeedAnswer(feed=feed_path(FeedOf.ALERT, changed.id, token))


@router.get(
    "/{alert:int}/events",
    summary="What an alert fired",
    operation_id="list_alert_events",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=list_responses(EventListing) | problems(404),
)
def list_alert_events(
    request: Request, api: ApiDep, alert: AlertId, query: Annotated[ListQuery, Query()]
) -> Response:
    """Newest first, as it stood when it fired."""

    def fetch(limit: int, cursor: str | None) -> Page[EventAnswer]:
        with api.database.read() as tx:
            of = alerts.get(tx, alert)
            page = alert_events.page(tx, alert, limit=limit, cursor=cursor)
        return map_page(page, lambda event: EventAnswer.of(of, event))

    return answer_list(request, query, fetch, EventListing, EventAnswer, "alert-events")


@router.get(
    "/{alert:int}/deliveries",
    summary="What was sent of an alert",
    operation_id="list_alert_deliveries",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=list_responses(DeliveryListing) | problems(404),
)
def list_alert_deliveries(
    request: Request, api: ApiDep, alert: AlertId, query: Annotated[ListQuery, Query()]
) -> Response:
    """Newest first: what waits, arrived, or was given up, and why."""

    def fetch(limit: int, cursor: str | None) -> Page[DeliveryAnswer]:
        with api.database.read() as tx:
            of = alerts.get(tx, alert)
            page = alert_outbox.page(tx, alert, limit=limit, cursor=cursor)
        return map_page(page, lambda delivery: DeliveryAnswer.of(of, delivery))

    return answer_list(request, query, fetch, DeliveryListing, DeliveryAnswer, "alert-deliveries")


@router.post(
    "/{alert:int}/deliveries/{delivery}/retry",
    summary="Try a message again that was given up",
    operation_id="retry_alert_delivery",
    dependencies=NEEDS_WRITE,
    responses=problems(404, 409),
)
def retry_alert_delivery(api: ApiDep, alert: AlertId, delivery: DeliveryId) -> DeliveryAnswer:
    """From the start, with the same id, in the next round."""
    with api.database.write() as tx:
        of = alerts.get(tx, alert)
        if alert not in {event.alert_id for event in alert_outbox.events_of(tx, delivery)}:
            raise NotFound(f"The alert {alert} has no delivery {delivery}.")
        return DeliveryAnswer.of(of, alert_outbox.revive(tx, delivery, api.clock()))


def _postman(api: Api) -> Postman:
    if api.context.postman is None:
        raise unable("send anything", "Ask the process that serves the pages.")
    return api.context.postman
