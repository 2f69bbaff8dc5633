"""Every choice that the pipeline makes, as pure functions: facts in, a decision out, no I/O.

Who acts on them: `consume` (what a message is, how it is settled), `intake` (what an article is to the
store), `produce` (when a source is asked again).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from kiosque.core.article import Article, is_older
from kiosque.core.errors import (
    BusUnavailable,
    CorruptModel,
    Forbidden,
    InvalidInput,
    InvalidSettings,
    PreconditionFailed,
    StoreUnavailable,
    TryAgain,
    Unauthenticated,
)
from kiosque.core.message import decode_article

T = TypeVar("T")
_REPLAY = re.compile(r"#replay-\d+-\d+$")

# What is wrong with the house or its settings, never with the article in hand: waiting or a person's hand cures it.
OUTAGES = (TryAgain, PreconditionFailed, CorruptModel, Unauthenticated, Forbidden, InvalidSettings)


SYSTEMIC_FROM = 8
"""Smaller batches that fail as a whole may well be poison."""
PROBE_FROM = 3
"""So many outages in a row, and single articles are tried: the server may only be too slow for a whole batch."""


# ---- retries


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waiting that doubles from `first` seconds to at most `cap`."""

    first: float = 1.0
    cap: float = 300.0

    def delay(self, failures: int) -> float:
        """Seconds to wait after this many failures in a row, the first being 1."""
        # Beyond 2**32 every base is over the cap, and the power must not grow without bound.
        return min(self.cap, self.first * 2.0 ** min(max(failures - 1, 0), 32))


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`max_deliveries` counts the failures that are the article's own, not the outages around it."""

    max_deliveries: int = 5
    backoff: Backoff = field(default_factory=Backoff)


class DeadReason(StrEnum):
    """Why a message was given up."""

    NOT_OURS = "not_ours"
    """It is no article in our encoding: no retry can change that."""
    POISON = "poison"
    """It failed by itself as often as the policy allows."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message that is no article of ours."""

    detail: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Deliver again after `delay` seconds. `counted`: the failure counts toward giving up."""

    delay: float
    counted: bool


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Keep it among the dead letters."""

    reason: DeadReason
    detail: str


def read_message(data: bytes) -> Article | Rejected:
    """The article in `data`, or why there is none."""
    try:
        return decode_article(data)
    except InvalidInput as error:
        return Rejected(str(error))


def message_key(article: Article, data: bytes) -> str:
    """By what a bus tells messages apart: the article's key and a digest of what is said of it.

    The key alone would let a broker drop a headline that its source corrects within minutes.
    """
    return f"{article.key}#{hashlib.blake2b(data, digest_size=6).hexdigest()}"


def replay_key(key: str, letter_id: int, at: datetime) -> str:
    """A key under which a dead letter can travel again although the bus remembers its first journey."""
    return f"{plain_key(key)}#replay-{letter_id}-{int(at.timestamp() * 1000)}"


def plain_key(key: str) -> str:
    """`key` without what `replay_key` added."""
    return _REPLAY.sub("", key)


def is_outage(error: BaseException) -> bool:
    """Whether `error` would have hit any article: then all of them wait, and none is blamed."""
    return isinstance(error, OUTAGES)


def is_ours(error: BaseException) -> bool:
    """Whether a poll failed because of our broker or database, out of reach or not as the settings want it."""
    return isinstance(error, (BusUnavailable, StoreUnavailable, PreconditionFailed))


def after_failure(error: BaseException, failures: int, policy: RetryPolicy, *, own: bool) -> Retry | GiveUp:
    """What becomes of one article that failed. `failures` counts this one, the first being 1.

    `own`: it failed by itself while the house was in order. Otherwise `failures` is how often in a row
    the outage was met; it only sets the delay.
    """
    if not own:
        return Retry(retry_delay(error, failures, policy.backoff), counted=False)
    if failures >= policy.max_deliveries:
        return GiveUp(DeadReason.POISON, describe(error))
    return Retry(policy.backoff.delay(failures), counted=True)


def is_systemic(failed: int, of: int) -> bool:
    """Whether so many articles failed by themselves that the fault must be the house's.

    A program that has a mistake in it refuses every article, and must not bury a day's news among the dead letters.
    """
    return of >= SYSTEMIC_FROM and failed == of


def retry_delay(error: BaseException, failures: int, backoff: Backoff) -> float:
    """Seconds until the next try: as the other side asked, within the cap, else by the back-off."""
    asked = getattr(error, "retry_after", None)
    return min(backoff.cap, max(float(asked or 0.0), backoff.delay(failures)))


def describe(error: BaseException) -> str:
    """`error` in one line for a person: its class and what it says, at most 500 characters."""
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:500]


def split(
    batch: Sequence[T], error: BaseException, *, partial: bool = False
) -> tuple[Sequence[T], Sequence[T]] | None:
    """The two halves to try apart after `error`, or None when trying apart cannot help.

    An outage hits every half alike, unless it is known to be `partial`; a single article has no
    halves. Halving finds one poison article among 256 in at most 17 tries where one by one needs 256.
    """
    if len(batch) < 2 or (is_outage(error) and not partial):
        return None
    middle = len(batch) // 2
    return batch[:middle], batch[middle:]


def heartbeat(ack_wait: float) -> float:
    """Seconds between two words about articles in hand, where the bus takes silence of `ack_wait` for an end.

    Three fit in, so that one or two may be late; more often than every ten seconds only where the bus asks for it.
    """
    return min(10.0, ack_wait / 3)


# ---- what an article is to the store


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of the article that lies under a key.

    `scored_by` is the polarity version whose scores it has, `generation` the state of the watch
    list that it was last matched against; None when it was never scored or matched.
    """

    source: str
    headline: str
    abstract: str
    scored_by: str | None
    generation: int | None
    told_at: datetime | None = None


class Standing(StrEnum):
    """What an article that arrives is to one that lies there."""

    NEW = "new"
    UPDATED = "updated"
    """Its own source has changed the text."""
    SIGHTING = "sighting"
    """Another source has it too; the first text stays."""
    DUPLICATE = "duplicate"
    """Nothing new: a second delivery, or the source says it again."""


def standing(article: Article, known: Known | None) -> Standing:
    """What `article` is to what is known under its key."""
    if known is None:
        return Standing.NEW
    if article.source != known.source:
        return Standing.SIGHTING
    if text_after(article, known) != (known.headline, known.abstract):
        return Standing.UPDATED
    return Standing.DUPLICATE


def waves(articles: Sequence[Article]) -> list[list[int]]:
    """The positions of `articles` in groups to be taken one after the other, each key once a group.

    Where a key comes again with nothing changed, the position is left out: a duplicate within the batch.
    """
    groups: list[list[int]] = []
    latest: dict[str, tuple[Article, int]] = {}
    for position, article in enumerate(articles):
        before = latest.get(article.key)
        if before is not None and _same_to_the_store(article, before[0]):
            continue
        number = 0 if before is None else before[1] + 1
        latest[article.key] = (article, number)
        if number == len(groups):
            groups.append([])
        groups[number].append(position)
    return groups


def _same_to_the_store(one: Article, other: Article) -> bool:
    return (one.source, one.headline, one.abstract) == (other.source, other.headline, other.abstract)


def text_after(article: Article, known: Known | None) -> tuple[str, str]:
    """Headline and abstract that lie in the store once `article` has been stored.

    Its own source replaces them; another source fills what was empty, and so does a text that was told before the one
    that lies there: a broker may hand a story out again after its correction. An empty text never replaces one.
    """
    if known is None:
        return article.headline, article.abstract
    if article.source == known.source and not is_older(article.told_at, known.told_at):
        return article.headline or known.headline, article.abstract or known.abstract
    return known.headline or article.headline, known.abstract or article.abstract


def must_score(article: Article, known: Known | None, *, version: str | None, generation: int) -> bool:
    """Whether entities must be looked for and scored: for a new text, a new model or a new watch list.

    Without a model (`version` None) only a new text counts: what is there already waits for a model
    as it is.
    """
    if known is None or text_after(article, known) != (known.headline, known.abstract):
        return True
    return version is not None and (known.scored_by, known.generation) != (version, generation)


def must_recommend(*, mentions: int, books_per_article: int) -> bool:
    """Books are kept for articles that mention someone; for others they are found on demand."""
    return mentions > 0 and books_per_article > 0


# ---- when a source is asked again


@dataclass(frozen=True, slots=True)
class PollPolicy:
    """Seconds between polls, and how errors stretch them."""

    interval: float = 300.0
    backoff: Backoff = field(default_factory=lambda: Backoff(first=30.0, cap=6 * 3600.0))


def next_poll(
    started: datetime,
    finished: datetime,
    policy: PollPolicy,
    *,
    failures: int = 0,
    retry_after: float | None = None,
    patience: float | None = None,
    unfinished: bool = False,
) -> datetime:
    """When to ask a source next.

    After success one interval after the poll began (so that slow polls don't drift), later if the
    source asks for `patience`, at once if the poll was stopped before it was through. After errors
    the back-off, never sooner than the source's Retry-After asks. A poll that ended before it began saw the clock
    set back, and counts from its end.
    """
    if failures > 0:
        wait = max(policy.backoff.delay(failures), retry_after or 0.0)
        return finished + timedelta(seconds=wait)
    if unfinished:
        return finished
    began = min(started, finished)
    return max(finished + timedelta(seconds=patience or 0.0), began + timedelta(seconds=policy.interval))


def is_due(now: datetime, next_at: datetime | None) -> bool:
    """Whether to poll now; a source that was never polled is due at once."""
    return next_at is None or next_at <= now
