"""What lies under a NULL: an Arrow column has room for a value there, and an engine fills that room with
whatever it computed on the way, or its memory held before. None of it may leave."""

from __future__ import annotations

from datetime import date

import ibis
import numpy as np
import pyarrow as pa
import pytest

from hub_config.gateway import answer
from tests.services.gateway.peer_enclave import Workspace, table

HIDDEN = 271_828
TYPES = (
    pa.int8(),
    pa.uint64(),
    pa.float64(),
    pa.date32(),
    pa.timestamp("us"),
    pa.duration("s"),
    pa.bool_(),
)


def under_nulls(array: pa.Array) -> set[int]:
    """What stands where nothing is said to stand."""
    numbers = np.frombuffer(array.buffers()[1], np.int64)[array.offset : array.offset + len(array)]
    return {int(number) for number, known in zip(numbers, array.is_valid(), strict=True) if not known.as_py()}


@pytest.fixture
def computed() -> pa.RecordBatch:
    """A column as an engine may give it: the second number is withheld, and stands there all the same."""
    numbers = pa.array([11, HIDDEN, 12], pa.int64()).buffers()[1]
    known = pa.array([True, False, True]).buffers()[1]
    return pa.record_batch({"n": pa.Array.from_buffers(pa.int64(), 3, [known, numbers])})


def test_what_is_withheld_may_stand_under_its_null(computed: pa.RecordBatch) -> None:
    assert computed.column("n").to_pylist() == [11, None, 12]
    assert under_nulls(computed.column("n")) == {HIDDEN}


def test_an_answer_has_nothing_there(computed: pa.RecordBatch) -> None:
    conformed = answer.conformed(computed, computed.schema).column("n")
    assert conformed.to_pylist() == [11, None, 12]
    assert under_nulls(conformed) == {0}


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_every_kind_of_column_keeps_its_values(dtype: pa.DataType) -> None:
    one = pa.array([1], pa.int64()).cast(dtype) if dtype != pa.date32() else pa.array([date(2020, 1, 1)])
    whole = pa.concat_arrays([one, pa.nulls(9, dtype), one])
    for array in (whole, whole.slice(1), whole.slice(2, 5), whole.slice(0, 0)):
        emptied = answer.emptied(array)
        emptied.validate(full=True)
        assert emptied.equals(array) and emptied.type == dtype


@pytest.mark.parametrize("words", [["a", None], [None, "b"], [[1], None]], ids=str)
def test_texts_and_lists_too(words: list[object]) -> None:
    assert answer.emptied(pa.array(words)).to_pylist() == words


async def test_a_withheld_cell_has_nothing_under_its_mark(ines: Workspace) -> None:
    """A window over withheld counts: what the engine computed for them stays inside."""
    d = table("diagnoses")
    counted = d.group_by("cisp2").agg(n=d.patient_id.nunique())
    moved = counted.mutate(share=counted.n * 1_000 // counted.n.sum().over())
    asked = moved.mutate(before=moved.n.lag().over(ibis.window(order_by=moved.cisp2)))
    found, _ = await ines.answer(asked)
    for name in ("n", "share", "before"):
        for chunk in found.column(name).chunks:
            assert chunk.null_count and under_nulls(chunk.cast(pa.int64())) == {0}
