"""Runs blocking work in threads, and stops it when its time is up or nobody waits for it any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Final, TypeVar

from hub_config.gateway.client import Client
from hub_config.gateway.stopping import Stop, StopReason

T = TypeVar("T")

_INSIST_SECONDS: Final = 0.05  # an interrupt between two statements is lost: repeat it


async def in_thread(executor: Executor, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(executor, work)


async def watched(executor: Executor, work: Callable[[], T], stop: Stop, client: Client, seconds: float) -> T:
    """The result of `work`, which is stopped after `seconds` or when `client` leaves. Returns only once it
    has ended.
    """
    running = asyncio.ensure_future(in_thread(executor, work))
    gone = asyncio.create_task(client.wait_gone())
    try:
        await asyncio.wait({running, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        await _end(running, stop, StopReason.CLIENT_GONE if gone.done() else StopReason.TIME)
        return running.result()
    except asyncio.CancelledError:
        await _end(running, stop, StopReason.SHUTDOWN)
        raise
    finally:
        gone.cancel()


async def _end(running: asyncio.Future[T], stop: Stop, reason: StopReason) -> None:
    while not running.done():
        stop.trip(reason)
        await asyncio.wait({running}, timeout=_INSIST_SECONDS)
