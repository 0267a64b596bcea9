"""The use cases of noisy answers: ask one, and see what is left to spend."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from hub_config.gateway import actions
from hub_config.gateway.actions import Admission, Call, Details, Gateway, Pieces, Task
from hub_config.gateway.answer import Answer
from hub_config.gateway.bodies import content_of, document_in
from hub_config.gateway.client import Client
from hub_config.gateway.documents import NoiseBudgetDocument
from hub_config.gateway.engine import Engine
from hub_config.gateway.execution import Question, Understood
from hub_config.gateway.noise.answering import Price, noisy_answer
from hub_config.gateway.stopping import Stop
from hub_config.gateway.workers import in_thread
from hub_config.governance.budgets import Account
from hub_config.governance.facts import AccessLevel
from p4dp_sdk.wire.errors import ErrorCode, Refusal

DEFAULT_CONTRIBUTIONS: Final = 5
_KEYS: Final = frozenset({"epsilon", "contributions", "query"})


@dataclass(frozen=True)
class _Request:
    epsilon: float
    contributions: int
    document: bytes


@asynccontextmanager
async def noise(gateway: Gateway, call: Call, client: Client) -> AsyncIterator[Pieces]:
    """The noisy answer to a question and a budget, recorded before its first piece is given."""

    def read(body: bytes, admission: Admission) -> Task:
        request = _read(body)
        epsilon = gateway.budgets.check(request.epsilon)

        def pay() -> None:
            if admission.facts.grant.access is not AccessLevel.SANDBOX:  # nobody real is in it
                gateway.budgets.charge(_account(admission), epsilon, call.request_id)

        price = Price(epsilon, request.contributions, pay)

        def compute(question: Question, understood: Understood, engine: Engine, stop: Stop) -> Answer:
            return noisy_answer(question, understood, engine, stop, price)

        return Task(request.document, compute, of_own=False)

    async with actions.answered(gateway, call, client, "gateway.noise", read) as pieces:
        yield pieces


async def budget(gateway: Gateway, call: Call) -> NoiseBudgetDocument:
    """What the project, and each of its members, may still spend on its snapshot."""

    async def work(_: Details) -> NoiseBudgetDocument:
        admission = await actions.admit(gateway, call)
        budgets = gateway.budgets
        left = await in_thread(gateway.office, lambda: budgets.left(_account(admission)))
        return NoiseBudgetDocument(
            left=left,
            total=budgets.total,
            each=budgets.each,
            snapshot=admission.snapshot.number,
            request_id=call.request_id,
        )

    return await actions.recorded(gateway, call, "gateway.noise-budget", work)


def _account(admission: Admission) -> Account:
    """By the snapshot a rolling project was founded on: the next one holds the same people, and gives no new
    budget."""
    return Account(admission.facts.slug, admission.call.binding.user, admission.facts.anchor)


def _read(body: bytes) -> _Request:
    """Raises Refusal for a body that does not have the form `{"epsilon": …, "query": {…}}`."""
    content = content_of(body)
    if not isinstance(content, dict) or not {"epsilon", "query"} <= set(content) <= _KEYS:
        raise Refusal(ErrorCode.MALFORMED, problem="epsilon and query are needed")
    contributions = content.get("contributions", DEFAULT_CONTRIBUTIONS)
    if not _is_number(content["epsilon"]) or type(contributions) is not int:
        raise Refusal(ErrorCode.MALFORMED, problem="epsilon is a number, contributions a whole number")
    return _Request(float(content["epsilon"]), contributions, document_in(content["query"]))


def _is_number(value: Any) -> bool:
    """JSON's true is an int to Python; a whole number too large for a float is none here."""
    return type(value) is float or (type(value) is int and abs(value) < 2**53)
