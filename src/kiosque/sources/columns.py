"""Which column means what: the names that files in the wild use, and what a user maps."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from kiosque.core.errors import InvalidInput

_NOT_NAME = re.compile(r"[^a-z0-9]+")
_LONGEST_LITERAL = 100_000


class Vocabulary:
    """The fields of one kind of record, each with the column names that are taken for it, best first."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.fields = tuple(names)
        self._field_of = {
            synonym: (field, rank)
            for field, synonyms in names.items()
            for rank, synonym in enumerate((field, *synonyms.split()))
        }

    def field_of(self, column: str) -> tuple[str, int] | None:
        """The field that a column is taken for, and how good a name for it that is (0 is best)."""
        return self._field_of.get(_NOT_NAME.sub("_", column.lower()).strip("_"))


class Columns:
    """Finds the fields of records by their column names; a user's `mapping` (column → field) goes first."""

    def __init__(self, vocabulary: Vocabulary, mapping: Mapping[str, str] | None = None) -> None:
        self._vocabulary = vocabulary
        self._mapping = dict(mapping or {})
        self._plans: dict[tuple[str, ...], dict[str, tuple[str, ...]]] = {}
        unknown = sorted(set(self._mapping.values()) - set(vocabulary.fields))
        if unknown:
            raise InvalidInput(
                f"No such field: {', '.join(unknown)}.", hint=f"Map to one of {', '.join(vocabulary.fields)}."
            )

    def plan(self, columns: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """For each field the columns that may hold it, best first. Remembered, as files repeat their columns."""
        names = tuple(columns)
        if names not in self._plans:
            if len(self._plans) > 1_000:  # a file whose every line has other names
                self._plans.clear()
            self._plans[names] = self._make(names)
        return self._plans[names]

    def unused(self, columns: Iterable[str]) -> tuple[str, ...]:
        names = tuple(columns)
        used = {name for found in self.plan(names).values() for name in found}
        return tuple(name for name in names if name not in used)

    def check(self, columns: Iterable[str], needed: Iterable[str]) -> None:
        """Raises InvalidInput if a mapped column is missing, or if there is none for any of the `needed` fields."""
        names = tuple(columns)
        missing = sorted(set(self._mapping) - set(names))
        if missing:
            raise InvalidInput(f"No such column: {', '.join(missing)}.", hint=f"There are: {_listed(names)}.")
        if not set(needed) & set(self.plan(names)):
            raise InvalidInput(
                f"No column for {' or '.join(needed)}. There are: {_listed(names)}.",
                hint="Say which one it is: --map column=field.",
            )

    def _make(self, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        ranked: dict[str, list[tuple[int, str]]] = {}
        for name in names:
            if name in self._mapping:
                ranked.setdefault(self._mapping[name], []).append((-1, name))
            elif found := self._vocabulary.field_of(name):
                ranked.setdefault(found[0], []).append((found[1], name))
        return {field: tuple(name for _, name in sorted(found)) for field, found in ranked.items()}


def parse_mapping(pairs: Iterable[str]) -> dict[str, str]:
    """`["Titel=headline"]` as `{"Titel": "headline"}`. Raises InvalidInput on anything that is no pair."""
    found: dict[str, str] = {}
    for pair in pairs:
        column, equals, field = pair.rpartition("=")
        if not equals or not column.strip() or not field.strip():
            raise InvalidInput(f"Not a mapping: {pair[:80]!r}.", hint="Write it as column=field.")
        found[column.strip()] = field.strip()
    return found


def parse_list(value: object) -> object:
    """A list that a CSV cell holds as JSON, as a Python literal, or parted by `;` or `|`; other values as they are.

    Not parted by commas: "Biden, Joseph R Jr" is one name.
    """
    if not isinstance(value, str) or not value:
        return value
    if value[0] in "[{(":
        literal = parse_literal(value)
        return list(literal) if isinstance(literal, tuple) else literal
    return re.split(r"\s*[;|]\s*", value) if ";" in value or "|" in value else value


def parse_literal(value: str) -> Any:
    """What a JSON or Python literal stands for; `value` itself if it is none, or too long to be read safely."""
    if len(value) > _LONGEST_LITERAL:
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return value


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(name[:40] for name in names[:30]) or "none"
