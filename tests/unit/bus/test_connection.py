"""What is said of a broker that does not answer."""

from __future__ import annotations

import pytest

from kiosque.bus.connection import without_login


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("nats://broker:4222", "nats://broker:4222"),
        ("nats://s3cret@broker:4222", "nats://***@broker:4222"),
        ("nats://me:s3cret@broker:4222", "nats://***@broker:4222"),
        ("tls://a@b:s3@cret@broker", "tls://***@broker"),
        ("broker:4222", "broker:4222"),
    ],
)
def test_an_address_is_shown_without_its_login(address: str, shown: str) -> None:
    assert without_login(address) == shown
