"""The numbers behind the pages: who is in the news, how they are spoken of, over time. One GROUP BY each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from kiosque.core.article import Field
from kiosque.core.entity import Candidacy, EntityKind
from kiosque.store.tx import Tx


class Granularity(StrEnum):
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
    """Scored mentions by polarity. An article mentions an entity once, so these are numbers of articles."""

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


@dataclass(frozen=True, slots=True)
class Overview:
    """What is in the store, in one look. `by_day` has the days with articles, newest last."""

    articles: int
    scored: int
    """Articles that the current polarity model has scored."""
    mentions: int
    entities: int
    books: int
    first_day: date | None
    last_day: date | None
    by_source: tuple[tuple[str, int], ...]
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
    """An entity's mentions in one section, source or part, with the number of all articles there."""

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
class Gap:
    """Days, both inclusive, for which the store has no article although it has earlier and later ones."""

    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


def overview(tx: Tx, *, days: int = 30) -> Overview:
    """Counts of everything; `by_day` for the last `days` days up to the newest article."""
    raise NotImplementedError


def ranking(
    tx: Tx,
    date_from: date,
    date_to: date,
    *,
    kind: EntityKind | None = None,
    limit: int = 20,
    model_version: str | None = None,
) -> tuple[Ranked, ...]:
    """Who was most in the news between two days (inclusive), most mentions first."""
    raise NotImplementedError


def timeline(
    tx: Tx,
    entity_id: str,
    *,
    granularity: Granularity = Granularity.MONTH,
    date_from: date | None = None,
    date_to: date | None = None,
    section: str | None = None,
    source: str | None = None,
    part: Field | None = None,
    model_version: str | None = None,
) -> Timeline:
    """How one entity was spoken of over time. With `section` or `source` the denominator counts only these.

    Raises NotFound without the entity.
    """
    raise NotImplementedError


def compare(
    tx: Tx,
    entity_ids: Sequence[str],
    *,
    granularity: Granularity = Granularity.MONTH,
    date_from: date | None = None,
    date_to: date | None = None,
    section: str | None = None,
    source: str | None = None,
    model_version: str | None = None,
) -> tuple[Timeline, ...]:
    """Several entities over the same buckets, in the order asked. Raises NotFound naming the unknown one."""
    raise NotImplementedError


def breakdown(
    tx: Tx,
    entity_id: str,
    by: Dimension,
    *,
    date_from: date | None = None,
    date_to: date | None = None,
    model_version: str | None = None,
) -> tuple[Breakdown, ...]:
    """The entity's mentions by section, source or part, most first. Raises NotFound."""
    raise NotImplementedError


def campaign(tx: Tx, year: int, *, weeks: int = 52, model_version: str | None = None) -> Campaign:
    """The candidates of one election over the last `weeks` weeks before the vote. NotFound without the election."""
    raise NotImplementedError


def gaps(tx: Tx, *, min_days: int = 7, source: str | None = None, limit: int = 100) -> tuple[Gap, ...]:
    """Stretches of at least `min_days` days without an article, longest first."""
    raise NotImplementedError
