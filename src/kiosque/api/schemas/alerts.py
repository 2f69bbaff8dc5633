"""Alerts: rules, what they fired, and what came of telling it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from kiosque.api.feed_tokens import FeedOf, feed_path
from kiosque.api.schemas.base import NUMBER, Answer, Ask, Day, Flag, Listing, Name, Slug
from kiosque.core.alert import MOST_ARTICLES, MOST_SILENT, AlertRule, Digest, Kind, Measure, Side, Window
from kiosque.pipeline.alert_decision import Reading, Verdict
from kiosque.pipeline.alert_messages import sentence
from kiosque.pipeline.alert_sending import Tried
from kiosque.pipeline.mail import MOST_RECIPIENTS, masked
from kiosque.pipeline.webhook import LONGEST_ADDRESS, host_of
from kiosque.store.alert_events import AlertEvent
from kiosque.store.alert_outbox import Channel, Delivery, DeliveryState
from kiosque.store.alerts import Alert, Outputs

_Whole = Annotated[int, NUMBER]


class RuleBody(Ask):
    """What fires: a measure of an entity, window by window, against a limit or against its own history."""

    entity: Slug = Field(examples=["abraham-lincoln"])
    measure: Measure = Field(
        description="`volume`: articles that name it; `negative_share`: share of negative ones among those scored; "
        "`net`: share of positive minus share of negative ones."
    )
    kind: Kind = Field(
        description="`threshold`: compared with `limit`; `spike`: with its own history, `limit` being the number of "
        "standard deviations."
    )
    side: Side = Field(default=Side.ABOVE, description="On which side of the limit it fires.")
    limit: Annotated[float, NUMBER, Field(ge=-1, le=MOST_ARTICLES)] = Field(
        description="Number of articles, share from 0 to 1, net from -1 to 1, or for a spike 2 to 50.",
        examples=[4],
    )
    window: Window = Field(default=Window.DAY, description="In UTC; weeks from Monday to Sunday.")
    min_articles: Annotated[_Whole, Field(ge=1, le=MOST_ARTICLES)] = Field(
        default=5, description="A window with fewer never fires, except for a volume that falls."
    )
    cool_down: Annotated[_Whole, Field(ge=0, le=MOST_SILENT)] = Field(
        default=0, description="Windows that are silent after one that fired."
    )

    def rule(self) -> AlertRule:
        return AlertRule(
            entity_id=self.entity,
            measure=self.measure,
            kind=self.kind,
            side=self.side,
            limit=self.limit,
            window=self.window,
            min_articles=self.min_articles,
            cool_down=self.cool_down,
        )


class AlertBody(RuleBody):
    """A rule with a name, and where to say that it fired. Every alert has a feed besides."""

    name: Name = Field(description="Told apart without regard to case.", examples=["Lincoln, suddenly"])
    webhook: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ADDRESS)] | None = Field(
        default=None, description="Where a signed document is posted.", examples=["https://example.org/hook"]
    )
    emails: list[Annotated[str, StringConstraints(max_length=320)]] = Field(
        default=[], max_length=MOST_RECIPIENTS, description="Needs a mail server, see KIOSQUE_SMTP_HOST."
    )
    digest: Digest = Field(default=Digest.AT_ONCE, description="At once, or once a day all together.")

    def outputs(self) -> Outputs:
        return Outputs(self.webhook, tuple(self.emails), self.digest)


class AlertChangeBody(Ask):
    """What of an alert can be changed; what fires cannot, so that its history stays true."""

    name: Name | None = None
    enabled: Flag | None = Field(default=None, description="False: it is looked at no more.")


class PreviewBody(RuleBody):
    """A rule, and the days to try it on."""

    since: Day | None = Field(default=None, description="Without it two years before `until`.")
    until: Day | None = Field(default=None, description="Without it the day of the newest article.")


class AlertAnswer(Answer):
    """A rule, and where it is said that it fired. Of addresses only as much as everybody may see."""

    id: int = Field(examples=[1])
    name: str
    entity: str
    entity_name: str
    measure: Measure
    kind: Kind
    side: Side
    limit: float
    window: Window
    min_articles: int
    cool_down: int
    digest: Digest
    webhook_host: str | None
    emails: list[str] = Field(description="Without the name before the @.")
    enabled: bool
    made_by: str
    created_at: datetime
    last_fired_at: datetime | None
    feed: str = Field(description="Path of its RSS feed. Where reading is closed, it needs a token.")

    @classmethod
    def of(cls, alert: Alert, last_fired_at: datetime | None = None) -> AlertAnswer:
        return cls.model_validate(alert_fields(alert, last_fired_at))


class NewAlertAnswer(AlertAnswer):
    """An alert with the secret of its webhook, which is shown this once."""

    webhook_secret: str | None = Field(description="`whsec_…`; null without a webhook.")


class AlertListing(Listing[AlertAnswer]):
    """One page of alerts, by name."""


class SecretAnswer(Answer):
    """The new secret of a webhook, shown this once; the old one signs nothing any more."""

    webhook_secret: str


class ReadingAnswer(Answer):
    """One window as a rule sees it."""

    first_day: date
    last_day: date
    value: float | None = Field(description="Null where nothing was scored.")
    of_articles: int = Field(description="The denominator: all articles, or for a share those scored.")
    expected: float | None = Field(description="For a spike: what its history makes one expect.")
    score: float | None = Field(description="For a spike: standard deviations away from that.")
    verdict: Verdict

    @classmethod
    def of(cls, reading: Reading) -> ReadingAnswer:
        return cls(
            first_day=reading.start,
            last_day=reading.end,
            value=reading.value,
            of_articles=reading.articles,
            expected=reading.expected,
            score=reading.score,
            verdict=reading.verdict,
        )


class PreviewAnswer(Answer):
    """When a rule would have fired."""

    windows: int = Field(description="Windows with articles; at most the last 2,000.")
    fired: int
    readings: list[ReadingAnswer] = Field(description="Oldest first.")


class EventAnswer(Answer):
    """One window for which an alert fired, as it stood then."""

    id: str
    alert: int
    alert_name: str
    entity: str
    entity_name: str
    first_day: date
    last_day: date
    value: float
    of_articles: int
    expected: float | None
    score: float | None
    fired_at: datetime
    sentence: str

    @classmethod
    def of(cls, alert: Alert, event: AlertEvent) -> EventAnswer:
        return cls(
            id=event.id,
            alert=event.alert_id,
            alert_name=event.alert_name,
            entity=event.entity_id,
            entity_name=event.entity_name,
            first_day=event.fired.window_start,
            last_day=event.fired.window_end,
            value=event.fired.value,
            of_articles=event.fired.articles,
            expected=event.fired.expected,
            score=event.fired.score,
            fired_at=event.fired_at,
            sentence=sentence(alert, event.fired),
        )


class EventListing(Listing[EventAnswer]):
    """One page of what an alert fired, newest first."""


class DeliveryAnswer(Answer):
    """One message to one receiver, and how far it is."""

    id: str
    channel: Channel
    target: str = Field(description="Host of the webhook, or mail address without the name before the @.")
    state: DeliveryState
    attempts: int
    next_try_at: datetime | None = Field(description="Null when it is delivered or given up.")
    reason: str | None = Field(description="Why the last try failed.")
    settled_at: datetime | None

    @classmethod
    def of(cls, alert: Alert, delivery: Delivery) -> DeliveryAnswer:
        return cls(
            id=delivery.id,
            channel=delivery.channel,
            target=shown_target(alert, delivery),
            state=delivery.state,
            attempts=delivery.attempts,
            next_try_at=delivery.next_try_at if delivery.state is DeliveryState.WAITING else None,
            reason=delivery.reason,
            settled_at=delivery.settled_at,
        )


class DeliveryListing(Listing[DeliveryAnswer]):
    """One page of messages, newest first."""


class TriedAnswer(Answer):
    """What came of a test of one output."""

    channel: Channel
    target: str
    problem: str | None = Field(description="Why it did not arrive; null where it did.")

    @classmethod
    def of(cls, tried: Tried) -> TriedAnswer:
        return cls(channel=tried.channel, target=tried.target, problem=tried.problem)


class TrialAnswer(Answer):
    """A test message to every output."""

    outputs: list[TriedAnswer]


def shown_target(alert: Alert, delivery: Delivery) -> str:
    """A receiver, as far as everybody may see it."""
    if delivery.channel is Channel.EMAIL:
        return masked(delivery.target)
    return host_of(alert.outputs.webhook or "")


def alert_fields(alert: Alert, last_fired_at: datetime | None) -> dict[str, object]:
    """The fields of `AlertAnswer`."""
    rule, outputs = alert.rule, alert.outputs
    return {
        "id": alert.id,
        "name": alert.name,
        "entity": rule.entity_id,
        "entity_name": alert.entity_name,
        "measure": rule.measure,
        "kind": rule.kind,
        "side": rule.side,
        "limit": rule.limit,
        "window": rule.window,
        "min_articles": rule.min_articles,
        "cool_down": rule.cool_down,
        "digest": outputs.digest,
        "webhook_host": host_of(outputs.webhook) if outputs.webhook else None,
        "emails": [masked(each) for each in outputs.emails],
        "enabled": alert.enabled,
        "made_by": alert.made_by,
        "created_at": alert.created_at,
        "last_fired_at": last_fired_at,
        "feed": feed_path(FeedOf.ALERT, alert.id),
    }
