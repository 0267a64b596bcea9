"""One's own rows, where numbers of consultations are not what they should be."""

from __future__ import annotations

import ibis
import pytest

from hub_config.gateway.own.rows import own_rows
from hub_config.governance.persons.facts import Link, Standing
from p4dp_sdk.catalogue.load import load_catalogue

INTERN = Link("ines", "a source", Standing.INTERN, 1)
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
    rows = own_rows(engine.table("diagnoses"), load_catalogue().tables["diagnoses"], INTERN)
    assert rows.cisp2.execute().tolist() == ["R74"]
