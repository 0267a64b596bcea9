"""Rows as numbers and back, the SQL of Spark worked out by DuckDB: the same rows, whatever stands in them."""

from __future__ import annotations

from collections import Counter
from datetime import date

import duckdb
import ibis
import numpy as np
import pyarrow as pa
import pytest
import sqlglot
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub_config.gateway.engines.packing import Packing
from hub_config.gateway.engines.texts import Texts
from p4dp_sdk.wire.errors import ErrorCode, Refusal

SCHEMA = ibis.schema(
    {"date": "date", "cisp2": "string", "__patient": "int64", "__physician": "int32", "born": "date"}
)
CODES = ["T90", "K86", ""]
ROW = st.tuples(
    st.none() | st.dates(),
    st.none() | st.sampled_from(CODES),
    st.none() | st.integers(0, 2**28 + 1) | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.integers(0, 2**18 + 1) | st.integers(-(2**31), 2**31 - 1),
    st.none() | st.dates(),
)
EDGES = [
    (date(1790, 7, 25), "T90", 0, 0, None),
    (date(1790, 7, 24), "T90", 2**28 - 2, 2**18 - 2, None),
    (date(2149, 6, 5), None, 2**28 - 1, 2**18 - 1, date.min),
    (date(2149, 6, 6), "", -1, -1, date.max),
    (None, None, None, None, None),
]
HASH = "CREATE MACRO xxhash64(t) AS CAST(hash(t) >> 1 AS BIGINT)"


def asked(sql: str, rows: pa.Table) -> pa.Table:
    with duckdb.connect() as connection:
        connection.execute(HASH)
        connection.register("facts", rows)
        translated = sqlglot.transpile(sql, read="spark", write="duckdb")[0]
        return connection.execute(translated).to_arrow_table()


def hashed(*texts: str) -> NDArray[np.int64]:
    with duckdb.connect() as connection:
        connection.execute(HASH)
        return np.array([connection.execute("SELECT xxhash64(?)", [text]).fetchone()[0] for text in texts])


def codes(*texts: str) -> Texts:
    found = Texts.of(pa.array(texts, pa.string()), hashed(*texts))
    assert found is not None
    return found


@settings(max_examples=30, deadline=None)
@given(st.lists(ROW, max_size=8), st.booleans())
@example(EDGES, True)
@example(EDGES, False)
def test_the_same_rows(rows, listed):
    schema = SCHEMA.to_pyarrow()
    table = pa.table(list(zip(*rows, strict=True)) or [[]] * len(schema), schema=schema)
    packing = Packing.of(SCHEMA, {"cisp2": codes(*CODES)} if listed else {})
    packed = asked(packing.packed("SELECT * FROM facts"), table)
    columns = ["packed_0", "packed_1"] if listed else ["packed_0", "cisp2", "born"]
    assert packed.column_names == columns, "63 bits are full"
    found = [packing.unpacked(batch) for batch in packed.to_batches()]
    left = asked(packing.left("SELECT * FROM facts"), table).cast(schema)
    assert left.num_rows + sum(batch.num_rows for batch in found) == table.num_rows
    whole = [*found, *map(packing.listed, left.to_batches())]
    assert all(pa.types.is_dictionary(batch["cisp2"].type) == listed for batch in whole)
    assert Counter(str(row) for batch in whole for row in batch.to_pylist()) == Counter(
        map(str, table.to_pylist())
    )


def test_a_text_that_is_in_no_list_is_another_copys():
    """Most of them show: there are more numbers than texts."""
    known = codes(*(f"A{i}" for i in range(20)))
    packing = Packing.of(SCHEMA, {"cisp2": known})
    numbers = (hashed(*(f"B{i}" for i in range(20))) >> known.shift) & known.missing
    stranger = next(f"B{i}" for i, number in enumerate(numbers) if number not in known.numbers)
    row = (date(2020, 1, 1), stranger, 5, 3, None)
    table = pa.table([[value] for value in row], schema=SCHEMA.to_pyarrow())
    packed = asked(packing.packed("SELECT * FROM facts"), table)
    for read, rows in ((packing.unpacked, packed), (packing.listed, table)):
        with pytest.raises(Refusal) as refused:
            read(*rows.to_batches())
        assert refused.value.code is ErrorCode.SNAPSHOT_CORRUPT


@pytest.mark.parametrize(
    "columns",
    [{"__patient": "int64"}, {"__patient": "int64", "value": "float64", "age": "int32"}, {"code": "string"}],
)
def test_one_column_is_sent_as_it_is(columns):
    assert Packing.of(ibis.schema(columns)) is None
