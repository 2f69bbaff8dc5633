"""What is told of an alert that fired: one sentence, the document of a webhook, the text of a mail. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from kiosque.core.alert import Measure
from kiosque.core.clock import rfc3339
from kiosque.store.alert_events import AlertEvent, Fired
from kiosque.store.alerts import Alert

FIRED, TEST = "alert.fired", "alert.test"
_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Told:
    """One event with the alert that it is of, as it is now."""

    alert: Alert
    event: AlertEvent


def sentence(alert: Alert, fired: Fired) -> str:
    """What happened, with its denominator, e.g. `Abraham Lincoln: named in 14 of 60 articles, on 18 May 1860.`"""
    compared = ""
    if fired.expected is not None and fired.score is not None:
        usual = _value(alert.rule.measure, fired.expected)
        compared = f"; usual is {usual} ({abs(fired.score):.1f} standard deviations {_side(fired.score)})"
    return f"{alert.entity_name}: {_measured(alert.rule.measure, fired)}, {_when(fired)}{compared}."


def webhook_document(
    delivery_id: str, told: Sequence[Told], at: datetime, *, public_url: str | None, test: bool = False
) -> dict[str, Any]:
    """The body of a webhook. `id` is the same in every try; so are the ids of the events."""
    return {
        "id": delivery_id,
        "type": TEST if test else FIRED,
        "timestamp": rfc3339(at),
        "events": [_event(each, public_url) for each in told],
    }


def mail_subject(told: Sequence[Told], *, test: bool = False) -> str:
    """One line without control characters."""
    if len(told) == 1:
        text = f"{told[0].alert.name}: {told[0].alert.entity_name}"
    else:
        text = f"{len(told)} alerts: {', '.join(dict.fromkeys(each.alert.name for each in told))}"
    return one_line(f"{'[Test] ' if test else ''}{text}")[:_SUBJECT]


def mail_text(told: Sequence[Told], *, public_url: str | None, test: bool = False) -> str:
    """Plain text."""
    parts = ["This is a test: nothing has happened.\n"] if test else []
    for each in told:
        parts.append(f"{one_line(each.alert.name)}\n{one_line(sentence(each.alert, each.event.fired))}")
        if public_url:
            parts.append(link(public_url, f"/alerts/{each.alert.id}"))
        parts.append("")
    parts.append(
        "Sent by Kiosque, because a rule there has this address. The rule's page says how to stop it."
    )
    return "\n".join(parts) + "\n"


def link(public_url: str, path: str) -> str:
    """The address of a page as people outside reach it."""
    return public_url.rstrip("/") + path


def one_line(text: str) -> str:
    """`text` without line ends and whatever else does not print."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _event(told: Told, public_url: str | None) -> dict[str, Any]:
    alert, event = told.alert, told.event
    return {
        "id": event.id,
        "alert": {"id": alert.id, "name": alert.name},
        "entity": {"id": event.entity_id, "name": event.entity_name},
        "measure": alert.rule.measure.value,
        "kind": alert.rule.kind.value,
        "side": alert.rule.side.value,
        "limit": alert.rule.limit,
        "window": {
            "unit": alert.rule.window.value,
            "first_day": event.fired.window_start.isoformat(),
            "last_day": event.fired.window_end.isoformat(),
        },
        "value": event.fired.value,
        "of_articles": event.fired.articles,
        "expected": event.fired.expected,
        "score": event.fired.score,
        "fired_at": rfc3339(event.fired_at),
        "sentence": sentence(alert, event.fired),
        "page": link(public_url, f"/alerts/{alert.id}") if public_url else None,
    }


def _measured(measure: Measure, fired: Fired) -> str:
    value = _value(measure, fired.value)
    if measure is Measure.VOLUME:
        return f"named in {value} of {fired.articles:,} articles"
    if measure is Measure.NET:
        return f"net polarity {value} in {fired.articles:,} scored articles"
    return f"{value} negative of {fired.articles:,} scored articles"


def _value(measure: Measure, value: float) -> str:
    if measure is Measure.VOLUME:
        return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
    return f"{value:+.2f}".replace("-", "−") if measure is Measure.NET else f"{value:.0%}"


def _side(score: float) -> str:
    return "above" if score > 0 else "below"


def _when(fired: Fired) -> str:
    if fired.window_start == fired.window_end:
        return f"on {_day(fired.window_start)}"
    return f"from {_day(fired.window_start)} to {_day(fired.window_end)}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"
