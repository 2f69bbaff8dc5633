"""The split installation, from an empty machine to the last `down`: real images, broker, database and models."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kiosque.testing.containers import Installation, eventually, feed, fetch, inspect

pytestmark = pytest.mark.containers

ALWAYS = ("db", "broker", "predict", "producer", "consumer", "web")


def publish(folder: Path, headline: str, number: int) -> None:
    (folder / "feed.xml").write_text(feed(headline, f"https://news.example/{number}"), encoding="utf-8")


def scored(address: str, headline: str) -> object:
    """The mentions of the article of that headline, once it is there."""
    items = fetch(address)["items"]
    found = [item for item in items if item["headline"] == headline]
    return found and found[0]["mentions"]


def test_the_first_page_is_full(kiosque: Installation) -> None:
    web = kiosque.address("web", 8000)
    assert fetch(f"{web}/readyz")["status"] == "ok"
    with urllib.request.urlopen(web, timeout=30) as page:
        assert b"<h1" in page.read()
    items = fetch(f"{web}/api/v1/articles?limit=50")["items"]
    assert len(items) == 50
    assert any(mention["polarity"] for item in items for mention in item["mentions"])


def test_only_this_machine_reaches_what_is_published(kiosque: Installation) -> None:
    for service in ALWAYS:
        for container in kiosque.containers(service):
            ports = inspect(container)["NetworkSettings"]["Ports"] or {}
            assert {each["HostIp"] for bound in ports.values() for each in bound or ()} <= {"127.0.0.1"}


def test_every_process_of_ours_is_confined(kiosque: Installation) -> None:
    for service in ("predict", "producer", "consumer", "web"):
        facts = inspect(kiosque.containers(service)[0])
        host = facts["HostConfig"]
        assert facts["Config"]["User"] == "10001:10001", service
        assert host["ReadonlyRootfs"], service
        assert host["CapDrop"] == ["ALL"], service
        assert host["Memory"] > 0, service
        assert "no-new-privileges:true" in host["SecurityOpt"], service


def test_predict_asks_for_the_token_that_was_made(kiosque: Installation) -> None:
    body = {"texts": [{"headline": "Voters Turn on Truman", "targets": [{"id": "t", "name": "Truman"}]}]}
    with pytest.raises(urllib.error.HTTPError, match="401"):
        fetch(kiosque.inside("predict", 8005) + "/v1/polarity", body)


def test_an_article_of_a_feed_comes_out_scored(kiosque: Installation, feed_folder: Path) -> None:
    headline = "Kamala Harris Wins Praise for a Brilliant Speech"
    publish(feed_folder, headline, 1)
    consumer = kiosque.address("consumer", 8001) + "/v1/articles/latest"
    mentions = eventually(lambda: scored(consumer, headline))
    assert [mention["entity"] for mention in mentions] == ["kamala-d-harris"]
    assert mentions[0]["polarity"]
    web = kiosque.address("web", 8000) + "/api/v1/articles?limit=200"
    assert eventually(lambda: scored(web, headline))[0]["polarity"]


def test_books_are_built_and_taken_into_service_without_a_failed_request(
    kiosque: Installation, tmp_path: Path
) -> None:
    catalogue = tmp_path / "books.csv"
    catalogue.write_text(
        "title,author,year,description\nA Wholly New Book,Ada Author,2024,On whistles and lighthouses\n",
        encoding="utf-8",
    )
    for path in (catalogue, tmp_path):
        path.chmod(0o755)
    predict, token = kiosque.inside("predict", 8005), kiosque.secret("predict-token")

    def version() -> str:
        models = fetch(f"{predict}/v1/models", token=token)["models"]
        return str(next(model["version"] for model in models if model["name"] == "books"))

    before = version()
    kiosque.compose(
        "run", "--rm", "-T", "-v", f"{tmp_path}:/new:ro", "tools", "books", "import", "/new/books.csv"
    )
    with asking(predict, token) as failures:
        kiosque.compose("run", "--rm", "-T", "books")
        eventually(lambda: version() != before, timeout=30)
    assert failures == []


def test_a_version_is_trained_in_its_container_and_answers_once_promoted(
    kiosque: Installation, tmp_path: Path
) -> None:
    tiny_training(tmp_path)
    kiosque.compose("--profile", "train", "build", "polarity")
    predict, token = kiosque.inside("predict", 8005), kiosque.secret("predict-token")
    train = ("run", "--rm", "-T", "-v", f"{tmp_path}:/mine:ro", "polarity", "polarity", "train")
    with asking(predict, token) as failures:
        said = kiosque.compose(*train, "/mine/tiny.toml", "--data", "/mine", both=True)
        version = re.findall(r"Published polarity (\S+)\.", said)[0]
        kiosque.compose("run", "--rm", "-T", "polarity", "model", "promote", "polarity", version)

        def answers() -> bool:
            models = fetch(f"{predict}/v1/models", token=token)["models"]
            return any(model["version"] == version for model in models)

        eventually(answers, timeout=30)
    assert failures == []
    kiosque.compose("run", "--rm", "-T", "polarity", "model", "rollback", "polarity")


def tiny_training(folder: Path) -> None:
    """A recipe and so few lines that training takes seconds: what comes out is good for nothing but this test."""
    words = {"praises": "positive", "blames": "negative", "meets": "neutral"}
    lines = [
        json.dumps(
            {
                "text": f"Okafor {verb} Lindqvist on day {i}",
                "mentions": [{"target": "Lindqvist", "polarity": p}],
            }
        )
        for i in range(12)
        for verb, p in words.items()
    ]
    (folder / "train.jsonl").write_text("\n".join(lines), encoding="utf-8")
    measured = [line.replace("on day", "after noon of day") for line in lines]
    (folder / "test.jsonl").write_text("\n".join(measured), encoding="utf-8")
    (folder / "tiny.toml").write_text(
        'name = "tiny"\nepochs = 1\nbatch = 8\nbfloat16 = false\n'
        '[[sets]]\nname = "s"\npath = "{data}/train.jsonl"\nheldout = 0.3\nlicence = "ours"\n'
        '[[tests]]\nname = "t"\npath = "{data}/test.jsonl"\n',
        encoding="utf-8",
    )
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)


@contextmanager
def asking(predict: str, token: str) -> Iterator[list[str]]:
    """One request after the other, 10 ms apart, for as long as the block; what failed."""
    failures: list[str] = []
    done = threading.Event()
    body = {"texts": [{"headline": "Voters Turn on Truman", "targets": [{"id": "t", "name": "Truman"}]}]}

    def ask() -> None:
        while not done.wait(0.01):
            try:
                fetch(f"{predict}/v1/polarity", body, token=token)
            except OSError as error:
                failures.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield failures
    finally:
        done.set()
        thread.join(60)


def test_three_consumers_share_one_stream(kiosque: Installation, feed_folder: Path) -> None:
    kiosque.compose("up", "-d", "--no-recreate", "--wait", "--wait-timeout", "300", "--scale", "consumer=3")
    assert len(kiosque.containers("consumer")) == 3
    for number in range(3):
        headline = f"Kamala Harris Speaks in Ohio, Part {number}"
        publish(feed_folder, headline, 20 + number)
        for index in (1, 2, 3):
            address = kiosque.address("consumer", 8001, index) + "/v1/articles/latest"
            assert eventually(lambda a=address, h=headline: scored(a, h))
    lag = fetch(kiosque.address("consumer", 8001) + "/v1/lag")
    assert lag["pending"] == 0


@pytest.mark.parametrize("service", ALWAYS)
def test_what_is_killed_comes_back_and_goes_on(
    kiosque: Installation, feed_folder: Path, service: str
) -> None:
    container = kiosque.containers(service)[0]
    process, restarts = inspect(container)["State"]["Pid"], inspect(container)["RestartCount"]
    os.kill(process, signal.SIGKILL)
    eventually(lambda: inspect(container)["RestartCount"] > restarts)
    eventually(lambda: inspect(container)["State"].get("Health", {}).get("Status") == "healthy", timeout=180)
    headline = f"Kamala Harris Answers after {service} Was Gone"
    publish(feed_folder, headline, 100 + ALWAYS.index(service))
    eventually(
        lambda: scored(kiosque.address("web", 8000) + "/api/v1/articles?limit=200", headline), timeout=180
    )


def test_a_stop_drains_within_ten_seconds(kiosque: Installation) -> None:
    for service in ("producer", "consumer", "predict", "web"):
        container = kiosque.containers(service)[0]
        started = time.monotonic()
        kiosque.compose("stop", "-t", "30", service)
        assert time.monotonic() - started < 25, service
        assert inspect(container)["State"]["ExitCode"] == 0, service
