"""The rows of the tables beside charts: there can be a thousand of them, which a template would take long for."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

from kiosque.web.figures.timeline import Bucket
from kiosque.web.wording import signed, thousands


def bucket_rows(buckets: Iterable[Bucket], name: str | None = None) -> Markup:
    """A row a bucket: its days, how many articles are negative, neutral and positive, their net, all articles there.

    `name` stands in front of each where the table is of several.
    """
    head = "" if name is None else f"<td>{escape(name)}</td>"
    return Markup("".join(_row(bucket, head) for bucket in buckets))  # noqa: S704 - the name is escaped


def _row(bucket: Bucket, head: str) -> str:
    tone = bucket.tone
    numbers = (tone.negative, tone.neutral, tone.positive, signed(tone.net), thousands(bucket.articles))
    cells = "".join(f'<td class="number">{number}</td>' for number in numbers)
    return f"<tr>{head}<td>{bucket.start}</td><td>{bucket.end}</td>{cells}</tr>"
