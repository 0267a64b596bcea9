"""Texts that come as a list and numbers stand so, and are read as texts by whoever asks."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from hub_config.gateway.engines.port import temporary
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from tests.unit.gateway_engines.far import COLUMNS, World, asked, running

CODES = pa.array(["K86", "nobody has it", None, "T90"])


@pytest.fixture
def world() -> Iterator[World]:
    with running() as found:
        found.far.sent = listed
        yield found


def listed(batch: pa.RecordBatch, codes: pa.Array = CODES) -> pa.RecordBatch:
    """As an engine may send it; every tenth patient has no code."""
    if "code" not in batch.schema.names:
        return batch
    known = {text: number for number, text in enumerate(codes.to_pylist())}
    texts = batch["code"].to_pylist()
    numbers = [known[None if i % 10 == 0 else text] for i, text in enumerate(texts)]
    column = pa.DictionaryArray.from_arrays(pa.array(numbers, pa.int16()), codes)
    return batch.set_column(batch.schema.get_field_index("code"), "code", column)


def test_they_are_read_as_texts(world: World) -> None:
    with world.session() as session:
        facts = temporary("facts", COLUMNS)
        by_code = facts.group_by("code").agg(n=facts.count(), people=facts.patient_no.nunique())
        rows = [asked(session, by_code.filter(by_code.code == code).select("n")) for code in ("K86", "T90")]
        assert rows == [{"n": 500}, {"n": 400}]
        assert asked(session, by_code.filter(by_code.code.isnull()).select("n")) == {"n": 100}
        told = facts.agg(kind=facts.code.upper().max(), n=facts.count())
        assert asked(session, told) == {"kind": "T90", "n": 1_000}
    assert len(world.far.reads) < 4


def test_numbers_stand_there(world: World) -> None:
    assert world.total("patient_no", "code") == {"patient_no": 1_000, "code": 2}
    (kept,) = world.rows._kept
    assert kept.stored.lists == {"code"}
    types = world.engine._connection.cursor().execute(f"DESCRIBE {kept.stored.rows}").fetchall()
    assert {name: dtype for name, dtype, *_ in types} == {"patient_no": "BIGINT", "code": "SMALLINT"}
    assert "JOIN" not in kept.stored.sql(["patient_no"]), "who doesn't read them joins nothing"
    assert world.total("patient_no") == {"patient_no": 1_000}
    assert len(world.far.reads) == 1


@pytest.mark.parametrize("codes", [CODES[::-1], pa.array(["K86", "T90", None])])
def test_a_batch_of_another_list_is_no_part_of_it(world: World, codes: pa.Array) -> None:
    """Its numbers would be read as other texts."""
    parts = iter((CODES, codes))

    def sent(batch: pa.RecordBatch) -> pa.RecordBatch:
        return listed(batch, next(parts))

    world.far.sent, world.far.rows_at_once = sent, 500
    with pytest.raises(Refusal) as refused:
        world.total("code")
    assert refused.value.code is ErrorCode.ENGINE_FAILED
    assert world.databases() == 0
