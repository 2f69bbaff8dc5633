"""What the matcher decided about each place where a watched name stands, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from kiosque.core.entity import Alias, CaseRule, Entity, Match, Span


class Verdict(StrEnum):
    """Every way in which a name found in a text can end."""

    MATCH = "match"
    RESOLVED = "resolved"
    """Ambiguous by itself, settled by another name in the same article: it is a match."""
    AMBIGUOUS = "ambiguous"
    """Several entities have this name that day and the article does not say which: no match."""
    OTHER_MEANT = "other_meant"
    """Ambiguous by itself; another name in the same article says that another entity is meant."""
    OTHER_DAY = "other_day"
    WRONG_CASE = "wrong_case"
    EXCLUDED = "excluded"
    STRANGER = "stranger"
    """The words beside it make it someone else's name."""
    INSIDE_LONGER = "inside_longer"


_REASONS = {
    Verdict.MATCH: "“{text}” is {name} {when}.",
    Verdict.RESOLVED: "“{text}” means {evidence} on {day}; the article names {name} elsewhere.",
    Verdict.AMBIGUOUS: "“{text}” means {evidence} on {day}; nothing in the article says which.",
    Verdict.OTHER_MEANT: "“{text}” means {evidence} on {day}; the article names another than {name} elsewhere.",
    Verdict.OTHER_DAY: "“{text}” is {name} {when}, not on {day}.",
    Verdict.WRONG_CASE: "“{text}” is not {name}: the name is written {rule}.",
    Verdict.EXCLUDED: "“{text}” in “{evidence}” is not {name}: the phrase is excluded.",
    Verdict.STRANGER: "“{text}” beside “{evidence}” is someone other than {name}.",
    Verdict.INSIDE_LONGER: "“{text}” is part of the longer name “{evidence}”.",
}
_RULES = {
    CaseRule.ANY: "“{alias}” in any case",
    CaseRule.NAME: "“{alias}” with its capitals, or all in capitals",
    CaseRule.EXACT: "exactly “{alias}”",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """One alias of one entity where it stands in the article, the verdict and its reason in words."""

    span: Span
    text: str
    """As the article writes it."""
    entity_id: str
    alias: Alias
    verdict: Verdict
    reason: str

    @property
    def matched(self) -> bool:
        return self.verdict in (Verdict.MATCH, Verdict.RESOLVED)


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """A name that several entities have on the article's day, and that nothing else in the article settles."""

    span: Span
    text: str
    candidates: tuple[str, ...]
    """Ids of the entities, sorted."""


@dataclass(frozen=True, slots=True)
class MatchResult:
    """Who is in an article. Matches stand in the order in which the article first names them."""

    matches: tuple[Match, ...] = ()
    ambiguous: tuple[Ambiguity, ...] = ()
    hits: int = 0
    """How many texts of names and excludes the automaton came upon, also inside words: what the work depends on."""


def reason(verdict: Verdict, *, entity: Entity, alias: Alias, text: str, day: date, evidence: str) -> str:
    """The sentence that a page shows for a decision; `evidence` is what the verdict rests on."""
    rule = _RULES[alias.case].format(alias=alias.text)
    return _REASONS[verdict].format(
        text=text, name=entity.name, when=validity(alias), rule=rule, day=day, evidence=evidence
    )


def validity(alias: Alias) -> str:
    """When an alias holds, in words: "from 1999-06-01 to 2009-12-31", "until 1945-12-31", "at any time"."""
    if alias.valid_from and alias.valid_to:
        return f"from {alias.valid_from} to {alias.valid_to}"
    if alias.valid_from:
        return f"from {alias.valid_from} on"
    return f"until {alias.valid_to}" if alias.valid_to else "at any time"
