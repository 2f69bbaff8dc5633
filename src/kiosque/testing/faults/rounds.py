"""Rounds: some news, one fault, and then everything must be as if there had been none."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from kiosque.bus.protocol import Message
from kiosque.core.errors import BusUnavailable, KiosqueError
from kiosque.pipeline.produce import message_of
from kiosque.store import mentions
from kiosque.testing.faults import breakage
from kiosque.testing.faults.breakage import FAULTS, Setting
from kiosque.testing.faults.installation import Installation
from kiosque.testing.faults.news import WIRE, Feed, Foreign, Story, Writer, foreign
from kiosque.testing.faults.oracle import Oracle
from kiosque.testing.faults.results import Results, Round

PATIENCE = 120.0
"""Seconds after which a round is said not to recover."""
JUDGE_EVERY = 25
QUICK, LONG = (0.3, 2.0), (20.0, 30.0)
"""Seconds that faults with a length last."""
_KEEP = 40
"""Stories that a feed still shows when they are stored."""


@dataclass(frozen=True, slots=True)
class Load:
    """The news of one round, in the two parts before and during the fault."""

    before: tuple[Story, ...]
    during: tuple[Story, ...]
    corrected: tuple[Story, ...]
    """Stories of `before` and of earlier rounds with another headline, told during the fault."""
    foreign: tuple[Foreign, ...]
    repeats: int


@dataclass
class Runner:
    """Runs rounds on one installation. `tell` is told each round when it is over."""

    site: Installation
    results: Results
    tell: Callable[[Round], None] = lambda _: None
    stories: dict[str, Story] = field(default_factory=dict)
    foreign: dict[str, Foreign] = field(default_factory=dict)
    _recent: set[str] = field(default_factory=set)
    """Keys that were not judged yet."""

    def __post_init__(self) -> None:
        models = self.site.models
        self._oracle = Oracle(self.site.database, (models.shipped, models.second))
        self._writer = Writer(f"{self.results.seed}-{len(self.results.rounds)}")
        self._bus = self.site.open_bus()
        self._earlier = Counter(self.results.judged)
        """What was judged of installations before this one: their stores are gone."""
        self.results.skipped = breakage.skipped(self.site)

    def close(self) -> None:
        self._bus.close()

    def run(self, number: int, kind: str) -> Round:
        """Round `number` of the run, with the fault `kind`."""
        chance = random.Random(f"{self.results.seed}:{number}")
        load = self._compose(chance, kind)
        exits = {each.name: len(each.exits) for each in self.site.supervised}
        feeder = threading.Thread(target=self._tell_during, args=(load, chance.random()), daemon=True)
        self._tell_stories(load.before, load.repeats, random.Random(chance.random()))
        threading.Event().wait(chance.uniform(0.0, 0.6))
        span = QUICK if self.results.quick else LONG
        began = time.monotonic()
        problems: list[str] = []
        try:
            with FAULTS[kind](Setting(self.site, chance, chance.uniform(*span))) as victim:
                feeder.start()
        except AssertionError as wrong:
            victim = "-"
            problems.append(f"wrong: {wrong}")
        if not feeder.is_alive() and feeder.ident is None:
            feeder.start()
        ended = time.monotonic()
        ready, drained, left = self._wait(load, feeder, ended)
        problems += left
        made = Round(
            number=number,
            kind=kind,
            victim=victim,
            articles=len(load.before) + len(load.during),
            corrections=len(load.corrected),
            foreign=len(load.foreign),
            fault_seconds=round(ended - began, 2),
            ready=ready,
            drained=drained,
            problems=tuple(problems),
            exits=tuple(
                f"{each.name}: {code}"
                for each in self.site.supervised
                for _, code in each.exits[exits[each.name] :]
            ),
        )
        if number % JUDGE_EVERY == 0 and not problems:
            made = replace(made, problems=tuple(self._judge(self._recent)))
            self._recent.clear()
        for feed in self.site.feeds:
            feed.put_aside(_KEEP)
        self.results.rounds.append(made)
        self.tell(made)
        return made

    def judge_everything(self) -> list[str]:
        """The last word over all articles of this installation."""
        return self._judge(self.stories)

    # ---- news

    def _compose(self, chance: random.Random, kind: str) -> Load:
        sources = [feed.id for feed in self.site.feeds] + [WIRE]
        fresh = [self._writer.story(chance, chance.choice(sources)) for _ in range(chance.randint(6, 12))]
        half = len(fresh) // 2
        old = chance.sample(sorted(self.stories), min(2, len(self.stories)))
        again = [*fresh[: chance.randint(0, 2)], *(self.stories[key] for key in old)]
        corrected = [self._writer.correction(chance, story) for story in again]
        count = chance.randint(3, 6) if kind == "messages: not ours" else chance.choice((0, 0, 0, 1))
        odd = [foreign(chance, f"{self._writer.name}-odd-{len(self.foreign) + n}") for n in range(count)]
        for story in (*fresh, *corrected):
            self.stories[story.key] = story
            self._recent.add(story.key)
        self.foreign.update({each.key: each for each in odd})
        repeats = 3 if "twice" in kind else 1
        return Load(tuple(fresh[:half]), tuple(fresh[half:]), tuple(corrected), tuple(odd), repeats)

    def _tell_during(self, load: Load, seed: float) -> None:
        """What goes on while the fault lasts, and for as long as the broker takes nothing."""
        chance = random.Random(seed)
        pause = threading.Event()
        pause.wait(chance.uniform(0.0, 0.3))
        self._tell_stories(load.during, load.repeats, chance)
        self._publish([Message(each.key, WIRE, each.data) for each in load.foreign])
        pause.wait(chance.uniform(0.0, 0.5))
        self._tell_stories(load.corrected, 1, chance)

    def _tell_stories(self, stories: Sequence[Story], repeats: int, chance: random.Random) -> None:
        for feed in self.site.feeds:
            feed.add(_of(feed, stories))
        messages = [message_of(story.article) for story in stories if story.article.source == WIRE]
        copies = [
            replace(message, key=f"{message.key}#copy-{number}") if number else message
            for message in messages
            for number in range(repeats)
        ]
        if repeats > 1:
            chance.shuffle(copies)
        self._publish(copies)

    def _publish(self, messages: Sequence[Message]) -> None:
        """As a producer would: again and again until the broker has them."""
        deadline = time.monotonic() + PATIENCE
        while messages:
            try:
                self._bus.publish(messages)
            except BusUnavailable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    # ---- afterwards

    def _wait(
        self, load: Load, feeder: threading.Thread, ended: float
    ) -> tuple[float | None, float | None, list[str]]:
        """Seconds until all was ready, until all was stored, and what is still wrong when patience ends."""
        stories = [self.stories[s.key] for s in (*load.before, *load.during, *load.corrected)]
        ready = drained = None
        left: dict[str, str] = {}
        while time.monotonic() < ended + PATIENCE and (ready is None or drained is None):
            if drained is None and not feeder.is_alive():
                left = self._left(stories, load.foreign)
                drained = None if left else round(time.monotonic() - ended, 2)
            if ready is None and not self.site.not_ready():
                ready = round(time.monotonic() - ended, 2)
            time.sleep(0.1)
        feeder.join(1.0)
        problems = [f"late: {key}: {why}" for key, why in left.items()] if drained is None else []
        if ready is None:
            problems.append(f"not ready: {', '.join(self.site.not_ready())}")
        return ready, drained, problems

    def _left(self, stories: Sequence[Story], odd: Sequence[Foreign]) -> dict[str, str]:
        try:
            left = self._oracle.missing(stories, odd)
            if not left:
                lag = self._bus.lag()
                if lag.pending or lag.in_flight:
                    left["(bus)"] = f"{lag.pending} waiting, {lag.in_flight} in hand"
        except KiosqueError as error:
            return {"(oracle)": str(error)}
        return left

    def _judge(self, keys: set[str] | dict[str, Story]) -> list[str]:
        judged = self._oracle.judge(self.stories, self.foreign, details=keys)
        counts = Counter(problem.kind for problem in judged)
        with self.site.database.read() as tx:
            stored = mentions.count(tx)
        counts.update(articles=len(self.stories), mentions=stored, lost=0, duplicated=0)
        self.results.judged = {
            kind: counts[kind] + self._earlier[kind] for kind in sorted(counts.keys() | self._earlier.keys())
        }
        return [str(problem) for problem in judged]


def _of(feed: Feed, stories: Sequence[Story]) -> list:  # type: ignore[type-arg]
    return [story.article for story in stories if story.article.source == feed.id]


def order_of(seed: str, kinds: Sequence[str], rounds: int) -> list[str]:
    """The kinds of so many rounds: all of them in an order by chance, then all again in another."""
    chance = random.Random(seed)
    found: list[str] = []
    while len(found) < rounds:
        found += chance.sample(sorted(kinds), len(kinds))
    return found[:rounds]
