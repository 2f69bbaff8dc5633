"""A run that was given secrets: all that it prints, answers and measures is searched for them."""

from __future__ import annotations

import http.server
import json
import secrets
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kiosque.testing.paths import CHECKOUT
from kiosque.testing.processes import Running, command, running
from kiosque.testing.waiting import wait_until

NAMES = (
    "nyt_api_key", "secret_key", "predict_token", "nats_token", "database_password",
    "feed_password", "feed_query", "proxy_password", "user_password", "wrong_password", "bearer", "cookie",
)  # fmt: skip
PAGES = (
    "/", "/people", "/articles", "/books", "/models", "/sources", "/about", "/try", "/login", "/api", "/docs/errors",
    "/readyz", "/livez", "/metrics", "/api/v1/openapi.json", "/api/v1/sources", "/api/v1/models", "/api/v1/whoami",
    "/api/v1/dead-letters", "/api/v1/sources?token={bearer}", "/nowhere/{bearer}",
)  # fmt: skip


@dataclass
class Canaries:
    """One value for each secret, and where each was found."""

    values: dict[str, str]
    found: list[str] = field(default_factory=list)

    def search(self, text: str, where: str) -> None:
        self.found += [f"{name} in {where}" for name, value in self.values.items() if value in text]


@pytest.fixture(scope="module")
def canaries() -> Canaries:
    return Canaries({name: f"canary{secrets.token_hex(12)}" for name in NAMES})


@pytest.fixture(scope="module")
def refusing() -> Iterator[int]:
    """A server that refuses whatever it is asked, naming what it was asked: as careless servers do."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"401 for {self.path} with {self.headers.get('Authorization')}".encode()
            self.send_response(401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def given(canaries: Canaries, port: int) -> dict[str, str]:
    secret = canaries.values
    return {
        "KIOSQUE_NYT_API_KEY": secret["nyt_api_key"],
        "KIOSQUE_SECRET_KEY": secret["secret_key"],
        "KIOSQUE_PREDICT_TOKEN": secret["predict_token"],
        "KIOSQUE_NATS_TOKEN": secret["nats_token"],
        "KIOSQUE_FEEDS": f"http://reader:{secret['feed_password']}@127.0.0.1:{port}/rss?key={secret['feed_query']}",
        "KIOSQUE_ALLOW_PRIVATE_HOSTS": "true",
        "KIOSQUE_FETCH_TIMEOUT": "2",
        "KIOSQUE_POLL_SECONDS": "10",
        "KIOSQUE_LOG_LEVEL": "debug",
        "KIOSQUE_SEED_DEMO": "false",
    }


def ask(server: Running, path: str, canaries: Canaries, body: object = None, **headers: str) -> str:
    data = json.dumps(body).encode() if body is not None else None
    sent = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(server.address + path, data, sent)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = f"{answer.headers}{answer.read().decode()}"
    except urllib.error.HTTPError as error:
        text = f"{error.headers}{error.read().decode()}"
    return text


def test_no_secret_is_logged_answered_or_measured(canaries: Canaries, refusing: int, tmp_path: Path) -> None:
    settings = given(canaries, refusing)
    secret = canaries.values
    with running("up", data_dir=tmp_path, **settings) as server:
        wait_until(lambda: "401" in "".join(server.messages))
        for body in (
            {"user": "ada", "password": secret["wrong_password"]},
            {"password": [secret["wrong_password"]]},
        ):
            canaries.search(ask(server, "/api/v1/token", canaries, body), "token")
        for path in PAGES:
            canaries.search(ask(server, path.format(**secret), canaries), path.replace("{bearer}", "…"))
            headers = {"Authorization": f"Bearer {secret['bearer']}", "Cookie": f"kiosque={secret['cookie']}"}
            canaries.search(
                ask(server, path.format(**secret), canaries, **headers), f"{path} with a wrong key"
            )
        server.stop()
    canaries.search("".join(server.messages), "the log")
    assert len(server.messages) > 10
    # The addresses asked for with a secret in them are the asker's own: a page may say "no page at …".
    assert [each for each in canaries.found if not each.startswith("bearer in /nowhere")] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("settings", "list", "--json"),
        ("doctor",),
        ("source", "list", "--json"),
        ("source", "poll", "nyt-wire"),
    ],
    ids=" ".join,
)
def test_no_secret_is_printed_by_a_command(
    arguments: tuple[str, ...], canaries: Canaries, refusing: int, tmp_path: Path
) -> None:
    proxy = f"http://user:{canaries.values['proxy_password']}@127.0.0.1:{refusing}"
    done = command(*arguments, data_dir=tmp_path, **given(canaries, refusing), KIOSQUE_PROXY=proxy)
    found = Canaries(canaries.values)
    found.search(done.stdout + done.stderr, " ".join(arguments))
    assert found.found == []
    assert done.stdout + done.stderr


def test_a_database_that_refuses_is_told_without_its_password(canaries: Canaries, tmp_path: Path) -> None:
    password = canaries.values["database_password"]
    url = f"postgresql://kiosque:{password}@127.0.0.1:1/kiosque"
    for arguments in (("db", "status"), ("doctor",), ("web", "--port", "0")):
        done = command(*arguments, data_dir=tmp_path, KIOSQUE_DATABASE_URL=url)
        assert done.returncode != 0
        assert password not in done.stdout + done.stderr, arguments


def test_no_secret_has_a_default() -> None:
    from kiosque.settings import Settings, secret_names

    assert {name for name in secret_names() if Settings.model_fields[name].default is not None} == set()


def test_no_file_of_the_project_holds_something_like_a_key() -> None:
    import re
    import subprocess

    looks = re.compile(
        r"\bkq_[0-9a-f]{8}_[\w-]{43}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b"
    )
    listed = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True).stdout.split(
        "\n"
    )
    if not any(listed):
        pytest.skip("not a git checkout")
    kept = [
        CHECKOUT / name for name in listed if name and not name.endswith((".png", ".onnx", ".gz", ".npy"))
    ]
    texts = {file: file.read_text(errors="replace") for file in kept if file.is_file()}
    assert [str(file) for file, text in texts.items() if looks.search(text) and file != Path(__file__)] == []
