"""Colours of entities, moves of tone, what came in, and weeks put together."""

from __future__ import annotations

from datetime import date

from kiosque.core.entity import EntityKind
from kiosque.store.stats import Aligned, CampaignWeek, Counts, Intake, Ranked
from kiosque.web.figures.aligned import Line, aligned
from kiosque.web.figures.hues import COLOURS, Hue, hue_of, hues_of
from kiosque.web.figures.intake import LAYERS, intake
from kiosque.web.pages.people import stretches_of, within
from kiosque.web.pages.today import SMALLEST_MOVE, biggest_moves, came_in, move_of


def ranked(now: Counts, before: Counts, name: str = "Ann") -> Ranked:
    return Ranked(name.casefold(), name, EntityKind.PERSON, now, before)


def test_a_colour_follows_from_the_id_alone():
    ids = ["ann", "bob", "cy", "dee", "eve"]
    assert [hue.colour for hue in hues_of(ids)] == [hue.colour for hue in reversed(hues_of(ids[::-1]))]
    assert all(1 <= hue_of(name).colour <= COLOURS for name in ids)


def test_two_of_one_colour_are_told_apart_in_a_chart():
    first, second = hues_of(["ann", "ann"])
    assert first == hue_of("ann")
    assert second == Hue(first.colour, 1)
    assert second.classes == f"hue-{first.colour} dash-1"


def test_a_move_needs_enough_articles_and_an_interval_without_zero():
    few = Counts(negative=SMALLEST_MOVE - 1)
    assert move_of(ranked(few, Counts(positive=50))) is None
    sure = ranked(Counts(negative=40, positive=5), Counts(negative=5, positive=40), "Bob")
    chance = ranked(Counts(negative=4, positive=3), Counts(negative=3, positive=4), "Cy")
    assert [move.ranked.name for move in biggest_moves([chance, sure])] == ["Bob"]
    move = move_of(sure)
    assert move is not None
    assert move.low < move.change < move.high < 0


def test_the_largest_sources_have_a_layer_and_the_others_share_one():
    day = date(1860, 11, 6)
    few = came_in([Intake(day, day, "a", 3), Intake(day, day, "b", 9)])
    assert (few.names, few.columns[0].numbers) == (("b", "a"), (9, 3))
    many = came_in([Intake(day, day, name, number) for number, name in enumerate("abcdef", start=1)])
    assert len(many.names) == LAYERS
    assert many.names[:3] == ("f", "e", "d")
    assert many.columns[0].numbers == (6, 5, 4, 1 + 2 + 3)
    assert many.columns[0].total == 21


def test_hostile_names_of_sources_are_text_in_the_chart():
    day = date(1860, 11, 6)
    came = came_in([Intake(day, day, "<script>alert(1)</script>", 3)])
    drawn = intake(came.columns, came.names, unit="day")
    assert "<script>" not in drawn
    assert "&lt;script&gt;" in drawn


def week(number: int, **counts: int) -> CampaignWeek:
    return CampaignWeek(number, date(1860, 1, 1), date(1860, 1, 7), Counts(**counts), 10)


def test_weeks_are_put_together_and_nothing_is_lost():
    line = Aligned("ann", date(1860, 11, 6), (week(51, negative=2), week(50, positive=1), week(0, neutral=4)))
    found = stretches_of(line, 52)
    assert [(each.first, each.last, each.tone.total, each.articles) for each in found] == [
        (52, 50, 3, 20),
        (2, 0, 4, 10),
    ]
    assert sum(each.tone.total for each in found) == line.counts.total
    assert (within(1), within(52), within(9999)) == (4, 52, 208)


def test_aligned_lines_carry_hostile_names_as_text_and_winners_in_bold():
    line = Aligned("ann", date(1860, 11, 6), (week(3, negative=2), week(2, positive=1)))
    name = "<img src=x onerror=alert(1)>"
    drawn = aligned([Line(name, hue_of("ann"), stretches_of(line, 13), strong=True)], weeks=13, title="t")
    assert "<img" not in drawn
    assert "label winner" in drawn
    assert 'class="empty"' in aligned([], weeks=13, title="t")
