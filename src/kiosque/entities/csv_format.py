"""CSV in and out; the columns are `watchlists`'s."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from kiosque.core.errors import InvalidInput
from kiosque.entities.documents import EntityDocument, slug
from kiosque.entities.problems import readable_problems

COLUMNS = ("id", "name", "kind", "description", "alias", "valid_from", "valid_to", "case", "exclude")


def parse(text: str, origin: str) -> list[dict[str, Any]]:
    """The entities in `text` as documents. Raises InvalidInput with the line."""
    entities: dict[str, dict[str, Any]] = {}
    for line, row in _rows(text, origin):
        where = f"{origin}: line {line}"
        key = row.get("id") or slug(row.get("name", "")) or row.get("name", "")
        if not key:
            raise InvalidInput(f"{where}: neither id nor name.", hint="Fill in the name of the entity.")
        entity = entities.setdefault(key, {"aliases": [], "excludes": []})
        _add(entity, row, where)
    return [_finished(entity) for entity in entities.values()]


def format_document(document: Mapping[str, Any]) -> str:
    """A watch list's JSON-able `document` as CSV. Raises InvalidInput where CSV cannot hold it."""
    if document["candidacies"]:
        raise InvalidInput("CSV cannot hold candidacies.", hint="Write the watch list as .toml or .json.")
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for entity in document["entities"]:
        if not entity["aliases"]:
            raise InvalidInput(
                f"CSV cannot hold {entity['name']}, who has no alias.", hint="Write .toml or .json."
            )
        for alias, exclude in zip_longest(entity["aliases"], entity["excludes"], fillvalue=None):
            writer.writerow(_row(entity, alias or {}, exclude))
    return out.getvalue()


def _rows(text: str, origin: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and filled cells of each row that has any."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = _header(cells, f"{origin}: line {reader.line_num}")
                continue
            if len(cells) > len(header):
                raise InvalidInput(
                    f"{origin}: line {reader.line_num}: {len(cells)} cells for {len(header)} columns.",
                    hint='Put "double quotes" round a cell with a comma.',
                )
            row = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if cell.strip()}
            yield reader.line_num, row
    except csv.Error as error:
        raise InvalidInput(
            f"{origin}: line {reader.line_num}: {error}.", hint='Close every "double quote".'
        ) from None


def _header(cells: list[str], where: str) -> list[str]:
    header = [cell.strip().lower() for cell in cells]
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or len(set(header)) < len(header) or "name" not in header:
        fault = f"unknown column {unknown[0]!r}" if unknown else "a column twice, or no column name"
        raise InvalidInput(f"{where}: {fault}.", hint=f"The columns are {', '.join(COLUMNS)}.")
    return header


def _add(entity: dict[str, Any], row: Mapping[str, str], where: str) -> None:
    """Adds what a row says, checked here so that a fault is reported with its line."""
    alias = {key: row[key] for key in ("valid_from", "valid_to", "case") if key in row}
    if "alias" in row:
        alias["text"] = row["alias"]
    told: dict[str, Any] = {key: row[key] for key in ("id", "name", "kind", "description") if key in row}
    aliases, excludes = [alias] if alias else [], [row["exclude"]] if "exclude" in row else []
    checked = {**_named(told, entity), "aliases": aliases, "excludes": excludes}
    with readable_problems(checked, where):
        EntityDocument.model_validate(checked)
    for key, value in told.items():
        if entity.setdefault(key, value) != value:
            raise InvalidInput(
                f"{where}: {key} is {value!r}, above it is {entity[key]!r}.",
                hint="Rows of one entity must agree; leave the cell empty or use another id.",
            )
    entity["aliases"] += aliases
    entity["excludes"] += excludes


def _named(told: Mapping[str, Any], entity: Mapping[str, Any]) -> dict[str, Any]:
    """A row that leaves out the name is checked with the entity's."""
    return {"name": entity.get("name", ""), **told} if "name" in entity else dict(told)


def _finished(entity: Mapping[str, Any]) -> dict[str, Any]:
    return {**entity, "aliases": entity["aliases"] or [entity["name"]]}


def _row(entity: Mapping[str, Any], alias: Mapping[str, Any], exclude: str | None) -> dict[str, Any]:
    told = {
        key: value for key, value in alias.items() if value is not None and (key, value) != ("case", "name")
    }
    row = {key: entity[key] for key in ("id", "name", "kind", "description")}
    return {**row, "alias": told.pop("text", ""), **told, "exclude": exclude or ""}
