"""Every form in which sources write a moment."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from kiosque.core.clock import to_utc

# Months as feeds in other languages abbreviate them, cut to three letters without accents; English ones stay.
_MONTHS = {
    foreign: english
    for english, names in {
        "Jan": "ene gen",
        "Feb": "fev",
        "Mar": "mrt",
        "Apr": "abr avr",
        "May": "mai mag mei",
        "Jun": "giu",
        "Jul": "lug",
        "Aug": "ago aou",
        "Sep": "set",
        "Oct": "out okt ott",
        "Dec": "dez dic des",
    }.items()
    for foreign in names.split()
}
_MONTHS |= {
    "fév": "Feb",
    "aoû": "Aug",
    "déc": "Dec",
    "mär": "Mar",
    "juin": "Jun",
    "juil": "Jul",
    "janv": "Jan",
}
_RFC822 = re.compile(
    r"(?:[^\W\d_]+\.?,?\s+)?(?P<day>\d{1,2})[\s-]+(?:de\s+)?(?P<month>[^\W\d_]{3,})\.?[\s-]+(?:de\s+)?(?P<rest>\d{2,4}\b.*)",
    re.IGNORECASE | re.DOTALL,
)
_ASCTIME = re.compile(r"^\w{3} (\w{3}) {1,2}(\d{1,2}) (\d\d:\d\d:\d\d) (\d{4})$")
_ISO = re.compile(r"[12]\d{3}-\d{1,2}-\d{1,2}")
_US = re.compile(r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>[12]\d{3})")


@lru_cache(maxsize=4096)
def parse_moment(value: str) -> datetime | None:
    """The moment that `value` names, in UTC; None if it names none.

    Takes ISO 8601 in all its forms ("+0000", "Z", a blank for the T, a bare day), RFC 822 also with Portuguese,
    Spanish, French, German, Italian and Dutch names and with "EDT", and 11/24/2012. A moment without zone is UTC.
    """
    cleaned = value.strip()
    if len(cleaned) > 100:
        return None
    if _ISO.match(cleaned):
        return _parse_iso(cleaned)
    if match := _US.fullmatch(cleaned):
        return _parse_iso(f"{match['year']}-{match['month']:0>2}-{match['day']:0>2}")
    return _parse_rfc822(cleaned)


def moment_of(value: object) -> datetime | None:
    """`parse_moment` of a text, or seconds or milliseconds since 1970 as a number; 0 is none."""
    if isinstance(value, str):
        return parse_moment(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value:
        return None
    seconds = value / 1000 if abs(value) > 10**11 else value
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _parse_iso(value: str) -> datetime | None:
    day, _, rest = value.replace(" ", "T", 1).partition("T")
    padded = "-".join(part.zfill(2) for part in day.split("-"))
    try:
        return to_utc(datetime.fromisoformat(f"{padded}T{rest.replace(' ', '')}" if rest else padded))
    except (ValueError, OverflowError):
        return None


def _parse_rfc822(value: str) -> datetime | None:
    match = _RFC822.fullmatch(_ASCTIME.sub(r"\2 \1 \4 \3", value))
    if not match:
        return None
    name = match["month"].lower()
    month = _MONTHS.get(name) or _MONTHS.get(name[:4]) or _MONTHS.get(name[:3]) or name[:3].capitalize()
    rest = f"{match['rest']} 00:00:00" if match["rest"].strip().isdecimal() else match["rest"]
    try:
        return to_utc(parsedate_to_datetime(f"{match['day']} {month} {rest}"))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
