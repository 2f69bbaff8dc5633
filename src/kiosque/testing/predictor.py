"""Small models that need no files but their own, and a predictor made of them: deterministic, like a lexicon.

`ToyPolarity` counts kind and unkind words, `ToyBooks` shared words. `publish_toy` puts a version of either into a
model store and `toy_loaders` loads it, so that everything round a model can be tested without a real one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from kiosque.core.article import Field
from kiosque.core.book import Book, BookQuery, Reasons, Recommendation, Shelf
from kiosque.core.clock import Clock
from kiosque.core.entity import Span
from kiosque.core.errors import CorruptModel, InvalidInput, KiosqueError, NoModel, NotFound
from kiosque.core.polarity import (
    Outcome,
    Probabilities,
    ScoringRequest,
    SpanScore,
    Target,
    TargetScore,
    WordContribution,
)
from kiosque.core.prediction import ScoredBatch
from kiosque.modelstore.manifest import Version
from kiosque.modelstore.store import ModelStore
from kiosque.predict.models import BOOKS, POLARITY, Loaders

KIND = frozenset(
    {"praise", "praised", "praises", "triumph", "wins", "won", "hero", "cheered", "great", "honest"}
)
UNKIND = frozenset(
    {"blame", "blamed", "scandal", "loses", "lost", "fraud", "jeered", "terrible", "crook", "fails"}
)
LONGEST = 20_000
_WORD = re.compile(r"\w+")

DEMO_BOOKS = (
    Book("isbn:9780000000019", "The Whistle Stop", "A. Carter", 1950, subjects=("Truman", "elections")),
    Book("isbn:9780000000026", "Dewey Defeats Nobody", "B. Lane", 1999, subjects=("Dewey", "newspapers")),
    Book(
        "work:rails and ballots/c moss",
        "Rails and Ballots",
        "C. Moss",
        1971,
        subjects=("elections", "trains"),
    ),
)


class ToyPolarity:
    """Scores a mention by the kind and unkind words beside it; `lean` shifts every answer."""

    def __init__(self, lean: float = 0.0, *, faulty: bool = False) -> None:
        self._lean = lean
        self._faulty = faulty

    def warm(self) -> None:
        self.score([ScoringRequest("Ada wins", targets=(Target("ada", "Ada"),))])

    def check(self) -> None:
        if self._faulty:
            raise CorruptModel("The toy does not reproduce its recorded answers.")

    def score(
        self, requests: Sequence[ScoringRequest], *, any_language: bool = False
    ) -> list[tuple[TargetScore, ...]]:
        return [
            tuple(self._score(request, target, any_language) for target in request.targets)
            for request in requests
        ]

    def explain(self, request: ScoringRequest, target: Target) -> tuple[WordContribution, ...]:
        """Each word counts what it is worth; nothing where `target` is not named."""
        if not _spans(request, target):
            return ()
        return tuple(
            WordContribution(part, word.start(), word.end(), word.group(), _worth(word.group()))
            for part in Field
            for word in _WORD.finditer(request.text_of(part))
        )

    def _score(self, request: ScoringRequest, target: Target, any_language: bool) -> TargetScore:
        if max(len(request.headline), len(request.abstract)) > LONGEST:
            return TargetScore(target.id, Outcome.TOO_LONG)
        if not any_language and request.language not in (None, "en"):
            return TargetScore(target.id, Outcome.NOT_ENGLISH)
        spans = _spans(request, target)
        if not spans:
            return TargetScore(target.id, Outcome.NO_MENTION)
        scores = [SpanScore(span, self._probabilities(request.text_of(span.part))) for span in spans]
        return TargetScore(target.id, Outcome.SCORED, scores[0].probabilities, tuple(scores))

    def _probabilities(self, text: str) -> Probabilities:
        worth = [_worth(word) for word in _WORD.findall(text)]
        unkind, kind = worth.count(-1.0) + max(-self._lean, 0.0), worth.count(1.0) + max(self._lean, 0.0)
        total = 1.0 + 2 * (unkind + kind)
        return Probabilities(2 * unkind / total, 1.0 / total, 2 * kind / total)


class ToyBooks:
    """Recommends by shared words of title, author and subjects."""

    def __init__(self, version: str, books: Sequence[Book] = DEMO_BOOKS, *, faulty: bool = False) -> None:
        self._version = version
        self._books = {book.key: book for book in books}
        self._faulty = faulty

    def warm(self) -> None:
        self.recommend([BookQuery(text="elections")])

    def check(self) -> None:
        if self._faulty:
            raise CorruptModel("The toy does not reproduce its recorded answers.")

    def recommend(self, queries: Sequence[BookQuery]) -> list[Shelf]:
        return [self._shelf(query) for query in queries]

    def _shelf(self, query: BookQuery) -> Shelf:
        words = _words(" ".join(self._texts(query)))
        shared = {
            key: words & _words(_about(book)) for key, book in self._books.items() if key != query.book_key
        }
        best = sorted((key for key in shared if shared[key]), key=lambda key: (-len(shared[key]), key))
        chosen = [key for key in best if key not in query.exclude][: query.k]
        if not chosen:
            return Shelf((), self._version, "No good match: no book shares a word.")
        return Shelf(tuple(self._say(key, shared[key], i) for i, key in enumerate(chosen, 1)), self._version)

    def _say(self, key: str, shared: set[str], rank: int) -> Recommendation:
        terms = tuple(sorted(shared))
        reasons = Reasons(terms=terms, sentence=f"shares: {', '.join(terms)}")
        return Recommendation(self._books[key], rank, len(shared) / (1 + len(shared)), reasons)

    def _texts(self, query: BookQuery) -> Iterator[str]:
        if sum((bool(query.text), bool(query.reader), query.book_key is not None)) != 1:
            raise InvalidInput("Give exactly one of text, reader and book.", hint="Only one of them is read.")
        if query.book_key is not None and query.book_key not in self._books:
            raise NotFound(f"There is no book {query.book_key!r}.", hint="Look at the list of books.")
        yield query.text
        yield from (item.text for item in query.reader)
        if query.book_key is not None:
            yield _about(self._books[query.book_key])


class FakePredictor:
    """Implements `Predictor` with the toys. Set `error` to have every method raise it."""

    def __init__(
        self,
        *,
        polarity_version: str | None = "toy-1",
        books_version: str | None = "toy-1",
        lean: float = 0.0,
    ) -> None:
        self._versions = {POLARITY: polarity_version, BOOKS: books_version}
        self._polarity = ToyPolarity(lean)
        self._books = ToyBooks(books_version or "")
        self.error: KiosqueError | None = None

    def polarity(self, requests: Sequence[ScoringRequest], *, any_language: bool = False) -> ScoredBatch:
        version = self._version(POLARITY)
        return ScoredBatch(version, tuple(self._polarity.score(requests, any_language=any_language)))

    def explain(self, request: ScoringRequest, target: Target) -> tuple[WordContribution, ...]:
        self._version(POLARITY)
        return self._polarity.explain(request, target)

    def books(self, queries: Sequence[BookQuery]) -> list[Shelf]:
        self._version(BOOKS)
        return self._books.recommend(queries)

    def versions(self) -> dict[str, str]:
        self._fail()
        return {name: version for name, version in self._versions.items() if version}

    def _version(self, name: str) -> str:
        self._fail()
        version = self._versions[name]
        if version is None:
            raise NoModel(f"The model {name!r} has no champion.", hint="Publish one.")
        return version

    def _fail(self) -> None:
        if self.error:
            raise self.error


def toy_loaders(on_load: Callable[[Path], None] = lambda _: None) -> Loaders:
    """Loaders of what `publish_toy` publishes; `on_load` is told each folder before it is read."""

    def settings(folder: Path) -> Mapping[str, object]:
        on_load(folder)
        content = json.loads((folder / "toy.json").read_text())
        assert isinstance(content, dict)
        return content

    def load_polarity(folder: Path) -> ToyPolarity:
        toy = settings(folder)
        return ToyPolarity(float(str(toy["lean"])), faulty=bool(toy["faulty"]))

    def load_books(folder: Path) -> ToyBooks:
        return ToyBooks(folder.name, faulty=bool(settings(folder)["faulty"]))

    return Loaders(load_polarity, load_books)


def publish_toy(
    store: ModelStore,
    name: str,
    version: str,
    *,
    clock: Clock,
    lean: float = 0.0,
    faulty: bool = False,
    promote: bool = True,
) -> Version:
    """Publish a toy under `version`, and let the champion be it unless `promote` is False."""
    with TemporaryDirectory() as folder:
        content = {"lean": lean, "faulty": faulty, "version": version}
        (Path(folder) / "toy.json").write_text(json.dumps(content))
        published = store.publish(
            name, Path(folder), fields={"format": "toy/1"}, version=version, clock=clock
        )
    if promote:
        store.move_alias(name, "champion", version, who="test", why="toy", clock=clock)
    return published


def _spans(request: ScoringRequest, target: Target) -> list[Span]:
    if target.spans:
        return [
            span for span in target.spans if 0 <= span.start < span.end <= len(request.text_of(span.part))
        ]
    pattern = re.compile(rf"(?<!\w){re.escape(target.name)}(?!\w)") if target.name else re.compile("(?!)")
    return [Span(part, *found.span()) for part in Field for found in pattern.finditer(request.text_of(part))]


def _worth(word: str) -> float:
    return float(word.lower() in KIND) - float(word.lower() in UNKIND)


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text) if len(word) > 3}


def _about(book: Book) -> str:
    return " ".join((book.title, book.author, *book.subjects))
