"""Why a book stands on a shelf, in the language of the page."""

from __future__ import annotations

import re

from kiosque.web.language import gettext

_SENTENCE = re.compile(
    r"(?:shares: (?P<said>.+?))?(?:; )?(?:by way of “(?P<note>.+?)”: (?P<led>.+))?", re.DOTALL
)
_CLOSE = "is close in subject"


def because(sentence: str) -> str:
    """`sentence`, as `books.reasons` words it, after "because". One of another wording stays as it is."""
    if sentence == _CLOSE:
        return gettext("because it is close in subject")
    found = _SENTENCE.fullmatch(sentence)
    if found is None:
        return gettext("because it %(reason)s", reason=sentence)
    said, note, led = found["said"], found["note"], found["led"]
    if said and led:
        return gettext(
            "because it shares: %(said)s; by way of “%(note)s”: %(led)s", said=said, note=note, led=led
        )
    if led:
        return gettext("because by way of “%(note)s” it shares: %(led)s", note=note, led=led)
    return gettext("because it shares: %(said)s", said=said)
