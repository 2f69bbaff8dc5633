"""How many of the names that people marked in headlines are found, and how many others are."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kiosque.core.article import Field
from kiosque.core.entity import EntityKind
from kiosque.entities.fold import fold_text
from kiosque.entities.matcher import Matcher
from kiosque.entities.watchlists import read_folder
from kiosque.testing.paths import CHECKOUT, datasets

DEMO = sorted((CHECKOUT / "data" / "demo").glob("articles-*.jsonl"))


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    lists = read_folder(CHECKOUT / "data" / "watchlists")
    return Matcher([entity for each in lists for entity in each.entities])


def rows(*paths: Path) -> Iterator[dict[str, Any]]:
    for path in paths:
        with path.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def headline_matches(
    matcher: Matcher, headline: str, day: str, abstract: str = "", keywords: tuple[str, ...] = ()
):
    result = matcher.match_text(headline, abstract, date.fromisoformat(day), keywords=keywords)
    return [(m.entity_id, s) for m in result.matches for s in m.spans if s.part is Field.HEADLINE]


def at(spans, headline: str, target: str) -> set[str]:
    """The entities matched where `target` stands."""
    start = headline.index(target)
    return {entity for entity, span in spans if span.start < start + len(target) and span.end > start}


def test_the_demo_names_are_found(matcher):
    missed = Counter()
    total = 0
    for row in rows(*DEMO):
        spans = headline_matches(
            matcher, row["headline"], row["published_at"], row["abstract"], tuple(row["keywords"])
        )
        for mention in row["mentions"]:
            total += 1
            if not at(spans, row["headline"], mention["target"]):
                missed[mention["target"]] += 1

    assert total > 1000
    assert 1 - missed.total() / total >= 0.98, missed


def test_the_demo_names_are_the_people_that_the_index_names(matcher):
    """Each article's keywords name people as the newspaper's index does; a match must be one of them."""
    checked, wrong = 0, []
    for row in rows(*DEMO):
        day = date.fromisoformat(row["published_at"])
        spans = headline_matches(
            matcher, row["headline"], row["published_at"], row["abstract"], tuple(row["keywords"])
        )
        for mention in row["mentions"]:
            family = fold_text(mention["target"].split()[-1])
            keys = [key for key in row["keywords"] if fold_text(key).startswith(family + ",")]
            found = at(spans, row["headline"], mention["target"])
            if len(keys) != 1 or not found:
                continue
            checked += 1
            result = matcher.match_text(keys[0], "", day)
            named = {match.entity_id for match in result.matches}
            named |= {each for ambiguity in result.ambiguous for each in ambiguity.candidates}
            if not found & named:
                wrong.append((row["published_at"], mention["target"], found, keys[0]))

    assert checked > 900
    assert len(wrong) <= checked * 0.005, wrong


def test_hardly_anybody_else_is_found_in_the_demo(matcher):
    people = {each.id for each in matcher.entities.values() if each.kind is EntityKind.PERSON}
    others, total = [], 0
    for row in rows(*DEMO):
        spans = headline_matches(
            matcher, row["headline"], row["published_at"], row["abstract"], tuple(row["keywords"])
        )
        marked = {entity for m in row["mentions"] for entity in at(spans, row["headline"], m["target"])}
        total += len({entity for entity, _ in spans} & people)
        others += [(row["headline"], entity) for entity in {e for e, _ in spans} & people - marked]

    assert len(others) <= total * 0.01, others


@pytest.fixture(scope="module")
def labelled() -> Path:
    """Headlines of 2000, 2008, 2012 and 2016 in which the candidates of the year are marked."""
    folder = datasets()
    if folder is None or not (folder / "nyt_candidates" / "dev.jsonl").is_file():
        pytest.skip("needs the data sets: nyt_candidates/dev.jsonl")
    return folder / "nyt_candidates" / "dev.jsonl"


def test_candidates_in_real_headlines_are_found(matcher, labelled):
    missed, total = 0, 0
    for row in rows(labelled):
        spans = headline_matches(matcher, row["text"], row["date"])
        for mention in row["mentions"]:
            total += 1
            missed += not at(spans, row["text"], mention["target"])

    assert total > 800
    assert 1 - missed / total >= 0.98


def test_who_else_is_found_in_real_headlines_is_no_candidate_of_the_year(matcher, labelled):
    """Only the year's candidates are marked, so others may be named, but no candidate who is not."""
    candidates = {
        "2000": {
            "al-gore",
            "john-mccain",
            "bill-bradley",
            "dick-cheney",
            "joseph-i-lieberman",
            "ralph-nader",
        },
        "2008": {"barack-obama", "hillary-clinton", "john-mccain", "sarah-palin"},
        "2012": {"mitt-romney", "rick-santorum", "newt-gingrich", "barack-obama"},
        "2016": {"donald-j-trump", "hillary-clinton", "bernie-sanders", "ted-cruz", "marco-rubio"},
    }
    wrong = []
    for row in rows(labelled):
        spans = headline_matches(matcher, row["text"], row["date"])
        marked = {entity for m in row["mentions"] for entity in at(spans, row["text"], m["target"])}
        wrong += [(row["id"], e) for e, _ in spans if e in candidates[row["date"][:4]] - marked]

    assert len(wrong) <= 2
