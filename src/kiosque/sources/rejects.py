"""The file that says what an import left out, and why: one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from kiosque.core.errors import InvalidInput
from kiosque.sources.protocol import Skipped


class RejectFile:
    """Appends to `path`; the file is made with the first reject, so that a clean import leaves none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._file: IO[str] | None = None

    def write(self, skipped: Iterable[Skipped]) -> None:
        """Raises InvalidInput if the file cannot be written."""
        try:
            for reject in skipped:
                self._file = self._file or self._open()
                self._file.write(f"{reject_line(reject)}\n")
                self.count += 1
            if self._file:
                self._file.flush()
        except OSError as error:
            raise InvalidInput(f"{self.path} cannot be written: {error.strerror}.") from error

    def close(self) -> None:
        if self._file:
            self._file.close()

    def __enter__(self) -> RejectFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> IO[str]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return self.path.open("a", encoding="utf-8")


def reject_line(reject: Skipped) -> str:
    """`{"line": 17, "where": "line 17", "reason": …}`; `line` is null where the place is no line."""
    kind, _, number = reject.where.partition(" ")
    line = int(number) if kind == "line" and number.isdecimal() else None
    return json.dumps(
        {
            "line": line,
            "where": reject.where,
            "reason": reject.reason.value,
            "detail": reject.detail,
            "excerpt": reject.excerpt,
        },
        ensure_ascii=False,
    )
