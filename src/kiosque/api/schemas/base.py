"""What all schemas share: strict input, safe text, names, pages."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Generic, NoReturn, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from kiosque.api.exports import Format, Row

_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_SOMETHING = r"[^\s\x00-\x1f\x7f-\x9f]"
"""At least one character that shows."""

MAX_LIMIT = 1000


_DAY = re.compile(r"^[1-8][0-9]{3}-[0-9]{2}-[0-9]{2}$")
_MOMENT = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}")


def _looks_like_day(value: object) -> object:
    """Keeps numbers from being taken for seconds since 1970, as pydantic would."""
    if isinstance(value, str) and not _DAY.match(value):
        _refuse("not a day between 1000-01-01 and 8999-12-31; write it like 1860-11-06")
    return value if isinstance(value, str | date) else _refuse("a day is a string like 1860-11-06")


def _looks_like_moment(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and _MOMENT.match(value)):
        return value
    return _refuse("not a moment; write it like 1860-11-06T08:00:00Z")


def _is_number(value: object) -> object:
    """Keeps true and "1" from being taken for 1, as pydantic would."""
    return _refuse("not a number") if isinstance(value, bool | str | bytes) else value


def _refuse(why: str) -> NoReturn:
    raise ValueError(why)


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
Version = Annotated[str, StringConstraints(max_length=80, pattern=r"^[a-z0-9](?:\.?[a-z0-9_-])*\.?$")]
"""A model's or version's name."""
Key = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(blank_unstorable)]
"""The key of an article or book, as its source gave it."""
Day = Annotated[
    date,
    BeforeValidator(_looks_like_day),
    Field(ge=date(1000, 1, 1), le=date(8999, 12, 31), json_schema_extra={"pattern": _DAY.pattern}),
]
"""A day as `1860-11-06`, in a year in which arithmetic with days has room on both sides."""
Moment = Annotated[datetime, BeforeValidator(_looks_like_moment)]
"""A moment as RFC 3339 writes it. Without a zone it is UTC."""
Share = Annotated[float, Field(ge=0, le=1)]
Flag = Annotated[bool, Field(strict=True)]
"""In a body: true or false, and neither 1 nor "yes"."""
NUMBER = BeforeValidator(_is_number)
"""In a body: a number (a whole one also as 5.0), and neither "5" nor true."""


class Ask(BaseModel):
    """Base of what clients send: nothing unknown, nothing infinite."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class Answer(Row):
    """Base of what they are sent."""

    model_config = ConfigDict(frozen=True)


def exactly_one(*names: str) -> dict[str, Any]:
    """JSON schema that says: exactly one of these is given and not null."""
    return {
        "oneOf": [{"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in names]
    }


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
