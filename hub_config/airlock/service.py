"""What the airlock does besides showing pages, while its process lives: the workspaces' door, notices, drafts
that nobody touches.

A task that fails is logged and begun again after a pause; the pages stay up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from fastapi import FastAPI

from hub_config.airlock.actions.tending import tend
from hub_config.airlock.notices.sending import mailer, send_due
from hub_config.airlock.pages.desk import Desk

Task = Callable[[Desk], Awaitable[None]]
"""Runs until it is cancelled."""

_PAUSE_SECONDS: Final = 5.0
_TEND_SECONDS: Final = 60.0
_MAIL_SECONDS: Final = 15.0
_log = logging.getLogger(__name__)


async def tending(desk: Desk) -> None:
    """What is approved leaves, who is late is reminded, who is away is stood in for, old drafts go."""
    while True:
        await asyncio.to_thread(tend, desk.store, desk.shelf, desk.settings, desk.now())
        await asyncio.sleep(_TEND_SECONDS)


async def mailing(desk: Desk) -> None:
    """Notices leave by mail, where there is a server; without one they show in the browser only."""
    post = mailer(desk.settings)
    while post is not None:
        await asyncio.to_thread(send_due, desk.store, desk.settings, post.send, desk.now())
        await asyncio.sleep(_MAIL_SECONDS)
    await asyncio.Event().wait()


@dataclass(frozen=True)
class Service:
    desk: Desk
    tasks: tuple[Task, ...] = field(default=())

    @asynccontextmanager
    async def run(self, app: FastAPI) -> AsyncIterator[None]:
        """The tasks, from start to end of the process."""
        running = [asyncio.create_task(_kept_up(task, self.desk)) for task in self.tasks]
        try:
            yield
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


async def _kept_up(task: Task, desk: Desk) -> None:
    while True:
        try:
            await task(desk)
        except Exception:
            _log.exception("%s ended; beginning it again", getattr(task, "__name__", task))
        await asyncio.sleep(_PAUSE_SECONDS)
