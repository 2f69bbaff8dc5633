"""What was published against what is stored: the judge of every round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kiosque.core.article import Article
from kiosque.sources.seen import Seen
from kiosque.store import articles, dead_letters, mentions, models, recommendations, sources
from kiosque.store.articles import KnownArticle
from kiosque.store.database import Database
from kiosque.store.tx import Tx
from kiosque.testing.faults.news import Foreign, Story

PAGE = 200


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it must be. `kind`: lost, duplicated, wrong, unexplained or cursor."""

    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


class Oracle:
    """Reads the store past every fault. `good` are the versions of the polarity model that may answer."""

    def __init__(self, database: Database, good: Iterable[str]) -> None:
        self._database = database
        self._good = frozenset(good)

    def missing(self, stories: Sequence[Story], foreign: Sequence[Foreign] = ()) -> dict[str, str]:
        """What is not yet as it must be, and why; empty when everything has arrived."""
        found: dict[str, str] = {}
        with self._database.read() as tx:
            for start in range(0, len(stories), PAGE):
                found |= self._of_stories(tx, stories[start : start + PAGE])
            letters = {letter.key for letter in _letters(tx)} if foreign else set()
        found.update({each.key: "no dead letter" for each in foreign if each.key not in letters})
        return found

    def judge(
        self, stories: Mapping[str, Story], foreign: Mapping[str, Foreign], *, details: Iterable[str]
    ) -> list[Problem]:
        """Everything that was ever published, when nothing is on its way any more; text and mentions of `details`."""
        with self._database.read() as tx:
            return [
                *self._articles(tx, stories),
                *self._mentions(tx, {key: stories[key] for key in details}),
                *self._letters(tx, foreign),
                *self._cursors(tx, {key: stories[key] for key in details}),
            ]

    # ---- one story

    def _of_stories(self, tx: Tx, stories: Sequence[Story]) -> dict[str, str]:
        known = articles.known(tx, [story.key for story in stories])
        pks = [row.pk for row in known.values()]
        scorings, found = mentions.scorings(tx, pks), mentions.of_articles(tx, pks)
        shelves = recommendations.of_articles(tx, pks)
        why: dict[str, str] = {}
        for story in stories:
            row = known.get(story.key)
            problem = _text_problem(story, row)
            if problem is None and row is not None:
                if row.pk not in scorings:
                    problem = "not scored by the current version"
                elif {each.entity_id for each in found[row.pk]} != story.people:
                    problem = f"mentions {sorted(each.entity_id for each in found[row.pk])}"
                elif story.people and row.pk not in shelves:
                    problem = "no books"
            if problem is not None:
                why[story.key] = problem
        return why

    # ---- all of it

    def _articles(self, tx: Tx, stories: Mapping[str, Story]) -> list[Problem]:
        stored = Counter(row.article.key for row in articles.iterate(tx))
        problems = [Problem("lost", key) for key in stories if key not in stored]
        problems += [Problem("duplicated", key) for key, count in stored.items() if count > 1]
        problems += [Problem("unexplained", f"article {key}") for key in stored if key not in stories]
        if articles.count(tx) != stored.total():
            problems.append(Problem("wrong", f"{articles.count(tx)} counted, {stored.total()} read"))
        return problems

    def _mentions(self, tx: Tx, stories: Mapping[str, Story]) -> list[Problem]:
        """Each version that has scored an article names the same people, each once; only good versions answered."""
        problems: list[Problem] = []
        found = articles.of_pks(tx, [row.pk for row in articles.known(tx, stories).values()])
        rows = {row.article.key: row for row in found.values()}
        books_now = models.current(tx, models.BOOKS)
        for key, story in stories.items():
            row = rows.get(key)
            if row is None:
                continue
            if row.article.headline != story.article.headline:
                problems.append(
                    Problem("wrong", f"{key} says {row.article.headline!r}, {_ages(story, row.article)}")
                )
                continue
            for version, said in mentions.history(tx, row.pk).items():
                named = [each.entity_id for each in said]
                if version not in self._good:
                    problems.append(Problem("wrong", f"{key} scored by {version}"))
                if sorted(named) != sorted(story.people):
                    problems.append(Problem("wrong", f"{key}: {version} names {sorted(named)}"))
            problems += _shelf_problems(tx, row.pk, story, books_now)
        return problems

    def _letters(self, tx: Tx, foreign: Mapping[str, Foreign]) -> list[Problem]:
        problems, seen = [], Counter[str]()
        for letter in _letters(tx):
            seen[letter.key] += 1
            expected = foreign.get(letter.key)
            if expected is None:
                problems.append(Problem("unexplained", f"dead letter {letter.key}: {letter.reason[:200]}"))
            elif letter.data != expected.data or not letter.reason.startswith("not_ours"):
                problems.append(Problem("wrong", f"dead letter {letter.key}: {letter.reason[:200]}"))
        problems += [Problem("lost", f"dead letter {key}") for key in foreign if not seen[key]]
        problems += [Problem("duplicated", f"dead letter {key}") for key, n in seen.items() if n > 1]
        return problems

    def _cursors(self, tx: Tx, stories: Mapping[str, Story]) -> list[Problem]:
        """What a cursor says was delivered lies in the store."""
        stored = articles.known(tx, stories)
        seen = {state.id: Seen.of(state.cursor) for state in sources.everything(tx)}
        return [
            Problem("cursor", f"{story.article.source} has seen {story.key}, which is not stored")
            for story in stories.values()
            if story.key not in stored
            and any(version in seen.get(story.article.source, Seen()) for version in story.versions)
        ]


def _text_problem(story: Story, row: KnownArticle | None) -> str | None:
    if row is None:
        return "not stored"
    return None if row.headline == story.article.headline else f"says {row.headline!r}"


def _ages(story: Story, stored: Article) -> str:
    headlines = [version.headline for version in story.versions]
    if stored.headline not in headlines:
        return "which nobody told"
    return f"version {headlines.index(stored.headline) + 1} of {len(headlines)}"


def _shelf_problems(tx: Tx, pk: int, story: Story, version: str | None) -> list[Problem]:
    if version is None or not story.people:
        return []
    shelf = recommendations.of_articles(tx, [pk]).get(pk)
    if shelf is None:
        return [Problem("lost", f"the books of {story.key}")]
    ranks = [each.rank for each in shelf.recommendations]
    if ranks != list(range(1, len(ranks) + 1)):
        return [Problem("wrong", f"the books of {story.key} have ranks {ranks}")]
    return []


def _letters(tx: Tx) -> list[dead_letters.DeadLetter]:
    found: list[dead_letters.DeadLetter] = []
    cursor: str | None = None
    while True:
        page = dead_letters.page(tx, limit=PAGE, cursor=cursor)
        found += page.items
        cursor = page.next
        if cursor is None:
            return found
