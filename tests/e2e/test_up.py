"""`kiosque up` as a newcomer runs it: empty folder, no key, no network."""

import json
import re
import urllib.error
import urllib.request

import pytest

from kiosque.testing.processes import command, running


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("kiosque")


@pytest.fixture(scope="module")
def up(data_dir):
    with running("up", data_dir=data_dir) as server:
        yield server


def get(server, path, **headers):
    request = urllib.request.Request(server.address + path, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.status, response.headers, response.read().decode()


def get_json(server, path):
    return json.loads(get(server, path)[2])


def test_the_first_start_shows_a_key_and_what_to_do_next(up):
    told = "".join(up.messages)
    assert re.search(r"kq_[0-9a-f]{8}_[\w-]{43}", told)
    assert "Next:" in told


def test_it_is_ready(up):
    readiness = get_json(up, "/readyz")
    assert readiness["status"] == "ok", readiness


def test_the_demo_is_loaded_matched_and_scored(up):
    overview = get_json(up, "/api/v1/stats/overview")
    assert overview["articles"] > 700
    assert overview["mentions"] > 700
    assert overview["books"] > 400


def test_an_article_has_pairs_of_entity_and_polarity_and_books(up):
    listed = get_json(up, "/api/v1/articles?entity=abraham-lincoln&limit=50")["items"]
    assert listed
    pairs = [(m["entity"], m["polarity"]) for article in listed for m in article["mentions"]]
    assert ("abraham-lincoln" in {entity for entity, _ in pairs}) or pairs
    shelves = [get_json(up, f"/api/v1/articles/{article['id']}")["books"] for article in listed[:10]]
    assert any(shelves)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/people",
        "/people/abraham-lincoln",
        "/articles",
        "/elections",
        "/elections/1860",
        "/books",
        "/models",
        "/models/polarity",
        "/operations",
        "/about",
    ],
)
def test_every_page_opens(up, path):
    status, headers, html = get(up, path)
    assert status == 200
    assert "script-src 'self'" in headers["content-security-policy"]
    assert "<h1" in html
    assert "Traceback" not in html


def test_the_pages_are_full(up):
    assert get(up, "/")[2].count("<li>") > 5
    assert get(up, "/elections")[2].count("<svg") > 30
    assert "<svg" in get(up, "/people/abraham-lincoln")[2]


def addresses(html):
    return {
        a.split("#")[0].replace("&amp;", "&") for a in re.findall(r'(?:href|src|action)="(/[^"]*)"', html)
    }


def test_no_link_on_the_main_pages_leads_nowhere(up):
    pages = [
        "/",
        "/people",
        "/people/abraham-lincoln",
        "/articles",
        "/elections",
        "/elections/1860",
        "/books",
        "/models",
        "/models/polarity",
        "/operations",
    ]
    article = get_json(up, "/api/v1/articles?limit=1")["items"][0]["id"]
    wanted = set()
    for page in [*pages, f"/articles/{article}"]:
        wanted |= {a for a in sorted(addresses(get(up, page)[2])) if not a.startswith("/api/v1/stream")}
    broken = {}
    for address in sorted(wanted):
        try:
            get(up, address)
        except urllib.error.HTTPError as error:
            with error:
                broken[address] = error.code
    assert broken == {}


def test_a_missing_page_is_a_page_and_a_missing_article_of_the_api_a_problem(up):
    for path, kind in (
        ("/nowhere", "text/html"),
        ("/articles/nothing", "text/html"),
        ("/api/v1/articles/nothing", "application/problem+json"),
    ):
        with pytest.raises(urllib.error.HTTPError) as caught:
            get(up, path)
        with caught.value as error:
            assert error.code == 404
            assert error.headers["content-type"].startswith(kind)


def test_writing_needs_a_key(up):
    request = urllib.request.Request(
        up.address + "/api/v1/keys", data=b"{}", headers={"Content-Type": "application/json"}
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=30)
    with caught.value as error:
        assert error.code == 401


def test_the_command_line_sees_the_same_installation(up, data_dir):
    listed = command("article", "list", "--entity", "abraham-lincoln", "--json", data_dir=data_dir)
    assert listed.returncode == 0, listed.stderr
    assert json.loads(listed.stdout)


def test_the_doctor_finds_nothing_wrong(up, data_dir):
    found = command("doctor", "--json", data_dir=data_dir)
    assert found.returncode == 0, found.stdout + found.stderr
    assert [f for f in json.loads(found.stdout) if f["state"] == "wrong"] == []


def test_a_second_start_loads_nothing_and_shows_no_key(tmp_path_factory):
    folder = tmp_path_factory.mktemp("twice")
    with running("up", data_dir=folder) as first:
        before = get_json(first, "/api/v1/stats/overview")
        assert first.stop() == 0
    with running("up", data_dir=folder) as second:
        assert get_json(second, "/api/v1/stats/overview") == before
        told = "".join(second.messages)
        assert "Loaded" not in told
        assert "kq_" not in told
        assert second.stop() == 0
