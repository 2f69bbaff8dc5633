"""The OpenAPI document as a page to read: no script, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from html import escape
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from kiosque.api.route import PREFIX

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fbfaf7; --line: #ccc8bf; --link: #1f4e8c }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e1; --paper: #161719; --line: #44464a; --link: #8fb6ea } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
h1, h2 { font-family: Charter, Georgia, serif; font-weight: 600; line-height: 1.2 }
h2 { border-top: 1px solid var(--line); padding-top: 1rem; margin-top: 2.5rem }
a { color: var(--link) }
details { border-bottom: 1px solid var(--line); padding: .5rem 0 }
summary { cursor: pointer }
code, pre { font: 13px/1.5 ui-monospace, monospace }
pre { overflow-x: auto; border-left: 3px solid var(--line); padding-left: 1rem; white-space: pre-wrap }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-top: 1px solid var(--line) }
.scope { float: right }
"""
_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-{}'"
)

Json = dict[str, Any]


def add_manual(app: FastAPI) -> None:
    """Serve the page at `/api/v1/docs`, where people look for it."""

    @cache
    def page() -> str:
        return render(app.openapi())

    def manual(_: Request) -> Response:
        digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
        return HTMLResponse(page(), headers={"Content-Security-Policy": _POLICY.format(digest)})

    app.add_route(f"{PREFIX}/docs", manual, methods=["GET"], include_in_schema=False)


def render(document: Json) -> str:
    """`document` as HTML."""
    title = escape(document["info"]["title"])
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title} API</title><style>{_STYLE}</style></head><body><main><h1>{title} API</h1>",
            _prose(document["info"]["description"]),
            f'<p><a href="{PREFIX}/openapi.json">The OpenAPI document</a></p>',
            *_sections(document),
            "</main></body></html>",
        )
    )


def _sections(document: Json) -> Iterator[str]:
    for tag in document["tags"]:
        yield f'<h2 id="{escape(tag["name"])}">{escape(tag["name"].capitalize())}</h2>'
        yield _prose(tag["description"])
        for path, methods in document["paths"].items():
            for method, spec in methods.items():
                if tag["name"] in spec.get("tags", ()):
                    yield _operation(method.upper(), path, spec)


def _operation(method: str, path: str, spec: Json) -> str:
    return "".join(
        (
            f'<details id="{escape(spec["operationId"])}"><summary><code>{method} {escape(path)}</code> ',
            f'{escape(spec["summary"])} <span class="scope">{_scope(spec)}</span></summary>',
            _prose(spec["description"]),
            _parameters(spec.get("parameters", [])),
            *_bodies(spec),
            f"<p>Answers: {', '.join(_statuses(spec))}</p></details>",
        )
    )


def _scope(spec: Json) -> str:
    scopes = [scope for each in spec.get("security", []) for found in each.values() for scope in found]
    return escape(scopes[0]) if scopes else "open"


def _parameters(parameters: list[Json]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(each['name'])}</code></td><td>{escape(each['in'])}"
        f"{', required' if each.get('required') else ''}</td><td>{escape(each.get('description', ''))}</td></tr>"
        for each in parameters
    )
    return f"<table><tr><th>Name</th><th>In</th><th>What</th></tr>{rows}</table>" if rows else ""


def _bodies(spec: Json) -> Iterator[str]:
    for media_type, media in spec.get("requestBody", {}).get("content", {}).items():
        for example in media.get("examples", {}).values():
            value = json.dumps(example["value"], indent=2, ensure_ascii=False)
            yield f"<p>{escape(example['summary'])} (<code>{escape(media_type)}</code>):</p>"
            yield f"<pre>{escape(value)}</pre>"


def _statuses(spec: Json) -> Iterator[str]:
    for status, response in spec["responses"].items():
        yield f"{escape(status)} {escape(response['description'])}"


def _prose(text: str) -> str:
    """Paragraphs; of Markdown only `code` and **strong**."""
    paragraphs = (
        _marked(_marked(escape(part), "**", "strong"), "`", "code") for part in text.strip().split("\n\n")
    )
    return "".join(f"<p>{part}</p>" for part in paragraphs)


def _marked(text: str, mark: str, element: str) -> str:
    pieces = text.split(mark)
    return "".join(
        f"<{element}>{piece}</{element}>" if index % 2 and index < len(pieces) - 1 else piece
        for index, piece in enumerate(pieces)
    )
