"""Kiosque in containers, started through its compose file under a project name of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
PROJECT = "kiosque-test"
POLARITY = os.environ.get("KIOSQUE_TEST_POLARITY", "yes") != "no"
"""Whether the image of training is built and tried, too: it holds torch, and takes the longest."""
MANUAL = ROOT / "docs/how-to/docker.md"
SECRETS = ("database-password", "nats-token", "broker-authorization", "predict-token", "secret-key")
"""The volumes of secrets, one each."""
TAG = "test"
"""Of the images that tests build, so that those of an installation on this machine stay what they are."""
ENVIRONMENT = {
    "COMPOSE_PROJECT_NAME": PROJECT,
    "KIOSQUE_TAG": TAG,
    "KIOSQUE_WEB_PORT": "18000",
    "KIOSQUE_PRODUCER_PORT": "18002",
    "KIOSQUE_CONSUMER_PORTS": "18010-18029",
}


def secrets_in_manual() -> dict[str, set[str]]:
    """Volume of a secret → the services that mount it, by the table in the manual."""
    rows = re.findall(
        r"^\| `([\w-]+)`[^|]*\| ([a-z, ]+) \|$", MANUAL.read_text(encoding="utf-8"), re.MULTILINE
    )
    return {secret: set(holders.split(", ")) for secret, holders in rows if secret in SECRETS}


def ports_in_manual() -> dict[str, str]:
    """Service → the port or range on 127.0.0.1 where it is published, by the table in the manual."""
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([\d-]+)\D*\|$", MANUAL.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(rows)


def watched() -> list[str]:
    """What alerts and the dashboard ask Prometheus for, as PromQL."""
    board = json.loads((ROOT / "deploy/grafana/dashboards/kiosque.json").read_text(encoding="utf-8"))
    panels = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    alerts = (ROOT / "deploy/prometheus/alerts.yaml").read_text(encoding="utf-8")
    return [*re.findall(r"^\s+expr: (.+)$", alerts, re.MULTILINE), *panels]


def copy_checkout(folder: Path) -> Path:
    """A copy of what builds and deployments look at, to change things in."""
    for name in ("src", "data", "requirements", "deploy", "docs", "tests"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", "*.lock")
        )
    for name in ("LICENSE", "NOTICE", ".dockerignore", "README.md", "Makefile", "compose.yaml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def run(*command: str, timeout: float = 900.0, both: bool = False) -> str:
    """Run a command in the checkout to its end and return what it printed, with `both` its messages, too."""
    done = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        env=os.environ | ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout + done.stderr if both else done.stdout


@dataclass(frozen=True)
class Installation:
    """What was started. `compose` runs `docker compose` on it."""

    files: tuple[str, ...]

    def compose(self, *arguments: str, timeout: float = 900.0, both: bool = False) -> str:
        files = [part for file in self.files for part in ("-f", file)]
        return run("docker", "compose", *files, *arguments, timeout=timeout, both=both)

    def containers(self, *services: str, ended: bool = False) -> list[str]:
        """Ids of the containers of `services`, of all without any; with `ended` those that run no more, too."""
        return self.compose("ps", "-q", *(("-a",) if ended else ()), *services).split()

    def address(self, service: str, port: int, index: int = 1) -> str:
        return "http://" + self.compose("port", "--index", str(index), service, str(port)).strip()

    def inside(self, service: str, port: int) -> str:
        """Where a service that is not published answers, as seen from this machine."""
        return inside(self.containers(service)[0], port)

    def secret(self, name: str) -> str:
        return self.compose(
            "exec", "-T", "consumer", "python", "-c", f"print(open('/secrets/{name}/{name}').read())"
        ).strip()


def inside(container: str, port: int) -> str:
    """Where `container` answers on the network that has no way out, as seen from this machine."""
    networks = inspect(container)["NetworkSettings"]["Networks"]
    return f"http://{networks[f'{PROJECT}_inside']['IPAddress']}:{port}"


def service_of(facts: Any) -> str:
    """The service that an inspected container belongs to."""
    return str(facts["Config"]["Labels"]["com.docker.compose.service"])


def inspect(container: str) -> Any:
    return json.loads(run("docker", "inspect", container))[0]


def read(address: str) -> str:
    """The text at `address`."""
    with urllib.request.urlopen(address, timeout=30.0) as answer:
        return str(answer.read().decode())


def fetch(address: str, body: Any = None, token: str = "", timeout: float = 30.0) -> Any:
    """The JSON that `address` answers with."""
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(address, data, headers), timeout=timeout) as answer:
        return json.loads(answer.read())


def eventually(what: Callable[[], Any], timeout: float = 120.0) -> Any:
    """The first true result of `what`; what it raised last when there is none in time."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            result = what()
        except (OSError, ValueError, AssertionError) as error:
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {timeout:.0f} s: {error}") from error
        else:
            if result:
                return result
            assert time.monotonic() < deadline, f"not within {timeout:.0f} s: {result!r}"
        time.sleep(0.5)


def feed(headline: str, url: str) -> str:
    return (
        '<?xml version="1.0"?><rss version="2.0"><channel><title>t</title><link>https://news.example/</link>'
        f"<description>d</description><item><title>{headline}</title><link>{url}</link><guid>{url}</guid>"
        "<pubDate>Tue, 05 Nov 2024 12:00:00 GMT</pubDate></item></channel></rss>"
    )
