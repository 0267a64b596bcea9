"""One question to a world of a few patients, by every rule of the gateway, and a rule taken out of it."""

from __future__ import annotations

import ibis
import pyarrow as pa
import pytest

from hub_config.gateway.rules.plan import ReleasePlan
from hub_config.gateway.rules.split import split
from p4dp_sdk.disclosure import primary
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.graph import decode, encode
from tests.conformance import world


def answer(asked: ibis.Expr | bytes, engine, policy: Policy = world.STRICT) -> list[dict[str, object]]:
    document = asked if isinstance(asked, bytes) else encode(asked)
    plan = split(world.ask(decode(document, world.schema), engine, policy))
    assert isinstance(plan, ReleasePlan)
    return world.answer(plan, engine, policy).to_pylist()


def refused(asked: ibis.Expr | bytes, engine) -> ErrorCode:
    with pytest.raises(Refusal) as refusal:
        answer(asked, engine)
    return refusal.value.code


def holding(**tables: list[dict[str, object]]) -> ibis.BaseBackend:
    """An engine whose tables hold these rows; columns not given are NULL."""
    engine = world.engine()
    for name, content in tables.items():
        stored = world.repeated(1)[name].schema
        engine.drop_table(name)
        filled = [{field.name: row.get(field.name) for field in stored} for row in content]
        engine.create_table(name, pa.Table.from_pylist(filled, schema=stored))
    return engine


def person(number: int, **columns: object) -> dict[str, object]:
    return {"patient_id": number, "__patient": number, "__physician": number % 4, **columns}


def take_out(rule: primary.Reason, monkeypatch: pytest.MonkeyPatch) -> None:
    """Primary rules as they are, but for one."""
    failures = primary.failures

    def others(*evidence, **known):
        return {reason: mask for reason, mask in failures(*evidence, **known).items() if reason is not rule}

    monkeypatch.setattr(primary, "failures", others)
