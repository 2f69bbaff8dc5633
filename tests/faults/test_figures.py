"""What a run under load is told by: slopes, histograms, drawings, and the request that is sent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from fastapi import FastAPI, Request, Response

from kiosque.testing.faults import drawing
from kiosque.testing.faults.traffic import BUCKETS, Answers, Traffic, histogram
from kiosque.testing.faults.traffic import Request as Asked
from kiosque.testing.faults.usage import Sample, Usage, extremes, slopes, usage_of
from kiosque.testing.serving import serving
from kiosque.testing.waiting import wait_until


def test_a_leak_is_seen_and_a_warm_up_is_not() -> None:
    samples = [
        Sample(
            float(at),
            {"leaks": Usage(100 + at / 36, 20, 7), "warms": Usage(min(at, 300) / 3, 20, 7 + at / 1200)},
        )
        for at in range(0, 3600, 10)
    ]
    found = slopes(samples, since=900)
    assert found["leaks"] == {"megabytes": 100.0, "handles": 0.0, "threads": 0.0}
    assert found["warms"] == {"megabytes": 0.0, "handles": 0.0, "threads": 3.0}
    assert extremes(samples)["warms"]["megabytes"] == [0.0, 100.0, 100.0]
    assert slopes(samples[:2], since=0) == {}


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_what_a_process_and_its_children_take_is_counted() -> None:
    # The child in a group of its own, as PostgreSQL's are.
    code = "import os, time; a = bytearray(40_000_000); os.fork() or os.setsid(); print(flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.readline()
    usage = usage_of(process.pid)
    assert usage is not None
    assert usage.megabytes > 38
    assert usage.threads == 2
    assert usage.handles >= 6
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(child), signal.SIGKILL)
    process.kill()
    process.communicate()
    wait_until(lambda: usage_of(process.pid) is None)


def test_each_time_lies_in_one_class() -> None:
    counts = histogram([0.5, 1.0, 1.1, 29_999, 30_001])
    assert len(counts) == len(BUCKETS) + 1
    assert sum(counts) == 5
    assert (counts[0], counts[1], counts[-2], counts[-1]) == (2, 1, 1, 1)


def test_requests_come_at_their_rate_and_refusals_are_judged() -> None:
    app, seen = FastAPI(), Counter[str]()

    @app.post("/{what}")
    async def answer(what: str, request: Request) -> Response:
        seen[f"{what} {await request.json()} {request.headers.get('authorization')}"] += 1
        headers = {"Retry-After": "1"} if what == "later" else {}
        return Response(status_code=200 if what == "now" else 429, headers=headers)

    with serving(app) as address:
        port = int(address.rpartition(":")[2])
        asked = {name: Asked(port, "POST", f"/{name}", [1], "t") for name in ("now", "later", "rude")}
        began = time.monotonic()
        traffic = Traffic(asked, {"now": 40.0, "later": 20.0})
        wait_until(lambda: min(seen["now [1] Bearer t"], seen["later [1] Bearer t"]) >= 10)
        traffic.rates = {"rude": 50.0}
        seconds = time.monotonic() - began
        wait_until(lambda: seen["rude [1] Bearer t"] >= 3)
        traffic.rates = {}
        wait_until(lambda: traffic.open == 0)
        found = traffic.collect()
        traffic.close()
    assert 10 <= found["now"].sent <= 40 * (seconds + 1)
    assert 10 <= found["later"].sent <= 20 * (seconds + 1)
    assert found["now"].statuses == Counter({200: found["now"].sent})
    assert found["later"].without_retry_after == 0
    assert found["rude"].without_retry_after == found["rude"].statuses[429] >= 3


def test_nobody_there_is_no_answer() -> None:
    traffic = Traffic({"it": Asked(1, "GET", "/")}, {"it": 50.0})
    found: dict[str, Answers] = {}
    wait_until(lambda: (found.update(traffic.collect()), found["it"].statuses.total())[1])
    traffic.close()
    assert set(found["it"].statuses) == {0}
    assert found["it"].summary()["p50_ms"] is None


def test_the_slow_are_told_by_percentiles() -> None:
    answers = Answers()
    for ms in range(1, 101):
        answers.note(200, ms / 1000, says_when=False)
    summary = answers.summary()
    assert (summary["p50_ms"], summary["p95_ms"], summary["max_ms"]) == (51.0, 96.0, 100.0)


def test_drawings_are_well_formed_and_names_are_no_markup() -> None:
    panels = [
        drawing.lines(
            "<b>", {"a & b": [(0, 1), (2, 3)], "empty": []}, x_unit="s", bands=[drawing.Band(0, 1, "<")]
        ),
        drawing.bars("times", ["1", ">1"], {"before": [0, 0], "after": [3, 1]}),
    ]
    root = ElementTree.fromstring(drawing.page("it's", panels))
    assert root.tag.endswith("svg")
    words = {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"<b>", "a & b", "<", "before", ">1"} <= words


def test_level_stretches_of_a_line_are_drawn_by_their_ends() -> None:
    steady = [(float(second), 3.0 if second < 500 else 4.0) for second in range(1000)]
    drawn = ElementTree.fromstring(drawing.page("long", [drawing.lines("line", {"one": steady}, x_unit="s")]))
    (line,) = drawn.iter("{http://www.w3.org/2000/svg}polyline")
    corners = [tuple(map(int, corner.split(","))) for corner in line.attrib["points"].split()]
    assert len(corners) == 4
    assert (corners[0][1], corners[1][1]) > (corners[2][1], corners[3][1])
    assert corners[0][0] < corners[1][0] <= corners[2][0] < corners[3][0]
