"""The charts: well-formed, harmless, honest about gaps, coloured by classes alone."""

from __future__ import annotations

import itertools
import re
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.web.figures.bars import describe, diverging_bar, probability_bar, sparkline
from kiosque.web.figures.campaign import Dot, Lane, campaign
from kiosque.web.figures.comparison import Line, comparison
from kiosque.web.figures.frame import NARROW, WIDE
from kiosque.web.figures.hues import Hue
from kiosque.web.figures.polarity import Tone
from kiosque.web.figures.scores import score_dots
from kiosque.web.figures.svg import Scale, element, path
from kiosque.web.figures.timeline import Bucket, Mark, timeline

HOSTILE = "<script>alert('x')</script>\"&"
START = date(1860, 1, 1)
counts = st.integers(0, 10_000)


def bucket(place: int, tone: Tone, run: int = 0, articles: int = 10) -> Bucket:
    start = START + timedelta(days=30 * place)
    return Bucket(start, start + timedelta(days=29), tone, run, articles)


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def found(svg: str, name: str, kind: str = "") -> list[ElementTree.Element]:
    return [e for e in parsed(svg).iter(name) if kind in e.get("class", "").split() or not kind]


FIGURES = {
    "timeline": lambda: timeline(
        [bucket(0, Tone(1, 2, 3)), bucket(1, Tone(2, 2, 2)), bucket(3, Tone(0, 0, 1), run=1)],
        [Mark(START + timedelta(days=5), HOSTILE)],
        name=HOSTILE,
        unit="month",
    ),
    "campaign": lambda: campaign(
        [Lane(HOSTILE, HOSTILE, True, (Dot(3, Tone(1, 0, 0), HOSTILE),), Tone(1, 0, 0))], title=HOSTILE
    ),
    "comparison": lambda: comparison(
        [Line(HOSTILE, Hue(1), (bucket(0, Tone(1, 2, 3)), bucket(1, Tone(0, 2, 3))))], unit="month"
    ),
    "bar": lambda: diverging_bar(Tone(1, 2, 3)),
    "probabilities": lambda: probability_bar(0.2, 0.3, 0.5),
    "spark": lambda: sparkline([1, None, 2, 3], HOSTILE),
    "scores": lambda: score_dots({HOSTILE: {"macro_f1": 0.7, "macro_f1_ci": [0.6, 0.8]}}),
}


@pytest.mark.parametrize("name", FIGURES)
class TestEveryFigure:
    def test_is_well_formed_and_says_what_it_shows(self, name: str) -> None:
        root = parsed(FIGURES[name]())
        assert root.get("role") == "img"
        assert root.findtext("title")
        assert root.findtext("desc")

    def test_lets_no_name_become_markup(self, name: str) -> None:
        assert "<script" not in FIGURES[name]()

    def test_leaves_colours_to_the_style_sheet(self, name: str) -> None:
        svg = str(FIGURES[name]())
        assert not re.search(r'\b(style|fill|stroke)="', svg)
        assert "#" not in svg.replace("&#", "")


class TestTone:
    @given(counts, counts, counts)
    def test_the_band_holds_the_net_and_stays_within_its_range(self, n: int, o: int, p: int) -> None:
        tone = Tone(n, o, p)
        if tone.band is None:
            assert tone.total == 0
        else:
            low, high = tone.band
            assert -1 <= low <= tone.net <= high <= 1  # type: ignore[operator]

    def test_one_article_is_no_certainty(self) -> None:
        low, high = Tone(0, 0, 1).band or (1, 1)
        assert high - low > 0.5

    def test_more_articles_narrow_the_band(self) -> None:
        few, many = Tone(1, 1, 2).band, Tone(100, 100, 200).band
        assert few
        assert many
        assert many[1] - many[0] < few[1] - few[0]

    def test_words_name_the_denominator(self) -> None:
        assert describe(Tone(1, 2, 1)) == "25% negative, 50% neutral, 25% positive of 4 articles"
        assert describe(Tone(0, 0, 0)) == "no scored articles"


class TestTimeline:
    def test_a_gap_stays_open(self) -> None:
        joined = [
            bucket(0, Tone(1, 0, 1)),
            bucket(1, Tone(1, 0, 1)),
            bucket(2, Tone(1, 0, 1)),
            bucket(3, Tone(1, 1, 1)),
        ]
        apart = [*joined[:2], *(bucket(n, Tone(1, 0, 1), run=1) for n in (5, 6))]
        assert len(found(timeline(joined, [], name="x", unit="month"), "path", "line")) == 1
        assert len(found(timeline(apart, [], name="x", unit="month"), "path", "line")) == 2

    def test_one_point_alone_has_no_band(self) -> None:
        svg = timeline([bucket(0, Tone(1, 2, 3))], [], name="x", unit="month")
        assert found(svg, "path", "band") == []
        assert len(found(svg, "circle")) == 1

    def test_a_stretch_that_names_nobody_draws_no_point(self) -> None:
        svg = timeline(
            [bucket(0, Tone(1, 0, 0)), bucket(1, Tone(0, 0, 0)), bucket(2, Tone(0, 0, 1))],
            [],
            name="x",
            unit="month",
        )
        assert len(found(svg, "circle")) == 2

    def test_points_that_would_lie_on_one_another_are_left_out(self) -> None:
        many = [bucket(n, Tone(1, 2, 3)) for n in range(200)]
        alone = bucket(220, Tone(0, 0, 1), run=1)
        svg = timeline([*many, alone], [], name="x", unit="month")
        assert len(found(svg, "circle")) == 1
        assert len(found(svg, "rect")) == 3 * 200 + 1

    def test_shares_too_narrow_to_be_pointed_at_are_areas_that_leave_gaps_open(self) -> None:
        tones = [Tone(0, 0, 0) if n == 300 else Tone(1, 2, 3) for n in range(600)]
        svg = timeline([bucket(n, tone) for n, tone in enumerate(tones)], [], name="x", unit="month")
        assert found(svg, "rect") == []
        for kind in ("negative", "neutral", "positive"):
            assert len(found(svg, "path", kind)) == 2

    def test_no_label_is_cut_at_the_right_edge(self) -> None:
        last = bucket(1, Tone(1, 0, 0))
        svg = timeline([bucket(0, Tone(1, 0, 0)), last], [Mark(last.end, "1864 won")], name="x", unit="month")
        label = next(e for e in found(svg, "text", "mark") if e.text == "1864 won")
        assert label.get("text-anchor") == "end"
        assert float(label.get("x", "")) <= WIDE.width

    def test_on_a_phone_nothing_lies_beside_the_chart_and_many_stretches_are_areas(self) -> None:
        buckets = [bucket(n, Tone(1, 2, 3)) for n in range(100)]
        svg = timeline(buckets, [], name="x", unit="month", frame=NARROW)
        assert parsed(svg).get("class") == "narrow"
        assert found(svg, "rect") == []
        assert len(found(svg, "path", "positive")) == 1
        places = [float(e.get("x", "")) for e in found(svg, "text")]
        assert max(places) <= NARROW.width
        years = [e for e in found(svg, "text", "tick") if (e.text or "").isdigit() and len(e.text or "") == 4]
        assert 2 <= len(years) <= NARROW.ticks + 1

    def test_one_stretch_alone_has_its_point_on_a_phone_too(self) -> None:
        many = [bucket(n, Tone(1, 2, 3)) for n in range(100)]
        svg = timeline([*many, bucket(120, Tone(0, 0, 1), run=1)], [], name="x", unit="month", frame=NARROW)
        assert len(found(svg, "circle")) == 1


def test_names_stand_below_a_comparison_on_a_phone() -> None:
    lines = [Line(name, Hue(1, 0), (bucket(0, Tone(1, 0, 1)), bucket(1, Tone(0, 1, 1)))) for name in "abc"]
    root = parsed(comparison(lines, unit="month", frame=NARROW))
    _, _, width, height = map(float, root.get("viewBox", "").split())
    names = found(comparison(lines, unit="month", frame=NARROW), "text", "label")
    assert [name.text for name in names] == ["a", "b", "c"]
    places = [float(name.get("y", "")) for name in names]
    assert 420 - 20 < places[0] < places[-1] < height
    assert width == NARROW.width

    def test_marks_outside_the_days_are_left_out(self) -> None:
        svg = timeline([bucket(0, Tone(1, 0, 0))], [Mark(date(1999, 1, 1), "far")], name="x", unit="month")
        assert "far" not in svg

    def test_nothing_is_said_to_be_nothing(self) -> None:
        assert "Nothing to draw" in timeline([], [], name="x", unit="month")


class TestCampaign:
    def test_the_winner_is_bold_and_said_in_words(self) -> None:
        svg = FIGURES["campaign"]()
        assert found(svg, "text", "winner")
        assert "won" in svg

    def test_a_larger_dot_is_more_articles(self) -> None:
        dots = (Dot(3, Tone(1, 0, 0)), Dot(9, Tone(0, 0, 50)))
        svg = campaign([Lane("x", "y", False, dots, Tone(1, 0, 50))], title="t")
        radii = {e.get("class"): float(e.get("r", "")) for e in found(svg, "circle")}
        assert radii["dot positive"] > radii["dot negative"]

    def test_a_dot_says_its_numbers_where_it_has_words(self) -> None:
        dots = (Dot(3, Tone(1, 0, 0), "in March"), Dot(9.5, Tone(0, 0, 50)))
        svg = campaign([Lane("x", "y", False, dots, Tone(1, 0, 50))], title="t")
        assert svg.count("in March: 1 article, net −1.00") == 1
        assert svg.count("<title>") == 2

    def test_no_articles_are_said(self) -> None:
        assert "No article" in campaign([Lane("x", "y", False, (), Tone(0, 0, 0))], title="t")


class TestComparison:
    def test_labels_at_the_edge_do_not_cover_one_another(self) -> None:
        same = (bucket(0, Tone(1, 2, 3)), bucket(1, Tone(0, 2, 3)))
        svg = comparison([Line(name, Hue(hue), same) for hue, name in enumerate("abc", 1)], unit="month")
        places = sorted(float(e.get("y", "")) for e in found(svg, "text", "label"))
        assert min(b - a for a, b in itertools.pairwise(places)) >= 15

    def test_nobody_named_is_said(self) -> None:
        assert "Nothing to draw" in comparison([Line("x", Hue(1), ())], unit="month")


class TestParts:
    def test_a_bar_fills_its_width_whatever_the_shares(self) -> None:
        rects = found(probability_bar(0.2, 0.3, 0.5), "rect")
        assert sum(float(r.get("width", "")) for r in rects) == pytest.approx(160)

    def test_a_sparkline_breaks_where_nothing_is_known(self) -> None:
        assert len(found(sparkline([1, 2, None, 3, 4], "w"), "path")) == 2
        assert "–" in sparkline([None], "w")

    def test_an_element_escapes_children_and_values(self) -> None:
        assert element("a", "<b>", title='"') == '<a title="&#34;">&lt;b&gt;</a>'

    def test_a_scale_without_extent_is_its_middle(self) -> None:
        assert Scale(1, 1, 0, 10)(1) == 5

    def test_a_path_of_nothing_is_empty(self) -> None:
        assert path([]) == ""
