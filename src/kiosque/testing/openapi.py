"""The operations of an OpenAPI document, and the requests that its examples describe."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_METHODS = ("get", "put", "post", "delete", "patch")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ExampleRequest:
    """One documented example. `query` are pairs, so that a parameter may occur more than once."""

    name: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    json: Any = None
    form: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    spec: Json = field(repr=False)
    document: Json = field(repr=False)

    @property
    def id(self) -> str:
        return str(self.spec["operationId"])

    @property
    def scope(self) -> str | None:
        """The OAuth2 scope that it asks for; None where it is open to all."""
        for requirement in self.spec.get("security", []):
            for scopes in requirement.values():
                if scopes:
                    return str(scopes[0])
        return None

    def parameters(self, place: str) -> list[Json]:
        return [parameter for parameter in self.spec.get("parameters", []) if parameter["in"] == place]

    def request_schema(self, media_type: str) -> Json | None:
        """The schema of a request's body, with the definitions that it refers to."""
        content = self.spec.get("requestBody", {}).get("content", {})
        schema = content.get(media_type, {}).get("schema")
        return standalone(schema, self.document) if schema else None

    def answer_schema(self, status: int, media_type: str = "application/json") -> Json | None:
        """The schema of an answer with the definitions that it refers to; None where none is documented."""
        response = self.spec["responses"].get(str(status), {})
        schema = response.get("content", {}).get(media_type, {}).get("schema")
        return standalone(schema, self.document) if schema else None

    def examples(self) -> list[ExampleRequest]:
        """A request with required parameters only, one with all that have an example, one for each body."""
        path = _fill(self.path, self.parameters("path"))
        least = _query(self.parameters("query"), required_only=True)
        bodies = dict(self._bodies())
        if bodies:
            return [ExampleRequest(name, path, least, **body) for name, body in bodies.items()]
        full = _query(self.parameters("query"), required_only=False)
        requests = [ExampleRequest("least", path, least)]
        return requests if full == least else [*requests, ExampleRequest("full", path, full)]

    def _bodies(self) -> Iterator[tuple[str, Json]]:
        content = self.spec.get("requestBody", {}).get("content", {})
        for name, example in content.get("application/json", {}).get("examples", {}).items():
            yield name, {"json": example["value"]}
        for name, example in content.get(_FORM, {}).get("examples", {}).items():
            yield name, {"form": example["value"]}


_FORM = "application/x-www-form-urlencoded"


def operations(document: Json) -> list[Operation]:
    """Every operation, by path and method."""
    return [
        Operation(method.upper(), path, spec, document)
        for path, methods in document["paths"].items()
        for method, spec in methods.items()
        if method in _METHODS
    ]


def standalone(schema: Json, document: Json) -> Json:
    """`schema` as a JSON schema of its own."""
    moved: Json = _moved({**schema, "$defs": document["components"]["schemas"]})
    return moved


def _moved(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _reference(value) if key == "$ref" else _moved(value) for key, value in node.items()}
    return [_moved(item) for item in node] if isinstance(node, list) else node


def _reference(value: Any) -> Any:
    return value.replace("#/components/schemas/", "#/$defs/") if isinstance(value, str) else _moved(value)


def _fill(path: str, parameters: list[Json]) -> str:
    examples = {parameter["name"]: _example(parameter) for parameter in parameters}
    return re.sub(r"\{(\w+)\}", lambda match: str(examples[match[1]]), path)


def _query(parameters: list[Json], *, required_only: bool) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    for parameter in parameters:
        value = _example(parameter)
        if value is None or (required_only and not parameter.get("required")):
            continue
        pairs += [
            (parameter["name"], _text(item)) for item in (value if isinstance(value, list) else [value])
        ]
    return tuple(pairs)


def _example(parameter: Json) -> Any:
    examples = parameter["schema"].get("examples", [])
    return examples[0] if examples else None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
