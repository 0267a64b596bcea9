"""Mails what is in the outbox: each notice once, retried while the server can't take it.

A notice is claimed before it is handed over, and marked as sent afterwards: a process that dies in between
leaves a claim, and such a notice is not mailed again (it may have arrived), but still shows in the browser.
Without an SMTP server, or an address, notices show in the browser only.
"""

from __future__ import annotations

import logging
import os
import smtplib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from enum import StrEnum
from pathlib import Path
from typing import Final, assert_never

from sqlalchemy import select

from hub_config.airlock.notices.letters import WORDINGS, Letter, compose
from hub_config.governance.notices.models import Notice, NoticeKind
from hub_config.governance.store import Store
from hub_config.keys import UnsafeKey
from hub_config.origins import service_origin
from hub_config.sections import MailSettings
from hub_config.settings import Settings

PASSWORD: Final = "P4DP_SMTP_PASSWORD"  # noqa: S105  (the name of a variable)
PASSWORD_FILE: Final = "smtp-password"  # noqa: S105
_PAUSES: Final = (1, 5, 15, 60, 240, 720, 1440)  # minutes until the next try
_STALE: Final = timedelta(days=7)
_MOST_AT_ONCE: Final = 50
_log = logging.getLogger(__name__)


class Delivery(StrEnum):
    SENT = "sent"
    LATER = "later"  # the server can't now
    NEVER = "never"  # the server will not, or there is no address


Post = Callable[[EmailMessage], Delivery]


@dataclass(frozen=True)
class Mailer:
    """One SMTP server. The password stays here."""

    settings: MailSettings
    password: str = field(default="", repr=False)

    def send(self, message: EmailMessage) -> Delivery:
        """Hand one mail over. What goes wrong is told by its kind, never by what the server said."""
        try:
            with smtplib.SMTP(self.settings.host, self.settings.port, timeout=self.settings.seconds) as smtp:
                if self.settings.starttls:
                    smtp.starttls(context=ssl.create_default_context())
                if self.settings.username:
                    smtp.login(self.settings.username, self.password)
                smtp.send_message(message)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as refusal:
            return _refused(refusal)
        except (smtplib.SMTPException, OSError) as failure:
            _log.warning("a notice could not be mailed now: %s", type(failure).__name__)
            return Delivery.LATER
        return Delivery.SENT


def mailer(settings: Settings, environ: Mapping[str, str] = os.environ) -> Mailer | None:
    """The server of the settings, with its password; None where there is none. Raises UnsafeKey."""
    if not settings.mail.host:
        return None
    return Mailer(settings.mail, environ.get(PASSWORD) or _password(settings.keys_dir / PASSWORD_FILE))


def send_due(store: Store, settings: Settings, post: Post, at: datetime) -> Mapping[Delivery, int]:
    """Mail what is due, one by one. How many went how."""
    done = dict.fromkeys(Delivery, 0)
    for _ in range(_MOST_AT_ONCE):
        letter = _claim(store, at)
        if letter is None:
            break
        delivery = _deliver(letter, settings, post)
        _settle(store, letter, delivery, at)
        done[delivery] += 1
    return done


def address_of(recipient: str, mail: MailSettings) -> str | None:
    """Where a person is written to; None where nobody said."""
    if "@" in recipient:
        return recipient
    return f"{recipient}@{mail.domain}" if mail.domain else None


def _deliver(letter: Letter, settings: Settings, post: Post) -> Delivery:
    address = address_of(letter.recipient, settings.mail)
    if address is None:
        return Delivery.NEVER
    origin = service_origin(settings.hub_url, WORDINGS[letter.kind].service)
    try:
        message = compose(letter, address=address, sender=settings.mail.sender, origin=origin)
    except ValueError:  # an address that is none
        return Delivery.NEVER
    return post(message)


def _claim(store: Store, at: datetime) -> Letter | None:
    """Take the next one: no other process sends it."""
    due = (
        select(Notice)
        .where(
            Notice.sent_at.is_(None),
            Notice.given_up_at.is_(None),
            Notice.claimed_at.is_(None),
            Notice.next_at <= at,
            Notice.created_at > at - _STALE,
        )
        .order_by(Notice.next_at, Notice.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    with store.change() as session:
        row = session.scalar(due)
        if row is None:
            return None
        row.claimed_at = at
        return Letter(row.id, row.recipient, NoticeKind(row.kind), row.request, at)


def _settle(store: Store, letter: Letter, delivery: Delivery, at: datetime) -> None:
    with store.change() as session:
        row = session.get_one(Notice, letter.number)
        row.attempts += 1
        match delivery:
            case Delivery.SENT:
                row.sent_at = at
            case Delivery.NEVER:
                row.given_up_at = at
            case Delivery.LATER if row.attempts > len(_PAUSES):
                row.given_up_at = at
            case Delivery.LATER:
                row.claimed_at, row.next_at = None, at + timedelta(minutes=_PAUSES[row.attempts - 1])
            case _:
                assert_never(delivery)


def _refused(
    refusal: smtplib.SMTPRecipientsRefused | smtplib.SMTPSenderRefused | smtplib.SMTPDataError,
) -> Delivery:
    """A code of 5xx is for good; 4xx is greylisting, a full box, a pause."""
    if isinstance(refusal, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _said in refusal.recipients.values()]
    else:
        codes = [refusal.smtp_code]
    return Delivery.NEVER if codes and all(code >= 500 for code in codes) else Delivery.LATER


def _password(path: Path) -> str:
    if not path.exists():
        return ""
    if path.stat().st_mode & 0o077:
        raise UnsafeKey(f"{path} can be read by other users. Run: chmod 600 {path}")
    return path.read_text().strip()
