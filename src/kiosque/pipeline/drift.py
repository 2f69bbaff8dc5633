"""The drift of a polarity version: its reference lies in the model store, its late answers in the database."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from kiosque.core import drift
from kiosque.core.drift import Drift, Observed, Reference, Tokens
from kiosque.store import observations
from kiosque.store.database import Database
from kiosque.store.tx import Tx

if TYPE_CHECKING:
    # the consumer has no model store
    from kiosque.modelstore.manifest import Version

NEWEST = 5000
"""Articles that are looked at, the newest ones."""
TEXTS = 500
"""Of which so many are cut into word pieces."""
MAX_BYTES = 1_000_000

CountTokens = Callable[[Path, Sequence[str]], Tokens]
"""Given the folder of a version and some texts, as `polarity.drift.count_tokens` does."""


@dataclass(frozen=True, slots=True)
class DriftReport:
    """`reference` None: the version brings none, and there is nothing to compare with."""

    version: str
    reference: Reference | None
    seen: Observed | None = None
    tokens: Tokens | None = None
    drift: Drift | None = None


def read_reference(version: Version) -> Reference | None:
    """The reference that lies in the version; None without one, or where it cannot be read."""
    entry = version.manifest.files.get(drift.FILE_NAME)
    if entry is None or entry.size > MAX_BYTES:
        return None
    try:
        document = json.loads((version.folder / drift.FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return drift.parse_reference(document) if isinstance(document, dict) else None


def measure(
    database: Database,
    version: Version,
    *,
    count_tokens: CountTokens | None = None,
    newest: int = NEWEST,
    since: date | None = None,
) -> DriftReport:
    """How the newest answers of `version` compare with its reference. Without `count_tokens` no word pieces."""
    reference = read_reference(version)
    if reference is None:
        return DriftReport(version.id, None)
    with database.read() as tx:
        return report(tx, version, reference, count_tokens=count_tokens, newest=newest, since=since)


def report(
    tx: Tx,
    version: Version,
    reference: Reference,
    *,
    count_tokens: CountTokens | None = None,
    newest: int = NEWEST,
    since: date | None = None,
) -> DriftReport:
    """As `measure`, in a transaction of the caller's."""
    seen = observations.observe(tx, version.id, edges=reference.confidence_edges, newest=newest, since=since)
    tokens = None
    if count_tokens is not None:
        texts = observations.newest_texts(tx, version.id, limit=TEXTS)
        tokens = count_tokens(version.folder, texts) if texts else None
    return DriftReport(version.id, reference, seen, tokens, drift.compare(reference, seen, tokens))
