"""Each batch is judged by what is in it; only the SQL that asks is kept from one to the next."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from ibis.backends.sql import SQLBackend

from hub_config.warehouse.loader.requirements import Holds
from hub_config.warehouse.loader.rules import Rule
from hub_config.warehouse.loader.validation import Validation


def broken(validation: Validation, connection: duckdb.DuckDBPyConnection, rows: str) -> list[int]:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE judged AS {rows}")
    found: list[int] = validation.broken(connection, "judged")["place"].to_pylist()
    return found


def test_the_sql_of_a_check_is_written_once_and_its_answer_never_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[str] = []
    write = SQLBackend.compile

    def noted(self: Any, *said: Any, **also: Any) -> str:
        written.append(write(self, *said, **also))
        return written[-1]

    monkeypatch.setattr(SQLBackend, "compile", noted)
    validation = Validation((Holds("fits", "c", Rule.MISSING),))
    with duckdb.connect() as connection:
        assert broken(validation, connection, "FROM (VALUES (true), (false), (true)) t(fits)") == [1]
        assert written
        before = len(written)
        assert broken(validation, connection, "FROM (VALUES (false), (true), (NULL)) t(fits)") == [0]
        assert broken(validation, connection, "FROM (VALUES (true), (true)) t(fits)") == []
        assert len(written) == before
        other = "SELECT 7 AS more, fits FROM (VALUES (true), (false)) t(fits)"
        assert broken(validation, connection, other) == [1]  # other columns: asked anew
        assert len(written) > before
    with duckdb.connect() as another:
        assert broken(validation, another, "FROM (VALUES (false), (false)) t(fits)") == [0, 1]
