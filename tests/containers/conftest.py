"""The service in containers, with volumes that end with the tests."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosque.testing.containers import TAG, Installation, feed, run


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """Skips where no Docker engine with Compose answers."""
    for question in (("docker", "info"), ("docker", "compose", "version")):
        try:
            done = subprocess.run(question, check=False, capture_output=True, text=True)
        except FileNotFoundError:
            pytest.skip("there is no Docker here")
        if done.returncode:
            pytest.skip(f"{' '.join(question)}: {done.stderr.strip()[-200:]}")


@pytest.fixture(scope="session")
def built() -> None:
    """All images that `up` needs."""
    build("docker", "compose", "build")


@pytest.fixture(scope="session")
def built_polarity(built: None) -> None:
    build("docker", "compose", "--profile", "train", "build", "polarity")


def build(*command: str) -> None:
    started = time.monotonic()
    run(*command, timeout=1500)
    print(f"\n{' '.join(command)}: {time.monotonic() - started:.0f} s")


@pytest.fixture(scope="session")
def feed_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("feed")
    folder.chmod(0o755)
    (folder / "feed.xml").write_text(feed("Nothing Yet", "https://news.example/0"), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def kiosque(
    built: None, feed_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """The compose file as it is, and beside it a server of one feed for the producer to poll."""
    override = tmp_path_factory.mktemp("compose") / "feed.yaml"
    override.write_text(
        f"""
services:
  feed:
    image: kiosque/tools:{TAG}
    init: true
    entrypoint: [python, -m, http.server, "9000", --directory, /feed]
    volumes: ["{feed_folder}:/feed:ro"]
    networks: [inside]
  producer:
    environment:
      KIOSQUE_FEEDS: http://feed:9000/feed.xml
      KIOSQUE_ALLOW_PRIVATE_HOSTS: "true"
      KIOSQUE_POLL_SECONDS: "10"
""",
        encoding="utf-8",
    )
    installation = Installation(("compose.yaml", str(override)))
    clean = ("--profile", "train", "--profile", "tools", "down", "-v", "--remove-orphans", "-t", "10")
    installation.compose(*clean)
    started = time.monotonic()
    try:
        installation.compose("up", "-d", "--wait", "--wait-timeout", "850")
        print(f"\nup to healthy: {time.monotonic() - started:.0f} s")
        yield installation
    finally:
        if not os.environ.get("KIOSQUE_TEST_KEEP"):
            installation.compose(*clean)
