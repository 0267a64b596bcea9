"""One's own rows, where numbers of consultations are not what they should be; and where one's number goes."""

from __future__ import annotations

from dataclasses import dataclass, field

import ibis
import pyarrow as pa
import pytest

from hub_config.gateway.engines.port import stored
from hub_config.gateway.engines.postgresql import compiled
from hub_config.gateway.own import rows as own
from hub_config.gateway.own.rows import gather_own, own_rows
from hub_config.governance.persons.facts import Link, Standing
from p4dp_sdk.catalogue.load import load_catalogue

CATALOGUE = load_catalogue()
NUMBER = 471_147
ROW = "INSERT INTO diagnoses VALUES "


@pytest.fixture
def engine():
    """Intern 1 saw patient 10 at consultation 5. Another practice calls a consultation with patient 20 so."""
    connection = ibis.duckdb.connect()
    connection.raw_sql("CREATE TEMP TABLE own_log (consultation_id BIGINT, patient_no BIGINT)")
    connection.raw_sql("INSERT INTO own_log VALUES (5, 10)")
    connection.raw_sql("CREATE TABLE diagnoses (consultation_id BIGINT, patient_no BIGINT, cisp2 VARCHAR)")
    connection.raw_sql(ROW + "(5, 10, 'R74'), (5, 20, 'T90'), (NULL, 10, 'K86'), (6, 10, 'L03')")
    yield connection
    connection.disconnect()


def test_a_consultation_brings_in_nobody_else(engine):
    rows = own_rows(engine.table("diagnoses"), CATALOGUE.tables["diagnoses"], Standing.INTERN)
    assert rows.cisp2.execute().tolist() == ["R74"]


@dataclass
class Asked:
    """A session that keeps what it is told and what an engine elsewhere is asked."""

    tables: dict[str, pa.Table] = field(default_factory=dict)
    sql: list[str] = field(default_factory=list)

    def stored_type(self, table, column):
        return "INTEGER"

    def store(self, name, table):
        self.tables[name] = table

    def ask(self, expression):
        self.sql.append(compiled(expression, "snapshot_1"))
        return expression.schema().to_pyarrow().empty_table()


def as_a_literal(rows, column):
    """A test double: the number stands in what is asked."""
    return rows.filter(rows[column] == NUMBER)


@pytest.mark.parametrize("defended", [False, True], ids=["as-a-literal", "for-real"])
@pytest.mark.parametrize("standing", list(Standing))
def test_no_number_stands_in_what_an_engine_notes(monkeypatch, standing, defended):
    """It goes along as a row, and chooses the rows."""
    if not defended:
        monkeypatch.setattr(own, "_of_number", as_a_literal)
    session = Asked()
    gather_own(session, Link("ines", "a source", standing, NUMBER))
    for name in ("training_log", "patients", "diagnoses"):
        table = CATALOGUE.tables[name]
        rows = stored(name, {column.stored_as: column.dtype for column in table.columns})
        session.sql.append(compiled(own_rows(rows, table, standing), "snapshot_1"))
    assert any(str(NUMBER) in sql for sql in session.sql) is not defended
    assert session.tables["own_number"].to_pylist() == [{"number": NUMBER}]
    assert (sum("own_number" in sql for sql in session.sql) > 0) is defended
