"""What alerts send, on real sockets."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
import ssl
import subprocess
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

from kiosque.core.errors import InvalidInput, OutputUnavailable
from kiosque.pipeline.mail import Mail, MailServer, checked_recipients, checked_sender, masked
from kiosque.pipeline.webhook import Webhook, checked_address, signature
from kiosque.sources.addresses import outbound
from kiosque.testing.mail import mail_server
from kiosque.testing.paths import CHECKOUT
from kiosque.testing.servers import free_port
from kiosque.testing.serving import serving

NOW = datetime(1970, 1, 2, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()


@pytest.fixture
def receiver():
    app = FastAPI()
    taken: list[tuple[dict[str, str], bytes]] = []

    @app.post("/hook")
    async def hook(request: Request) -> Response:
        taken.append((dict(request.headers), await request.body()))
        return Response(status_code=204)

    @app.post("/status/{code}")
    def status(code: int) -> Response:
        return Response(status_code=code)

    @app.post("/elsewhere")
    def elsewhere() -> Response:
        return RedirectResponse("/hook", status_code=307)

    with serving(app) as address:
        yield address, taken


@pytest.fixture
def webhook():
    made = Webhook(outbound(allow_private_hosts=True), user_agent="kiosque")
    yield made
    made.close()


def post(webhook: Webhook, address: str) -> None:
    webhook.post(address, b'{"a": 1}', secret=SECRET, message_id="m1", at=NOW)


def test_a_webhook_is_signed_over_id_time_and_body(webhook, receiver):
    address, taken = receiver
    post(webhook, address + "/hook")
    ((headers, body),) = taken
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    right = base64.b64encode(hmac.new(b"s" * 32, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{right}"
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("m1", "86400")
    assert json.loads(body) == {"a": 1}


@pytest.mark.parametrize(("code", "final"), [(500, False), (404, False), (410, True)])
def test_what_a_receiver_refuses_is_said(webhook, receiver, code, final):
    with pytest.raises(OutputUnavailable, match=str(code)) as caught:
        post(webhook, f"{receiver[0]}/status/{code}")
    assert caught.value.final is final


def test_redirects_are_not_followed(webhook, receiver):
    with pytest.raises(OutputUnavailable, match="307"):
        post(webhook, receiver[0] + "/elsewhere")
    assert receiver[1] == []


def test_nobody_there_is_said(webhook):
    with pytest.raises(OutputUnavailable, match="cannot be reached"):
        post(webhook, f"http://127.0.0.1:{free_port()}/")


def test_this_machines_own_network_is_out_of_reach(receiver):
    careful = Webhook(outbound(allow_private_hosts=False), user_agent="kiosque")
    with pytest.raises(OutputUnavailable, match="not on the public internet"):
        post(careful, receiver[0] + "/hook")
    careful.close()
    assert receiver[1] == []


@pytest.mark.parametrize(
    "address",
    ["", "ftp://a.example", "https://", "https://u:p@a.example/", "http://a b/", "https://a/\r\nX: y"],
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(InvalidInput):
        checked_address(address)


def test_the_check_in_the_manual_works():
    """The receiver's ten lines, as they stand in the documentation."""
    text = (CHECKOUT / "docs/how-to/alerts.md").read_text()
    found: dict[str, Any] = {}
    exec(text.split("```python\n")[1].split("```")[0], found)
    body, now = b'{"a": 1}', 1_800_000_000
    headers = {"webhook-id": "m1", "webhook-timestamp": str(now)}
    headers["webhook-signature"] = signature(SECRET, "m1", now, body)
    assert found["is_right"](SECRET, headers, body, now=now)
    assert not found["is_right"](SECRET, headers, body + b" ", now=now)
    assert not found["is_right"](SECRET, headers, body, now=now + 301)


def mail_at(port: int, **more: Any) -> Mail:
    return Mail(MailServer("127.0.0.1", port, "none", "Kiosque <k@example.org>", **more))


def test_a_mail_arrives_as_it_was_meant():
    with mail_server() as box:
        text = "Änderung\n.\nende\n"
        mail_at(box.port).send("ana@example.org", "Größe", text, message_id="m1", at=NOW)
    (message,) = box.messages
    assert (message["To"], message["Subject"]) == ("ana@example.org", "Größe")
    assert message["Message-ID"] == "<m1@example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().replace("\r\n", "\n") == text


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A key and a certificate for 127.0.0.1 that nobody has signed."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    asked = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=mail",
    ]
    alternative = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [openssl, *asked, *alternative, "-keyout", key, "-out", cert], check=True, capture_output=True
    )
    return key, cert


@pytest.fixture
def encrypting(certificate):
    """A mail server that offers STARTTLS, and a context that trusts it."""
    key, cert = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with mail_server(context) as box:
        yield box, ssl.create_default_context(cafile=str(cert))


def starttls_at(port: int) -> MailServer:
    return MailServer("127.0.0.1", port, "starttls", "k@example.org", user="ana", password="secret")


def test_with_starttls_neither_password_nor_mail_goes_in_the_clear(encrypting):
    box, trusting = encrypting
    mail = Mail(starttls_at(box.port), context=trusting)
    mail.send("ana@example.org", "Hello", "Text", message_id="m1", at=NOW)
    assert box.encrypted == [True]
    (login,) = box.logins
    assert base64.b64decode(login.split()[-1]) == b"\0ana\0secret"


def test_a_mail_server_whose_certificate_nobody_knows_gets_neither(encrypting):
    box, _ = encrypting
    with pytest.raises(OutputUnavailable, match="SSLCertVerificationError"):
        Mail(starttls_at(box.port)).send("ana@example.org", "Hello", "Text", message_id="m1", at=NOW)
    assert (box.logins, box.messages) == ([], [])


def test_a_mail_server_without_starttls_gets_nothing_either():
    with mail_server() as box, pytest.raises(OutputUnavailable):
        Mail(starttls_at(box.port)).send("ana@example.org", "Hello", "Text", message_id="m1", at=NOW)
    assert (box.logins, box.messages) == ([], [])


def test_a_header_cannot_be_smuggled_in():
    with mail_server() as box, pytest.raises(ValueError, match=r"linefeed|newline|carriage"):
        mail_at(box.port).send("ana@example.org", "a\r\nBcc: b@example.org", "x", message_id="m", at=NOW)
    assert box.messages == []


@pytest.mark.parametrize(("reply", "final"), [("550 no such user", True), ("451 later", False)])
def test_a_refused_recipient_is_said(reply, final):
    with mail_server() as box:
        box.refusal = reply
        with pytest.raises(OutputUnavailable, match=reply[:3]) as caught:
            mail_at(box.port).send("ana@example.org", "s", "t", message_id="m", at=NOW)
    assert caught.value.final is final
    assert "ana@" not in str(caught.value)


def test_no_mail_server_is_said():
    with pytest.raises(OutputUnavailable, match="cannot be used"):
        mail_at(free_port()).send("ana@example.org", "s", "t", message_id="m", at=NOW)


@pytest.mark.parametrize("address", ["ana", "a@b\r\nRCPT TO:<x@y>", "a@b,c@d", "<a@b>", "a b@c", "@b"])
def test_what_is_no_mail_address_is_refused(address):
    with pytest.raises(InvalidInput):
        checked_recipients((address,))


def test_addresses_are_masked_and_senders_checked():
    assert masked("ana@example.org") == "a…@example.org"
    assert checked_sender("Kiosque <k@example.org>") == "Kiosque <k@example.org>"
    with pytest.raises(InvalidInput):
        checked_sender("nobody")
