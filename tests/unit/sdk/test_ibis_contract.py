"""What `ibis_interface` leans on in Ibis, tested one by one: an Ibis that changes any of it fails here, by
name."""

from __future__ import annotations

import inspect
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pytest
from ibis.backends import BaseBackend

import p4dp_sdk as p4dp
from p4dp_sdk.backend import Backend
from p4dp_sdk.backend.gateway import Gateway

ROOT = Path(__file__).parents[3]


def test_every_abstract_method_is_given() -> None:
    assert not inspect.isabstract(Backend)


INTERFACE = {"ibis_interface.py", "schemas.py"}
READ_EXPRESSIONS = {"ages.py", "events.py", "miswritten.py", "origins.py"}  # in the wire's words, Ibis's own


def test_only_one_file_imports_ibis_internals() -> None:
    assert importing("ibis.backends", "ibis.common", "ibis.expr.schema") <= INTERFACE
    assert importing("ibis.expr.operations") <= INTERFACE | READ_EXPRESSIONS


def importing(*internals: str) -> set[str]:
    """The files of the SDK, the wire aside, that import one of these."""
    sdk = [path for path in (ROOT / "p4dp_sdk").rglob("*.py") if "wire" not in path.parts]
    return {
        path.name
        for path in sdk
        if any(f"import {name}" in (text := path.read_text()) or f"from {name}" in text for name in internals)
    }


def test_entry_point_is_declared_and_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][
        "ibis.backends"
    ]
    entry = EntryPoint("p4dp", declared["p4dp"], "ibis.backends")
    monkeypatch.setattr(ibis.util, "backend_entry_points", lambda: [entry])
    monkeypatch.delattr(ibis, "p4dp", raising=False)
    assert ibis.p4dp.has_operation(ops.CountDistinct)
    assert not ibis.p4dp.has_operation(ops.RandomScalar)
    monkeypatch.delattr(ibis, "p4dp")


def test_the_backend_connects_by_itself(workspace: p4dp.Workspace) -> None:
    backend = Backend().connect()
    assert backend.list_tables() == ["diagnoses", "patients"]
    assert backend.list_tables(like="^pat") == ["patients"]
    assert backend.tables["patients"].columns == ("patient_id", "sex", "age")
    backend.disconnect()


def test_tables_know_their_backend(workspace: p4dp.Workspace) -> None:
    table = workspace.tables.patients
    assert isinstance(table.op(), ops.DatabaseTable)
    assert table.get_backend() == workspace.backend
    assert table.schema() == ibis.schema({"patient_id": "int64", "sex": "string", "age": "int32"})


def test_identity_is_the_socket() -> None:
    one, same, other = Backend(), Backend(), Backend()
    for backend, path in ((one, "/a"), (same, "/a"), (other, "/b")):
        backend.do_connect(Gateway(path, "token"), dict)
    assert one == same != other
    assert hash(one) == hash(same)
    for backend in (one, same, other):
        backend.disconnect()


def test_nothing_secret_is_pickled_or_shown(workspace: p4dp.Workspace) -> None:
    assert workspace.backend.__getstate__() == {"_con_args": (), "_con_kwargs": {}}
    assert "token-of-this-server" not in workspace.backend.db_identity


@pytest.mark.parametrize("name", ["_filter_with_like", "reconnect", "db_identity", "_from_url"])
def test_names_of_the_base_class_are_still_there(name: str) -> None:
    assert hasattr(BaseBackend, name) or hasattr(Backend, name)


def test_expressions_convert_results_themselves() -> None:
    table = ibis.table({"a": "int64"}, name="t")
    assert table.a.sum().__pyarrow_result__(pa.table({"x": [3]})) == pa.scalar(3)
    assert table.a.__pandas_result__(pd.DataFrame({"a": [3]})).tolist() == [3]
    assert isinstance(table.a, ir.Column)
    assert isinstance(table.a.sum(), ir.Scalar)


def test_parameters_are_nodes_that_can_be_replaced() -> None:
    asked = ibis.param("int64")
    expr = ibis.table({"a": "int64"}, name="t").filter(lambda t: t.a == asked)
    replaced = expr.op().replace({asked.op(): ops.Literal(3, asked.type())})
    assert not replaced.find(ops.ScalarParameter)
