from __future__ import annotations

import httpx2
import pytest

from kiosque.predict.balance import AVOID_SECONDS, RESOLVE_SECONDS, BalancingTransport, resolve


class Inner(httpx2.BaseTransport):
    """Records where requests went; addresses in `down` do not connect."""

    def __init__(self) -> None:
        self.seen: list[httpx2.Request] = []
        self.down: set[str] = set()
        self.closed = False

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.host in self.down:
            raise httpx2.ConnectError("refused")
        self.seen.append(request)
        return httpx2.Response(200, content=request.read())

    def close(self) -> None:
        self.closed = True

    def hosts(self) -> list[str]:
        found = [request.url.host for request in self.seen]
        self.seen.clear()
        return found


class Names:
    """A resolver whose answer a test changes."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.asked: list[tuple[str, int]] = []
        self.error: OSError | None = None

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        if self.error:
            raise self.error
        return self.addresses


@pytest.fixture
def inner():
    return Inner()


@pytest.fixture
def names():
    return Names("10.0.0.1", "10.0.0.2", "10.0.0.3")


@pytest.fixture
def client(inner, names, seconds):
    return httpx2.Client(transport=BalancingTransport(inner, resolver=names, clock=seconds))


def test_requests_go_round_the_addresses(client, inner):
    for _ in range(6):
        client.get("http://predict:8005/v1/models")
    hosts = inner.hosts()
    assert sorted(hosts) == sorted(["10.0.0.1", "10.0.0.2", "10.0.0.3"] * 2)
    assert hosts[:3] == hosts[3:]


def test_what_is_sent_stays_what_it_was(client, inner):
    answer = client.post("http://predict:8005/v1/x?q=1", content=b"body", headers={"X-A": "b"})

    [sent] = inner.seen
    assert (sent.method, sent.url.path, sent.url.query, sent.url.port) == ("POST", "/v1/x", b"q=1", 8005)
    assert sent.headers["host"] == "predict:8005"
    assert sent.headers["x-a"] == "b"
    assert sent.extensions["sni_hostname"] == "predict"
    assert answer.content == b"body"


def test_the_name_is_looked_up_again_after_a_while(client, inner, names, seconds):
    client.get("http://predict/")
    client.get("http://predict/")
    assert names.asked == [("predict", 80)]

    names.addresses = ["10.0.0.9"]
    seconds.now += RESOLVE_SECONDS
    inner.hosts()
    client.get("http://predict/")
    assert inner.hosts() == ["10.0.0.9"]


def test_an_address_that_does_not_connect_is_passed_over_for_a_while(client, inner, seconds):
    inner.down = {"10.0.0.2"}
    for _ in range(6):
        client.get("http://predict/")
    assert "10.0.0.2" not in inner.hosts()

    inner.down.clear()
    for _ in range(6):
        client.get("http://predict/")
    assert "10.0.0.2" not in inner.hosts(), "not tried again at once"
    seconds.now += AVOID_SECONDS
    for _ in range(3):
        client.get("http://predict/")
    assert "10.0.0.2" in inner.hosts()


def test_when_none_connects_each_was_tried_and_the_reason_is_given(client, inner, names):
    inner.down = set(names.addresses)
    with pytest.raises(httpx2.ConnectError, match="refused"):
        client.get("http://predict/")
    inner.down = {"10.0.0.1", "10.0.0.2"}
    client.get("http://predict/")
    assert inner.hosts() == ["10.0.0.3"]


def test_a_body_is_sent_whole_to_the_second_address_when_the_first_is_down(client, inner):
    inner.down = {"10.0.0.1", "10.0.0.2"}
    for _ in range(3):
        assert client.post("http://predict/", content=b"whole").content == b"whole"


def test_only_failures_to_connect_are_tried_elsewhere(names, seconds):
    tried: list[str] = []

    def fail(request: httpx2.Request) -> httpx2.Response:
        tried.append(request.url.host)
        raise httpx2.ReadError("broken off")

    client = httpx2.Client(
        transport=BalancingTransport(httpx2.MockTransport(fail), resolver=names, clock=seconds)
    )
    with pytest.raises(httpx2.ReadError):
        client.post("http://predict/", content=b"x")
    assert len(tried) == 1


def test_an_unknown_name_is_a_failure_to_connect(client, names):
    names.error = OSError("no such host")
    with pytest.raises(httpx2.ConnectError, match="no such host"):
        client.get("http://predict/")


def test_a_name_server_that_fails_for_a_while_changes_nothing(client, inner, names, seconds):
    client.get("http://predict/")
    names.error = OSError("name server down")
    seconds.now += RESOLVE_SECONDS
    client.get("http://predict/")
    assert len(inner.hosts()) == 2


def test_version_six_addresses_are_put_in_brackets(inner, seconds):
    client = httpx2.Client(transport=BalancingTransport(inner, resolver=Names("fd00::1"), clock=seconds))
    client.get("https://predict/")
    [sent] = inner.seen
    assert str(sent.url) == "https://[fd00::1]/"


def test_closing_closes_the_connections(client, inner):
    client.close()
    assert inner.closed


def test_names_are_resolved_to_addresses():
    assert resolve("127.0.0.1", 80) == ["127.0.0.1"]
    with pytest.raises(OSError, match=r"."):
        resolve("no-such-host.invalid", 80)
