"""Kiosque in containers, started through its compose file under a project name of its own."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
PROJECT = "kiosque-test"
PORTS = {
    "KIOSQUE_WEB_PORT": "18000",
    "KIOSQUE_PRODUCER_PORT": "18002",
    "KIOSQUE_CONSUMER_PORTS": "18010-18029",
}


def run(*command: str, timeout: float = 900.0, both: bool = False) -> str:
    """Run a command in the checkout to its end and return what it printed, with `both` its messages, too."""
    done = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        env=os.environ | PORTS,
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
        return run("docker", "compose", "-p", PROJECT, *files, *arguments, timeout=timeout, both=both)

    def containers(self, service: str) -> list[str]:
        return self.compose("ps", "-q", service).split()

    def address(self, service: str, port: int, index: int = 1) -> str:
        return "http://" + self.compose("port", "--index", str(index), service, str(port)).strip()

    def inside(self, service: str, port: int) -> str:
        """Where a service that is not published answers, as seen from this machine."""
        networks = inspect(self.containers(service)[0])["NetworkSettings"]["Networks"]
        return f"http://{networks[f'{PROJECT}_inside']['IPAddress']}:{port}"

    def secret(self, name: str) -> str:
        return self.compose(
            "exec", "-T", "consumer", "python", "-c", f"print(open('/secrets/{name}/{name}').read())"
        ).strip()


def inspect(container: str) -> Any:
    return json.loads(run("docker", "inspect", container))[0]


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
