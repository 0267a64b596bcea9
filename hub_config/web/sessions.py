"""Who is logged in to a site: kept here, in memory, and nowhere else.

A browser holds a handle of 256 random bits; the hub's token never leaves the process. A handle is looked up
by its digest, is good for one site, and is made anew at each log-in, so that none can be planted before. A
restart forgets all sessions: the hub tells again who is there, without a question to the person.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

_MOST: Final = 10_000


@dataclass(frozen=True)
class Message:
    """Something to say on the person's next page; `text` is French, with blanks."""

    text: str
    blanks: dict[str, object] = field(default_factory=dict)


@dataclass
class Session:
    """`token` is the hub's, for this person at this site; `csrf` the synchroniser token of its forms."""

    token: str = field(repr=False)
    csrf: str = field(repr=False)
    began: float
    seen: float
    messages: list[Message] = field(default_factory=list)


@dataclass(frozen=True)
class Arrival:
    """A log-in under way: whose browser began it, with which PKCE secret, and where it wants to go."""

    browser: str
    verifier: str = field(repr=False)
    next: str
    began: float


class Sessions:
    """`longest` and `idle` are seconds."""

    def __init__(self, longest: float, idle: float, clock: Callable[[], float]) -> None:
        self._longest, self._idle, self._clock = longest, idle, clock
        self._kept: dict[str, Session] = {}

    def begin(self, token: str, csrf: str | None = None) -> str:
        """A new handle. `csrf`: the token of the session's forms, which nobody had before."""
        handle, now = secrets.token_urlsafe(32), self._clock()
        self._forget_ended(now)
        _make_room(self._kept)
        self._kept[_digest(handle)] = Session(token, csrf or secrets.token_urlsafe(32), now, now)
        return handle

    def find(self, handle: str | None) -> Session | None:
        """The session of `handle`, seen now; None where there is none, or not any more."""
        session = self._kept.get(_digest(handle)) if handle else None
        if session is None:
            return None
        now = self._clock()
        if self._is_over(session, now):
            self.end(handle)
            return None
        session.seen = now
        return session

    def end(self, handle: str | None) -> None:
        if handle:
            self._kept.pop(_digest(handle), None)

    def _is_over(self, session: Session, now: float) -> bool:
        return now - session.began > self._longest or now - session.seen > self._idle

    def _forget_ended(self, now: float) -> None:
        """No token is kept of those who went without a word."""
        for key in [key for key, session in list(self._kept.items()) if self._is_over(session, now)]:
            self._kept.pop(key, None)


class Arrivals:
    """Log-ins under way. A state is good once, for a few minutes, in the browser that was given it."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds, self._clock = seconds, clock
        self._kept: dict[str, Arrival] = {}

    def begin(self, browser: str, wanted: str) -> tuple[str, Arrival]:
        """The state to send along, and what is remembered of it."""
        state = secrets.token_urlsafe(32)
        arrival = Arrival(_digest(browser), secrets.token_urlsafe(48), wanted, self._clock())
        _make_room(self._kept)
        self._kept[state] = arrival
        return state, arrival

    def take(self, state: str, browser: str | None) -> Arrival | None:
        """The arrival of `state`, which is used up whoever asks."""
        arrival = self._kept.pop(state, None)
        if arrival is None or not browser or self._clock() - arrival.began > self._seconds:
            return None
        return arrival if secrets.compare_digest(arrival.browser, _digest(browser)) else None


def _digest(handle: str) -> str:
    return hashlib.sha256(handle.encode("utf-8", "surrogateescape")).hexdigest()


def _make_room(kept: dict[str, Session] | dict[str, Arrival]) -> None:
    """The oldest goes first: whoever floods a site puts out others, and never fills its memory."""
    while len(kept) >= _MOST:
        kept.pop(next(iter(kept)), None)
