"""Serving: requests a second and how long they take, at 1 to 128 clients, one text or 32 a request.

Peers serve the same model file: a plain FastAPI application, LitServe and BentoML, each with the batching that it
brings. They pad what they run together; Kiosque runs text by text, since in a padded batch an int8 network's answer
depends on the neighbours. Every server is held to one processor and the load generator to another, and while one is
measured the others stand still. Other programs on the machine move requests a second of processor time least.
Limit: what the scorer does on one processor without any HTTP.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from benchmarks.corpus import pairs, polarity_model
from benchmarks.harness import KIOSQUE, Bench
from benchmarks.peers import OWN, PeerMissing, Worker
from benchmarks.servers import PEERS, Server, alone, running, wait_for

RATE, WORK = "requests/s", "requests a second of processor time"
P50, P99 = "ms, half of the requests", "ms, 99 % of the requests"
CLIENTS = (1, 8, 32, 128)


def measure(bench: Bench) -> None:
    drawn = pairs(256)
    with ExitStack() as stack:
        generator = stack.enter_context(Worker(OWN, "load.py", processors={1}))
        servers = []
        for name in (KIOSQUE, *PEERS):
            try:
                server = stack.enter_context(running(name, processors={0}))
                wait_for(server, partial(_answers, generator), drawn[0])
                servers.append(server)
            except (PeerMissing, RuntimeError) as error:
                bench.missing(name, str(error))
        for size in bench.choose((1,), (1, 32)):
            for clients in bench.choose((1, 32), CLIENTS if size == 1 else CLIENTS[:3], CLIENTS):
                _compare(bench, generator, servers, drawn, clients, size)
    _sort(bench)
    _goals(bench, drawn)


def _answers(generator: Worker, port: int, path: str, body: str) -> bool:
    return bool(generator.ask("answers", port=port, path=path, body=body))


def _compare(
    bench: Bench,
    generator: Worker,
    servers: list[Server],
    drawn: list[dict[str, str]],
    clients: int,
    size: int,
) -> None:
    seconds = bench.choose(1.0, 3.0)
    found: dict[str, dict[str, list[float]]] = {WORK: {}, P50: {}, P99: {}}

    def side(server: Server) -> float:
        parts = [drawn[at : at + size] for at in range(0, len(drawn), size)]
        bodies = [server.body(part) for part in parts]
        before = server.processor_seconds()
        with alone(server, servers):
            got = generator.ask(
                "load", port=server.port, path=server.path, bodies=bodies, clients=clients, seconds=seconds
            )
        worked = server.processor_seconds() - before
        for unit, value in ((WORK, got["count"] / max(worked, 0.01)), (P50, got["p50"]), (P99, got["p99"])):
            found[unit].setdefault(server.name, []).append(value)
        return float(got["rate"])

    name = _name(clients, size)
    bench.compare(
        name,
        RATE,
        {s.name: partial(side, s) for s in servers},
        rounds=bench.choose(2, 4 if size == 1 else 3 if clients < 128 else 2),
    )
    for unit, values in found.items():
        bench.record(name, unit, values, more_is_better=unit == WORK)


def _name(clients: int, size: int) -> str:
    return f"{clients} client{'s' * (clients > 1)}, {'one text' if size == 1 else f'{size} texts'}"


def _sort(bench: Bench) -> None:
    units = [RATE, WORK, P50, P99]
    bench.found.cases.sort(key=lambda case: units.index(case.unit))


def _goals(bench: Bench, drawn: list[dict[str, str]]) -> None:
    for peer in PEERS:
        for unit in (RATE, WORK, P99):
            ratios = [bench.found.ratio(_name(c, size), unit, peer) for c in CLIENTS for size in (1, 32)]
            got = min(ratio for ratio in ratios if ratio) if any(ratios) else None
            bench.goal(f"serving: ahead of {peer} in every case, {unit} (the smallest ratio)", got, 1)
    with Worker(OWN, "scoring.py", "kiosque", str(polarity_model()), "1", processors={0}) as scorer:
        scorer.ask("prepare", pairs=drawn)
        alone = max(len(drawn) / scorer.ask("score", batch=32) for _ in range(3))
    case = bench.found.case(_name(128, 1), RATE)
    best = max(case.values[KIOSQUE]) if case and case.values.get(KIOSQUE) else None
    share = best / alone if best else None
    bench.goal("serving: 128 clients, one text: ≥ 0.8 of what the scorer does alone", share, 0.8)
