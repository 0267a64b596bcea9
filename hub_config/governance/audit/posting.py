"""Sends one anchor by mail, through the site's `mail` settings. The message holds the anchor's line and
nothing else of the enclave."""

from __future__ import annotations

import os
import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP

from hub_config.governance.audit.failures import AuditFailure
from hub_config.settings import Settings

_PASSWORD = "P4DP_SMTP_PASSWORD"  # noqa: S105  (its name)


def mail_line(settings: Settings, line: str) -> None:
    """Send `line` to `audit.anchor_mail`. Raises AuditFailure with the remedy."""
    if not settings.mail.host:
        raise AuditFailure(
            "`audit.anchor_mail` is set, but no mail server: set `mail.host` and `mail.sender`."
        )
    try:
        _send(settings, _message(settings, line))
    except (OSError, smtplib.SMTPException) as error:
        raise AuditFailure(
            f"The anchor could not be mailed by {settings.mail.host} ({type(error).__name__}). "
            "Check `mail`, then run `p4dp-enclave audit anchor`."
        ) from None


def _message(settings: Settings, line: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = settings.mail.sender, settings.audit.anchor_mail
    message["Subject"] = "P4DP : ancre du journal d'audit"
    message.set_content(f"{line}\n", cte="7bit")
    return message


def _send(settings: Settings, message: EmailMessage) -> None:
    mail = settings.mail
    with smtplib.SMTP(mail.host, mail.port, timeout=mail.seconds) as server:
        if mail.starttls:
            server.starttls(context=ssl.create_default_context())
        if mail.username:
            server.login(mail.username, _password(settings))
        server.send_message(message)


def _password(settings: Settings) -> str:
    path = settings.keys_dir / "smtp-password"
    if _PASSWORD in os.environ:
        return os.environ[_PASSWORD]
    if not path.exists() or path.stat().st_mode & 0o077:
        raise AuditFailure(f"{path} is missing, or others can read it: write the password there, mode 600.")
    return path.read_text().strip()
