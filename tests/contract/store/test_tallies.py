"""What is counted beforehand is what counting anew gives, whatever happens to articles, mentions and entities."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from kiosque.core.polarity import Polarity
from kiosque.store import articles, entities, feedback, mentions
from kiosque.store.mentions import ScoredArticle
from kiosque.testing.tallies import tallies_from_scratch, tallies_of
from kiosque.testing.world import DOUGLAS, LINCOLN, NEGATIVE, NEUTRAL, NOW, POSITIVE, WHIGS, article, found

WATCHED = (LINCOLN, DOUGLAS, WHIGS)
DAYS = [f"1860-{month:02d}-{day:02d}" for month in (9, 10, 11) for day in (1, 15, 28)]
SCORES = (NEGATIVE, NEUTRAL, POSITIVE, None)


def agree(database) -> None:
    with database.read() as tx:
        assert tallies_of(tx) == tallies_from_scratch(tx)


class Newsroom:
    """Does to a database at random what the service does to it."""

    def __init__(self, database, seed: int) -> None:
        self.database, self.random, self.pks = database, random.Random(seed), [0]
        self.steps: list[Callable[[], None]] = [
            self.bring,
            self.bring,
            self.score,
            self.score,
            self.rewrite,
            self.fill_section,
            self.rematch,
            self.correct,
            self.drop_mentions,
            self.drop_entity,
        ]

    def bring(self) -> None:
        given = [
            article(
                f"{self.random.randrange(60)}", self.random.choice(DAYS), source=self.random.choice("abc")
            )
            for _ in range(self.random.randrange(1, 12))
        ]
        with self.database.write() as tx:
            self.pks = sorted({*self.pks, *(saved.pk for saved in articles.save(tx, given, NOW))})

    def score(self) -> None:
        chosen = self.random.sample(self.pks, min(len(self.pks), 9))
        version = self.random.choice(("v1", "v2"))
        scored = [ScoredArticle(pk, self._mentions(version)) for pk in chosen]
        with self.database.write() as tx:
            mentions.save(tx, scored, model_version=version, generation=1, scored_at=NOW)

    def _mentions(self, version: str):
        named = self.random.sample(WATCHED, self.random.randrange(len(WATCHED) + 1))
        return tuple(found(each.id, self.random.choice(SCORES), version) for each in named)

    def rewrite(self) -> None:
        """Another headline takes the mentions away; here they are found again in the same transaction, or not."""
        key = str(self.random.randrange(60))
        with self.database.write() as tx:
            there = articles.find(tx, key)
            if there is None:
                return
            new = replace(there.article, headline=f"Headline {self.random.random()}")
            (saved,) = articles.save(tx, [new], NOW)
            if self.random.random() < 0.5:
                again = ScoredArticle(saved.pk, self._mentions("v1"))
                mentions.save(tx, [again], model_version="v1", generation=2, scored_at=NOW)

    def fill_section(self) -> None:
        given = article(str(self.random.randrange(60)), DAYS[0], source="d", section="Politics")
        with self.database.write() as tx:
            self.pks = sorted({*self.pks, articles.save(tx, [given], NOW)[0].pk})

    def rematch(self) -> None:
        chosen = self.random.sample(self.pks, min(len(self.pks), 5))
        named = self.random.choice(WATCHED).id
        kept = {pk: found(named, self.random.choice(SCORES)) for pk in chosen if self.random.random() < 0.6}
        with self.database.write() as tx:
            if entities.of_ids(tx, [named]):
                mentions.replace_of_entity(tx, named, chosen, kept, model_version="v1", scored_at=NOW)

    def correct(self) -> None:
        with self.database.write() as tx:
            there = articles.find(tx, str(self.random.randrange(60)))
            if there is not None and entities.of_ids(tx, [LINCOLN.id]):
                about = {"article_id": there.id, "entity_id": LINCOLN.id}
                feedback.correct(tx, **about, polarity=Polarity.NEGATIVE, by="ana", at=NOW)

    def drop_mentions(self) -> None:
        version = self.random.choice((None, "v1"))
        with self.database.write() as tx:
            mentions.delete_of_entity(tx, self.random.choice(WATCHED).id, model_version=version)

    def drop_entity(self) -> None:
        """And watch it again: its number is another then."""
        given = self.random.choice(WATCHED)
        with self.database.write() as tx:
            entities.delete(tx, given.id)
            entities.save(tx, given, NOW)


@pytest.mark.parametrize("seed", range(4))
def test_tallies_are_the_counts_whatever_happens(database, world, seed):
    newsroom = Newsroom(database, seed)
    for _ in range(40):
        newsroom.random.choice(newsroom.steps)()
        agree(database)


def test_what_is_undone_counts_nothing(database, world):
    world.add(article("1", "1860-11-06"), (LINCOLN.id, POSITIVE))

    def fail() -> None:
        with database.write() as tx:
            articles.save(tx, [article("2", "1860-11-06")], NOW)
            mentions.delete_of_entity(tx, LINCOLN.id)
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        fail()
    agree(database)
    with database.read() as tx:
        assert sum(map(sum, tallies_of(tx)["mention_day"].values())) == 1


def test_an_entity_that_goes_leaves_no_tally(database, world):
    world.add(article("1", "1860-11-06"), (LINCOLN.id, POSITIVE), (DOUGLAS.id, None))
    with database.write() as tx:
        entities.delete(tx, LINCOLN.id)
    agree(database)
    with database.read() as tx:
        assert list(tallies_of(tx)["mention_month"].values()) == [(0, 0, 0, 1)]


def test_writers_that_meet_in_any_order_lose_nothing_and_wait_for_none(database, world):
    """Each writes the same days and names, from both ends; on PostgreSQL a deadlock would break one of them off."""

    def write(number: int) -> None:
        chooser = random.Random(number)
        for turn in range(12):
            given = [article(f"{number}:{turn}:{day}", day, source="abc"[number % 3]) for day in DAYS]
            chooser.shuffle(given)
            with database.write() as tx:
                saved = articles.save(tx, given, NOW)
                scored = [
                    ScoredArticle(each.pk, tuple(found(who.id, chooser.choice(SCORES)) for who in WATCHED))
                    for each in saved
                ]
                mentions.save(tx, scored, model_version="v1", generation=1, scored_at=NOW)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    agree(database)
    with database.read() as tx:
        assert sum(map(sum, tallies_of(tx)["mention_day"].values())) == 4 * 12 * len(DAYS) * len(WATCHED)


def test_a_writer_that_is_killed_leaves_tallies_that_agree(database, world):
    engines = database._engines
    address = (
        f"Path({str(database.path)!r})"
        if database.path
        else repr(engines.writer.url.render_as_string(hide_password=False))
    )
    program = textwrap.dedent(
        f"""
        from pathlib import Path
        from kiosque.store import articles, mentions
        from kiosque.store.database import Database
        from kiosque.testing.world import NEGATIVE, NOW, article, found

        database = Database({address})
        for turn in range(100_000):
            with database.write() as tx:
                given = [article(f"{{turn}}:{{n}}", f"1860-{{1 + turn % 12:02d}}-{{1 + n:02d}}") for n in range(20)]
                saved = articles.save(tx, given, NOW)
                named = (found("abraham-lincoln", NEGATIVE), found("whig-party", NEGATIVE))
                scored = [mentions.ScoredArticle(each.pk, named) for each in saved]
                mentions.save(tx, scored, model_version="v1", generation=1, scored_at=NOW)
            print(turn, flush=True)
        """
    )
    for stop_after in (1, 4):
        writer = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        for _ in range(stop_after):
            assert writer.stdout is not None
            assert writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        agree(database)
    with database.read() as tx:
        assert tallies_of(tx)["mention_day"]
