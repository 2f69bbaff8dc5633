"""The split installation, from an empty machine to the last `down`: real images, broker, database and models."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kiosque.testing.containers import (
    POLARITY,
    PROJECT,
    SECRETS,
    TAG,
    Installation,
    copy_checkout,
    eventually,
    feed,
    fetch,
    inside,
    inspect,
    ports_in_manual,
    read,
    run,
    secrets_in_manual,
    service_of,
    watched,
)

pytestmark = pytest.mark.containers

OURS = ("predict", "producer", "consumer", "web")
ALWAYS = ("db", "broker", *OURS)


def publish(folder: Path, headline: str, number: int) -> None:
    (folder / "feed.xml").write_text(feed(headline, f"https://news.example/{number}"), encoding="utf-8")


def scored(address: str, headline: str) -> object:
    """The mentions of the article of that headline, once it is there."""
    items = fetch(address)["items"]
    found = [item for item in items if item["headline"] == headline]
    return found and found[0]["mentions"]


def test_the_first_page_is_full(kiosque: Installation) -> None:
    assert_the_first_page_is_full(kiosque)


def assert_the_first_page_is_full(kiosque: Installation) -> None:
    web = kiosque.address("web", 8000)
    assert fetch(f"{web}/readyz")["status"] == "ok"
    assert "<h1" in read(web)
    items = fetch(f"{web}/api/v1/articles?limit=50")["items"]
    assert len(items) == 50
    assert any(mention["polarity"] for item in items for mention in item["mentions"])


def test_what_runs_is_what_the_manual_says(kiosque: Installation) -> None:
    """Who mounts which secret, and what is published where, as the engine has it."""
    secrets: dict[str, set[str]] = {name: set() for name in SECRETS}
    published = set()
    for facts in map(inspect, kiosque.containers(ended=True)):
        service = service_of(facts)
        for mount in facts["Mounts"]:
            secret = mount.get("Name", "").removeprefix(f"{PROJECT}_")
            if secret in secrets and service != "secrets":
                assert not mount["RW"], (service, secret)
                secrets[secret].add(service)
        for bound in (facts["NetworkSettings"]["Ports"] or {}).values():
            published |= {(service, each["HostIp"]) for each in bound or ()}
    manual = secrets_in_manual()
    assert {secret: holders | {"tools"} & manual[secret] for secret, holders in secrets.items()} == manual
    assert published == {(service, "127.0.0.1") for service in set(ports_in_manual()) - {"grafana"}}


def test_every_container_is_confined_and_bounded(kiosque: Installation) -> None:
    for facts in map(inspect, kiosque.containers(ended=True)):
        service, host = service_of(facts), facts["HostConfig"]
        if service == "feed":
            continue
        assert facts["Config"]["User"] == {"db": "postgres"}.get(service, "10001:10001"), service
        assert host["ReadonlyRootfs"], service
        assert host["CapDrop"] == ["ALL"], service
        assert host["CapAdd"] is None, service
        assert not host["Privileged"], service
        assert host["SecurityOpt"] == ["no-new-privileges:true"], service
        assert 0 < host["Memory"] <= 2 * 1024**3, service
        assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}, service
        assert host["RestartPolicy"]["Name"] == ("unless-stopped" if service in ALWAYS else "no"), service
        networks = {name.removeprefix(f"{PROJECT}_") for name in facts["NetworkSettings"]["Networks"]}
        assert networks <= {"none", "inside"} or service in ports_in_manual(), service


def test_predict_asks_for_the_token_that_was_made(kiosque: Installation) -> None:
    body = {"texts": [{"headline": "Voters Turn on Truman", "targets": [{"id": "t", "name": "Truman"}]}]}
    with pytest.raises(urllib.error.HTTPError, match="401"):
        fetch(kiosque.inside("predict", 8005) + "/v1/polarity", body)


@pytest.mark.parametrize(("service", "port"), [("producer", 8002), ("consumer", 8001)])
def test_workers_let_everybody_read_and_nobody_write_without_the_token(
    kiosque: Installation, service: str, port: int
) -> None:
    address = kiosque.address(service, port)
    routes = fetch(f"{address}/openapi.json")["paths"]
    for path in (path for path, operations in routes.items() if "get" in operations):
        assert read(address + path), path
    writing = [path for path, operations in routes.items() if set(operations) - {"get"}]
    assert len(writing) == 1
    with pytest.raises(urllib.error.HTTPError, match="401"):
        fetch(address + re.sub(r"\{\w+\}", "1", writing[0]), {})


def test_an_article_of_a_feed_comes_out_scored(kiosque: Installation, feed_folder: Path) -> None:
    headline = "Kamala Harris Wins Praise for a Brilliant Speech"
    publish(feed_folder, headline, 1)
    consumer = kiosque.address("consumer", 8001) + "/v1/articles/latest"
    mentions = eventually(lambda: scored(consumer, headline))
    assert [mention["entity"] for mention in mentions] == ["kamala-d-harris"]
    assert mentions[0]["polarity"]
    web = kiosque.address("web", 8000) + "/api/v1/articles?limit=200"
    assert eventually(lambda: scored(web, headline))[0]["polarity"]


def test_alerts_and_panels_ask_for_what_the_processes_export(kiosque: Installation) -> None:
    """After an article went through: each name stands in what some process answers on /metrics."""
    ports = {"web": 8000, "predict": 8005, "producer": 8002, "consumer": 8001}
    answers = {name: read(kiosque.inside(name, port) + "/metrics") for name, port in ports.items()}
    types = {
        name: kind
        for text in answers.values()
        for name, kind in re.findall(r"^# TYPE (\S+) (\w+)$", text, re.MULTILINE)
    }
    for expression in watched():
        for name in re.findall(r"\bkiosque_\w+", expression):
            if name.endswith("_bucket"):
                assert types.get(name.removesuffix("_bucket")) == "histogram", name
            else:
                assert types.get(name) in {"counter", "gauge"}, name
    # and these by the process that they are about, with the labels that are asked for
    assert 'kiosque_polls_total{outcome="ok",source=' in answers["producer"]
    assert "kiosque_articles_published_total{source=" in answers["producer"]
    assert 'kiosque_articles_consumed_total{outcome="' in answers["consumer"]
    assert re.search(r'kiosque_mentions_total\{model_version="[\w-]+",polarity="', answers["consumer"])
    assert re.search(r"^kiosque_lag_pending \d", answers["consumer"], re.MULTILINE)
    assert 'kiosque_model_info{model="polarity",version="' in answers["predict"]
    assert re.search(r'kiosque_predict_seconds_bucket\{le="[\d.]+",model="polarity"\}', answers["predict"])
    assert all('kiosque_http_requests_total{method="GET"' in text for text in answers.values())


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


@pytest.mark.skipif(not POLARITY, reason="KIOSQUE_TEST_POLARITY=no: the image of training is not built")
def test_a_version_is_trained_in_its_container_passes_the_gate_or_not_and_answers_once_promoted(
    kiosque: Installation, built_polarity: None, tmp_path: Path
) -> None:
    tiny_training(tmp_path)
    predict, token = kiosque.inside("predict", 8005), kiosque.secret("predict-token")
    train = ("run", "--rm", "-T", "-v", f"{tmp_path}:/mine:ro", "polarity", "polarity", "train")

    def version() -> str:
        models = fetch(f"{predict}/v1/models", token=token)["models"]
        return str(next(model["version"] for model in models if model["name"] == "polarity"))

    before = version()
    with asking(predict, token) as failures:
        said = kiosque.compose(*train, "/mine/tiny.toml", "--data", "/mine", "--promote", both=True)
        trained = re.findall(r"Published polarity (\S+)\.", said)[0]
        assert re.search(r"^t: worse, macro-F1 ", said, re.MULTILINE), said
        assert f"{before} stays the champion." in said
        kiosque.compose("run", "--rm", "-T", "polarity", "model", "promote", "polarity", trained)
        eventually(lambda: version() == trained, timeout=30)
        kiosque.compose("run", "--rm", "-T", "polarity", "model", "rollback", "polarity")
        eventually(lambda: version() == before, timeout=30)
    assert failures == []


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


def test_two_predict_share_the_work_and_one_is_enough(kiosque: Installation, feed_folder: Path) -> None:
    """Consumers look up all addresses behind the name `predict` and go round them."""
    scale = (
        "up",
        "-d",
        "--no-recreate",
        "--wait",
        "--wait-timeout",
        "300",
        "--scale",
        "consumer=1",
        "--scale",
    )
    kiosque.compose(*scale, "predict=2")
    replicas = kiosque.containers("predict")
    assert len(replicas) == 2
    before = [asked(each) for each in replicas]
    for number in range(3):
        come_out_scored(kiosque, feed_folder, f"Kamala Harris Speaks to Two, Part {number}", 40 + number)
    assert all(asked(each) > count for each, count in zip(replicas, before, strict=True))
    run("docker", "kill", replicas[0])  # which counts as wanted: it stays away
    come_out_scored(kiosque, feed_folder, "Kamala Harris Speaks to One", 50)
    assert kiosque.containers("predict") == replicas[1:]
    kiosque.compose(*scale, "predict=1")


def asked(predict: str) -> float:
    """How many questions about texts and books a replica has answered."""
    text = read(inside(predict, 8005) + "/metrics")
    counts = re.findall(
        r'^kiosque_http_requests_total\{method="POST",.*status="200"\} (\S+)$', text, re.MULTILINE
    )
    return sum(map(float, counts))


def come_out_scored(kiosque: Installation, feed_folder: Path, headline: str, number: int) -> None:
    publish(feed_folder, headline, number)
    address = kiosque.address("web", 8000) + "/api/v1/articles?limit=200"
    mentions = eventually(lambda: scored(address, headline), timeout=180)
    assert mentions[0]["polarity"]


@pytest.mark.parametrize("service", ALWAYS)
def test_what_is_killed_comes_back_and_goes_on(
    kiosque: Installation, feed_folder: Path, service: str
) -> None:
    container = kiosque.containers(service)[0]
    process, restarts = inspect(container)["State"]["Pid"], inspect(container)["RestartCount"]
    os.kill(process, signal.SIGKILL)
    eventually(lambda: inspect(container)["RestartCount"] > restarts)
    eventually(lambda: inspect(container)["State"].get("Health", {}).get("Status") == "healthy", timeout=180)
    come_out_scored(
        kiosque,
        feed_folder,
        f"Kamala Harris Answers after {service} Was Gone",
        100 + ALWAYS.index(service),
    )


def test_a_version_that_does_not_answer_is_taken_back(
    kiosque: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make deploy` of a checkout whose web ends as soon as it starts, into what runs."""
    checkout = copy_checkout(tmp_path)
    monkeypatch.setenv("COMPOSE_FILE", os.pathsep.join(kiosque.files))
    monkeypatch.setenv("KIOSQUE_DEPLOY_SECONDS", "90")
    monkeypatch.setattr("kiosque.testing.containers.ROOT", checkout)
    before = images(kiosque)
    kiosque.compose("build", timeout=1400)
    assert images(kiosque) == before, "a second build made other images of the same files"

    web = checkout / "src/kiosque/web/app.py"
    good = web.read_text(encoding="utf-8")
    web.write_text(good + '\nraise SystemExit("broken on purpose")\n', encoding="utf-8")
    with pytest.raises(AssertionError, match="The version before is in service again"):
        run("make", "deploy", timeout=1400)
    assert images(kiosque) == before
    assert_the_first_page_is_full(kiosque)

    # one that cannot be built changes nothing either, and one that answers is taken
    monkeypatch.setenv("KIOSQUE_DEPLOY_SECONDS", "600")
    (checkout / "LICENSE").rename(checkout / "LICENCE")
    web.write_text(good + "\n# a new version\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="what was in service still is"):
        run("make", "deploy", timeout=1400)
    assert images(kiosque) == before
    (checkout / "LICENCE").rename(checkout / "LICENSE")
    run("make", "deploy", timeout=1400)
    after = images(kiosque)
    assert {name for name in before if after[name] != before[name]} == {"web"}
    assert_the_first_page_is_full(kiosque)


def images(kiosque: Installation) -> dict[str, str]:
    """Service → the image that its containers run, which is also what the tag stands for."""
    running = {name: inspect(kiosque.containers(name)[0])["Image"] for name in OURS}
    tagged = {
        name: run("docker", "image", "inspect", "-f", "{{.Id}}", f"kiosque/{name}:{TAG}") for name in OURS
    }
    assert running == {name: image.strip() for name, image in tagged.items()}
    return running


def test_a_stop_drains_within_ten_seconds(kiosque: Installation) -> None:
    containers = kiosque.containers()
    kiosque.compose("stop", "-t", "10")
    ended = {(service_of(facts), facts["State"]["ExitCode"]) for facts in map(inspect, containers)}
    assert {each for each in ended if each[0] in OURS} == {(name, 0) for name in OURS}
    jobs = kiosque.containers("secrets", "migrate", "models", "books", "demo", ended=True)
    assert [facts["State"]["ExitCode"] for facts in map(inspect, jobs)] == [0] * 5
