"""Matching: real headlines a second in which names are looked for, for 100 to 100,000 names.

Limit: the Aho-Corasick automaton alone, without any of Kiosque's rules. Peers: one big regular expression,
flashtext, and spaCy's PhraseMatcher. All look for the same names in any place; the peers know no days, no
namesakes and no ambiguity. Names are those of the shipped watch lists first, then
given and family names put together.
"""

from __future__ import annotations

import random
from contextlib import ExitStack
from importlib.resources import files

from benchmarks.corpus import headlines, watched_names
from benchmarks.harness import KIOSQUE, Bench, Side
from benchmarks.peers import OWN, PeerMissing, Worker

UNIT = "headlines/s"
LIMIT = "bare Aho-Corasick"
SIDES = {
    KIOSQUE: (OWN, "kiosque"),
    LIMIT: (OWN, "ahocorasick"),
    "one big re": ("matching", "re"),
    "flashtext": ("matching", "flashtext"),
    "spaCy PhraseMatcher": ("matching", "spacy"),
}


def measure(bench: Bench) -> None:
    texts = [each["headline"] for each in headlines(bench.choose(20_000, 200_000))]
    sizes = bench.choose((100, 10_000), (100, 1_000, 10_000, 100_000))
    for size in sizes:
        _measure_with(bench, names(size), texts)
    ends = [bench.found.case(_name(size), UNIT) for size in (sizes[0], sizes[-1])]
    for peer in ("one big re", "flashtext", "spaCy PhraseMatcher"):
        ratios = [bench.found.ratio(_name(size), UNIT, peer) for size in sizes]
        got = min(ratio for ratio in ratios if ratio) if any(ratios) else None
        bench.goal(f"matching: faster than {peer} at every size (the smallest ratio)", got, 1)
    few, many = (sum(case.values[KIOSQUE]) if case else 0.0 for case in ends)
    bench.goal(
        f"matching: flat, the rate with {sizes[-1]:,} names ÷ with 100", many / few if few else None, 0.8
    )


def _measure_with(bench: Bench, chosen: list[str], texts: list[str]) -> None:
    limit = bench.choose(0.4, 1.5)
    with ExitStack() as stack:
        sides: dict[str, Side] = {}
        for side, (env, kind) in SIDES.items():
            try:
                worker = stack.enter_context(Worker(env, "matching.py", kind, processors={0}))
                worker.ask("prepare", names=chosen, headlines=texts)
                sides[side] = lambda worker=worker: worker.ask("rate", limit=limit)
            except (PeerMissing, RuntimeError) as error:
                bench.missing(side, str(error))
        bench.compare(_name(len(chosen)), UNIT, sides, x=len(chosen))


def _name(size: int) -> str:
    return f"{size:,} names"


def names(count: int, seed: int = 1) -> list[str]:
    """As many different names."""
    listed = watched_names()
    given, family = (_words(f"{kind}_names.txt") for kind in ("given", "family"))
    draw = random.Random(seed)
    found = dict.fromkeys(draw.sample(listed, min(count, len(listed))))
    while len(found) < count:
        found[f"{draw.choice(given)} {draw.choice(family)}"] = None
    return list(found)


def _words(file: str) -> list[str]:
    lines = (files("kiosque.entities") / file).read_text(encoding="utf-8").splitlines()
    return [word.capitalize() for line in lines if not line.startswith("#") for word in line.split()]
