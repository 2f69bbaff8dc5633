"""schemathesis over the whole API with all its checks: whatever the document allows, and whatever it forbids.

Bounded to about a minute; `KIOSQUE_FUZZ_EXAMPLES` asks for more.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import positive_data_acceptance
from starlette.types import ASGIApp, Receive, Scope, Send

from kiosque.testing.openapi import operations
from kiosque.testing.seeded import KEYS, api_document, bare_api, seeded_api

EXAMPLES = int(os.environ.get("KIOSQUE_FUZZ_EXAMPLES", "4"))
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# What they ask for cannot all be said in a schema: spans inside the text, ids that are not given twice,
# a first day that is not after the last, a moment in the future.
BEYOND_SCHEMA = {
    "score_polarity",
    "explain_polarity",
    "import_watchlist",
    "create_entity",
    "replace_entity",
    "add_alias",
    "preview_rematch",
    "create_key",
    "save_search",
    "create_alert",
    "preview_alert",
}


class Stage:
    """An ASGI application whose inside is put there before the tests begin."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


CLOSED, OPEN = Stage(bare_api()), Stage(bare_api(open_reading=True))
# An open stream never ends: test_stream.py.
closed = schemathesis.openapi.from_asgi("/api/v1/openapi.json", CLOSED).exclude(
    operation_id="stream_articles"
)
# What else strangers may not do is in tests/contract/api/test_authorisation.py.
FOR_ANYBODY = [
    operation.id
    for operation in operations(api_document())
    if operation.scope in (None, "read") and operation.id != "stream_articles"
]
anybody = schemathesis.openapi.from_asgi("/api/v1/openapi.json", OPEN).include(operation_id=FOR_ANYBODY)


@pytest.fixture(scope="module", autouse=True)
def _apps(seeded_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with ExitStack() as stack:
        for stage in (CLOSED, OPEN):
            folder = tmp_path_factory.mktemp("fuzzed")
            made = seeded_api(seeded_template, folder, open_reading=stage is OPEN, max_body_bytes=4_000_000)
            stage.app = stack.enter_context(made).app
        yield


def check(case: schemathesis.Case, key: str | None) -> None:
    if case.meta and case.meta.generation.mode.is_positive:
        # A cursor is opaque: no schema says which ones are good. test_articles.py tries bad ones.
        case.query.pop("cursor", None)
        if case.query.get("sort") == "relevance":  # needs words in q
            case.query.pop("sort")
    beyond = case.operation.definition.raw["operationId"] in BEYOND_SCHEMA
    case.call_and_validate(
        headers={"Authorization": f"Bearer {key}"} if key else None,
        excluded_checks=[positive_data_acceptance] if beyond else None,
    )


@closed.parametrize()
@FUZZ
def test_an_administrator_gets_what_is_documented(case: schemathesis.Case) -> None:
    check(case, KEYS["admin"])


@anybody.parametrize()
@FUZZ
def test_anybody_gets_what_is_documented(case: schemathesis.Case) -> None:
    check(case, None)
