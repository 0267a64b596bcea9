"""How much one address and one person may ask for in a minute: far above what a person does by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from hub_config.web.answers import Told
from hub_config.web.texts import N_

TOO_FAST: Final = N_("Trop de demandes en peu de temps. Attendez une minute, puis rechargez la page.")


@dataclass(frozen=True)
class Rates:
    """Requests a minute. All people of an institution may share one address."""

    address: int = 1200
    logins: int = 120
    person: int = 300
    forms: int = 120


class Pace:
    def __init__(self, rates: Rates) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._address, self._logins, self._person, self._forms = (
            parse(f"{most}/minute") for most in (rates.address, rates.logins, rates.person, rates.forms)
        )

    def note_address(self, address: str) -> None:
        """Raises Told (429), as all of these."""
        self._note(self._limiter.hit(self._address, "address", address))

    def note_login(self, address: str) -> None:
        self._note(self._limiter.hit(self._logins, "login", address))

    def note_person(self, username: str, *, form: bool) -> None:
        self._note(self._limiter.hit(self._person, "person", username))
        if form:
            self._note(self._limiter.hit(self._forms, "form", username))

    @staticmethod
    def _note(within: bool) -> None:
        if not within:
            raise Told(429, TOO_FAST)
