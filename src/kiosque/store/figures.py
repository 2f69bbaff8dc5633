"""The shapes of the numbers that `stats` finds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from kiosque.core.entity import Candidacy, EntityKind


class Granularity(StrEnum):
    """How long a bucket of a timeline is."""

    DAY = "day"
    WEEK = "week"
    """Monday to Sunday."""
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Dimension(StrEnum):
    """By what an entity's mentions are told apart."""

    SECTION = "section"
    SOURCE = "source"
    PART = "part"
    """Headline or abstract: one named in both counts in both, with the polarity that each part has."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Mentions by polarity. An article mentions an entity once, so these are numbers of articles."""

    negative: int = 0
    neutral: int = 0
    positive: int = 0
    unscored: int = 0
    """Mentioned without a score: another language, too long."""

    @property
    def scored(self) -> int:
        return self.negative + self.neutral + self.positive

    @property
    def total(self) -> int:
        return self.scored + self.unscored

    @property
    def net(self) -> float | None:
        """Share of positive minus share of negative, between -1 and 1; None without a score."""
        return (self.positive - self.negative) / self.scored if self.scored else None

    def share(self, number: int) -> float | None:
        """`number` as a share of what was scored."""
        return number / self.scored if self.scored else None

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.negative + other.negative,
            self.neutral + other.neutral,
            self.positive + other.positive,
            self.unscored + other.unscored,
        )


@dataclass(frozen=True, slots=True)
class Totals:
    """What has come in so far."""

    articles: int
    scored: int
    """Articles that the current polarity model has scored."""
    mentions: int
    first_day: date | None
    last_day: date | None
    by_source: tuple[tuple[str, int], ...]
    """Sources with their number of articles, largest first."""


@dataclass(frozen=True, slots=True)
class Overview(Totals):
    """What is in the store, in one look. `by_day` has the days with articles, newest last."""

    entities: int
    books: int
    by_day: tuple[tuple[date, int], ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """One entity of a ranking: its counts in the period and in the one of the same length just before."""

    entity_id: str
    name: str
    kind: EntityKind
    counts: Counts
    previous: Counts


@dataclass(frozen=True, slots=True)
class Bucket:
    """One stretch of time, both days inclusive. `articles` is the denominator: all articles of that stretch.

    Without articles there is a gap in the data, not a zero.
    """

    start: date
    end: date
    counts: Counts
    articles: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """One entity over time. Only buckets with articles are there; days between them are gaps."""

    entity_id: str
    granularity: Granularity
    buckets: tuple[Bucket, ...]


@dataclass(frozen=True, slots=True)
class Breakdown:
    """An entity's mentions in one section, source or part, with the number of all articles there.

    `name` is empty for articles without a section. For parts `articles` counts all articles.
    """

    name: str
    counts: Counts
    articles: int


@dataclass(frozen=True, slots=True)
class CampaignWeek:
    """`week` 0 ends on election day, 1 is the seven days before, and so on."""

    week: int
    start: date
    end: date
    counts: Counts
    articles: int


@dataclass(frozen=True, slots=True)
class CampaignLine:
    """One candidate's weeks, oldest first; weeks without any article in the store are left out."""

    candidacy: Candidacy
    name: str
    counts: Counts
    weeks: tuple[CampaignWeek, ...]


@dataclass(frozen=True, slots=True)
class Campaign:
    """All candidates of one election, aligned by weeks before the vote."""

    year: int
    election_date: date
    lines: tuple[CampaignLine, ...]


@dataclass(frozen=True, slots=True)
class CampaignMonth:
    """What of a month, both days inclusive, lies in a campaign, and how it speaks of one candidate."""

    start: date
    end: date
    counts: Counts


@dataclass(frozen=True, slots=True)
class OutlineLine:
    """One candidate's months that name them, oldest first."""

    candidacy: Candidacy
    name: str
    counts: Counts
    months: tuple[CampaignMonth, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """All candidates of one election, by month: a campaign as it is seen among many."""

    year: int
    election_date: date
    lines: tuple[OutlineLine, ...]


@dataclass(frozen=True, slots=True)
class Intake:
    """The articles of one source in one stretch of time, both days inclusive."""

    start: date
    end: date
    source: str
    articles: int


@dataclass(frozen=True, slots=True)
class Aligned:
    """One entity in the weeks up to a day: lines of different years can be laid over one another."""

    entity_id: str
    end: date
    weeks: tuple[CampaignWeek, ...]
    """Oldest first; weeks without any article in the store are left out."""

    @property
    def counts(self) -> Counts:
        return sum((week.counts for week in self.weeks), Counts())


@dataclass(frozen=True, slots=True)
class Gap:
    """Days, both inclusive, for which the store has no article although it has earlier and later ones."""

    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1
