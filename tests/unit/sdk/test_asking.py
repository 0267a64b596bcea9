"""Asking through the SDK: expressions go out as they were written, answers come back as pandas and Arrow."""

from __future__ import annotations

import signal
import threading
import time

import ibis
import pandas as pd
import pyarrow as pa
import pytest

import p4dp_sdk as p4dp
from p4dp_sdk.wire.protocol import METADATA_KEY, Disclosure
from tests.unit.sdk.peer import TOKEN, Answer, Peer, arrow, disclosure


def top(workspace: p4dp.Workspace) -> ibis.Table:
    d = workspace.tables.diagnoses
    return d.group_by("cisp2").agg(patients=d.patient_id.nunique()).order_by(p4dp.desc("patients")).limit(20)


TOP = pa.table({"cisp2": ["K86", "T90", "SC"], "patients": pa.array([40, None, 12], pa.int64())})


def test_expression_arrives_as_written(peer: Peer, workspace: p4dp.Workspace) -> None:
    peer.query = lambda expr: arrow(TOP, disclosure())
    top(workspace).execute()
    d = ibis.table({"patient_id": "int64", "date": "date", "cisp2": "string"}, name="diagnoses")
    written = (
        d.group_by("cisp2").agg(patients=d.patient_id.nunique()).order_by(ibis.desc("patients")).limit(20)
    )
    assert peer.asked[0].equals(written)
    assert peer.authorisations[-1] == f"Bearer {TOKEN}"


def test_frame_keeps_whole_numbers_and_withheld_cells(peer: Peer, workspace: p4dp.Workspace) -> None:
    peer.query = lambda expr: arrow(TOP, disclosure())
    frame = top(workspace).execute()
    assert str(frame["patients"].dtype) == "Int64"
    assert frame["patients"].tolist() == [40, pd.NA, 12]
    assert isinstance(frame.attrs["p4dp"], Disclosure)
    assert frame.attrs["p4dp"].measures["patients"].withheld == 1


def test_to_pandas_is_execute(peer: Peer, workspace: p4dp.Workspace) -> None:
    peer.query = lambda expr: arrow(TOP, disclosure())
    pd.testing.assert_frame_equal(top(workspace).to_pandas(), top(workspace).execute())


def test_single_number(peer: Peer, workspace: p4dp.Workspace) -> None:
    peer.query = lambda expr: arrow(pa.table({"n": pa.array([123], pa.int64())}), disclosure())
    assert workspace.tables.diagnoses.count().execute() == 123


def test_single_number_withheld_says_so(peer: Peer, workspace: p4dp.Workspace) -> None:
    peer.query = lambda expr: arrow(pa.table({"n": pa.array([None], pa.int64())}), disclosure())
    with pytest.warns(p4dp.WithheldWarning, match="moins de 11 patients") as told:
        assert workspace.tables.diagnoses.count().execute() is pd.NA
    assert told[0].filename == __file__, "the line that asked, not ours"


def test_column_comes_back_as_series(peer: Peer, workspace: p4dp.Workspace) -> None:
    peer.query = lambda expr: arrow(pa.table({"patients": pa.array([40, None], pa.int64())}), disclosure())
    series = top(workspace).patients.execute()
    assert series.tolist() == [40, pd.NA]
    assert series.name == "patients"
    assert series.attrs["p4dp"].project == "these-ines"


def test_arrow_keeps_the_disclosure(peer: Peer, workspace: p4dp.Workspace) -> None:
    peer.query = lambda expr: arrow(TOP, disclosure())
    table = top(workspace).to_pyarrow()
    assert table.column("patients").to_pylist() == [40, None, 12]
    assert Disclosure.from_json(table.schema.metadata[METADATA_KEY]).snapshot == 1


def test_arrow_scalar_and_column(peer: Peer, workspace: p4dp.Workspace) -> None:
    peer.query = lambda expr: arrow(pa.table({"n": pa.array([5], pa.int64())}), disclosure())
    assert workspace.tables.diagnoses.count().to_pyarrow() == pa.scalar(5, pa.int64())
    peer.query = lambda expr: arrow(pa.table({"patients": pa.array([1, 2], pa.int64())}), disclosure())
    assert top(workspace).patients.to_pyarrow().to_pylist() == [1, 2]


def test_batches_are_no_larger_than_asked(peer: Peer, workspace: p4dp.Workspace) -> None:
    peer.query = lambda expr: arrow(TOP, disclosure())
    reader = top(workspace).to_pyarrow_batches(chunk_size=1)
    assert [batch.num_rows for batch in reader] == [1, 1, 1]


def test_batches_refuse_before_the_first_is_read(workspace: p4dp.Workspace) -> None:
    with pytest.raises(p4dp.EnclaveError):
        workspace.tables.diagnoses.to_pyarrow_batches()


def test_a_table_of_ones_own_travels_in_the_question(peer: Peer, workspace: p4dp.Workspace) -> None:
    peer.query = lambda expr: arrow(
        pa.table({"famille": ["cœur"], "patients": pa.array([40], pa.int64())}), disclosure()
    )
    families = ibis.memtable({"cisp2": ["K86", "T90"], "famille": ["cœur", "sucre"]})
    d = workspace.tables.diagnoses
    d.join(families, "cisp2").group_by("famille").agg(patients=d.patient_id.nunique()).execute()
    (own,) = peer.asked[0].op().find(ibis.expr.operations.InMemoryTable)
    assert own.data.to_frame().to_dict("list") == {"cisp2": ["K86", "T90"], "famille": ["cœur", "sucre"]}


def test_limits_become_part_of_the_question(peer: Peer, workspace: p4dp.Workspace) -> None:
    peer.query = lambda expr: arrow(TOP, disclosure())
    top(workspace).execute(limit=2)
    assert peer.asked[-1].op().n == 2
    ibis.options.sql.default_limit = 7
    try:
        top(workspace).execute()
    finally:
        ibis.options.sql.default_limit = None
    assert peer.asked[-1].op().n == 7


def test_parameters_become_literals(peer: Peer, workspace: p4dp.Workspace) -> None:
    peer.query = lambda expr: arrow(pa.table({"n": pa.array([5], pa.int64())}), disclosure())
    code = ibis.param("string")
    d = workspace.tables.diagnoses
    d.filter(d.cisp2 == code).count().execute(params={code: "T90"})
    assert "T90" in [node.value for node in peer.asked[0].op().find(ibis.expr.operations.Literal)]


def test_tables_of_two_connections_to_one_project_combine(peer: Peer, workspace: p4dp.Workspace) -> None:
    peer.query = lambda expr: arrow(pa.table({"n": pa.array([5], pa.int64())}), disclosure())
    again = p4dp.connect()
    d, p = workspace.tables.diagnoses, again.tables.patients
    assert d.join(p, "patient_id").count().execute() == 5
    again.close()


def test_rows_come_back_with_ordinary_types(peer: Peer, workspace: p4dp.Workspace) -> None:
    rows = pa.table(
        {
            "patient_id": pa.array([1, 2], pa.int64()),
            "sex": ["F", None],
            "age": pa.array([40, None], pa.int32()),
        }
    )
    peer.query = lambda expr: arrow(rows, disclosure("rows", measures={}, reasons=()))
    frame = workspace.tables.patients.execute()
    assert [str(dtype) for dtype in frame.dtypes] == ["int64", "object", "float64"]
    assert frame.attrs["p4dp"].protection == "rows"


def test_disclosure_survives_ordinary_use(peer: Peer, workspace: p4dp.Workspace, tmp_path) -> None:
    peer.query = lambda expr: arrow(TOP, disclosure())
    frame = top(workspace).execute()
    used = frame.sort_values("cisp2").head(2).rename(columns={"patients": "n"}).reset_index(drop=True).copy()
    assert used.attrs["p4dp"] == frame.attrs["p4dp"]
    frame.to_parquet(tmp_path / "top.parquet")
    kept = pd.read_parquet(tmp_path / "top.parquet")
    from p4dp_sdk.backend.results import disclosure_in

    assert disclosure_in(kept).measures == frame.attrs["p4dp"].measures


def test_two_results_concatenate(peer: Peer, workspace: p4dp.Workspace) -> None:
    peer.query = lambda expr: arrow(TOP, disclosure())
    assert len(pd.concat([top(workspace).execute(), top(workspace).execute()])) == 6


def test_sql_is_for_reading(workspace: p4dp.Workspace) -> None:
    assert "COUNT(DISTINCT" in ibis.to_sql(top(workspace))


def test_warehouse_is_read_only(workspace: p4dp.Workspace) -> None:
    for write in (
        workspace.backend.create_table,
        workspace.backend.drop_table,
        workspace.backend.create_view,
    ):
        with pytest.raises(ibis.common.exceptions.UnsupportedOperationError, match="lecture seule"):
            write("copie", workspace.tables.patients)


def test_an_interruption_hangs_up_on_the_gateway(peer: Peer, workspace: p4dp.Workspace) -> None:
    hung_up = threading.Event()

    def answer_late(expr: ibis.Expr) -> Answer:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)
        time.sleep(1.0)
        return 200, "text/plain", bytes(10_000_000)  # more than a socket holds

    def interrupt(*_args: object) -> None:
        raise KeyboardInterrupt

    peer.query, peer.hung_up = answer_late, hung_up
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            workspace.tables.diagnoses.execute()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert hung_up.wait(60)
