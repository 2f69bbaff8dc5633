"""Signed webhooks, as Standard Webhooks describes them (www.standardwebhooks.com), so that receivers' libraries fit.

A request is a POST of JSON with three headers: `webhook-id` (the same in every try), `webhook-timestamp` (seconds
since 1970) and `webhook-signature`, `v1,` and the Base64 of HMAC-SHA256 over `id.timestamp.body` with the rule's
secret. Redirects are not followed, the answer is not read, and this machine's own network is out of reach.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from urllib.parse import urlsplit

import httpx2

from kiosque.core.errors import InvalidInput, OutputUnavailable
from kiosque.sources.addresses import AddressRefused
from kiosque.store.alerts import Alert

SECRET_PREFIX = "whsec_"  # noqa: S105 - the beginning of every secret, and none itself
TIMEOUT = 10.0
"""Longest silence of a receiver, in seconds."""
LONGEST_ADDRESS = 2000
_GONE = 410


def secret_of(secret_key: str, alert: Alert) -> str:
    """The secret with which the webhook of `alert` is signed: derived, so that the database holds none."""
    key = hmac.new(secret_key.encode(), b"kiosque/alert/webhook/1", hashlib.sha256).digest()
    secret = hmac.new(key, f"{alert.id}:{alert.secret_nonce}".encode(), hashlib.sha256).digest()
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """What stands in `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def checked_address(address: str) -> str:
    """`address` if something can be posted there. Raises InvalidInput."""
    hint = "Give an address like https://example.org/hook, without a user name or password in it."
    try:
        parts = httpx2.URL(address)
        plain = parts.scheme in ("http", "https") and bool(parts.host) and not parts.userinfo
    except (httpx2.InvalidURL, ValueError, TypeError):
        plain = False
    if not plain or len(address) > LONGEST_ADDRESS or not address.isprintable() or " " in address:
        raise InvalidInput("This is no address of a webhook.", hint=hint)
    return address


def host_of(address: str) -> str:
    """What may be shown of a webhook's address: the rest is often a secret."""
    return urlsplit(address).hostname or ""


class Webhook:
    """Posts documents. `transport` is the network as `sources.addresses.outbound` makes it."""

    def __init__(self, transport: httpx2.BaseTransport, *, user_agent: str) -> None:
        self._client = httpx2.Client(
            transport=transport,
            headers={"User-Agent": user_agent, "Content-Type": "application/json"},
            timeout=TIMEOUT,
            follow_redirects=False,
            trust_env=False,
        )

    def post(self, address: str, body: bytes, *, secret: str, message_id: str, at: datetime) -> None:
        """Returns when the receiver took it. Raises OutputUnavailable, saying why not."""
        timestamp = int(at.timestamp())
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(secret, message_id, timestamp, body),
        }
        try:
            with self._client.stream("POST", address, content=body, headers=headers) as response:
                status = response.status_code
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, ValueError) as error:
            raise _failure(host_of(address), error) from None
        if not 200 <= status < 300:
            raise OutputUnavailable(
                f"{host_of(address)} answered {status}.", hint=_hint(status), final=status == _GONE
            )

    def close(self) -> None:
        self._client.close()


def _failure(host: str, error: Exception) -> OutputUnavailable:
    if isinstance(error, AddressRefused):
        return OutputUnavailable(
            f"{host} is not on the public internet.",
            hint="Set KIOSQUE_ALLOW_PRIVATE_HOSTS=true to allow webhooks on your own network.",
        )
    if isinstance(error, httpx2.TimeoutException):
        return OutputUnavailable(f"{host} did not answer in time.")
    return OutputUnavailable(f"{host} cannot be reached ({type(error).__name__}).", hint="Check the address.")


def _hint(status: int) -> str | None:
    if 300 <= status < 400:
        return "Redirects are not followed: give the address that answers."
    return "It says that it is gone for good." if status == _GONE else None
