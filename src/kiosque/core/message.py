"""An article as bytes on the bus: JSON with a schema name, so that other messages are told apart."""

from __future__ import annotations

import json
from typing import Any

from kiosque.core.article import Article
from kiosque.core.clock import parse_rfc3339, rfc3339
from kiosque.core.errors import InvalidInput

SCHEMA = "kiosque.article/1"


def encode_article(article: Article) -> bytes:
    """`article` as one UTF-8 JSON object."""
    return json.dumps(article_to_dict(article), ensure_ascii=True, separators=(",", ":")).encode()


def article_to_dict(article: Article) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "key": article.key,
        "source": article.source,
        "headline": article.headline,
        "abstract": article.abstract,
        "published_at": rfc3339(article.published_at),
        "url": article.url,
        "section": article.section,
        "byline": list(article.byline),
        "keywords": list(article.keywords),
        "language": article.language,
        "kind": article.kind,
        "extra": dict(article.extra),
    }


def decode_article(data: bytes) -> Article:
    """The article in `data`. Raises InvalidInput, with the reason, on anything that is not one of ours."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"Not JSON: {error}") from error
    if not isinstance(document, dict):
        raise InvalidInput(f"Expected a JSON object, got {type(document).__name__}.")
    if document.get("schema") != SCHEMA:
        raise InvalidInput(f"Expected schema {SCHEMA!r}, got {str(document.get('schema'))[:80]!r}.")
    try:
        return Article(
            key=_text(document, "key"),
            source=_text(document, "source"),
            headline=_text(document, "headline"),
            abstract=_text(document, "abstract"),
            published_at=parse_rfc3339(_text(document, "published_at")),
            url=_optional(document, "url"),
            section=_optional(document, "section"),
            byline=_texts(document, "byline"),
            keywords=_texts(document, "keywords"),
            language=_optional(document, "language"),
            kind=_text(document, "kind"),
            extra=tuple((str(k), str(v)) for k, v in document.get("extra", {}).items()),
        )
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise InvalidInput(f"Malformed article: {error!r}") from error


def _text(document: dict[str, Any], name: str) -> str:
    value = document[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is not a string")
    return value


def _optional(document: dict[str, Any], name: str) -> str | None:
    return None if document.get(name) is None else _text(document, name)


def _texts(document: dict[str, Any], name: str) -> tuple[str, ...]:
    values = document[name]
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise TypeError(f"{name} is not a list of strings")
    return tuple(values)
