"""Requests of re-contact in the governance store, as the gateway asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub_config.governance.recontact import requests
from hub_config.governance.recontact.facts import Listed, RecontactRequest
from hub_config.governance.recontact.problems import BadRecontact, Why
from hub_config.governance.recontact.requests import Asked
from hub_config.governance.store import Store
from p4dp_sdk.wire.errors import ErrorCode, Refusal

_WORDS: Final = {
    Why.TOO_MANY_OPEN: "three requests of the project are open already",
    Why.TOO_MANY_A_YEAR: "twelve requests of the project within a year",
}


@dataclass(frozen=True)
class StoredRecontacts:
    store: Store

    def check(self, project: str, at: datetime) -> None:
        with _in_words(), self.store.session() as session:
            requests.check_may_ask(session, project, at=at)

    def ask(self, user: str, asked: Asked, people: Iterable[Listed], at: datetime) -> RecontactRequest:
        with _in_words(), self.store.change() as session:
            return requests.ask(session, asked, people, at=at, audit=self.store.recorder(user))

    def of_project(self, project: str) -> list[RecontactRequest]:
        with self.store.session() as session:
            return requests.requests_of(session, project)


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except BadRecontact as problem:
        raise Refusal(ErrorCode.RECONTACT_REFUSED, why=_WORDS.get(problem.why, problem.why.value)) from None
