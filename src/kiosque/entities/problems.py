"""What is wrong with a document, said so that the person who wrote it finds the place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from kiosque.core.errors import InvalidInput

_SHOWN = 5
"""Problems named in one message; the rest are counted."""
_SINGULAR = {"entities": "entity", "aliases": "alias", "excludes": "exclude", "candidacies": "candidacy"}
_KEYS = {
    "": "id, name, entities, candidacies",
    "entities": "id, name, kind, description, aliases, excludes",
    "aliases": "text, valid_from, valid_to, case",
    "candidacies": "election_year, election_date, entity_id, party, winner, popular_vote, popular_share, "
    "electoral_votes",
}


@contextmanager
def readable_problems(document: object, origin: str) -> Iterator[None]:
    """Turns pydantic's ValidationError into InvalidInput: file, entity and alias by number and name, the fault."""
    try:
        yield
    except ValidationError as error:
        problems = error.errors(include_url=False)
        lines = [f"{origin}: {_said(problem, document)}" for problem in problems[:_SHOWN]]
        if len(problems) > _SHOWN:
            lines.append(f"{len(problems) - _SHOWN} more")
        raise InvalidInput("; ".join(lines) + ".", hint=_hint(problems[0])) from None


def _said(problem: ErrorDetails, document: object) -> str:
    place = _place(problem["loc"], document)
    message = problem["msg"].removeprefix("Value error, ")
    message = {"extra_forbidden": "is not a known key", "missing": "is missing"}.get(problem["type"], message)
    return f"{place}: {message}" if place else message


def _hint(problem: ErrorDetails) -> str:
    if problem["type"] == "extra_forbidden":
        parents = [part for part in problem["loc"][:-1] if isinstance(part, str)]
        return f"Known keys are {_KEYS.get(parents[-1] if parents else '', _KEYS['entities'])}."
    return "Correct it and try again; docs/reference/watchlists.md says what a watch list looks like."


def _place(loc: Sequence[int | str], document: object) -> str:
    """ "entity 3 (George Bush), alias 2 (Bush), valid_to": numbers count from 1 as people do."""
    parts: list[str] = []
    here, noun = document, "item"
    for step in loc:
        here = _inner(here, step)
        if isinstance(step, int):
            parts.append(f"{noun} {step + 1}{_called(here)}")
        elif step in _SINGULAR and step != loc[-1]:
            noun = _SINGULAR[step]
        else:
            parts.append(step)
    return ", ".join(parts)


def _inner(document: object, step: int | str) -> object:
    if isinstance(document, Mapping):
        return document.get(step)
    if isinstance(document, Sequence) and isinstance(step, int) and step < len(document):
        inner: object = document[step]
        return inner
    return None


def _called(document: object) -> str:
    name: object = document
    if isinstance(document, Mapping):
        name = next((document[k] for k in ("name", "text", "entity_id", "id") if document.get(k)), None)
    return f" ({str(name)[:80]})" if isinstance(name, str) else ""
