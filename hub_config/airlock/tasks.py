"""What the airlock's process does beside answering: it tends the requests and mails the notices, until it is
cancelled.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from hub_config.airlock.actions.tending import tend
from hub_config.airlock.notices.sending import mailer, send_due
from hub_config.airlock.shelf import Shelf
from hub_config.governance.store import Store
from hub_config.settings import Settings

_TENDING_SECONDS: Final = 60.0
_MAILING_SECONDS: Final = 5.0
_log = logging.getLogger(__name__)


class Desk(Protocol):
    @property
    def store(self) -> Store: ...
    @property
    def shelf(self) -> Shelf: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def now(self) -> Callable[[], datetime]: ...


async def tending(desk: Desk) -> None:
    """Begins at once: what was approved when a process died is released at the next start."""
    while True:
        await asyncio.to_thread(tend, desk.store, desk.shelf, desk.settings, desk.now())
        await asyncio.sleep(_TENDING_SECONDS)


async def mailing(desk: Desk) -> None:
    """Without a mail server it says so once, and rests."""
    post = mailer(desk.settings)
    if post is None:
        _log.info("no mail server is set (mail.host): notices show in the browser only")
        await asyncio.Event().wait()
        return
    while True:
        await asyncio.to_thread(send_due, desk.store, desk.settings, post.send, desk.now())
        await asyncio.sleep(_MAILING_SECONDS)
