"""Entities in one line, and readings of what a matcher found in one line, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from kiosque.core.entity import Alias, Entity, EntityKind
from kiosque.entities.documents import AliasDocument, slug
from kiosque.entities.matcher import Matcher

DAY = date(2016, 6, 1)
"""A day on which aliases without dates hold."""


def alias(text: str, window: str = "", *, case: str = "name") -> Alias:
    """An alias; `window` is "1999..2009", "1999-06..", "..1945" or empty for any time."""
    first, _, last = window.partition("..")
    document = {"text": text, "valid_from": first or None, "valid_to": last or None, "case": case}
    return AliasDocument.model_validate(document).to_core()


def person(name: str, *aliases: str | Alias, excludes: Sequence[str] = ()) -> Entity:
    """A person whose aliases are the name and `aliases`."""
    return entity(name, *aliases, excludes=excludes, kind=EntityKind.PERSON)


def entity(
    name: str, *aliases: str | Alias, excludes: Sequence[str] = (), kind: EntityKind = EntityKind.ORGANISATION
) -> Entity:
    """Something watched that is no person; its aliases are the name and `aliases`."""
    made = tuple(each if isinstance(each, Alias) else Alias(each) for each in aliases)
    return Entity(slug(name), name, kind, (Alias(name), *made), tuple(excludes))


def found(
    entities: Sequence[Entity] | Matcher,
    headline: str,
    day: date = DAY,
    *,
    abstract: str = "",
    keywords: Sequence[str] = (),
) -> list[tuple[str, str]]:
    """Who is found and under which words: pairs of entity id and the text of each span, in order."""
    matcher = entities if isinstance(entities, Matcher) else Matcher(entities)
    texts = {"headline": headline, "abstract": abstract}
    result = matcher.match_text(headline, abstract, day, keywords=keywords)
    return [
        (match.entity_id, texts[span.part.value][span.start : span.end])
        for match in result.matches
        for span in match.spans
    ]
