"""Dates, numbers and words of lists as the language of the page writes them."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

from babel.dates import format_date

from kiosque.web.language import current, gettext, language

NONE = "–"
FRENCH = "fr"


def day(moment: date | datetime | None) -> str:
    """3 November 2020; 3 novembre 2020."""
    return _day(moment.year, moment.month, moment.day, current().code) if moment else NONE


@lru_cache(maxsize=4096)
def _day(year: int, month: int, number: int, code: str) -> str:
    words = format_date(date(year, month, number), "d MMMM y", locale=language(code).locale)
    return f"1er {words[2:]}" if code == FRENCH and number == 1 else words


def weekday(moment: date) -> str:
    return format_date(moment, "EEEE", locale=current().locale)


def moment(value: datetime | None) -> str:
    """A time to the minute. All times of Kiosque are UTC."""
    if value is None:
        return gettext("never")
    return gettext(
        "%(day)s, %(hour)s:%(minute)s UTC", day=day(value), hour=f"{value:%H}", minute=f"{value:%M}"
    )


def thousands(value: int) -> str:
    return f"{value:,}".replace(",", current().group)


def decimal(value: float | None, digits: int = 2) -> str:
    return NONE if value is None else f"{value:.{digits}f}".replace(".", current().decimal)


def percent(value: float | None, digits: int = 0) -> str:
    """A share, 0 to 1, in hundredths."""
    return NONE if value is None else decimal(100 * value, digits) + current().percent


def signed(value: float | None) -> str:
    """A net polarity as it is written everywhere: with its sign, a zero without one."""
    if value is None:
        return NONE
    words = f"{value:+.2f}".replace("-", "−").replace("+0.00", "0.00").replace("−0.00", "0.00")
    return words.replace(".", current().decimal)
