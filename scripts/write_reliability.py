"""Write the figures in docs/reliability.md from the results of runs, and draw them; what is not named stays.

python scripts/write_reliability.py [--faults build/faults.json] [--fuzz build/fuzz.json]
                                    [--overload build/overload.json] [--soak build/soak.json]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kiosque.testing.faults import drawing
from kiosque.testing.faults.drawing import Band
from kiosque.testing.faults.traffic import BUCKETS

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE, IMAGES = DOCS / "reliability.md", DOCS / "images"
Document = dict[str, Any]


def faults(document: Document) -> str:
    """The summary in one sentence, and a table by kind of fault."""
    summary, machine = document["summary"], document["machine"]
    head = (
        f"{summary['rounds']} rounds (seed `{document['seed']}`, {machine['cores']} cores, "
        f"Python {machine['python']}): {summary['articles']} articles, {summary['corrections']} corrections and "
        f"{summary['foreign']} foreign messages; **{summary['lost']} lost, {summary['duplicated']} duplicated, "
        f"{summary['problems']} problems**. {summary['exits']} processes ended by themselves and were started "
        f"again. At the end the oracle judged {document['judged'].get('articles', 0)} articles as a whole.\n\n"
    )
    rows = [("all", summary["all"]), *summary["kinds"].items()]
    lines = [
        (kind, times["rounds"], _span(times["ready"]), _span(times["drained"]), times["problems"])
        for kind, times in rows
    ]
    heads = ("fault", "rounds", "ready again, median / max", "all stored, median / max", "problems")
    left_out = "".join(f"\nLeft out: {kind} ({why}).\n" for kind, why in document["skipped"].items())
    return head + _table(heads, lines) + left_out


def fuzz(document: Document) -> str:
    lines = [
        (name, f"{of['executions']:,}", of["findings"], of["branches_reached"], f"{of['seconds']:,.0f} s")
        for name, of in document["targets"].items()
    ]
    head = f"{document['executions']:,} executions (seed {document['seed']}), **{document['findings']} findings**."
    return f"{head}\n\n" + _table(("target", "executions", "findings", "branches reached", "time"), lines)


def overload(document: Document) -> str:
    can, phases = document["sustainable"], document["phases"]
    lines = [
        (
            who if number == 0 else "",
            when,
            _statuses(asked["statuses"]),
            _ms(asked["p50_ms"]),
            _ms(asked["p95_ms"]),
            _ms(asked["max_ms"]),
            asked["without_retry_after"],
        )
        for who in can["requests"]
        for number, (when, phase) in enumerate(phases.items())
        for asked in [phase["requests"][who]]
    ]
    heads = ("asked", "when", "answers", "p50", "p95", "longest", "refused without `Retry-After`")
    (IMAGES / "overload.svg").write_text(_draw_overload(document), encoding="utf-8")
    during = phases["during"]
    return (
        f"{_machine(document)} Sustained: {can['articles']:g} articles a second, {can['requests']['predict']:g} "
        f"requests a second at one predict server, and of the web server 600 requests a minute from one address. "
        f"Then {document['times']:g} times as much of everything for {document['seconds']} s: "
        f"{during['articles_told']:,} articles were told, {document['backlog']:,} waited at the broker at the end"
        f"{_held(document)}, {_drained(document)}. {_judged(document)} {_ended(document)}\n\n{_table(heads, lines)}\n"
        f"Times are of requests that were answered with 200; status 0 is no answer within 30 s.\n\n"
        f"{_memory_table(document)}\n"
        f"![Memory by process, and latency before, during and after](images/overload.svg)\n"
    )


def soak(document: Document) -> str:
    (IMAGES / "soak.svg").write_text(_draw_soak(document), encoding="utf-8")
    heads = ("process", "memory: first / most / last", "grows an hour by", "handles", "threads")
    lines = []
    for name, of in document["usage"].items():
        slope = document["slopes_per_hour"].get(name)
        if slope:
            first, most, last = of["megabytes"]
            lines.append(
                (
                    name,
                    f"{first:.0f} / {most:.0f} / {last:.0f} MB",
                    f"{slope['megabytes']:+.1f} MB",
                    f"{of['handles'][2]:.0f} ({slope['handles']:+.1f} an hour)",
                    f"{of['threads'][2]:.0f} ({slope['threads']:+.1f} an hour)",
                )
            )
    asked = document["requests"]
    return (
        f"{_machine(document)} {document['rate']:g} articles a second, half of what was sustained, and half of the "
        f"requests, for {document['seconds'] / 60:.0f} minutes: {document['articles']:,} articles. "
        f"{_judged(document)} {_ended(document)} Web: {_statuses(asked['web']['statuses'])}, p95 "
        f"{_ms(asked['web']['p95_ms'])}; predict: {_statuses(asked['predict']['statuses'])}, p95 "
        f"{_ms(asked['predict']['p95_ms'])}. The slopes leave out the first quarter.\n\n{_table(heads, lines)}\n"
        f"![Memory, handles and threads by process](images/soak.svg)\n"
    )


# ---- parts


def _draw_overload(document: Document) -> str:
    during = document["phases"]["during"]
    band = Band(during["from"], during["to"], f"{document['times']:g} times the sustainable rate")
    classes = [f"{end:g}" for end in BUCKETS] + [f">{BUCKETS[-1]:g}"]
    histograms = [
        drawing.bars(
            f"{who}: time to the answer, ms (share of the answers with 200)",
            classes,
            {when: phase["requests"][who]["histogram"] for when, phase in document["phases"].items()},
        )
        for who in document["sustainable"]["requests"]
    ]
    memory = drawing.lines("Memory of each process, MB", _series(document, 0, 1.0), x_unit="s", bands=[band])
    return drawing.page("An overload", [memory, *histograms])


def _draw_soak(document: Document) -> str:
    kinds = ("Memory of each process, MB", "File handles", "Threads")
    return drawing.page(
        "Steady load",
        [drawing.lines(kind, _series(document, n, 60.0), x_unit="min") for n, kind in enumerate(kinds)],
    )


def _series(document: Document, kind: int, divisor: float) -> dict[str, list[tuple[float, float]]]:
    return {
        name: [(s["at"] / divisor, s[name][kind]) for s in document["samples"] if name in s]
        for name in document["usage"]
    }


def _memory_table(document: Document) -> str:
    lines = [
        (name, *(f"{value:.0f} MB" for value in of["megabytes"])) for name, of in document["usage"].items()
    ]
    return _table(("process", "memory at first", "most", "at last"), lines)


def _machine(document: Document) -> str:
    machine = document["machine"]
    return (
        f"On {machine['cores']} cores (Python {machine['python']}, load {machine['load']:g} at the end) that also "
        f"made the load; two producers, two consumers, two predict servers, one web server."
    )


def _judged(document: Document) -> str:
    judged = document["judged"]
    unseen = judged.get("never_fetched", 0)
    apart = f"; {unseen:,} more rolled off their feeds before any poll could fetch them" if unseen else ""
    return f"**{judged['lost']} lost, {judged['duplicated']} duplicated** of {judged['articles']:,}{apart}."


def _held(document: Document) -> str:
    if "held" not in document:
        return ""
    return f" and {document['held']:,} that had been fetched in the producers"


def _drained(document: Document) -> str:
    seconds = document["drained"]
    return "and not all were stored in time" if seconds is None else f"and were stored {seconds:,.0f} s later"


def _ended(document: Document) -> str:
    if not document["exits"]:
        return "No process ended."
    return (
        "Started again: " + ", ".join(f"{name} ({count})" for name, count in document["exits"].items()) + "."
    )


def _statuses(statuses: dict[str, int]) -> str:
    return ", ".join(f"{count:,} × {status}" for status, count in statuses.items()) or "none"


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f} ms"


def _span(times: dict[str, float] | None) -> str:
    return "never" if times is None else f"{times['median']:.1f} s / {times['max']:.1f} s"


def _table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    listed = list(heads)
    lines = [listed, ["---"] * len(listed), *([str(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


SECTIONS = {"faults": faults, "fuzz": fuzz, "overload": overload, "soak": soak}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in SECTIONS:
        parser.add_argument(f"--{name}", type=Path)
    given = vars(parser.parse_args())
    page = PAGE.read_text(encoding="utf-8")
    for name, write in SECTIONS.items():
        if given[name] is not None:
            begin, end = f"<!-- figures: {name} -->\n", f"<!-- end: {name} -->\n"
            before, found, rest = page.partition(begin)
            _, closed, after = rest.partition(end)
            if not (found and closed):
                parser.error(f"{PAGE} has no place for {name}")
            page = before + begin + write(json.loads(given[name].read_text(encoding="utf-8"))) + end + after
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
