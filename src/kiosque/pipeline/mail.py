"""E-mail by SMTP: plain text, one message a recipient."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr
from typing import Literal

from kiosque.core.errors import InvalidInput, OutputUnavailable

TIMEOUT = 20.0
"""Longest silence of the mail server, in seconds."""
MOST_RECIPIENTS = 20
# What mail servers of today take: printable ASCII without what an address could use to become two.
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?", re.ASCII
)
_REFUSED_FOR_GOOD = range(550, 555)

Tls = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in. `tls` is `starttls` (port 587), `tls` from the first byte (465), or `none`."""

    host: str
    port: int
    tls: Tls
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def checked_recipients(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """`addresses`, each once, as they are kept. Raises InvalidInput naming the one that is none."""
    kept = tuple(dict.fromkeys(address.strip() for address in addresses if address.strip()))
    for address in kept:
        if not _ADDRESS.fullmatch(address):
            raise InvalidInput(
                f"{address[:100]!r} is no e-mail address.", hint="Write it like ana@example.org."
            )
    if len(kept) > MOST_RECIPIENTS:
        raise InvalidInput(
            f"{len(kept)} recipients.", hint=f"Give at most {MOST_RECIPIENTS}, or a mailing list."
        )
    return kept


def masked(address: str) -> str:
    """What may be shown of an e-mail address to all who may read, e.g. `a…@example.org`."""
    name, _, host = address.partition("@")
    return f"{name[:1]}…@{host}"


def checked_sender(sender: str) -> str:
    """`sender` as it can stand in `From`: an address, or a name with an address. Raises InvalidInput."""
    name, address = parseaddr(sender)
    if not _ADDRESS.fullmatch(address) or not name.isprintable():
        raise InvalidInput(
            f"{sender[:100]!r} is no sender of mail.", hint="Write it like: Kiosque <kiosque@example.org>"
        )
    return formataddr((name, address))


class Mail:
    """Hands in messages. `context` is for tests, whose certificates nobody knows."""

    def __init__(self, server: MailServer, *, context: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._sender = checked_sender(server.sender)
        self._context = context

    def send(self, to: str, subject: str, text: str, *, message_id: str, at: datetime) -> None:
        """Returns when the server took it. `message_id` is the same in every try. Raises OutputUnavailable."""
        message = self._message(to, subject, text, message_id, at)
        try:
            with self._connected() as session:
                session.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, reply = next(iter(error.recipients.values()))
            raise OutputUnavailable(
                f"The mail server refused {masked(to)}: {code} {_words(reply)}",
                final=code in _REFUSED_FOR_GOOD,
            ) from None
        except smtplib.SMTPResponseException as error:
            raise OutputUnavailable(
                f"The mail server answered {error.smtp_code} {_words(error.smtp_error)}"
            ) from None
        except (smtplib.SMTPException, OSError) as error:
            raise OutputUnavailable(
                f"The mail server {self._server.host} cannot be used ({type(error).__name__}).",
                hint="Check KIOSQUE_SMTP_HOST, KIOSQUE_SMTP_PORT, KIOSQUE_SMTP_TLS and KIOSQUE_SMTP_USER.",
            ) from None

    def _message(self, to: str, subject: str, text: str, message_id: str, at: datetime) -> EmailMessage:
        message = EmailMessage(policy=SMTP)  # refuses a header with a line end
        message["From"] = self._sender
        message["To"] = to
        message["Subject"] = subject
        message["Date"] = format_datetime(at)
        message["Message-ID"] = f"<{message_id}@{parseaddr(self._sender)[1].partition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text, cte="quoted-printable")
        return message

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        server, context = self._server, self._context or ssl.create_default_context()
        if server.tls == "tls":
            session: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=TIMEOUT, context=context
            )
        else:
            session = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT)
        with session:
            if server.tls == "starttls":
                session.starttls(context=context)
            if server.user:
                session.login(server.user, server.password or "")
            yield session


def _words(reply: bytes | str) -> str:
    """A server's reply as it can be shown."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:200]
