"""TOML in and out; the schema is `watchlists`'s. The standard library reads TOML and does not write it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from kiosque.core.errors import InvalidInput

_DEFAULTS = {"valid_from": None, "valid_to": None, "case": "name"}


def parse(text: str, origin: str) -> dict[str, Any]:
    """The document in `text`. Raises InvalidInput with line and column."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        raise InvalidInput(
            f"{origin}: not TOML: {str(error)[:200] or 'nested too deeply'}.",
            hint='Strings stand in "double quotes", days as 1999-06-01, lists in [brackets].',
        ) from None


def format_document(document: Mapping[str, Any]) -> str:
    """A watch list's JSON-able `document` as TOML."""
    return (
        "\n".join([*_pairs(document, ("id", "name")), *_entities(document), *_candidacies(document)]) + "\n"
    )


def _entities(document: Mapping[str, Any]) -> Iterator[str]:
    for entity in document["entities"]:
        yield "\n[[entities]]"
        yield from _pairs(entity, ("id", "name", "kind"))
        if entity["description"]:
            yield from _pairs(entity, ("description",))
        if entity["excludes"]:
            yield f"excludes = [{', '.join(_string(text) for text in entity['excludes'])}]"
        yield "aliases = ["
        yield from (f"  {_alias(alias)}," for alias in entity["aliases"])
        yield "]"


def _candidacies(document: Mapping[str, Any]) -> Iterator[str]:
    for candidacy in document["candidacies"]:
        yield "\n[[candidacies]]"
        for key, value in candidacy.items():
            if value is not None and not (key == "winner" and not value):
                yield f"{key} = {_value(key, value)}"


def _pairs(document: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[str]:
    return (f"{key} = {_string(document[key])}" for key in keys)


def _alias(alias: Mapping[str, Any]) -> str:
    told = {key: value for key, value in alias.items() if key != "text" and value != _DEFAULTS[key]}
    if not told:
        return _string(alias["text"])
    return (
        "{ " + ", ".join(f"{k} = {_value(k, v)}" for k, v in {"text": alias["text"], **told}.items()) + " }"
    )


def _value(key: str, value: Any) -> str:
    if key == "election_date":
        return str(value)
    if key == "valid_from":
        return str(value.removesuffix("-01-01")) if value >= "1000" else str(value)
    if key == "valid_to":
        return str(value.removesuffix("-12-31")) if value >= "1000" else str(value)
    if isinstance(value, str):
        return _string(value)
    return json.dumps(value)


def _string(text: str) -> str:
    """A TOML basic string. It is JSON's, but for the delete character, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
