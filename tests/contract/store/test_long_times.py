"""What is put together out of years, months and days is what the mentions themselves say, whatever the period."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest

from kiosque.core.article import Field
from kiosque.store import mentions, stats
from kiosque.store.figures import Counts, Dimension
from kiosque.store.outlines import outlines
from kiosque.testing.world import DOUGLAS, LINCOLN, NEGATIVE, NEUTRAL, NOW, POSITIVE, article, found

FIRST, LAST = date(1857, 6, 3), date(1862, 9, 20)
SCORES = (NEGATIVE, NEUTRAL, POSITIVE, None)
NUMBER = 220
PERIODS = [
    (None, None),
    (date(1858, 1, 1), date(1860, 12, 31)),
    (date(1858, 1, 2), date(1861, 12, 30)),
    (None, date(1860, 11, 6)),
    (date(1857, 12, 31), None),
    (date(1859, 2, 10), date(1859, 11, 3)),
    (date(1860, 5, 18), date(1860, 5, 18)),
]
Said = list[tuple[date, dict[str, Any], tuple[tuple[str, Any, Field], ...]]]


@pytest.fixture
def said(world) -> Said:
    """Made-up news: the day, where it stands, and who is named with which score in which part."""
    chooser, made = random.Random(1860), []
    for number in range(NUMBER):
        day = FIRST + timedelta(days=chooser.randrange((LAST - FIRST).days))
        facts = {"source": chooser.choice("ab"), "section": chooser.choice(("Politics", "Opinion", None))}
        people = chooser.sample((LINCOLN.id, DOUGLAS.id), chooser.randrange(3))
        named = tuple((who, chooser.choice(SCORES), chooser.choice(list(Field))) for who in people)
        made.append((day, facts, named))
        pk = world.add(article(str(number), day.isoformat(), abstract="An abstract", **facts))
        scored = mentions.ScoredArticle(pk, tuple(found(who, p, part=part) for who, p, part in named))
        with world.database.write() as tx:
            mentions.save(tx, [scored], model_version="v1", generation=1, scored_at=NOW)
    return made


def counts(score: Any) -> Counts:
    kinds = (NEGATIVE, NEUTRAL, POSITIVE, None)
    return Counts(*(int(score is kind) for kind in kinds))


def expected(said: Said, who: str, by: Dimension, since: date | None, until: date | None):
    found: dict[str, Counts] = {}
    for day, facts, named in said:
        for name, score, part in named:
            if name == who and (since or date.min) <= day <= (until or date.max):
                place = part.value if by is Dimension.PART else facts[by.value] or ""
                found[place] = found.get(place, Counts()) + counts(score)
    return found


def test_breakdowns_of_any_period(world, said):
    with world.database.read() as tx:
        for since, until in PERIODS:
            made = stats.breakdowns(tx, LINCOLN.id, date_from=since, date_to=until)
            for by in Dimension:
                shown = {each.name: each.counts for each in made[by]}
                assert shown == expected(said, LINCOLN.id, by, since, until), (since, until, by)
            (alone,) = (stats.breakdown(tx, LINCOLN.id, Dimension.PART, date_from=since, date_to=until),)
            assert alone == made[Dimension.PART]


def test_rankings_of_any_period(world, said):
    with world.database.read() as tx:
        for since, until in PERIODS:
            first, last = since or FIRST, until or LAST
            ranked = {each.entity_id: each.counts for each in stats.ranking(tx, first, last)}
            for who in (LINCOLN.id, DOUGLAS.id):
                sources = expected(said, who, Dimension.SOURCE, first, last).values()
                assert ranked.get(who, Counts()) == sum(sources, Counts()), (first, last, who)


def test_all_mentions_are_counted_in_the_overview(world, said):
    with world.database.read() as tx:
        assert stats.overview(tx).mentions == sum(len(named) for _, _, named in said) == mentions.count(tx)


@pytest.mark.parametrize("weeks", [1, 4, 26, 52, 104])
def test_an_outline_has_the_numbers_of_the_campaign(world, said, weeks):
    with world.database.read() as tx:
        (outline,) = outlines(tx, [1860, 1861], weeks=weeks)
        whole = stats.campaign(tx, 1860, weeks=weeks)
        assert (outline.year, outline.election_date) == (1860, whole.election_date)
        first = whole.election_date - timedelta(days=7 * weeks - 1)
        for line, by_week in zip(outline.lines, whole.lines, strict=True):
            assert (line.candidacy, line.name) == (by_week.candidacy, by_week.name)
            assert line.counts == by_week.counts
            assert sum((month.counts for month in line.months), Counts()) == line.counts
            for month in line.months:
                since, until = month.start, month.end
                assert first <= since <= until <= whole.election_date
                sources = expected(said, line.candidacy.entity_id, Dimension.SOURCE, since, until)
                assert month.counts == sum(sources.values(), Counts())


def test_no_election_has_no_outline(world):
    with world.database.read() as tx:
        assert outlines(tx, []) == outlines(tx, [1861]) == ()
