"""Write the figures in docs/reliability.md from the results of a run: write_reliability.py build/faults.json"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reliability.md"
BEGIN, END = "<!-- figures of the rounds -->\n", "<!-- end of the figures -->\n"


def figures(document: dict[str, Any]) -> str:
    """The summary in one sentence, and a table by kind of fault."""
    summary, machine = document["summary"], document["machine"]
    head = (
        f"{summary['rounds']} rounds (seed `{document['seed']}`, {machine['cores']} cores, "
        f"Python {machine['python']}): {summary['articles']} articles, {summary['corrections']} corrections and "
        f"{summary['foreign']} foreign messages; **{summary['lost']} lost, {summary['duplicated']} duplicated, "
        f"{summary['problems']} problems**. {summary['exits']} processes ended by themselves and were started "
        f"again. The oracle last judged {document['judged'].get('articles', 0)} articles as a whole.\n\n"
    )
    rows = [("all", summary["all"]), *summary["kinds"].items()]
    table = "| fault | rounds | ready again, median / max | all stored, median / max | problems |\n"
    table += "|---|---|---|---|---|\n"
    for kind, times in rows:
        spans = f"{_span(times['ready'])} | {_span(times['drained'])}"
        table += f"| {kind} | {times['rounds']} | {spans} | {times['problems']} |\n"
    left_out = "".join(f"\nLeft out: {kind} ({why})." for kind, why in document["skipped"].items())
    return head + table + left_out


def _span(times: dict[str, float] | None) -> str:
    return "never" if times is None else f"{times['median']:.1f} s / {times['max']:.1f} s"


def main(path: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    text = figures(json.loads(Path(path).read_text(encoding="utf-8")))
    PAGE.write_text(before + BEGIN + text + END + after, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
