"""Rules that watch someone in the news: what is measured, over which windows, and what makes a rule fire."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import isfinite

from kiosque.core.errors import InvalidInput

MOST_SILENT = 366
LEAST_SCORE, MOST_SCORE = 2.0, 50.0
MOST_ARTICLES = 1_000_000


class Measure(StrEnum):
    """What of an entity is watched, window by window."""

    VOLUME = "volume"
    """How many articles name it."""
    NEGATIVE_SHARE = "negative_share"
    """The share of negative ones among those that are scored, 0 to 1."""
    NET = "net"
    """The share of positive minus the share of negative ones, -1 to 1."""


class Kind(StrEnum):
    """With what the measure is compared."""

    THRESHOLD = "threshold"
    """With a number that the rule gives."""
    SPIKE = "spike"
    """With the entity's own history; `limit` is how many standard deviations away is too many."""


class Side(StrEnum):
    """On which side of the limit a rule fires."""

    ABOVE = "above"
    BELOW = "below"


class Window(StrEnum):
    """The stretches of time that are compared, in UTC. Each one fires a rule at most once."""

    DAY = "day"
    WEEK = "week"
    """Monday to Sunday."""
    MONTH = "month"


class Digest(StrEnum):
    """When what fired is sent."""

    AT_ONCE = "at_once"
    DAILY = "daily"


@dataclass(frozen=True, slots=True)
class AlertRule:
    """What fires. Raises InvalidInput for a limit that the measure never reaches.

    `limit` is a number of articles, a share, or for a spike a number of standard deviations. A window with fewer than
    `min_articles` (for a share: scored ones) never fires, except for a volume that falls. After a window that fired
    the next `cool_down` windows are silent.
    """

    entity_id: str
    measure: Measure
    kind: Kind
    side: Side
    limit: float
    window: Window = Window.DAY
    min_articles: int = 5
    cool_down: int = 0

    def __post_init__(self) -> None:
        low, high = self.range_of_limit(self.measure, self.kind)
        if not isfinite(self.limit) or not low <= self.limit <= high:
            raise InvalidInput(
                f"The limit is {self.limit:g}.",
                hint=f"For a {self.kind.value} of {self.measure.value} it lies from {low:g} to {high:g}.",
            )
        if not 0 <= self.cool_down <= MOST_SILENT:
            raise InvalidInput(
                f"The cool-down is {self.cool_down}.", hint=f"Give 0 to {MOST_SILENT} windows."
            )
        if not 1 <= self.min_articles <= MOST_ARTICLES:
            raise InvalidInput(
                f"At least {self.min_articles} articles.", hint="One is the least that says anything."
            )

    @staticmethod
    def range_of_limit(measure: Measure, kind: Kind) -> tuple[float, float]:
        """The least and the greatest limit that make sense."""
        if kind is Kind.SPIKE:
            return LEAST_SCORE, MOST_SCORE
        if measure is Measure.VOLUME:
            return 0.0, float(MOST_ARTICLES)
        return (-1.0 if measure is Measure.NET else 0.0), 1.0


def window_number(window: Window, day: date) -> int:
    """The windows of one kind, counted through: neighbours differ by one."""
    if window is Window.DAY:
        return day.toordinal()
    if window is Window.WEEK:
        return (day.toordinal() - 1) // 7
    return day.year * 12 + day.month - 1


def window_start(window: Window, number: int) -> date:
    """The first day of the window of this number."""
    if window is Window.DAY:
        return date.fromordinal(max(number, 1))
    if window is Window.WEEK:
        return date.fromordinal(max(number * 7 + 1, 1))
    return date(max(number, 12) // 12, max(number, 12) % 12 + 1, 1)
