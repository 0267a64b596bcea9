"""Rows as numbers and back, the SQL of Spark worked out by DuckDB: the same rows, whatever stands in them."""

from __future__ import annotations

from collections import Counter
from datetime import date

import duckdb
import ibis
import pyarrow as pa
import pytest
import sqlglot
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub_config.gateway.engines.packing import Packing

SCHEMA = ibis.schema(
    {"date": "date", "cisp2": "string", "__patient": "int64", "__physician": "int32", "born": "date"}
)
ROW = st.tuples(
    st.none() | st.dates(),
    st.none() | st.sampled_from(["T90", "K86", ""]),
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


def asked(sql: str, rows: pa.Table) -> pa.Table:
    with duckdb.connect() as connection:
        connection.register("facts", rows)
        translated = sqlglot.transpile(sql, read="spark", write="duckdb")[0]
        return connection.execute(translated).to_arrow_table()


@settings(max_examples=30, deadline=None)
@given(st.lists(ROW, max_size=8))
@example(EDGES)
def test_the_same_rows(rows):
    schema = SCHEMA.to_pyarrow()
    table = pa.table(list(zip(*rows, strict=True)) or [[]] * len(schema), schema=schema)
    packing = Packing.of(SCHEMA)
    packed = asked(packing.packed("SELECT * FROM facts"), table)
    assert packed.column_names == ["packed", "cisp2", "born"], "63 bits are full"
    found = [packing.unpacked(batch).cast(schema) for batch in packed.to_batches()]
    left = asked(packing.left("SELECT * FROM facts"), table).cast(schema)
    assert left.num_rows == packed.column("packed").null_count
    whole = pa.concat_tables([pa.Table.from_batches(found, schema), left])
    assert Counter(map(str, whole.to_pylist())) == Counter(map(str, table.to_pylist()))


@pytest.mark.parametrize(
    "columns",
    [{"__patient": "int64"}, {"__patient": "int64", "value": "float64", "age": "int32"}, {"code": "string"}],
)
def test_one_column_is_sent_as_it_is(columns):
    assert Packing.of(ibis.schema(columns)) is None
