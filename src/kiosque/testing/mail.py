"""A mail server for tests: real SMTP on a real socket, which keeps what it is given."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast


@dataclass
class MailBox:
    """What came in. `refusal` is answered to recipients instead of taking them; `logins` are what AUTH PLAIN sent."""

    port: int = 0
    refusal: str | None = None
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, box: MailBox, context: ssl.SSLContext | None) -> None:
        self.box, self.context = box, context
        super().__init__(("127.0.0.1", 0), _Session)


class _Session(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self._encrypted = False
        self._say("220 ready")
        while line := self.rfile.readline(2000):
            verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            if not self._answer(verb.upper(), rest):
                return

    def finish(self) -> None:
        super().finish()
        self.connection.close()  # the server itself closes only the one that was there before STARTTLS

    def _answer(self, verb: str, rest: str) -> bool:
        if verb in ("EHLO", "HELO"):
            offers = ["127.0.0.1", *(["STARTTLS", "AUTH PLAIN"] if self.server.context else [])]
            for place, offer in enumerate(offers):
                self._say(f"250{' ' if place == len(offers) - 1 else '-'}{offer}")
        elif verb == "STARTTLS" and self.server.context:
            self._say("220 go")
            self._encrypt(self.server.context)
        elif verb == "AUTH":
            self.server.box.logins.append(rest)
            self._say("235 welcome")
        elif verb == "RCPT" and self.server.box.refusal:
            self._say(self.server.box.refusal)
        elif verb == "RCPT":
            self.server.box.recipients.append(rest)
            self._say("250 ok")
        elif verb == "DATA":
            self._say("354 go on")
            self._take()
        else:
            self._say("221 bye" if verb == "QUIT" else "250 ok")
        return verb != "QUIT"

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        parsed = message_from_bytes(b"".join(lines), policy=policy.default)
        self.server.box.messages.append(parsed)
        self.server.box.encrypted.append(self._encrypted)
        self._say("250 taken")

    def _encrypt(self, to: ssl.SSLContext) -> None:
        self.connection = self.request = to.wrap_socket(self.connection, server_side=True)
        self.rfile = cast("Any", self.connection.makefile("rb"))
        self.wfile = cast("Any", self.connection.makefile("wb", 0))
        self._encrypted = True

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def mail_server(context: ssl.SSLContext | None = None) -> Iterator[MailBox]:
    """A server on a free port of 127.0.0.1; with `context` it offers STARTTLS and AUTH."""
    box = MailBox()

    with _Server(box, context) as server:
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield box
        server.shutdown()
        thread.join(10)
