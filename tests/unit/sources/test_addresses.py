from __future__ import annotations

import httpx2
import pytest

from kiosque.sources.addresses import AddressRefused, PublicNames, PublicOnly, is_public

PRIVATE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0",
    "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe", "localhost", "", "1", "256.1.1.1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_of_ones_own_network_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_addresses_of_the_internet_are(address: str) -> None:
    assert is_public(address)


class Recorder:
    """Answers every request, and remembers where it went."""

    def __init__(self, refusing: tuple[str, ...] = ()) -> None:
        self.seen: list[tuple[str, str, object]] = []
        self.refusing = refusing

    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self.answer)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.host
        self.seen.append((host, request.headers["host"], request.extensions.get("sni_hostname")))
        if host in self.refusing:
            raise httpx2.ConnectError("refused")
        return httpx2.Response(200)


def ask(url: str, addresses: list[str], recorder: Recorder) -> httpx2.Response:
    transport = PublicOnly(recorder.transport(), resolve=lambda host, port: addresses)
    with httpx2.Client(transport=transport, trust_env=False) as client:
        return client.get(url)


def test_the_connection_goes_to_the_address_that_was_judged() -> None:
    recorder = Recorder()
    ask("https://courier.example/rss", ["93.184.216.34"], recorder)
    assert recorder.seen == [("93.184.216.34", "courier.example", "courier.example")]


def test_the_next_address_is_tried_when_one_refuses() -> None:
    recorder = Recorder(refusing=("2606:4700::1111",))
    assert ask("http://courier.example/", ["2606:4700::1111", "93.184.216.34"], recorder).status_code == 200
    assert [host for host, _, _ in recorder.seen] == ["2606:4700::1111", "93.184.216.34"]


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["::1"]])
def test_a_host_with_any_private_address_is_refused(addresses: list[str]) -> None:
    recorder = Recorder()
    with pytest.raises(AddressRefused):
        ask("http://courier.example/", addresses, recorder)
    assert recorder.seen == []


@pytest.mark.parametrize("addresses", [[], None])
def test_a_host_without_addresses_cannot_be_connected_to(addresses: list[str] | None) -> None:
    def resolve(host: str, port: int) -> list[str]:
        if addresses is None:
            raise OSError("no such host")
        return addresses

    transport = PublicOnly(Recorder().transport(), resolve=resolve)
    with httpx2.Client(transport=transport, trust_env=False) as client, pytest.raises(httpx2.ConnectError):
        client.get("http://courier.example/")


def test_a_name_of_other_letters_is_sent_as_the_network_spells_it() -> None:
    recorder = Recorder()
    ask("https://例え.example/", ["93.184.216.34"], recorder)
    assert recorder.seen[0][2] == "xn--r8jz45g.example"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "2130706433",
        "[::1]",
        "printer.local",
        "db.internal",
        "intranet",
    ],
)
def test_behind_a_proxy_literal_and_local_names_are_refused(host: str) -> None:
    transport = PublicNames(Recorder().transport())
    with httpx2.Client(transport=transport, trust_env=False) as client, pytest.raises(AddressRefused):
        client.get(f"http://{host}/")


@pytest.mark.parametrize("host", ["courier.example", "8.8.8.8", "[2606:4700::1111]", "7eleven.example"])
def test_behind_a_proxy_other_names_pass(host: str) -> None:
    with httpx2.Client(transport=PublicNames(Recorder().transport()), trust_env=False) as client:
        assert client.get(f"http://{host}/").status_code == 200
