"""The evaluation as Markdown, for people and for model cards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_NONE = "–"


def markdown(report: Mapping[str, Any]) -> str:
    """The tables of a report of `kiosque.books.evaluate.evaluate`."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    catalogues = list(report["data"])
    yield "## Judged queries, nDCG@10"
    yield ""
    sizes = ", ".join(f"{name} {data['books']} books" for name, data in report["data"].items())
    yield f"{sizes}. 95 % intervals by bootstrap over queries; gain 2^grade - 1; an unanswered query counts 0."
    for name, data in report["data"].items():
        if data.get("unmatched"):
            yield f"Judged but not in the catalogue {name}, left out: {'; '.join(data['unmatched'])}."
    yield ""
    yield from _table("system", catalogues, report["systems"])
    for name, versus in report["versus_best_single"].items():
        if versus["ndcg@10"] is None:
            continue
        low, high = versus["ndcg@10_ci"]
        gain = f"{versus['ndcg@10']:+.3f} [{low:+.3f}, {high:+.3f}]"
        yield f"- {name}: {gain} over the best single method, {versus['method']}"
    yield ""
    if "crossvalidated" in report:
        yield from _crossvalidated(report["crossvalidated"], catalogues)
    yield "## With one part switched off, nDCG@10"
    yield ""
    yield from _table("part", catalogues, {"kiosque": report["systems"]["kiosque"], **report["ablations"]})
    yield "## Threshold"
    yield ""
    yield from _threshold(report["threshold"])
    if "coreading" in report:
        yield "## Co-reading (more like this)"
        yield ""
        yield from _coreading(report["coreading"])


def _table(head: str, catalogues: list[str], rows: Mapping[str, Any]) -> Iterator[str]:
    yield f"| {head} | {' | '.join(catalogues)} | never judged, of the first ten |"
    yield f"|{'---|' * (len(catalogues) + 2)}"
    for name, figures in rows.items():
        cells = [_figure(figures.get(catalogue), "ndcg@10") for catalogue in catalogues]
        unjudged = [_percent(figures.get(catalogue, {}).get("unjudged@10")) for catalogue in catalogues]
        yield f"| {name} | {' | '.join(cells)} | {' / '.join(unjudged)} |"
    yield ""


def _crossvalidated(nested: Mapping[str, Any], catalogues: list[str]) -> Iterator[str]:
    figures = ", ".join(f"{name} {_figure(nested[name], 'ndcg@10')}" for name in catalogues)
    yield (
        f"Fusion weights chosen by nested cross-validation over queries ({nested['folds']} folds, "
        f"{nested['candidates']} candidates), measured on what the choice had not seen: {figures}."
    )
    yield ""


def _threshold(threshold: Mapping[str, Any]) -> Iterator[str]:
    yield "| catalogue | answered, where it has a book | unanswered, where nobody has | first book clearly relevant |"
    yield "|---|---|---|---|"
    for name, figures in threshold.items():
        yield (
            f"| {name} | {_percent(figures['answerable_answered'])} of {figures['answerable']} "
            f"| {_percent(figures['unanswerable_unanswered'])} of {figures['unanswerable']} "
            f"| {_percent(figures['first_book_clearly_relevant'])} |"
        )
    yield ""


def _coreading(systems: Mapping[str, Any]) -> Iterator[str]:
    yield "| system | recall@20 | nDCG@20 |"
    yield "|---|---|---|"
    for name, figures in systems.items():
        yield f"| {name} | {_figure(figures, 'recall@20')} | {_figure(figures, 'ndcg@20')} |"
    yield ""


def _figure(figures: Mapping[str, Any] | None, name: str) -> str:
    if figures is None or figures[name] is None:
        return _NONE
    low, high = figures[f"{name}_ci"]
    return f"{figures[name]:.3f} [{low:.3f}, {high:.3f}]"


def _percent(share: float | None) -> str:
    return _NONE if share is None else f"{100 * share:.0f} %"
