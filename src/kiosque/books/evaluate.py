"""Measure the recommender: judged queries, threshold, co-reading; against baselines and with parts switched off.

    report = evaluate(queries, qrels, encoder=…, demo=…, datasets=…)     # a dict for JSON
    print(markdown(report))

The figures of a system are those of what it shows: an article that it refuses to answer counts 0.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from kiosque.books.build import EVALUATION, assemble
from kiosque.books.catalogue import arrange
from kiosque.books.chronicle import FOLDER, SOURCE, Chronicle, holds, load_chronicle, write_chronicle
from kiosque.books.encoder import Encoder
from kiosque.books.evaluation import baselines
from kiosque.books.evaluation.coreading import Readings, read_readings
from kiosque.books.evaluation.judged import Collection, read_collections
from kiosque.books.evaluation.metrics import (
    SEED,
    Values,
    graded,
    mean_interval,
    mean_known,
    ndcg,
    recall,
    rounded,
)
from kiosque.books.evaluation.report import markdown
from kiosque.books.evaluation.tuning import crossvalidate, recipes
from kiosque.books.evidence import Index
from kiosque.books.model import BooksModel
from kiosque.books.recipe import Recipe
from kiosque.core.book import BookQuery
from kiosque.core.errors import InvalidInput

__all__ = ["EVALUATION", "Ranker", "evaluate", "markdown"]

DEPTH = 10
COREAD_DEPTH = 20
PRODUCT = "kiosque"
SINGLE_METHODS = ("tfidf_stemmed", "tfidf", "bm25", "encoder")

Ranker = Callable[[str], Sequence[int]]
"""A text → places of books, best first; none where it refuses."""
Progress = Callable[[str], None]
"""Called with what is being measured."""


@dataclass(frozen=True, slots=True)
class Bench:
    """The parts that every measurement shares."""

    encoder: Encoder | None
    chronicle: Chronicle | None
    recipe: Recipe

    def index(self, collection: Collection | Readings, recipe: Recipe | None = None) -> Index:
        return assemble(
            arrange(collection.books), recipe or self.recipe, encoder=self.encoder, chronicle=self.chronicle
        )


def evaluate(
    queries: Path,
    qrels: Path,
    *,
    demo: Path,
    encoder: Path | None = None,
    datasets: Path | None = None,
    recipe: Recipe | None = None,
    tune: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure on `queries` with the grades in `qrels`; returns the report as JSON has it.

    `demo` is the file of the shipped books; `datasets` the folder of third-party data sets, whose catalogues and
    ratings are left out where they are not at hand. `encoder` is the folder of the sentence encoder. `tune`
    adds what nested cross-validation of the fusion weights gives: minutes instead of one.
    """
    tell = progress or (lambda _: None)
    collections = read_collections(queries, qrels, demo=demo, datasets=datasets)
    if not collections[0].queries:
        raise InvalidInput(f"There are no queries in {queries}.")
    bench = _bench(encoder, recipe or Recipe())
    report: dict[str, Any] = {"systems": {}, "ablations": {}, "threshold": {}, "versus_best_single": {}}
    for collection in collections:
        tell(f"{collection.name}: {len(collection.books)} books, {len(collection.queries)} queries")
        _measure(report, collection, bench, tell)
    readings = read_readings(datasets) if datasets is not None else None
    if readings is not None:
        tell(f"co-reading: {len(readings.books)} books, {len(readings.asked)} asked about")
        report["coreading"] = _coreading(readings, bench)
    if tune:
        tell("cross-validation of the fusion weights")
        indexes = [(collection, bench.index(collection)) for collection in collections]
        report["crossvalidated"] = crossvalidate(indexes, list(recipes(bench.recipe)))
    report["recipe"] = asdict(bench.recipe)
    report["data"] = {
        c.name: {"books": len(c.books), "queries": len(c.queries), "unmatched": list(c.unmatched)}
        for c in collections
    }
    report["encoder"] = encoder is not None
    return report


def _bench(folder: Path | None, recipe: Recipe) -> Bench:
    if folder is None:
        return Bench(None, None, recipe)
    encoder = Encoder(folder, remember=True)
    if holds(folder / FOLDER, SOURCE):
        return Bench(encoder, load_chronicle(folder / FOLDER), recipe)
    with tempfile.TemporaryDirectory(prefix="kiosque-books-") as temporary:
        write_chronicle(SOURCE, Path(temporary), encoder)
        return Bench(encoder, load_chronicle(Path(temporary)), recipe)


def _measure(report: dict[str, Any], collection: Collection, bench: Bench, tell: Progress) -> None:
    """Fill in what belongs to one catalogue."""
    index = bench.index(collection)
    per_query: dict[str, Values] = {}
    for name, ranker in _systems(collection, index).items():
        tell(f"{collection.name}: {name}")
        ranked = [ranker(query.text) for query in collection.queries]
        per_query[name] = _ndcgs(collection, ranked, DEPTH)
        report["systems"].setdefault(name, {})[collection.name] = _figures(collection, ranked)
        if name == PRODUCT:
            report["threshold"][collection.name] = _threshold(collection, ranked)
    report["versus_best_single"][collection.name] = _versus(per_query)
    for name, ablated in _ablations(collection, index, bench).items():
        tell(f"{collection.name}: {name}")
        ranked = [_ranker(ablated)(query.text) for query in collection.queries]
        report["ablations"].setdefault(name, {})[collection.name] = {
            **_figures(collection, ranked),
            "answered": _answered(collection, ranked),
        }


def _systems(collection: Collection, index: Index) -> dict[str, Ranker]:
    scorers = baselines.scorers(collection, index, seed=SEED)
    return {PRODUCT: _ranker(index), **{name: _top(scorer) for name, scorer in scorers.items()}}


def _ablations(collection: Collection, index: Index, bench: Bench) -> dict[str, Index]:
    """The product with one part switched off at a time."""
    recipe = index.recipe
    off: dict[str, Recipe] = {
        "without_lexical": replace(recipe, lexical_weight=0.0, note_lexical=0.0),
        "without_years": replace(recipe, note_years=0.0),
        "without_persons_and_subjects": replace(recipe, person_weight=0.0, subject_weight=0.0),
        "without_diversity": replace(recipe, diversity=0.0),
        "without_threshold": replace(recipe, gate=0.0, floor=0.0),
        "without_floor": replace(recipe, floor=0.0),
    }
    found = {name: replace(index, recipe=changed) for name, changed in off.items()}
    found["without_chronicle"] = replace(
        index, chronicle=None, recipe=replace(recipe, gate=recipe.likeness_gate)
    )
    found["without_encoder"] = replace(index, encoder=None, vectors=None, chronicle=None)
    found["without_title_vectors"] = bench.index(collection, replace(recipe, title_share=0.0))
    return found


def _ranker(index: Index) -> Ranker:
    model = BooksModel("evaluated", index)
    rows = index.catalogue.rows

    def rank(text: str) -> list[int]:
        (shelf,) = model.recommend([BookQuery(text=text, k=DEPTH)])
        return [rows[one.book.key] for one in shelf.recommendations]

    return rank


def _top(scorer: baselines.Scorer) -> Ranker:
    return lambda text: [int(row) for row in np.argsort(-scorer(text), kind="stable")[:DEPTH]]


def _ndcgs(collection: Collection, ranked: Sequence[Sequence[int]], k: int) -> Values:
    pairs = zip(ranked, collection.grades, strict=True)
    return np.array([ndcg(rows, graded(grades), k) for rows, grades in pairs])


def _figures(collection: Collection, ranked: Sequence[Sequence[int]]) -> dict[str, Any]:
    """nDCG at 5 and 10 over the queries for which the catalogue has a book, and the share never judged."""
    values: dict[str, Any] = {}
    for k in (5, DEPTH):
        mean, interval = mean_interval(_ndcgs(collection, ranked, k))
        values[f"ndcg@{k}"] = rounded(mean)
        values[f"ndcg@{k}_ci"] = [rounded(end) for end in interval]
    shown = [row in grades for rows, grades in zip(ranked, collection.grades, strict=True) for row in rows]
    values["unjudged@10"] = rounded(1.0 - float(np.mean(shown))) if shown else None
    values["queries"] = sum(any(grades.values()) for grades in collection.grades)
    return values


def _threshold(collection: Collection, ranked: Sequence[Sequence[int]]) -> dict[str, Any]:
    """How well "no good match" is told: over queries that some catalogue answers, that none does, and that only
    another catalogue does.
    """
    best = [
        grades.get(rows[0], 0) if rows else None
        for rows, grades in zip(ranked, collection.grades, strict=True)
    ]
    here = [any(grades.values()) for grades in collection.grades]
    answered = [grade for grade, covered in zip(best, here, strict=True) if covered]
    elsewhere = [
        grade
        for grade, covered, query in zip(best, here, collection.queries, strict=True)
        if query.answerable and not covered
    ]
    nowhere = [grade for grade, query in zip(best, collection.queries, strict=True) if not query.answerable]
    shown = [grade for grade in best if grade is not None]
    return {
        "answerable": len(answered),
        "answerable_answered": _share(grade is not None for grade in answered),
        "unanswerable": len(nowhere),
        "unanswerable_unanswered": _share(grade is None for grade in nowhere),
        "only_elsewhere": len(elsewhere),
        "only_elsewhere_unanswered": _share(grade is None for grade in elsewhere),
        "first_book_clearly_relevant": _share(grade >= 2 for grade in shown),
    }


def _answered(collection: Collection, ranked: Sequence[Sequence[int]]) -> dict[str, float | None]:
    return {
        name: value
        for name, value in _threshold(collection, ranked).items()
        if name in ("answerable_answered", "unanswerable_unanswered")
    }


def _versus(per_query: Mapping[str, Values]) -> dict[str, Any]:
    """The product minus the best single method, query by query."""
    single = {name: values for name, values in per_query.items() if name in SINGLE_METHODS}
    best = max(single, key=lambda name: mean_known(single[name]))
    mean, interval = mean_interval(per_query[PRODUCT] - single[best])
    return {"method": best, "ndcg@10": rounded(mean), "ndcg@10_ci": [rounded(end) for end in interval]}


def _coreading(readings: Readings, bench: Bench) -> dict[str, Any]:
    """Recall and nDCG at 20 of "more like this" against what readers of a book liked as well."""
    index = bench.index(readings)
    return {
        name: _coread_figures(readings, ranker) for name, ranker in _likeness_rankers(readings, index).items()
    }


def _likeness_rankers(readings: Readings, index: Index) -> dict[str, Callable[[int], list[int]]]:
    from kiosque.books.asked import describe

    model = BooksModel("evaluated", index)
    rows, books = index.catalogue.rows, readings.books
    collection = Collection("coreading", books, (), (), readings.likes)

    def product(place: int) -> list[int]:
        query = BookQuery(book_key=books[place].key, k=COREAD_DEPTH, min_score=0.0)
        (shelf,) = model.recommend([query])
        return [rows[one.book.key] for one in shelf.recommendations]

    def single(scorer: baselines.Scorer) -> Callable[[int], list[int]]:
        def rank(place: int) -> list[int]:
            order = np.argsort(-scorer(describe(books[place])), kind="stable")
            return [int(row) for row in order[: COREAD_DEPTH + 1] if row != place][:COREAD_DEPTH]

        return rank

    found = baselines.scorers(collection, index, seed=SEED)
    return {PRODUCT: product, **{name: single(scorer) for name, scorer in found.items()}}


def _coread_figures(readings: Readings, ranker: Callable[[int], list[int]]) -> dict[str, Any]:
    ranked = {place: ranker(place) for place in readings.asked}
    recalls = np.array(
        [recall(rows, frozenset(readings.coread[p]), COREAD_DEPTH) for p, rows in ranked.items()]
    )
    gains = [{other: float(n) for other, n in readings.coread[place].items()} for place in ranked]
    ndcgs = np.array([ndcg(rows, g, COREAD_DEPTH) for rows, g in zip(ranked.values(), gains, strict=True)])
    values: dict[str, Any] = {"books": len(ranked)}
    for name, figures in (("recall@20", recalls), ("ndcg@20", ndcgs)):
        mean, interval = mean_interval(figures)
        values[name] = rounded(mean)
        values[f"{name}_ci"] = [rounded(end) for end in interval]
    return values


def _share(flags: Any) -> float | None:
    listed = [bool(flag) for flag in flags]
    return rounded(sum(listed) / len(listed)) if listed else None
