"""Who is watched, and one of them over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BeforeValidator
from starlette.responses import HTMLResponse

from kiosque.core.entity import Candidacy, Entity
from kiosque.store import articles, mentions, recommendations, stats
from kiosque.store import entities as entity_store
from kiosque.store.articles import ArticleFilter, Sort
from kiosque.store.stats import Dimension, Granularity, Timeline
from kiosque.store.tx import Tx
from kiosque.web.figures.aligned import Line as AlignedLine
from kiosque.web.figures.aligned import Stretch, aligned
from kiosque.web.figures.comparison import Line, comparison
from kiosque.web.figures.frame import NARROW, WIDE, WIDE_WITH_NAMES, Frame
from kiosque.web.figures.hues import hue_of, hues_of
from kiosque.web.figures.timeline import Bucket, Mark, timeline
from kiosque.web.language import gettext
from kiosque.web.render import house, page, tone_of
from kiosque.web.wording import day

router = APIRouter()

PAGE = 60
MOST_NAMED = 30
EXAMPLES = 5
MOST_COMPARED = 6
MOST_LINES = 8
"""In a chart of aligned weeks: as many as there are colours."""
WEEKS = 52
MOST_SUGGESTED = 1000
MOST_POINTS = 1200
"""In one chart and its table."""
LONG_SPAN, MIDDLE_SPAN, SHORT_SPAN = 50 * 366, 3 * 366, 120
"""Days from which a year, a quarter and a week are the natural width of a bucket."""


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


OptionalDay = Annotated[date | None, BeforeValidator(_none_if_empty)]
"""A day in the address; a field of a form that was left empty is none."""


class Grain(StrEnum):
    AUTO = "auto"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@router.get("/people")
def people(request: Request, q: str = "", cursor: str | None = None) -> HTMLResponse:
    with house(request).database.read() as tx:
        found = entity_store.page(tx, query=q[:200], limit=PAGE, cursor=cursor)
        period = stats.period(tx)
        ranking: tuple[stats.Ranked, ...] = ()
        if period is not None and not q and cursor is None:
            ranking = stats.ranking(tx, *period, limit=MOST_NAMED)
        return page(
            request,
            tx,
            "people.html",
            section="/people",
            found=found,
            query_people=q,
            ranking=ranking,
            period=period,
        )


@router.get("/people/{entity_id}")
def person(
    request: Request,
    entity_id: str,
    by: Grain = Grain.AUTO,
    since: OptionalDay = None,
    until: OptionalDay = None,
) -> HTMLResponse:
    with house(request).database.read() as tx:
        entity = entity_store.get(tx, entity_id)
        span = _span(tx, [entity_id], since, until)
        grain = fitting_grain(by, span)
        line = stats.timeline(tx, entity_id, granularity=grain, date_from=since, date_to=until)
        candidacies = entity_store.candidacies(tx, entity_id=entity_id)
        buckets = buckets_of(line)
        worst = _extremes(tx, entity_id, Sort.NEGATIVE, since, until)
        best = _extremes(tx, entity_id, Sort.POSITIVE, since, until)
        broken_down = stats.breakdowns(tx, entity_id, date_from=since, date_to=until)
        with_books, around = recommendations.around_entity(tx, entity_id)
        return page(
            request,
            tx,
            "person.html",
            section="/people",
            entity=entity,
            candidacies=candidacies,
            grain=grain,
            grains=Grain,
            by=by,
            too_fine=by is not Grain.AUTO and grain.value != by.value,
            since=since,
            until=until,
            charts=[
                timeline(
                    buckets, election_marks(candidacies), name=entity.name, unit=grain.value, frame=frame
                )
                for frame in ((WIDE, NARROW) if buckets else (WIDE,))
            ],
            buckets=buckets,
            total=sum_counts(line),
            hue=hue_of(entity_id),
            sections=broken_down[Dimension.SECTION],
            parts=broken_down[Dimension.PART],
            sources=broken_down[Dimension.SOURCE],
            with_books=with_books,
            around=around,
            worst=worst,
            best=best,
            named=mentions.of_articles(tx, [a.pk for a in (*worst, *best)]),
        )


Asked = Annotated[list[str], Query(max_length=50)]
"""One parameter that may be repeated, or hold several values with commas between them."""


@router.get("/compare")
def compare(
    request: Request,
    entities: Asked = [],  # noqa: B006
    by: Grain = Grain.AUTO,
    since: OptionalDay = None,
    until: OptionalDay = None,
    ends: Asked = [],  # noqa: B006
    weeks: int = WEEKS,
) -> HTMLResponse:
    """`ends`: years of elections, or days, up to which everybody's last `weeks` weeks are laid over one another."""
    with house(request).database.read() as tx:
        found = found_people(tx, words_of(entities))
        chosen = _chosen(found)
        last_days, unknown_ends = chosen_ends(tx, ends)
        common: dict[str, Any] = {
            "section": "/compare",
            "chosen": chosen,
            "unknown": [name for name, entity in found.items() if entity is None],
            "unknown_ends": unknown_ends,
            "ends": words_of(ends),
            "weeks": within(weeks),
            "grains": Grain,
            "by": by,
            "since": since,
            "until": until,
            "names": people_names(tx),
            "example": _rivals(tx),
        }
        if chosen and last_days:
            return page(
                request, tx, "aligned.html", **common, **_aligned(tx, chosen, last_days, within(weeks))
            )
        return page(request, tx, "compare.html", **common, **_compared(tx, chosen, by, since, until))


def _compared(
    tx: Tx, chosen: Sequence[Entity], by: Grain, since: date | None, until: date | None
) -> dict[str, Any]:
    """What the comparison over the same time shows."""
    ids = [entity.id for entity in chosen]
    span = _span(tx, ids, since, until)
    grain = fitting_grain(by, span, len(ids))
    lines = stats.compare(tx, ids, granularity=grain, date_from=since, date_to=until) if ids else ()
    hues = hues_of(ids)
    drawn = [
        Line(entity.name, hue, buckets_of(line))
        for entity, hue, line in zip(chosen, hues, lines, strict=True)
    ]
    totals = [sum_counts(line) for line in lines]
    frames = _frames(any(line.buckets for line in drawn)) if drawn else ()
    return {
        "grain": grain,
        "too_fine": by is not Grain.AUTO and grain.value != by.value,
        "hues": hues,
        "lines": drawn,
        "totals": totals,
        "all_mentions": sum(each.total for each in totals),
        "all_articles": sum(bucket.articles for bucket in lines[0].buckets) if lines else 0,
        "charts": [comparison(drawn, unit=grain.value, frame=frame) for frame in frames],
    }


def _aligned(tx: Tx, chosen: Sequence[Entity], last_days: Sequence[date], weeks: int) -> dict[str, Any]:
    """What the comparison of aligned weeks shows: everybody before each of the days on which somebody is named."""
    names = {entity.id: entity.name for entity in chosen}
    found = stats.aligned(tx, [(entity.id, last) for entity in chosen for last in last_days], weeks=weeks)
    named = [line for line in found if line.counts.total]
    shown = named[:MOST_LINES]
    hues = hues_of([line.entity_id for line in shown])
    won = {
        (candidacy.entity_id, candidacy.election_date)
        for line in shown
        for candidacy in entity_store.candidacies(tx, entity_id=line.entity_id)
        if candidacy.winner
    }
    drawn = [
        AlignedLine(
            f"{names[line.entity_id]}, {line.end.year}",
            hue,
            stretches_of(line, weeks),
            (line.entity_id, line.end) in won,
        )
        for line, hue in zip(shown, hues, strict=True)
    ]
    title = gettext("The weeks before %(days)s", days=", ".join(day(each) for each in last_days))
    return {
        "lines": list(zip(shown, drawn, strict=True)),
        "people": names,
        "last_days": last_days,
        "left_out": len(named) - len(shown),
        "charts": [aligned(drawn, weeks=weeks, title=title, frame=frame) for frame in _frames(bool(drawn))],
    }


def _frames(anything: bool) -> tuple[Frame, ...]:
    """For which widths a chart with names is drawn; without anything in it there are only words."""
    return (WIDE_WITH_NAMES, NARROW) if anything else (WIDE_WITH_NAMES,)


def within(weeks: int) -> int:
    """A number of weeks that can be drawn."""
    return min(max(weeks, 4), 208)


def stretches_of(line: stats.Aligned, weeks: int) -> tuple[Stretch, ...]:
    """The weeks put together by as many as make some dozen points; a stretch without any article is left out."""
    step = next(s for s in (1, 2, 4, 8, 16) if weeks / s <= 26)
    numbers: dict[int, list[stats.CampaignWeek]] = {}
    for week in line.weeks:
        numbers.setdefault(week.week // step, []).append(week)
    return tuple(
        Stretch(
            step * number + step,
            step * number,
            tone_of(sum((week.counts for week in some), stats.Counts())),
            sum(week.articles for week in some),
        )
        for number, some in sorted(numbers.items(), reverse=True)
    )


def chosen_ends(tx: Tx, asked: Sequence[str]) -> tuple[list[date], list[str]]:
    """The days that are meant: `2016` is the day of that year's election. And what could not be read."""
    votes = {election.year: election.date for election in entity_store.elections(tx)}
    found: dict[date, None] = {}
    unknown = []
    for word in words_of(asked):
        last = votes.get(int(word)) if word.isascii() and word.isdigit() and len(word) < 5 else _day(word)
        if last is None:
            unknown.append(word)
        else:
            found[last] = None
    return list(found)[:MOST_COMPARED], unknown


def _day(word: str) -> date | None:
    try:
        return date.fromisoformat(word)
    except ValueError:
        return None


def _rivals(tx: Tx) -> list[str]:
    """The ids of the first two candidates of the latest election: something to try."""
    years = entity_store.elections(tx)
    stood = entity_store.candidacies(tx, year=years[0].year) if years else ()
    return [candidacy.entity_id for candidacy in stood[:2]]


def chosen_people(tx: Tx, asked: Sequence[str]) -> list[Entity]:
    """Those of the ids or names that are watched, each once, in the order asked, as many as there are hues."""
    return _chosen(found_people(tx, words_of(asked)))


def _chosen(found: Mapping[str, Entity | None]) -> list[Entity]:
    return list({entity.id: entity for entity in found.values() if entity}.values())[:MOST_COMPARED]


def found_people(tx: Tx, names: Sequence[str]) -> dict[str, Entity | None]:
    """Each id or name, and who is meant by it, if that is clear."""
    of_ids = entity_store.of_ids(tx, names)
    return {name: of_ids.get(name) or _find_named(tx, name) for name in names}


def words_of(asked: Sequence[str]) -> list[str]:
    """Names may hold no comma here; one that does is given by its id."""
    return [word.strip() for value in asked for word in value.split(",") if word.strip()][:20]


def find_person(tx: Tx, name: str) -> Entity | None:
    """The entity of this id, or of exactly this name or alias; else the only one whose name has it in it."""
    return found_people(tx, [name])[name]


def _find_named(tx: Tx, name: str) -> Entity | None:
    wanted = name.strip().replace("-", " ").casefold()
    found = entity_store.page(tx, query=wanted[:200], limit=20).items
    exact = [e for e in found if _plain(e.name) == wanted]
    exact = exact or [e for e in found if any(_plain(a.text) == wanted for a in e.aliases)]
    if exact:
        return exact[0] if len(exact) == 1 else None
    return found[0] if len(found) == 1 else None


def _plain(name: str) -> str:
    return name.replace("-", " ").casefold()


def people_names(tx: Tx) -> list[str]:
    """Names to suggest in a field."""
    return entity_store.all_names(tx, MOST_SUGGESTED)


def _span(tx: Tx, entity_ids: Sequence[str], since: date | None, until: date | None) -> int:
    """Days between the first and the last article that names any of the entities."""
    spans = stats.spans(tx, entity_ids, date_from=since, date_to=until).values()
    return (max(last for _, last in spans) - min(first for first, _ in spans)).days if spans else 0


def choose_grain(days: int) -> Granularity:
    """A width of bucket that gives a readable number of them."""
    if days > LONG_SPAN:
        return Granularity.YEAR
    if days > MIDDLE_SPAN:
        return Granularity.QUARTER
    return Granularity.MONTH if days > SHORT_SPAN else Granularity.WEEK


def fitting_grain(by: Grain, days: int, lines: int = 1) -> Granularity:
    """The width asked for, or the next wider one of which not too many fit into so many days."""
    if by is Grain.AUTO:
        return choose_grain(days)
    wider = [Granularity(each.value) for each in _DAYS if _DAYS[each] >= _DAYS[by]]
    return next((each for each in wider if lines * days / _DAYS[Grain(each.value)] <= MOST_POINTS), wider[-1])


_DAYS = {Grain.WEEK: 7, Grain.MONTH: 30, Grain.QUARTER: 91, Grain.YEAR: 365}


def buckets_of(line: Timeline) -> tuple[Bucket, ...]:
    """From the first to the last bucket that names the entity; a stretch without articles begins a new run."""
    named = [place for place, bucket in enumerate(line.buckets) if bucket.counts.total]
    if not named:
        return ()
    run, previous, found = 0, None, []
    for bucket in line.buckets[named[0] : named[-1] + 1]:
        if previous is not None and bucket.start > previous + timedelta(days=1):
            run += 1
        previous = bucket.end
        found.append(Bucket(bucket.start, bucket.end, tone_of(bucket.counts), run, bucket.articles))
    return tuple(found)


def election_marks(candidacies: Iterable[Candidacy]) -> list[Mark]:
    return [
        Mark(
            c.election_date,
            gettext("%(year)s won", year=c.election_year) if c.winner else str(c.election_year),
        )
        for c in candidacies
    ]


def sum_counts(line: Timeline) -> stats.Counts:
    counts: Sequence[stats.Counts] = [bucket.counts for bucket in line.buckets]
    return stats.Counts(
        sum(c.negative for c in counts),
        sum(c.neutral for c in counts),
        sum(c.positive for c in counts),
        sum(c.unscored for c in counts),
    )


def _extremes(
    tx: Tx, entity_id: str, sort: Sort, since: date | None, until: date | None
) -> tuple[articles.StoredArticle, ...]:
    where = ArticleFilter(entities=(entity_id,), date_from=since, date_to=until)
    return articles.page(tx, where, sort=sort, limit=EXAMPLES).items
