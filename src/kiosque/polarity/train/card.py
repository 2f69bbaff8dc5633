"""The model card: what went in, how it was measured, what it can't do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiosque.polarity.evaluate import Report

_HEAD = """# Polarity model `{name}`

Reads an English news text and the place of a target in it, and says how the text portrays the target to a careful
reader who takes no side: probabilities of negative, neutral and positive. It never sees the target's name: every
mention is replaced by a placeholder before the text reaches the network.

- Format {format}; encoder {encoder}; int8, {vocabulary} word pieces; Kiosque {code_version}
- Temperature {temperature:.2f}, fitted on the held-out part of the training sets
- Recipe: `kiosque polarity train {name}`

## Data

| set | trained on | held out | weight | licence | SHA-256 |
|---|---|---|---|---|---|
{data}

{stages}{apart}

## Measured

Macro-F1 with a 95 % interval (bootstrap over texts, 1,000 rounds); ECE over 15
bins; name swaps: share of labels that change when the target is renamed to each of five other names; items per second
on the machine that built it, all its threads.

| set | n | macro-F1 | 95 % interval | fp32 | accuracy | F1 neg / neu / pos | ECE | swaps | items/s |
|---|---|---|---|---|---|---|---|---|---|
{measured}

{slices}
"""

_LIMITS = """
## Limits

- English news prose and headlines. Other languages are refused, not translated. Social media, reviews and poetry were
  never measured.
- It reads about 330 characters around a mention. What an article says elsewhere does not count.
- It knows nothing about the world: "X is compared to a dictator" may come out neutral, and a deed that only a reader
  with background finds shameful comes out neutral.
- Irony, insinuation and headlines that play with words are often missed. The border between neutral and mildly
  negative is where annotators disagree, too.
- Portrayal is not truth and not the author's opinion. A victim reads as neutral or negative because of what happened
  to them.
- Financial wording is understood where it resembles politics ("sinks", "beats"); figures are not.

## Do not use it

- to decide anything about a person: hiring, credit, moderation, policing, ranking of individuals;
- to call one medium biased on the strength of a few headlines: compare shares over hundreds, with their intervals;
- as a measure of public opinion.
"""


def render_card(
    fields: Mapping[str, Any], reports: Mapping[str, Report], floats: Mapping[str, float], notes: str = ""
) -> str:
    """The card as Markdown. `notes` is what a person adds: errors read, choices made."""
    recipe = fields["recipe"]
    head = _HEAD.format(
        name=recipe["name"],
        format=fields["format"],
        encoder=recipe["encoder"],
        vocabulary=recipe["vocabulary"] or "all",
        code_version=fields["code_version"],
        temperature=fields["calibration"]["temperature"],
        apart=_apart(recipe),
        data="\n".join(_data_row(name, entry, recipe["finish"]) for name, entry in fields["data"].items()),
        stages=_stages(recipe["finish"]),
        measured="\n".join(_row(name, r, floats[name]) for name, r in reports.items()),
        slices=_slices(reports),
    )
    return head + (f"\n{notes.strip()}\n" if notes else "") + _LIMITS


def _apart(recipe: Mapping[str, Any]) -> str:
    """What kept the training sets and the sets of the table apart."""
    shared = [f"`{each['name']}`" for each in recipe["sets"] if each.get("overlap")]
    if not shared:
        return "Texts that also stand in a set of the table below were taken out: none of these sets was trained on."
    return (
        "Texts that also stand in a set of the table below were taken out, but for those of "
        f"{', '.join(shared)}, whose published parts share some: the figure to go by is that of `…-unseen`, on the "
        "texts that were not trained on."
    )


def _stages(finish: Mapping[str, Any] | None) -> str:
    if finish is None:
        return ""
    return (
        "The weight is the share of a set that a pass sees, in the first stage and in the second, which goes on from "
        f"there. The weights of the network are {100 * finish['keep']:.0f} % those of the first stage and "
        f"{100 - 100 * finish['keep']:.0f} % those of the second.\n\n"
    )


def _data_row(name: str, entry: Mapping[str, Any], finish: Mapping[str, Any] | None) -> str:
    weights = [entry["weight"], *([finish["weights"].get(name, 0)] if finish else [])]
    cells = [
        name,
        entry["training"],
        entry["heldout"],
        ", then ".join(f"{weight:g}" for weight in weights),
        entry["licence"] or "not stated",
    ]
    return "| " + " | ".join(map(str, [*cells, f"`{entry['sha256'][:16]}…`"])) + " |"


def _row(name: str, r: Report, exact: float) -> str:
    f1 = " / ".join(f"{scores['f1']:.2f}" for scores in r.per_class.values())
    swaps = "–" if r.name_swap_flips is None else f"{100 * r.name_swap_flips:.2f} %"
    return (
        f"| {name} | {r.n} | **{r.macro_f1:.3f}** | {r.macro_f1_ci[0]:.3f} to {r.macro_f1_ci[1]:.3f} | {exact:.3f} "
        f"| {r.accuracy:.3f} | {f1} | {r.ece:.3f} | {swaps} | {r.items_per_second:.0f} |"
    )


def _slices(reports: Mapping[str, Report]) -> str:
    lines = ["| set | part | n | macro-F1 |", "|---|---|---|---|"]
    for name, r in reports.items():
        lines += [
            f"| {name} | {part} | {s['n']:.0f} | {s['macro_f1']:.3f} |"
            for part, s in r.slices.items()
            if s["n"] >= 50
        ]
    return "\n".join(lines)
