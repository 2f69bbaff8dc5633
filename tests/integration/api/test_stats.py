"""Numbers over HTTP: denominators are there, gaps are gaps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient


def test_a_timeline_names_its_denominator_and_leaves_gaps_out(reader: TestClient) -> None:
    timeline = reader.get("/api/v1/entities/stephen-a-douglas/timeline").json()
    starts = [bucket["start"] for bucket in timeline["buckets"]]
    assert starts == ["1860-02-01", "1860-05-01", "1860-06-01", "1860-08-01", "1860-10-01", "1860-11-01"]
    november = timeline["buckets"][-1]
    assert november["articles"] == 2
    assert sum(november["counts"][each] for each in ("negative", "neutral", "positive", "unscored")) == 1


@pytest.mark.parametrize("by", ["day", "week", "month", "quarter", "year"])
def test_every_length_of_bucket_counts_the_same_articles(reader: TestClient, by: str) -> None:
    timeline = reader.get("/api/v1/entities/abraham-lincoln/timeline", params={"granularity": by}).json()
    assert timeline["granularity"] == by
    assert sum(bucket["articles"] for bucket in timeline["buckets"]) == 8


def test_a_timeline_can_be_of_headlines_only(reader: TestClient) -> None:
    def mentions(**query: str) -> int:
        timeline = reader.get("/api/v1/entities/john-c-breckinridge/timeline", params=query).json()
        return sum(
            bucket["counts"][each]
            for bucket in timeline["buckets"]
            for each in ("negative", "neutral", "positive")
        )

    assert (mentions(), mentions(part="headline"), mentions(part="abstract")) == (2, 1, 1)


def test_a_breakdown_is_a_list_in_every_form(reader: TestClient) -> None:
    url = "/api/v1/entities/abraham-lincoln/breakdown"
    items = reader.get(url, params={"by": "section"}).json()["items"]
    assert {item["name"]: item["articles"] for item in items} == {"Politics": 6, "U.S.": 1}
    lines = reader.get(url, params={"by": "section", "format": "csv"}).text.splitlines()
    assert (
        lines[0] == "name,articles,counts_negative,counts_neutral,counts_positive,counts_unscored,counts_net"
    )
    assert len(lines) == 3


def test_those_compared_share_their_buckets(reader: TestClient) -> None:
    query = {"entity": ["john-bell", "abraham-lincoln", "john-bell"], "granularity": "year"}
    comparison = reader.get("/api/v1/compare", params=query).json()
    assert [each["entity"] for each in comparison["timelines"]] == ["john-bell", "abraham-lincoln"]
    assert len({str([b["start"] for b in each["buckets"]]) for each in comparison["timelines"]}) == 1


def test_comparing_with_nobody_says_who_is_missing(reader: TestClient) -> None:
    refused = reader.get("/api/v1/compare", params={"entity": ["john-bell", "nobody"]})
    assert refused.status_code == 404
    assert "nobody" in refused.json()["detail"]
    assert reader.get("/api/v1/compare").status_code == 422
    assert reader.get("/api/v1/compare", params={"entity": [f"e{n}" for n in range(13)]}).status_code == 422


def test_a_campaign_lines_candidates_up_before_the_vote(reader: TestClient) -> None:
    campaign = reader.get("/api/v1/elections/1860").json()
    assert campaign["election_date"] == "1860-11-06"
    assert [line["candidacy"]["winner"] for line in campaign["lines"]] == [True, False, False, False]
    weeks = [week["week"] for week in campaign["lines"][0]["weeks"]]
    assert weeks == sorted(weeks, reverse=True)
    assert all(week["articles"] > 0 for week in campaign["lines"][0]["weeks"])


@pytest.mark.parametrize("year", ["1861", "0", "10000", "-1", "last"])
def test_an_election_that_is_not_there(reader: TestClient, year: str) -> None:
    assert reader.get(f"/api/v1/elections/{year}").status_code in (404, 422)


def test_what_is_drawn_can_be_had_as_a_table(reader: TestClient) -> None:
    counts = "counts_negative,counts_neutral,counts_positive,counts_unscored,counts_net"
    timeline = reader.get("/api/v1/entities/john-bell/timeline?format=csv").text.splitlines()
    assert timeline[0] == f"entity,start,end,articles,{counts}"
    assert len(timeline) == 7
    lines = reader.get(
        "/api/v1/compare?entity=john-bell&entity=abraham-lincoln&format=jsonl"
    ).text.splitlines()
    assert [json.loads(line)["entity"] for line in lines] == ["john-bell"] * 6 + ["abraham-lincoln"] * 6
    campaign = reader.get("/api/v1/elections/1860", headers={"Accept": "text/csv"})
    assert campaign.text.startswith(
        f"election_year,entity,name,party,winner,week,start,end,articles,{counts}\r\n1860,abraham-lincoln,"
    )
    assert campaign.headers["content-disposition"] == 'attachment; filename="campaign-1860.csv"'


def test_a_ranking_compares_with_the_period_before(reader: TestClient) -> None:
    query = {"from": "1860-07-01", "to": "1860-12-31"}
    ranking = reader.get("/api/v1/stats/ranking", params=query).json()["items"]
    lincoln = next(each for each in ranking if each["entity"] == "abraham-lincoln")
    assert total(lincoln["counts"]) == 2
    assert total(lincoln["previous"]) == 3


def test_a_ranking_of_no_time_is_empty(reader: TestClient) -> None:
    query = {"from": "1860-12-31", "to": "1860-01-01"}
    assert reader.get("/api/v1/stats/ranking", params=query).json()["items"] == []


def test_sections_and_gaps(reader: TestClient) -> None:
    sections = reader.get("/api/v1/stats/sections").json()["items"]
    assert sections[0] == {"name": "Politics", "articles": 6}
    gaps = reader.get("/api/v1/stats/gaps", params={"min_days": 60}).json()["items"]
    assert [(gap["start"], gap["end"], gap["days"]) for gap in gaps] == [
        ("1860-02-28", "1860-05-09", 72),
        ("1860-06-24", "1860-08-24", 62),
    ]


def test_the_overview_counts_everything(reader: TestClient) -> None:
    overview = reader.get("/api/v1/stats/overview").json()
    assert (overview["articles"], overview["mentions"], overview["books"]) == (8, 12, 3)
    assert overview["by_source"] == [{"name": "demo", "articles": 8}]


def total(counts: dict[str, Any]) -> int:
    return int(counts["negative"] + counts["neutral"] + counts["positive"] + counts["unscored"])
