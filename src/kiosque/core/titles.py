"""Titles that lists print in UPPER CASE, set in title case.

"I'LL BE GONE IN THE DARK" becomes "I'll Be Gone in the Dark". The style is that of the demo catalogue (Chicago):
articles, short conjunctions and prepositions are small, the first and the last word never are.
"""

from __future__ import annotations

import re

_SMALL_WORDS = (
    "a an and as at but by en for from in into nor of on onto or per the to upon v v. via vs vs. with"
)
_SMALL = frozenset(_SMALL_WORDS.split())
# Spelled as here whatever the list prints. Only what is not an English word as well: no IT, US, WHO, AIDS.
_NAMES = """
AI AP BBC BFF CBS CEO CIA CNN DC DDT DIY DJ DNA ESP FBI FDR GDP GOP GPS HBO HIV HR IBM IQ IRA IRS ISIS JFK KGB KKK
LBJ LGBTQ LSD MBA MI5 MI6 MLK NAACP NASA NATO NBA NBC NFL NHL NPR NRA NSA NYC NYPD OJ OK OPEC PBS PTSD RBG RFK RNA
SAS SNL SS TV UCLA UFO UFOs UK UN USA USS VIP WWI WWII eBay iPad iPhone iPod PhD YouTube O'Clock
DeGeneres DeLillo DeSantis DeVos DiCaprio DiMaggio LaRouche LeBron LeMay MacArthur MacDonald MacKenzie MacLean
"""
_SPELLED = {name.upper(): name for name in _NAMES.split()}
# Names and parts of names of two letters; other pairs of capitals in a name are initials.
_SHORT = "AL BO CY DA DE DI DU ED EL HO JO LA LE LI LO LU MA NG OH TY VU WU XU YI YU"
_SHORT_NAMES = frozenset(_SHORT.split())
_JOINING = frozenset({"and", "with", "&", "et", "und", "y", "as", "told", "to", "edited", "by"})
# Words that are an acronym only in this company.
_BESIDE = {"SEAL": frozenset({"TEAM", "TARGET", "NAVY"})}
# Numerals that a title may carry; up to 39 and with L for "Super Bowl XLIX", so that MIX, CIVIL and DIM stay words.
_ROMAN = re.compile(r"(?=[IVXL])(?:XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+")
_WORD = re.compile(r"[^\W_]+(?:[.'’*]+[^\W_]+)*\.?|['’](?:N|EM|TIS|TWAS|TIL)\b['’]?", re.IGNORECASE)
_ELIDED = re.compile(r"([ODL])['’](?=[^\W\d_]{3})")
_ORDINAL = re.compile(r"\d+(?:ST|ND|RD|TH|S|ERS)")
_MC = re.compile(r"MC(?=[BCDFGHJKLMNPQRSTVWYZAEI][^\W\d_]{2})")
# After one of these a word starts anew, however small it is.
_STARTS = re.compile(r"(?:^|[:?!.;—–/(\[\"“‘]|\s[-–—])[\s\"“‘'(\[]*$")
_NO_START = ("...", "…", "v. ", "vs. ", "... ", "… ")


def title_case(title: str) -> str:
    """`title` in title case if it is all capitals; unchanged otherwise."""
    if not title.isupper() or len(title) < 2:
        return title
    words = list(_WORD.finditer(title))
    parts: list[str] = []
    end = 0
    for index, match in enumerate(words):
        parts.append(title[end : match.start()])
        parts.append(_cased(title, words, index))
        end = match.end()
    return "".join(parts) + title[end:]


def name_case(name: str) -> str:
    """Persons' names that are in capitals, as they are usually written: `EZEKIEL J. EMANUEL and ANN LE` → `Ezekiel J.
    Emanuel and Ann Le`. A name that is not all capitals stays, and so do initials without stops (`JR Ward`).
    """
    words = [word for word in name.split() if word not in _JOINING]
    if not any(word.isupper() for word in words) or not all(
        word.isupper() for word in words if len(word.strip(".,")) > 2
    ):
        return name
    return _WORD.sub(lambda match: _named(match.group()), name)


def _named(word: str) -> str:
    if word in _SHORT_NAMES:
        return word.capitalize()
    return _SPELLED.get(word) or (_plain(word) if word.isupper() and len(word) > 2 else word)


def _cased(title: str, words: list[re.Match[str]], index: int) -> str:
    match = words[index]
    word = match.group()
    if _is_small(title, words, index):
        return word.lower()
    if _beside_company(words, index):
        return match.group()
    known = _SPELLED.get(word.rstrip("."))
    if known and not (word == "UN" and title[match.end() : match.end() + 1] == "-"):
        return known + ("." if word.endswith(".") else "")
    return _plain(word)


def _is_small(title: str, words: list[re.Match[str]], index: int) -> bool:
    match = words[index]
    word = match.group().lower()
    if word in {"'n'", "’n’", "'n", "’n"}:
        return True
    if word not in _SMALL or index in (0, len(words) - 1):
        return False
    before, after = title[: match.start()], title[match.end() : match.end() + 1]
    if _STARTS.search(before) and not before.lower().endswith(_NO_START):
        return False
    # "A-ROD", "TO-DO": the first half of a compound is a word like any other; "MOTHER-IN-LAW" keeps its small one.
    return after not in {":", "?", "!"} and not (after == "-" and not before.endswith("-"))


def _beside_company(words: list[re.Match[str]], index: int) -> bool:
    company = _BESIDE.get(words[index].group())
    near = {words[i].group() for i in (index - 1, index + 1) if 0 <= i < len(words)}
    return company is not None and bool(company & near)


def _plain(word: str) -> str:
    if _DOTTED.fullmatch(word) or _ROMAN.fullmatch(word):
        return word
    if _ORDINAL.fullmatch(word):
        return word.lower()
    if word[-2:] in {"'S", "’S"}:
        return (_SPELLED.get(word[:-2]) or _plain(word[:-2])) + word[-2:].lower()
    if any(letter.isdigit() for letter in word):
        return word
    if elided := _ELIDED.match(word):
        return elided.group() + _plain(word[elided.end() :])
    if _MC.match(word):
        return "Mc" + word[2] + word[3:].lower()
    lead = 1 if word[0] in "'’" else 0
    return word[:lead] + word[lead : lead + 1] + word[lead + 1 :].lower()
