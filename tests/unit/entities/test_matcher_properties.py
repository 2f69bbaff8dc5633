"""What holds for every text: offsets, whole words, days, and that nothing depends on order."""

from __future__ import annotations

import itertools
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from kiosque.core.article import Field
from kiosque.entities.decision import Verdict
from kiosque.entities.fold import fold, fold_text, is_word_character
from kiosque.entities.matcher import Matcher
from kiosque.testing.entities import alias, entity, person

ENTITIES = (
    person("Donald J. Trump", "Donald Trump", "Trump", excludes=["Trump Card", "Trump Tower"]),
    person("George W. Bush", alias("Bush", "1998..2014"), alias("Bush", "2017.."), excludes=["Bush Stadium"]),
    person("George H. W. Bush", alias("Bush", "1979..1997"), alias("Bush", "2017..")),
    person("John C. Frémont", "Frémont", "Gen. Frémont"),
    person("Franklin D. Roosevelt", alias("F.D.R."), "Roosevelt"),
    person("Bill de Blasio", "de Blasio"),
    person("Charles O'Conor", "O'Conor"),
    person("Ron Paul", "Paul"),
    entity("Trump Organization", "Trump Org."),
    entity("United States", alias("US", case="exact"), alias("America", case="any")),
    entity("Weiß", "Weißhaus"),
)
MATCHER = Matcher(ENTITIES)
BY_ID = {each.id: each for each in ENTITIES}

WORDS = (
    "Donald J. Trump|Trump|TRUMP|trump|Card|Tower|Org.|Bush|BUSH|George W.|H. W.|Stadium|Gen.|Frémont|FREMONT|"
    "Fre\u0301mont|F.D.R.|FDR|F. D. R.|Franklin|D.|Roosevelt|Eleanor|Ivanka|Mrs.|Jr.|de|De|Blasio|DE BLASIO|O’Conor|"
    "O'Conor|Paul|Thek|Vows|Pierre|US|us|U.S.|america|AMERICA|Weiß|WEISS|haus|Organization|and|Wins|in|x|é|ß|2016"
)
TEXTS = st.lists(
    st.tuples(
        st.sampled_from(WORDS.split("|")) | st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
        st.sampled_from(
            [
                " ",
                "  ",
                "\u00a0",
                "",
                "-",
                "—",
                ", ",
                ". ",
                "’s ",
                "'s ",
                "’ ",
                " ‘",
                " “",
                "” ",
                "_",
                "\u200b",
            ]
        ),
    ),
    max_size=12,
).map(lambda pieces: "".join(word + gap for word, gap in pieces))
DAYS = st.dates(date(1850, 1, 1), date(2030, 12, 31))


@settings(max_examples=300)
@given(TEXTS, TEXTS, DAYS)
def test_every_span_slices_back_to_an_alias_that_holds_that_day(headline, abstract, day):
    texts = {Field.HEADLINE: headline, Field.ABSTRACT: abstract}
    for match in MATCHER.match_text(headline, abstract, day).matches:
        names = {fold_text(each.text) for each in BY_ID[match.entity_id].aliases if each.valid_on(day)}
        assert match.spans
        for span in match.spans:
            assert fold_text(texts[span.part][span.start : span.end]) in names


@settings(max_examples=300)
@given(TEXTS, DAYS)
def test_no_match_lies_inside_a_longer_word(headline, day):
    for match in MATCHER.match_text(headline, "", day).matches:
        for span in match.spans:
            inner = headline[span.start : span.end]
            before, after = headline[: span.start], headline[span.end :]
            if is_word_character(inner[0]):
                assert not (before and fold(before[-1]).text and is_word_character(before[-1]))
            if is_word_character(inner[-1]) and fold(inner[-1]).text:
                rest = fold(after).text
                assert not (rest and is_word_character(rest[0]))


@given(TEXTS, DAYS)
def test_spans_of_matches_do_not_overlap(headline, day):
    spans = sorted(s for match in MATCHER.match_text(headline, "", day).matches for s in match.spans)

    assert all(one.end <= other.start for one, other in itertools.pairwise(spans))


@given(TEXTS, TEXTS, DAYS, st.permutations(ENTITIES))
def test_the_order_of_the_entities_makes_no_difference(headline, abstract, day, order):
    assert Matcher(order).match_text(headline, abstract, day) == MATCHER.match_text(headline, abstract, day)


@given(TEXTS, TEXTS, DAYS)
def test_a_name_is_matched_or_ambiguous_and_never_both(headline, abstract, day):
    result = MATCHER.match_text(headline, abstract, day)

    matched = {(match.entity_id, span) for match in result.matches for span in match.spans}
    open_ = {(entity_id, each.span) for each in result.ambiguous for entity_id in each.candidates}
    assert not matched & open_
    assert all(len(each.candidates) > 1 for each in result.ambiguous)
    assert len({match.entity_id for match in result.matches}) == len(result.matches)


@given(TEXTS, TEXTS, DAYS)
def test_explain_tells_what_match_does(headline, abstract, day):
    decisions = MATCHER.explain(headline, abstract, day)
    result = MATCHER.match_text(headline, abstract, day)

    assert {(d.entity_id, d.span) for d in decisions if d.matched} == {
        (match.entity_id, span) for match in result.matches for span in match.spans
    }
    assert {d.span for d in decisions if d.verdict is Verdict.AMBIGUOUS} == {a.span for a in result.ambiguous}
    assert all(
        d.text == (headline if d.span.part is Field.HEADLINE else abstract)[d.span.start : d.span.end]
        for d in decisions
    )


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), DAYS)
def test_any_text_is_read(text, day):
    result = MATCHER.match_text(text, text, day)

    assert result.hits >= sum(len(match.spans) for match in result.matches)


@given(TEXTS, DAYS)
def test_a_text_read_twice_names_the_same(headline, day):
    one = MATCHER.match_text(headline, "", day)
    two = MATCHER.match_text("", headline, day)

    assert {m.entity_id for m in one.matches} == {m.entity_id for m in two.matches}
