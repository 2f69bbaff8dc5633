"""Every page in every state that an installation can be in: each opens and says what still works.

Real processes, started through the command line: with nothing in them, without a model, with the model server or the
broker out of reach.
"""

import json
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from kiosque.testing.processes import command, running
from kiosque.testing.servers import free_port

ALWAYS = [
    "/",
    "/people",
    "/articles",
    "/articles?q=Lincoln",
    "/compare",
    "/elections",
    "/elections?years=1860",
    "/books",
    "/books?text=A+book+on+Lincoln",
    "/models",
    "/operations",
    "/operations/dead-letters",
    "/about",
    "/api",
    "/docs/errors",
    "/try",
    "/try?text=Lincoln+wins&targets=Lincoln",
    "/login",
]
FILLED = ["/people/abraham-lincoln", "/compare?entities=abraham-lincoln,stephen-a-douglas", "/elections/1860"]
PRIVATE = ["/jobs", "/users", "/keys", "/settings", "/account"]


def get(address):
    """Status and text, whatever the status."""
    try:
        with urllib.request.urlopen(address, timeout=60) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def broken(server, paths):
    """The pages that do not open as a page with one headline."""
    found = {}
    for path in paths:
        status, html = get(server.address + path)
        if status != 200 or html.count("<h1") != 1 or "Traceback" in html:
            found[path] = (status, html[:300])
    return found


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """The data folder of an installation with the demo news in it."""
    folder = tmp_path_factory.mktemp("filled")
    done = command("up", "--prepare-only", data_dir=folder)
    assert done.returncode == 0, done.stderr
    return folder


@contextmanager
def web(folder, **settings):
    with running("web", data_dir=folder, **settings) as server:
        yield server


def article_of(server):
    return json.loads(get(f"{server.address}/api/v1/articles?entity=abraham-lincoln&limit=1")[1])["items"][0][
        "id"
    ]


def test_no_data_yet(tmp_path):
    with running("up", data_dir=tmp_path, KIOSQUE_SEED_DEMO="false") as server:
        assert broken(server, [*ALWAYS, *PRIVATE]) == {}
        assert "Nothing has come in yet" in get(server.address + "/")[1]
        for path in ("/people", "/articles", "/elections", "/books", "/compare", "/operations"):
            assert 'class="empty"' in get(server.address + path)[1], path


def test_no_model_yet(filled, tmp_path):
    with web(filled, KIOSQUE_MODELS_DIR=str(tmp_path / "none")) as server:
        assert broken(server, [*ALWAYS, *FILLED, *PRIVATE]) == {}
        assert "There is no model here yet" in get(server.address + "/models")[1]
        article = get(f"{server.address}/articles/{article_of(server)}")
        assert article[0] == 200
        assert "What it says of whom" in article[1]
        assert 'class="problem"' in get(server.address + "/try?text=Lincoln+wins&targets=Lincoln")[1]


def test_the_model_server_is_down(filled):
    with web(filled, KIOSQUE_PREDICT_URL=f"http://127.0.0.1:{free_port()}") as server:
        assert broken(server, [*ALWAYS, *FILLED, *PRIVATE]) == {}
        assert "does not answer" in get(server.address + "/operations")[1]
        assert "labels and books that are stored can be read" in get(server.address + "/operations")[1]
        assert "does not say with which version it answers" in get(server.address + "/models/polarity")[1]
        status, html = get(f"{server.address}/articles/{article_of(server)}?why=abraham-lincoln")
        assert status == 200
        assert "The scores above are stored and stand." in html


def test_the_broker_is_down(filled):
    broker = f"nats://127.0.0.1:{free_port()}"
    with web(filled, KIOSQUE_BUS="jetstream", KIOSQUE_NATS_URL=broker) as server:
        assert broken(server, [*ALWAYS, *FILLED, *PRIVATE]) == {}
        html = get(server.address + "/operations")[1]
        assert "The broker does not answer" in html
        assert "can be read, searched and corrected" in html


def test_the_database_is_gone(filled, tmp_path):
    """Nothing can be shown, and that is said on a page, with the status that says try again."""
    with web(filled) as server:
        hidden = tmp_path / "hidden"
        (filled / "kiosque.sqlite").rename(hidden)
        try:
            status, html = get(server.address + "/articles")
        finally:
            hidden.rename(filled / "kiosque.sqlite")
        assert status == 503
        assert "<h1" in html
        assert get(server.address + "/articles")[0] == 200
