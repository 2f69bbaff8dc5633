"""What all schemas share: strict input, safe text, names, pages."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from kiosque.api.exports import Format, Row

_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_SOMETHING = r"[^\s\x00-\x1f\x7f-\x9f]"
"""At least one character that shows."""

MAX_LIMIT = 1000


def blank_unstorable(text: str) -> str:
    """`text` with a blank for each control character and lone surrogate: lengths and offsets stay as they are."""
    return _UNSTORABLE.sub(" ", text)


Prose = Annotated[str, AfterValidator(blank_unstorable)]
"""Any text. What no database or model takes is blanked."""
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=_SOMETHING),
    AfterValidator(blank_unstorable),
    AfterValidator(str.strip),
]
"""One line that names something."""
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,118}[a-z0-9])?$")]
"""An id that people can read, e.g. `abraham-lincoln`."""
Version = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")]
"""A model's or version's name."""
Key = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(blank_unstorable)]
"""The key of an article or book, as its source gave it."""
Day = Annotated[date, Field(ge=date(1000, 1, 1), le=date(9000, 12, 31))]
Share = Annotated[float, Field(ge=0, le=1)]


class Ask(BaseModel):
    """Base of what clients send: nothing unknown, nothing infinite."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class Answer(Row):
    """Base of what they are sent."""

    model_config = ConfigDict(frozen=True)


class ListQuery(Ask):
    """How a list is asked for."""

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] | None = Field(
        default=None,
        description="Most items in the answer. As JSON 50 without it; as CSV or JSONL everything.",
        examples=[20],
    )
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = Field(
        default=None, description="Where to go on: `next` of the page before."
    )
    format: Format | None = Field(
        default=None, description="Form of the answer; without it `Accept` decides.", examples=["json"]
    )


T = TypeVar("T", bound=Answer)


class Listing(Answer, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: str | None = Field(
        default=None, description="`cursor` of the page that follows; null on the last one."
    )
