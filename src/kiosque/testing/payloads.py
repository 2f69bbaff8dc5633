"""Answers of news servers, written for tests: the shapes are real, the words are ours."""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape


def nyt_document(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A document of the Archive or of Article Search as they have been since 2018; `changes` replace fields."""
    document: dict[str, Any] = {
        "abstract": f"The county counted its ballots for the {number}th time.",
        "web_url": f"https://www.nytimes.com/2020/11/0{number % 9 + 1}/us/count-{number}.html",
        "snippet": f"The county counted its ballots for the {number}th time.",
        "lead_paragraph": "MILL CREEK — Clerks worked through the night.",
        "print_section": "A",
        "print_page": "14",
        "source": "The New York Times",
        "multimedia": [{"rank": 0, "subtype": "xlarge", "url": "images/x.jpg", "subType": "xlarge"}],
        "headline": {
            "main": f"Count Number {number} in Mill Creek",
            "kicker": "Election",
            "content_kicker": None,
            "print_headline": "Another Count",
            "name": None,
            "seo": None,
            "sub": None,
        },
        "keywords": [
            {"name": "subject", "value": "Voting and Voters", "rank": 2, "major": "N"},
            {"name": "persons", "value": "Doe, Jane", "rank": 1, "major": "N"},
        ],
        "pub_date": "2020-11-05T09:00:24+0000",
        "document_type": "article",
        "news_desk": "National",
        "section_name": "U.S.",
        "subsection_name": "Politics",
        "byline": {
            "original": "By Jane Doe and Richard Roe",
            "person": [
                {"firstname": "Jane", "middlename": None, "lastname": "Doe", "rank": 1},
                {"firstname": "Richard", "middlename": "Q.", "lastname": "Roe", "rank": 2},
            ],
            "organization": None,
        },
        "type_of_material": "News",
        "_id": f"nyt://article/00000000-0000-5000-8000-{number:012}",
        "word_count": 812,
        "uri": f"nyt://article/00000000-0000-5000-8000-{number:012}",
    }
    return document | changes


def nyt_answer(documents: Any, *, meta: str = "meta") -> dict[str, Any]:
    """Archive and Search answer alike; since 2025 the hits stand under `metadata`."""
    count = len(documents) if isinstance(documents, list) else 0
    return {
        "status": "OK",
        "copyright": "Copyright (c) 2013 Nobody.",
        "response": {"docs": documents, meta: {"hits": count, "offset": 0, "time": 7}},
    }


def wire_item(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A story of the Newswire."""
    item: dict[str, Any] = {
        "slug_name": f"05count-{number}",
        "section": "U.S.",
        "subsection": "Politics",
        "title": f"Count Number {number} in Mill Creek",
        "abstract": f"The county counted its ballots for the {number}th time.",
        "uri": f"nyt://article/00000000-0000-5000-8000-{number:012}",
        "url": f"https://www.nytimes.com/2020/11/0{number % 9 + 1}/us/count-{number}.html",
        "byline": "By Jane Doe and Richard Roe",
        "item_type": "Article",
        "source": "New York Times",
        "updated_date": "2020-11-05T06:10:00-05:00",
        "created_date": "2020-11-05T04:00:24-05:00",
        "published_date": "2020-11-05T04:00:24-05:00",
        "first_published_date": "2020-11-05T04:00:24-05:00",
        "material_type_facet": "News",
        "kicker": "",
        "subheadline": "",
        "des_facet": ["internal-storyline-no", "Voting and Voters"],
        "org_facet": [],
        "per_facet": ["Doe, Jane"],
        "geo_facet": "",
        "related_urls": [],
        "multimedia": [],
    }
    return item | changes


def listed_book(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An entry of a best-seller list."""
    entry: dict[str, Any] = {
        "rank": number,
        "rank_last_week": 0,
        "weeks_on_list": 3,
        "primary_isbn10": "None",
        "primary_isbn13": _isbn(number),
        "publisher": "Mill Creek Press",
        "description": "A clerk learns to count.",
        "price": "0.00",
        "title": f"THE CLERK'S TALE, VOLUME {number}",
        "author": "JR Doe",
        "contributor": "by J.R. Doe",
        "contributor_note": "",
        "age_group": "",
        "book_uri": f"nyt://book/{number}",
    }
    return entry | changes


def books_overview(week: str = "2020-11-08", *, books: Any = None, **results: Any) -> dict[str, Any]:
    """All lists of a week: here two, with the same books unless told otherwise."""
    listed = [listed_book(1), listed_book(2)] if books is None else books
    lists = [
        {"list_id": 1, "list_name": name, "display_name": name, "updated": "WEEKLY", "books": listed}
        for name in ("Hardcover Fiction", "Audio Nonfiction")
    ]
    return {
        "status": "OK",
        "num_results": 2,
        "results": {"bestsellers_date": week, "published_date": week, "lists": lists} | results,
    }


def rss(*items: str, title: str = "Mill Creek Courier", language: str = "en-us", extra: str = "") -> bytes:
    """An RSS 2.0 feed of `items` as `rss_item` makes them."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>'
        f"<title>{escape(title)}</title><link>https://courier.example/</link><description>News</description>"
        f"<language>{language}</language>{extra}{''.join(items)}</channel></rss>"
    ).encode()


def rss_item(number: int = 1, *, date: str | None = "Thu, 05 Nov 2020 09:00:24 GMT", **changes: str) -> str:
    """One item; `changes` replace or add elements, as they are to stand in the XML."""
    elements = {
        "title": f"Count Number {number} in Mill Creek",
        "link": f"https://courier.example/2020/count-{number}?utm_source=rss",
        "description": f"Ballots were counted for the {number}th time.",
        "guid": f"courier-{number}",
    } | changes
    if date is not None:
        elements["pubDate"] = date
    return "<item>" + "".join(f"<{name}>{value}</{name}>" for name, value in elements.items()) + "</item>"


def as_bytes(payload: Any) -> bytes:
    return json.dumps(payload).encode()


def _isbn(number: int) -> str:
    twelve = f"978000{number:06}"
    check = -sum(int(digit) * (3 if i % 2 else 1) for i, digit in enumerate(twelve)) % 10
    return f"{twelve}{check}"
