"""The document of the NYT Archive and Article Search APIs, in every shape that it has had since 2010.

`read_documents` finds the documents of an answer, `parse_document` makes an article of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from kiosque.core.article import Article, article_key
from kiosque.core.errors import InvalidInput, SourceUnavailable
from kiosque.core.titles import name_case
from kiosque.sources.dates import moment_of
from kiosque.sources.payload import (
    ABSTRACT_LIMIT,
    excerpt,
    first_text,
    identifier,
    mapping,
    number,
    objects,
    text,
    texts,
    web_address,
)
from kiosque.sources.protocol import Reason, Skipped

_KEYWORDS_THAT_ARE_NONE = frozenset({"type_of_material"})
_BY = re.compile(r"^\s*(?:by|por|par|von|texto por|reported by|written by)\b[:\s]*", re.IGNORECASE)
_SPECIAL = re.compile(r"\b(?:special|wireless|cable|correspondence|dispatch)\b.*\bto\b", re.IGNORECASE)
_NEXT_NAME = re.compile(
    r",(?!\s*(?:jr|sr|m\.?d|ph\.?d|ii|iii)\b)\s*(?:and\s+)?|\s+(?:and|y|with)\s+|;\s*|\s+&\s+", re.IGNORECASE
)


def read_documents(payload: object) -> list[object]:
    """The documents in an Archive or Search answer: with envelope, without, `docs: null`, a bare list or document.

    Raises SourceUnavailable, without quoting the answer (it may echo the key), if this is none of them.
    """
    if isinstance(payload, list):
        return payload
    document = mapping(payload)
    response = document.get("response")
    holder = response if isinstance(response, dict) else document
    if "docs" in holder and (holder["docs"] is None or isinstance(holder["docs"], list)):
        return holder["docs"] or []
    if "docs" not in holder and ("headline" in document or "web_url" in document):
        return [document]
    raise SourceUnavailable(
        f"The NYT answered with something else than documents ({describe(payload)}).",
        hint="Try again later; if it stays so, the API may have changed.",
    )


def describe(payload: object) -> str:
    """What kind of thing a payload is, safe to log."""
    if not isinstance(payload, dict):
        return type(payload).__name__
    return "an object with " + (", ".join(sorted(identifier(key)[:30] for key in payload)[:8]) or "no fields")


def hits(payload: object) -> int | None:
    """How many documents the whole search has, from `meta` or, since 2025, `metadata`."""
    response = mapping(mapping(payload).get("response"))
    return number((mapping(response.get("meta")) or mapping(response.get("metadata"))).get("hits"))


def parse_all(documents: Iterable[object], source: str) -> Iterator[Article | Skipped]:
    for position, document in enumerate(documents, start=1):
        yield parse_document(document, source=source, where=f"document {position}")


def parse_document(document: object, *, source: str, where: str) -> Article | Skipped:
    """The article in `document`, or why there is none. Never raises, whatever `document` holds."""
    if not isinstance(document, dict):
        return Skipped(where, Reason.NOT_AN_OBJECT, type(document).__name__, excerpt(document))
    headline, abstract = _headline(document.get("headline")), _abstract(document)
    url = web_address(document.get("web_url"))
    where = identifier(document.get("uri")) or identifier(document.get("_id")) or url or where
    if not headline and not abstract:
        return Skipped(where, Reason.NO_TEXT, "neither headline nor abstract", excerpt(document))
    published_at = moment_of(document.get("pub_date"))
    if published_at is None:
        return Skipped(
            where, Reason.NO_DATE, f"pub_date is {excerpt(document.get('pub_date'), 40)}", excerpt(document)
        )
    return Article(
        key=story_key(document, url, headline or abstract, published_at),
        source=source,
        headline=headline,
        abstract=abstract,
        published_at=published_at,
        url=url,
        section=text(document.get("section_name")) or None,
        byline=_byline(document.get("byline")),
        keywords=_keywords(document.get("keywords")),
        language=language_of(url),
        kind=text(document.get("document_type")).lower() or "article",
        extra=_extra(document),
    )


def story_key(document: Mapping[str, Any], url: str | None, headline: str, published_at: datetime) -> str:
    """The same key whichever API delivers the story: its URI, else its address, else `nyt:` and its id.

    Since 2018 `_id` holds the URI too.
    """
    old_id = identifier(document.get("_id"))
    uri = identifier(document.get("uri")) or (old_id if old_id.startswith("nyt://") else "")
    if not uri and not url and old_id:
        return f"nyt:{old_id}"
    try:
        return article_key(uri=uri, url=url, headline=headline, published_on=published_at.date().isoformat())
    except InvalidInput:
        return f"nyt:{old_id}"


def language_of(url: str | None) -> str:
    """The NYT says no language; its Spanish and Chinese pages tell by their address."""
    if url and "/es/" in url:
        return "es"
    return "zh" if url and "//cn.nytimes.com" in url else "en"


def names_in_byline(original: str) -> tuple[str, ...]:
    """The names in "By JANE DOE and JOHN ROE"; none in "Special to The New York Times"."""
    if not original or _SPECIAL.search(original):
        return ()
    names = (name.strip(" .,") for name in _NEXT_NAME.split(_BY.sub("", original)))
    return tuple(dict.fromkeys(name_case(name) for name in names if name))


def _headline(value: object) -> str:
    if isinstance(value, dict):
        return first_text(value, "main", "print_headline", "name", "seo")
    return text(value)


def _abstract(document: Mapping[str, Any]) -> str:
    """The abstract, else the snippet, else the lead paragraph; a snippet that is cut ("...") stands last."""
    abstract = text(document.get("abstract"), limit=ABSTRACT_LIMIT)
    if abstract:
        return abstract
    snippet = text(document.get("snippet"), limit=ABSTRACT_LIMIT)
    lead = text(document.get("lead_paragraph"), limit=ABSTRACT_LIMIT)
    return lead if lead and (not snippet or snippet.endswith(("...", "…"))) else snippet


def _byline(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return names_in_byline(text(value))
    byline = mapping(value)
    people = [_person(person) for person in objects(byline.get("person"))]
    if people and all(people):
        return tuple(dict.fromkeys(people))
    return names_in_byline(text(byline.get("original"))) or texts(byline.get("organization"))


def _person(person: Mapping[str, Any]) -> str:
    """The full name, or "" where first or last name is missing: then `original` knows better."""
    first, last = text(person.get("firstname")), text(person.get("lastname"))
    if not first or not last:
        return ""
    parts = (first, text(person.get("middlename")), last, text(person.get("qualifier")))
    return " ".join(name_case(part) for part in parts if part)


def _keywords(value: object) -> tuple[str, ...]:
    """The values, in the order of `rank` where there is one."""
    if not isinstance(value, list):
        return ()
    ranked = [
        (rank if (rank := number(item.get("rank"))) is not None else 10**6, text(item.get("value")))
        for item in objects(value)
        if text(item.get("name")) not in _KEYWORDS_THAT_ARE_NONE
    ]
    bare = [(10**6, text(item)) for item in value if isinstance(item, str)]
    return tuple(dict.fromkeys(word for _, word in sorted(ranked + bare, key=lambda pair: pair[0]) if word))


def _extra(document: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    kicker = text(mapping(document.get("headline")).get("kicker"))
    candidates = {
        "kicker": "" if kicker == "1" else kicker,  # the 19th century is full of a meaningless "1"
        "subsection": text(document.get("subsection_name")),
        "desk": text(document.get("news_desk")),
        "material": text(document.get("type_of_material")),
        "print_page": _positive(document.get("print_page")),
        "print_section": text(document.get("print_section")),
        "words": _positive(document.get("word_count")),
        "provider": text(document.get("source")),
    }
    return tuple((name, value) for name, value in candidates.items() if value)


def _positive(value: object) -> str:
    count = number(value)
    return str(count) if count and count > 0 else ""
