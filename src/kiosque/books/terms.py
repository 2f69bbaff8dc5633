"""From text to index terms and back: words, stems, and the surface forms that reasons are given in."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from functools import lru_cache

import snowballstemmer

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*(?:-[^\W_]+(?:['’][^\W_]+)*)*")
_POSSESSIVE = ("'s", "’s")

_STOP_WORDS = """
a about above across after again against all almost along already also although always am among an and
another any are around as at away back be became because become been before behind being below between
beyond both but by came can come could did do does doing done down during each either else enough even
ever every few for from further gave get give go goes going gone got had has have having he her here hers
herself him himself his how however i if in into is it its itself just kept last least less like made
make makes many may me might mine more most much must my myself near neither never next no nor not now of
off often on once one only onto or other others our ours out over own per put rather said same say says
see seen set several shall she should since so some such take taken than that the their theirs them
themselves then there these they this those though through thus to together too took toward under until
up upon us very was way we well went were what when where whether which while who whom whose why will
with within without would yet you your yours
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
"""Words that say nothing of the subject, in lower case."""

_lock = threading.Lock()
_stemmer = None


def words(text: str) -> Iterator[str]:
    """The words of `text` as written, possessives cut: "Truman's whistle-stop" → "Truman", "whistle-stop"."""
    for match in _WORD.finditer(text):
        word = match.group()
        yield word[:-2] if word.endswith(_POSSESSIVE) else word


def parts(word: str) -> tuple[str, ...]:
    """What `word` is indexed as: itself, and its pieces if it is a compound."""
    return (word, *word.split("-")) if "-" in word else (word,)


def index_terms(text: str) -> list[str]:
    """The stems under which `text` is found, in order, with repetitions."""
    return [
        stem(part) for word in words(text) for part in parts(word) if part and part.lower() not in STOP_WORDS
    ]


@lru_cache(maxsize=50_000)
def name_terms(name: str) -> tuple[str, ...]:
    """The stems of a name or a subject; the same few come again and again."""
    return tuple(index_terms(name))


@lru_cache(maxsize=64)
def surfaces(text: str) -> Mapping[str, str]:
    """Stem → the first form in which `text` has it. Compounds stand before their pieces. One text is asked about by
    what looks for books, for notes and for reasons.
    """
    found: dict[str, str] = {}
    for word in words(text):
        for part in parts(word):
            if part and part.lower() not in STOP_WORDS:
                found.setdefault(stem(part), part)
    return found


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The Snowball (English) stem of `word`, in lower case."""
    global _stemmer  # noqa: PLW0603 - one stemmer a process: it keeps state while it works, hence the lock
    with _lock:
        if _stemmer is None:
            _stemmer = snowballstemmer.stemmer("english")
        return str(_stemmer.stemWord(word.lower().replace("’", "'")))
