"""From where somebody acts: an address, a workspace's socket, a terminal. Set once at the door of a program,
carried by the event.

A door says it with `acting_from("address:192.0.2.7")` around what it serves, or `AtAddress(app)` does for a
whole web application; every event made inside then says so, whichever action makes it. What was not said is
None, never a guess. A place is what the enclave's own side of a connection saw, never what a request claims.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

MAX_PLACE: Final = 120

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_place: ContextVar[str | None] = ContextVar("p4dp_place", default=None)


def current_place() -> str | None:
    return _place.get()


@contextmanager
def acting_from(place: str | None) -> Iterator[None]:
    """Events made inside say this place; tasks and threads started inside by asyncio carry it along."""
    token = _place.set(printable(place))
    try:
        yield
    finally:
        _place.reset(token)


def printable(place: str | None) -> str | None:
    """A place as the log keeps it: short, without spaces or controls."""
    if not place:
        return None
    return "".join(sign if sign.isprintable() and sign != " " else "·" for sign in place)[:MAX_PLACE]


def at_address(address: str | None) -> str | None:
    """The place of who is at this network address."""
    return f"address:{address}" if address else None


class AtAddress:
    """An ASGI application whose events say the address that the server saw the request come from."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        with acting_from(at_address(client[0] if client else None)):
            await self.app(scope, receive, send)


def terminal() -> str:
    """Where a command was typed: the terminal the system knows, or that there is none."""
    for descriptor in (0, 1, 2):
        try:
            return f"terminal:{os.ttyname(descriptor).removeprefix('/dev/')}"
        except OSError:
            continue
    return "terminal:none"
