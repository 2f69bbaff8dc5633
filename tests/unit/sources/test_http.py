from __future__ import annotations

import gzip
import io
import threading
import zlib
from collections.abc import Iterator

import httpx2
import pytest

from kiosque.core.errors import InvalidInput, RateLimited, SourceUnavailable, TryAgain
from kiosque.sources.http import Limits, Validators
from kiosque.sources.keys import shown
from kiosque.sources.nyt import HOST
from kiosque.sources.politeness import Hosts, parse_retry_after, read_max_age, until_stopped
from kiosque.testing.sources import NOW, SECRET, Handler, Network, always, failing, no_key_in

URL = "https://courier.example/rss"


def steps(*answers: httpx2.Response | Exception) -> Handler:
    """One answer after the other."""
    left = iter(answers)

    def handler(request: httpx2.Request) -> httpx2.Response:
        answer = next(left)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handler


class Stream(httpx2.SyncByteStream):
    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks = chunks
        self.taken = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            self.taken += 1
            yield chunk


def test_an_answer_is_whole() -> None:
    network = Network(
        always(
            b"body",
            content_type="text/xml",
            etag='"v1"',
            last_modified="x",
            cache_control="public, max-age=60",
        )
    )
    answer = network.client().fetch(URL, params={"page": "2"}, accept="text/xml")
    assert (answer.body, answer.content_type, answer.max_age, answer.unchanged) == (
        b"body",
        "text/xml",
        60,
        False,
    )
    assert answer.validators == Validators('"v1"', "x")
    assert answer.moved_to is None
    request = network.requests[0]
    assert request.url == f"{URL}?page=2"
    assert request.headers["user-agent"] == "Kiosque-Test/1"
    assert request.headers["accept"] == "text/xml"


def test_validators_are_sent_back_and_304_is_unchanged() -> None:
    network = Network(always(b"", 304))
    answer = network.client().fetch(URL, validators=Validators('"v1"', "Thu, 05 Nov 2020 09:00:24 GMT"))
    assert answer.unchanged
    assert network.requests[0].headers["if-none-match"] == '"v1"'
    assert network.requests[0].headers["if-modified-since"] == "Thu, 05 Nov 2020 09:00:24 GMT"


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "é", "x" * 600, ""])
def test_validators_that_are_no_header_values_are_not_sent(value: str) -> None:
    network = Network(always(b"", 200))
    network.client().fetch(URL, validators=Validators(value, value))
    assert "if-none-match" not in network.requests[0].headers


@pytest.mark.parametrize(
    "url",
    [
        "",
        "courier.example",
        "ftp://x.example/",
        "file:///etc/passwd",
        "http://",
        "http://[",
        "http://x:99999/",
    ],
)
def test_what_is_no_web_address_is_invalid_input(url: str) -> None:
    network = Network(always(b""))
    with pytest.raises(InvalidInput):
        network.client().fetch(url)
    assert network.requests == []


def test_an_answer_larger_than_the_limit_is_refused() -> None:
    network = Network(always(b"x" * 1001))
    with pytest.raises(SourceUnavailable, match="more than 1,000 bytes"):
        network.client(limits=Limits(max_bytes=1000)).fetch(URL)
    assert Network(always(b"x" * 1000)).client(limits=Limits(max_bytes=1000)).fetch(URL).body == b"x" * 1000


def packed(stream: Stream) -> Handler:
    """An answer that says it is gzip."""
    return lambda _: httpx2.Response(200, stream=stream, headers={"content-encoding": "gzip"})


def test_a_packed_bomb_is_stopped_while_it_unpacks() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(bomb) < 60_000
    stream = Stream(bomb[i : i + 1000] for i in range(0, len(bomb), 1000))
    with pytest.raises(SourceUnavailable, match="more than 1,000,000 bytes"):
        Network(packed(stream)).client(limits=Limits(max_bytes=1_000_000)).fetch(URL)
    assert stream.taken <= 5


def test_an_endless_answer_that_unpacks_to_nothing_is_stopped() -> None:
    def empty_blocks() -> Iterator[bytes]:
        packer = zlib.compressobj(wbits=31)
        yield packer.flush(zlib.Z_FULL_FLUSH)
        while True:
            yield b"\x00\x00\x00\xff\xff" * 200

    with pytest.raises(SourceUnavailable, match="more than 100,000 bytes"):
        Network(packed(Stream(empty_blocks()))).client(limits=Limits(max_bytes=100_000)).fetch(URL)


def test_an_answer_that_drips_is_given_up() -> None:
    network = Network(always(b""))

    def drip() -> Iterator[bytes]:
        while True:
            network.wait(20)
            yield b"x"

    network.handler = lambda _: httpx2.Response(200, stream=Stream(drip()))
    with pytest.raises(SourceUnavailable, match="longer than 300 s"):
        network.client().fetch(URL)


def test_broken_packing_is_source_unavailable() -> None:
    with pytest.raises(SourceUnavailable, match="unpacked"):
        Network(packed(Stream(iter([b"no gzip"])))).client().fetch(URL)


def test_the_body_can_go_into_a_file_and_a_second_try_starts_it_anew() -> None:
    file = io.BytesIO()
    network = Network(
        steps(httpx2.Response(200, stream=Stream(_broken())), httpx2.Response(200, content=b"whole"))
    )
    assert network.client().fetch(URL, into=file).body == b""
    assert file.getvalue() == b"whole"


def _broken() -> Iterator[bytes]:
    yield b"half of it"
    raise httpx2.ReadError("reset")


def test_what_may_pass_is_tried_again_after_growing_pauses() -> None:
    network = Network(
        steps(httpx2.Response(503), httpx2.ReadTimeout("slow"), httpx2.Response(200, content=b"ok"))
    )
    assert network.client().fetch(URL).body == b"ok"
    assert network.waits == [1.5, 3.0]  # 1 s and 2 s, and half of that again by the fixed jitter


def test_after_the_last_try_the_error_is_raised() -> None:
    network = Network(always(b"", 502))
    with pytest.raises(SourceUnavailable, match="answered 502"):
        network.client().fetch(URL)
    assert len(network.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 429])
def test_what_will_not_pass_is_not_tried_again(status: int) -> None:
    network = Network(always(b"", status))
    with pytest.raises(TryAgain):
        network.client().fetch(URL)
    assert len(network.requests) == 1


def test_the_pause_is_at_least_what_the_server_asks_for() -> None:
    network = Network(steps(httpx2.Response(503, headers={"retry-after": "30"}), httpx2.Response(200)))
    network.client().fetch(URL)
    assert network.waits == [30.0]


def test_a_host_that_asks_for_a_long_pause_is_left_alone() -> None:
    network = Network(always(b"", 503, retry_after="3600"))
    client = network.client()
    with pytest.raises(SourceUnavailable):
        client.fetch(URL)
    with pytest.raises(RateLimited) as caught:
        client.fetch("https://courier.example/other")
    assert len(network.requests) == 1
    assert caught.value.retry_after == pytest.approx(3600)
    network.wait(3601)
    with pytest.raises(SourceUnavailable):
        client.fetch(URL)
    assert len(network.requests) == 2


def test_requests_to_one_host_are_spaced_and_those_to_others_are_not() -> None:
    network = Network(always(b""))
    client = network.client(limits=Limits(pace=2.0))
    for url in (URL, "https://other.example/", URL, URL):
        client.fetch(url)
    assert network.waits == [2.0, 2.0]


def test_the_pace_holds_between_threads() -> None:
    hosts = Hosts(1.0, lambda: 100.0)
    delays: list[float] = []
    threads = [threading.Thread(target=lambda: delays.append(hosts.reserve("x"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(delays) == [float(n) for n in range(8)]


def test_the_quota_is_asked_before_each_request() -> None:
    network = Network(
        steps(httpx2.Response(503), httpx2.Response(302, headers={"location": "/b"}), httpx2.Response(200))
    )
    asked: list[int] = []
    network.client().fetch(URL, admit=lambda: asked.append(len(network.requests)))
    assert asked == [0, 1, 2]


def test_redirects_are_followed_and_a_lasting_move_is_told() -> None:
    network = Network(
        steps(
            httpx2.Response(301, headers={"location": "/new"}),
            httpx2.Response(308, headers={"location": "https://new.example/feed"}),
            httpx2.Response(200, content=b"ok"),
        )
    )
    answer = network.client().fetch(URL)
    assert (answer.body, answer.url, answer.moved_to) == (
        b"ok",
        "https://new.example/feed",
        "https://new.example/feed",
    )


def test_a_passing_redirect_is_no_move() -> None:
    network = Network(
        steps(
            httpx2.Response(301, headers={"location": "/new"}),
            httpx2.Response(302, headers={"location": "/today"}),
            httpx2.Response(200),
        )
    )
    assert network.client().fetch(URL).moved_to is None


def test_redirects_in_a_circle_end() -> None:
    network = Network(always(b"", 302, location=URL))
    with pytest.raises(SourceUnavailable, match="redirects too often"):
        network.client().fetch(URL)
    assert len(network.requests) == 6


@pytest.mark.parametrize(
    "location", ["ftp://x.example/", "javascript:alert(1)", "file:///etc/passwd", "http://[", ""]
)
def test_a_redirect_to_what_is_no_web_address_is_an_error(location: str) -> None:
    with pytest.raises(SourceUnavailable):
        Network(always(b"", 302, location=location)).client().fetch(URL)


def test_each_redirect_is_judged() -> None:
    network = Network(always(b"", 302, location="http://inside.example/"))
    addresses = {"courier.example": ["93.184.216.34"], "inside.example": ["10.0.0.1"]}
    client = network.client(resolver=lambda host, port: addresses[host])
    with pytest.raises(SourceUnavailable, match=r"inside\.example is not on the public internet") as caught:
        client.fetch(URL)
    assert "KIOSQUE_ALLOW_PRIVATE_HOSTS" in (caught.value.hint or "")
    assert len(network.requests) == 1


def test_private_hosts_can_be_allowed() -> None:
    network = Network(always(b"ok"))
    client = network.client(resolver=lambda host, port: ["10.0.0.1"], allow_private_hosts=True)
    assert client.fetch(URL).body == b"ok"


def test_the_key_is_sent_to_its_host_over_https_only() -> None:
    network = Network(always(b""))
    client = network.client()
    for url in (f"https://{HOST}/x?a=1", f"http://{HOST}/x", "https://other.example/x"):
        client.fetch(url)
    assert [request.url.params.get("api-key") for request in network.requests] == [SECRET, None, None]
    assert network.requests[0].url.params["a"] == "1"


def test_the_key_does_not_travel_with_a_redirect() -> None:
    network = Network(
        steps(httpx2.Response(302, headers={"location": "https://other.example/x"}), httpx2.Response(200))
    )
    network.client().fetch(f"https://{HOST}/x")
    assert "api-key" not in network.requests[1].url.params


def test_a_redirect_that_names_the_key_is_cleaned_or_not_followed(caplog: pytest.LogCaptureFixture) -> None:
    location = f"https://{HOST}/y?api-key={SECRET}"
    network = Network(steps(httpx2.Response(302, headers={"location": location}), httpx2.Response(200)))
    with no_key_in(caplog):
        answer = network.client().fetch(f"https://{HOST}/x")
    assert answer.url == f"https://{HOST}/y"
    with pytest.raises(SourceUnavailable) as caught:
        Network(always(b"", 302, location=f"https://evil.example/{SECRET}")).client().fetch(
            f"https://{HOST}/x"
        )
    assert SECRET not in str(caught.value)


def test_an_empty_key_is_no_key() -> None:
    network = Network(steps(httpx2.Response(302, headers={"location": "/y"}), httpx2.Response(200)))
    network.client(key="").fetch(f"https://{HOST}/x")
    assert ["api-key" in request.url.params for request in network.requests] == [False, False]


def test_a_refused_key_is_explained() -> None:
    with pytest.raises(SourceUnavailable) as caught:
        Network(always(b"", 401)).client().fetch(f"https://{HOST}/x")
    assert "API key" in (caught.value.hint or "")


def test_an_error_that_quotes_an_address_is_not_repeated() -> None:
    error = httpx2.ConnectError("cannot reach https://courier.example/?token=abc")
    with pytest.raises(SourceUnavailable) as caught:
        Network(failing(error)).client().fetch(URL)
    assert "token" not in str(caught.value)


def test_addresses_are_shown_without_user_query_and_fragment() -> None:
    assert shown("https://user:pw@courier.example:8443/rss?token=x#y") == "https://courier.example:8443/rss"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120), ("0.5", 0.5), ("0", None), ("-5", None), ("soon", None), ("", None), (None, None),
        ("Fri, 17 May 2024 12:02:00 GMT", 120), ("Fri, 17 May 2024 11:00:00 GMT", None), ("999999999", 86_400),
        ("nan", None), ("Fri, 99 May", None),
    ],
)  # fmt: skip
def test_retry_after_is_read_in_both_forms(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("max-age=60", 60), ("public, Max-Age=5", 5), ("no-store", None), ("max-age=x", None), ("", None)],
)
def test_max_age(header: str, seconds: float | None) -> None:
    assert read_max_age(header) == seconds


def test_waiting_ends_when_the_process_stops() -> None:
    stop = threading.Event()
    until_stopped(stop)(0.0)
    stop.set()
    with pytest.raises(TryAgain):
        until_stopped(stop)(3600)
