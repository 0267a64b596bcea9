"""A warehouse small enough to check by hand: twelve patients, four GPs, with NULL, ties, 29 February and
empty groups.

`FRAMES` are the visible tables as pandas; `engine()` holds them in DuckDB with the hidden columns; `ask`
builds the query that the gateway would authorise. Nothing here is shared with the code under test but the
catalogue's classes.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from types import SimpleNamespace

import ibis
import pandas as pd
import pyarrow as pa

from hub_config.gateway.engine import Session
from hub_config.gateway.evidence import measure
from hub_config.gateway.keyring import Keyring
from hub_config.gateway.rules.limits import refuse_too_many
from hub_config.gateway.rules.plan import (
    AuthorisedQuery,
    BoundTable,
    MeasureKind,
    ProtectedTable,
    Release,
    ReleasePlan,
)
from hub_config.gateway.rules.protect import Shown, table
from hub_config.gateway.stopping import Stop
from hub_config.governance.facts import AccessLevel
from p4dp_sdk.catalogue.model import Column, Role, Table, Unit
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.disclosure.primary import withheld
from p4dp_sdk.wire.errors import ErrorCode, Refusal

D = datetime.date
FIRST, LAST = D(2019, 1, 1), D(2021, 12, 31)
CODES: Mapping[str, tuple[str, ...]] = {
    "sex": ("F", "M"),
    "age_band": ("00-09", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70-79", "80-89", "90+"),
    "cisp2": ("A04", "K86", "K87", "R74", "R80", "T90", "SC"),
    "type": ("office", "home", "remote"),
    "centre": ("C1", "C2", "C3"),
    "region": ("North", "South"),
    "measure": ("weight", "hba1c"),
}


class LoosePolicy(Policy):
    """A test double: the floors taken out."""

    def __post_init__(self) -> None:
        pass


STRICT = Policy()
LOOSE = LoosePolicy(
    min_patients=1, min_physicians=1, min_outside=0, max_physician_share=1.0, dominance_k=1.0, p_percent=0.0
)
RING = Keyring(bytes(range(32)))


def _column(name: str, dtype: str, role: Role, codes: str | None = None, **more: object) -> Column:
    return Column(name, dtype, role, name, name, codes=codes, **more)


_PATIENT = _column("patient_id", "int64", Role.PATIENT)
_EVENT = _column("consultation_id", "int64", Role.EVENT)
_CENTRE = _column("centre_id", "string", Role.CODE, "centre")
_DATE = _column("date", "date", Role.DATE)


def _table(
    name: str, unit: Unit, columns: tuple[Column, ...], date: str | None = None, key: str | None = None
) -> Table:
    return Table(name, unit, name, name, name, name, columns, date=date, key=key)


TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        _table(
            "patients",
            Unit.PERSON,
            (
                _PATIENT,
                _CENTRE,
                _column("sex", "string", Role.CODE, "sex"),
                _column("birth_month", "date", Role.DATE),
                _column("age", "int32", Role.NUMERIC, unit="a", bounds=(0.0, 120.0)),
                _column("age_band", "string", Role.CODE, "age_band"),
            ),
            key="patient_id",
        ),
        _table(
            "consultations",
            Unit.PERSON,
            (_EVENT, _PATIENT, _CENTRE, _DATE, _column("type", "string", Role.CODE, "type")),
            date="date",
            key="consultation_id",
        ),
        _table(
            "diagnoses",
            Unit.PERSON,
            (_EVENT, _PATIENT, _CENTRE, _DATE, _column("cisp2", "string", Role.CODE, "cisp2")),
            date="date",
        ),
        _table(
            "biometrics",
            Unit.PERSON,
            (
                _PATIENT,
                _DATE,
                _column("measure", "string", Role.CODE, "measure"),
                _column("value", "float64", Role.NUMERIC, bounds=(0.0, 400.0)),
                _column("value_raw", "string", Role.RAW),
            ),
            date="date",
        ),
        _table("physicians", Unit.PHYSICIAN, (_CENTRE, _column("sex", "string", Role.CODE, "sex"))),
        _table(
            "centres",
            Unit.PUBLIC,
            (_CENTRE, _column("region", "string", Role.CODE, "region")),
            key="centre_id",
        ),
    )
}

# patient, GP, centre, sex, birth month, age, age band
_PATIENTS = [
    (1, 1, "C1", "F", D(1950, 2, 1), 71, "70-79"),
    (2, 1, "C1", "M", D(1951, 3, 1), 70, "70-79"),
    (3, 2, "C1", "F", D(1980, 2, 1), 41, "40-49"),
    (4, 2, "C1", "M", D(1981, 6, 1), 40, "40-49"),
    (5, 3, "C2", "F", D(1982, 6, 1), 39, "30-39"),
    (6, 3, "C2", "F", D(1983, 1, 1), 38, "30-39"),
    (7, 3, "C2", "M", D(2012, 2, 1), 9, "00-09"),
    (8, 4, "C2", None, D(2012, 2, 1), 9, "00-09"),
    (9, 4, "C2", "F", None, None, None),
    (10, 4, "C2", "M", D(1950, 2, 1), 71, "70-79"),
    (11, 1, "C1", "F", D(1955, 5, 1), 66, "60-69"),
    (12, None, "C1", "M", D(1956, 5, 1), 65, "60-69"),
]
# consultation, patient, GP, centre, date, type
_CONSULTATIONS = [
    (101, 1, 1, "C1", D(2020, 2, 29), "office"),
    (102, 1, 1, "C1", D(2020, 3, 2), "office"),
    (103, 1, 2, "C1", D(2020, 12, 31), "home"),
    (104, 2, 1, "C1", D(2020, 2, 29), "office"),
    (105, 2, 1, "C1", D(2021, 1, 1), None),
    (106, 3, 2, "C1", D(2019, 12, 30), "office"),
    (107, 4, 2, "C1", D(2020, 2, 28), "office"),
    (108, 5, 3, "C2", D(2020, 6, 15), "home"),
    (109, 5, 3, "C2", D(2020, 6, 15), "office"),
    (110, 6, 3, "C2", D(2020, 6, 16), "office"),
    (111, 7, 3, "C2", D(2021, 6, 17), "office"),
    (112, 8, 4, "C2", D(2021, 6, 18), "office"),
    (113, 9, 4, "C2", D(2021, 6, 18), "home"),
    (114, 10, 4, "C2", None, "office"),
    (115, 11, 1, "C1", D(2019, 2, 28), "office"),
]
# consultation, patient, GP, centre, date, code
_DIAGNOSES = [
    (101, 1, 1, "C1", D(2020, 2, 29), "T90"),
    (102, 1, 1, "C1", D(2020, 3, 2), "K86"),
    (102, 1, 1, "C1", D(2020, 3, 2), "T90"),
    (103, 1, 2, "C1", D(2020, 12, 31), "T90"),
    (104, 2, 1, "C1", D(2020, 2, 29), "K86"),
    (104, 2, 1, "C1", D(2020, 2, 29), "T90"),
    (105, 2, 1, "C1", D(2021, 1, 1), "R74"),
    (106, 3, 2, "C1", D(2019, 12, 30), "R80"),
    (107, 4, 2, "C1", D(2020, 2, 28), "R80"),
    (108, 5, 3, "C2", D(2020, 6, 15), "R74"),
    (109, 5, 3, "C2", D(2020, 6, 15), "K86"),
    (110, 6, 3, "C2", D(2020, 6, 16), "SC"),
    (111, 7, 3, "C2", D(2021, 6, 17), "R74"),
    (112, 8, 4, "C2", D(2021, 6, 18), "R74"),
    (113, 9, 4, "C2", D(2021, 6, 18), None),
    (114, 10, 4, "C2", None, "T90"),
]
# patient, GP, date, measure, value, value as exported
_BIOMETRICS = [
    (1, 1, D(2020, 2, 29), "weight", 80.0, "80"),
    (1, 1, D(2020, 3, 2), "weight", 82.0, "82"),
    (1, 1, D(2020, 3, 2), "hba1c", 7.5, "7,5"),
    (2, 1, D(2020, 2, 29), "weight", 80.0, "80"),
    (2, 1, D(2021, 1, 1), "hba1c", 6.5, "6,5"),
    (3, 2, D(2019, 12, 30), "weight", None, "abc"),
    (4, 2, D(2020, 2, 28), "weight", 61.5, "61,5"),
    (5, 3, D(2020, 6, 15), "weight", 70.0, "70"),
    (6, 3, D(2020, 6, 16), "weight", 70.0, "70"),
    (7, 3, D(2021, 6, 17), "weight", 30.0, "30"),
    (10, 4, None, "hba1c", 8.0, "8"),
]
_PHYSICIANS = [(1, "C1", "F"), (2, "C1", "M"), (3, "C2", "F"), (4, "C2", "F")]
_CENTRES = [("C1", "North"), ("C2", "South"), ("C3", "South")]

_STORED: Mapping[str, tuple[list[tuple[object, ...]], str]] = {
    "patients": (_PATIENTS, "patient_id __physician centre_id sex birth_month age age_band"),
    "consultations": (_CONSULTATIONS, "consultation_id patient_id __physician centre_id date type"),
    "diagnoses": (_DIAGNOSES, "consultation_id patient_id __physician centre_id date cisp2"),
    "biometrics": (_BIOMETRICS, "patient_id __physician date measure value value_raw"),
    "physicians": (_PHYSICIANS, "__physician centre_id sex"),
    "centres": (_CENTRES, "centre_id region"),
}


def repeated(times: int) -> dict[str, pa.Table]:
    """The stored tables, every patient, GP and consultation copied `times` times under new numbers."""
    return {name: _stored(name, times) for name in _STORED}


def _stored(name: str, times: int) -> pa.Table:
    rows, names = _STORED[name]
    columns = names.split()
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    copies = [frame] if name == "centres" else [_renumbered(frame, copy) for copy in range(times)]
    whole = pd.concat(copies, ignore_index=True)
    arrays = {}
    for column in columns:
        dtype = "int32" if column == "__physician" else TABLES[name].column(column).dtype
        values = [None if pd.isna(value) else value for value in whole[column]]
        arrays[column] = pa.array(values, type=ibis.dtype(dtype).to_pyarrow())
    if TABLES[name].unit is Unit.PERSON:
        arrays["__patient"] = arrays["patient_id"]
    return pa.table(arrays)


def _renumbered(frame: pd.DataFrame, copy: int) -> pd.DataFrame:
    shifted = frame.copy()
    for column, step in (("patient_id", 1_000), ("consultation_id", 1_000), ("__physician", 10)):
        if column in shifted:
            shifted[column] = [value if pd.isna(value) else value + copy * step for value in shifted[column]]
    return shifted


def engine(times: int = 1) -> ibis.BaseBackend:
    connection = ibis.duckdb.connect()
    for name, stored in repeated(times).items():
        connection.create_table(name, stored)
    return connection


def frames() -> SimpleNamespace:
    """The visible tables, for the pandas reference: NULL is None in text, <NA> in whole numbers, NaT in
    dates."""
    return SimpleNamespace(**{name: _frame(name, table) for name, table in repeated(1).items()})


def _frame(name: str, table: pa.Table) -> pd.DataFrame:
    frame = table.select([c for c in table.column_names if not c.startswith("__")]).to_pandas()
    for column in frame:
        dtype = TABLES[name].column(column).dtype
        if dtype == "date":
            frame[column] = pd.to_datetime(frame[column])
        elif dtype.startswith("int"):
            frame[column] = frame[column].astype("Int64")
    return frame


def tables() -> SimpleNamespace:
    """What an analyst holds: unbound tables with the visible columns."""
    return SimpleNamespace(**{name: ibis.table(schema(name), name=name) for name in TABLES})


def schema(name: str) -> ibis.Schema:
    if name not in TABLES:
        raise Refusal(ErrorCode.UNKNOWN_TABLE, table=name)
    return ibis.schema({column.name: column.dtype for column in TABLES[name].columns})


def ask(
    expression: ibis.Expr,
    connection: ibis.BaseBackend,
    policy: Policy = STRICT,
    access: AccessLevel = AccessLevel.AGGREGATE,
) -> AuthorisedQuery:
    bound = {name: BoundTable(TABLES[name], connection.table(name)) for name in TABLES}
    return AuthorisedQuery(expression, bound, CODES, (FIRST, LAST), access, policy)


def answer(plan: ReleasePlan, connection: ibis.BaseBackend, policy: Policy) -> pa.Table:
    """What the service does with a plan: measure, withhold, and finish over the protected tables alone. Noise
    is left out, so that what is counted can be checked."""
    above, measuring = ibis.duckdb.connect(), session(connection)
    for public in plan.publics:
        above.create_table(public.name, connection.to_pyarrow(public.expression))
    for release in plan.releases:
        above.create_table(release.name, protected(release, measuring, policy).frame)
    return above.to_pyarrow(plan.post)


def protected(release: Release, measuring: Session, policy: Policy) -> ProtectedTable:
    cells = measure(measuring, release, policy, RING)
    masks = {
        c.measure.name: withheld(c.backing, policy, magnitude=c.measure.kind is MeasureKind.SUM)[0]
        for c in cells.columns
    }
    refuse_too_many(masks, policy)
    shown = {c.measure.name: Shown(c.exact, masks[c.measure.name]) for c in cells.columns}
    return table(release, cells.labels, shown)


def session(connection: ibis.BaseBackend) -> Session:
    """What the gateway measures in, over the tables of `connection`."""
    found = connection.con.execute(
        "SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE function_type = 'aggregate'"
    ).fetchall()
    return Session(connection.con, Stop(600.0), frozenset(name for (name,) in found))
