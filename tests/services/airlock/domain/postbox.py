"""A mail server in this process, with TLS or without. It keeps what it is given, or answers as it is told."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from hub_config.sections import MailSettings


class Catcher:
    """`spoken` is what came besides greetings: who sends, to whom, and with which password."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []
        self.spoken: list[str] = []
        self.encrypted: list[bool] = []
        self.answer = "250 OK"

    async def handle_MAIL(  # noqa: N802  (aiosmtpd's own names)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.spoken.append(f"MAIL {address}")
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.letters.append(envelope)
        self.encrypted.append(session.ssl is not None)
        return "250 OK"

    @property
    def mails(self) -> list[Any]:
        return [
            message_from_bytes(bytes(each.original_content or b""), policy=default) for each in self.letters
        ]


@contextmanager
def listening(tls: ssl.SSLContext | None = None, **options: Any) -> Iterator[tuple[Catcher, int]]:
    """The server and its port. `tls`: what it offers STARTTLS with."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    caught = Catcher()
    controller = Controller(caught, hostname="127.0.0.1", port=port, tls_context=tls, **options)
    controller.start()
    try:
        yield caught, port
    finally:
        controller.stop()


def mail_settings(port: int, **changed: Any) -> MailSettings:
    usual = {
        "host": "127.0.0.1",
        "port": port,
        "starttls": False,
        "sender": "sas@p4dp.example",
        "domain": "univ.example",
        "seconds": 5,
    }
    return MailSettings(**{**usual, **changed})
