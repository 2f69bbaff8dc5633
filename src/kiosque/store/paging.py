"""Pages of lists that go on where the last one ended, whatever was added meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

MAX_LIMIT = 1000
"""More than this is never put on one page."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list. `next` is the cursor of the page that follows, None on the last one."""

    items: tuple[T, ...]
    next: str | None = None
