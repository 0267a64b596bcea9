"""Every measure of this room against a reference written apart: plain Python over pandas frames of a small
preset A. Equal to the row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import duckdb
import ibis
import pandas as pd
import pytest
from dateutil.relativedelta import relativedelta

from hub_config.warehouse.synthesis.presets import Preset
from hub_config.warehouse.synthesis.run import synthesise
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Unit
from p4dp_sdk.indicators.indicator import Indicator
from p4dp_sdk.indicators.registry import measures

DATES = [date(2022, 12, 31), date(2021, 3, 15), date(2020, 2, 29), date(2012, 6, 30)]
Members = dict[int, set[str]]  # who is counted, and the conditions that each meets


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The snapshot's tables as a notebook has them."""
    snapshot = synthesise(tmp_path_factory.mktemp("indicators"), preset=Preset.A, scale=0.04, seed=3)
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{snapshot.database}' AS stored (READ_ONLY)")
        names = [
            name
            for name, table in load_catalogue().tables.items()
            if table.unit in (Unit.PERSON, Unit.PHYSICIAN)
        ]
        for name in names:
            renamed = "" if name == "physicians" else " RENAME (patient_no AS patient_id)"
            connection.execute(f'CREATE VIEW "{name}" AS SELECT *{renamed} FROM stored."{name}"')
        backend = ibis.duckdb.from_connection(connection)
        yield SimpleNamespace(**{name: backend.table(name) for name in names})


@pytest.fixture(scope="module")
def frames(tables: Any) -> Any:
    """The same as lists of records; dates are `date`, what is missing is None."""
    return SimpleNamespace(**{name: _records(table.execute()) for name, table in vars(tables).items()})


def _records(frame: pd.DataFrame) -> list[Any]:
    days = [name for name in frame if name.endswith(("date", "month"))]
    for name in days:
        frame[name] = pd.to_datetime(frame[name]).dt.date
    clean = frame.astype(object).where(frame.notna(), None)
    return list(clean.itertuples(index=False))


def of(measure: str, tables: Any, on: date, *by: str) -> pd.DataFrame:
    return Indicator(measures()[measure], tables, date(2022, 12, 31)).measure(by, at=on).frame


# -- the reference


def _active(frames: Any, on: date) -> dict[int, Any]:
    since = on - relativedelta(months=24)
    seen = {c.patient_id for c in frames.consultations if c.date and since < c.date <= on}
    watched = {p.patient_id for p in frames.observation_periods if p.start_date <= on <= p.end_date}
    return {
        p.patient_id: p
        for p in frames.patients
        if p.patient_id in seen & watched and not (p.death_month and p.death_month <= on)
    }


def _age(patient: Any, on: date) -> int | None:
    if patient.birth_month is None:
        return None
    return (12 * (on.year - patient.birth_month.year) + on.month - patient.birth_month.month) // 12


SPLIT = {
    "A10BD07": {"metformin", "sitagliptin"}, "A10BA02": {"metformin"}, "A10BH01": {"sitagliptin"},
    "C09BB04": {"perindopril", "amlodipine"}, "C09AA04": {"perindopril"}, "C08CA01": {"amlodipine"},
    "G03AA07": {"levonorgestrel", "ethinylestradiol"}, "R03AK07": {"formoterol", "budesonide"},
    "J01CR02": {"amoxicillin"}, "J01CA04": {"amoxicillin"},
}  # fmt: skip


def _several(frames: Any, on: date, kept: Callable[[Any], bool]) -> Members:
    taken: dict[int, set[str]] = defaultdict(set)
    for row in frames.prescriptions:
        if row.atc and kept(row):
            taken[row.patient_id] |= SPLIT.get(row.atc, {row.atc})
    return {
        who: {name for name, least in (("five", 5), ("ten", 10)) if len(taken[who]) >= least}
        for who in _active(frames, on)
    }


def at_once(frames: Any, on: date) -> Members:
    def lasts(row: Any) -> bool:
        days = row.duration_days or 0
        return row.date is not None and row.date <= on < row.date + timedelta(days=days)

    return _several(frames, on, lasts)


def cumulated(frames: Any, on: date) -> Members:
    since = on - relativedelta(months=3)
    return _several(frames, on, lambda row: row.date is not None and since < row.date <= on)


def continuous(frames: Any, on: date) -> Members:
    since = on - relativedelta(months=12)
    days: dict[Any, set[date]] = defaultdict(set)
    large: dict[Any, set[date]] = defaultdict(set)
    for row in frames.prescriptions:
        if row.date and since < row.date <= on:
            days[row.patient_id, row.atc].add(row.date)
            if row.pack_size == "large":
                large[row.patient_id, row.atc].add(row.date)
    regular = {drug for drug in days if len(days[drug]) >= 3 or len(large[drug]) >= 2}
    return _several(frames, on, lambda row: (row.patient_id, row.atc) in regular)


def mentioned(frames: Any, on: date) -> Members:
    found: dict[int, set[str]] = defaultdict(set)
    for row in frames.history:
        if row.kind in ("tobacco", "alcohol", "drugs") and row.date and row.date <= on:
            found[row.patient_id].add(row.kind)
    return {who: found[who] for who in _active(frames, on)}


def exposed(kind: str) -> Callable[[Any, date], Members]:
    rank = {"no": 0, "former": 1, "current": 2}

    def reference(frames: Any, on: date) -> Members:
        last: dict[int, tuple[date, int]] = {}
        for row in frames.history:
            if row.kind == kind and row.status in rank and row.date and row.date <= on:
                said = (row.date, rank[row.status])
                last[row.patient_id] = max(said, last.get(row.patient_id, said))
        names = [{"known"}, {"known", "former"}, {"known", "current"}]
        return {who: names[last[who][1]] if who in last else set() for who in _active(frames, on)}

    return reference


PATIENTS: dict[str, tuple[Callable[[Any, date], Members], str | None]] = {
    "polymedication_simultanee": (at_once, None),
    "polymedication_cumulee": (cumulated, None),
    "polymedication_continue": (continuous, None),
    "dependance_mention": (mentioned, None),
    "exposition_tabac": (exposed("tobacco"), "known"),
    "exposition_alcool": (exposed("alcohol"), "known"),
    "exposition_drogues": (exposed("drugs"), "known"),
}


@pytest.mark.parametrize("on", DATES, ids=str)
@pytest.mark.parametrize("name", PATIENTS)
def test_shares_by_sex_and_age(name: str, on: date, tables: Any, frames: Any) -> None:
    reference, inside = PATIENTS[name]
    members, people = reference(frames, on), _active(frames, on)
    expected: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
    measure = measures()[name]
    for who, conditions in members.items():
        if inside is not None and inside not in conditions:
            continue
        for condition in measure.numerators:
            cell = expected[people[who].sex, _band(_age(people[who], on)), measure.name_of(condition)]
            cell[0] += 1
            cell[1] += condition in conditions
    frame = of(name, tables, on, "sex", "age_band")
    found = {
        (row.sex, row.age_band, row.indicator): [row.denominator, row.numerator]
        for row in frame.itertuples()
        if row.denominator
    }
    assert found == dict(expected)
    assert sum(cell[1] for cell in expected.values()) > 0 or on.year == 2012, "something to compare"


def _band(age: int | None) -> str:
    if age is None:
        return "non renseigné"
    return "90+" if age >= 90 else f"{age // 10 * 10:02d}-{age // 10 * 10 + 9:02d}"


@pytest.mark.parametrize("on", DATES, ids=str)
def test_the_active_list_by_centre(on: date, tables: Any, frames: Any) -> None:
    frame = of("general_file_active", tables, on, "centre_id")
    expected: dict[str, int] = defaultdict(int)
    for patient in _active(frames, on).values():
        expected[patient.centre_id] += 1
    assert frame.set_index("centre_id")["patients"].to_dict() == dict(expected)


@pytest.mark.parametrize(
    "table",
    ["consultations", "reasons", "diagnoses", "procedures", "history", "biometrics", "lab_results",
     "prescriptions", "vaccinations"],
)  # fmt: skip
def test_counts_by_year(table: str, tables: Any, frames: Any) -> None:
    asked = Indicator(measures()[f"general_{table}"], tables, DATES[0])
    frame = asked.measure(every="year", between=("2000-01-01", "2022-12-31")).frame
    rows: dict[int, int] = defaultdict(int)
    people: dict[int, set[int]] = defaultdict(set)
    for row in getattr(frames, table):
        if row.date and date(2000, 1, 1) <= row.date <= date(2022, 12, 31):
            rows[row.date.year] += 1
            people[row.date.year].add(row.patient_id)
    found = frame.set_index("year")
    assert found["rows"].to_dict() == dict(rows)
    assert found["patients"].to_dict() == {year: len(some) for year, some in people.items()}


@pytest.mark.parametrize(("name", "codes"), [("activite_grippe", {"R80"}), ("activite_gastro", {"D73"})])
def test_weekly_rates(name: str, codes: set[str], tables: Any, frames: Any) -> None:
    frame = Indicator(measures()[name], tables, DATES[0]).measure(
        every="week", between=("2017-01-02", "2022-12-31")
    ).frame  # fmt: skip
    ill = {d.consultation_id for d in frames.diagnoses if d.cisp2 in codes}
    expected: dict[date, list[int]] = defaultdict(lambda: [0, 0])
    for contact in frames.consultations:
        if contact.date and date(2017, 1, 2) <= contact.date <= DATES[0]:
            cell = expected[contact.date - timedelta(days=contact.date.weekday())]
            cell[0] += 1
            cell[1] += contact.consultation_id in ill
    found = {pd.Timestamp(row.week).date(): [row.denominator, row.numerator] for row in frame.itertuples()}
    assert found == dict(expected) and sum(cell[1] for cell in expected.values()) > 0


@pytest.mark.parametrize(("name", "table"), [("motifs", "reasons"), ("diagnostics", "diagnoses")])
def test_top_twenty(name: str, table: str, tables: Any, frames: Any) -> None:
    top = Indicator(measures()[name], tables, DATES[0]).top(20, between=("2000-01-01", "2022-12-31")).frame
    counts: dict[str, int] = defaultdict(int)
    for row in getattr(frames, table):
        counts[row.cisp2] += 1
    expected = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:20]
    assert list(zip(top["cisp2"], top["rows"], strict=True)) == expected


def test_the_log(tables: Any, frames: Any) -> None:
    between = ("2000-01-01", "2022-12-31")
    asked = Indicator(measures()["carnet_supervision"], tables, DATES[0])
    frame = asked.measure("level", between=between).frame
    for row in frame.itertuples():
        entries = [e for e in frames.training_log if e.level == row.level and e.supervision]
        wanted = "autonomous" if row.indicator == "en autonomie" else "direct"
        assert row.denominator == len(entries)
        assert row.numerator == sum(e.supervision == wanted for e in entries)
    named = Indicator(measures()["carnet_competences"], tables, DATES[0]).measure(between=between).frame
    labels = {c.label_fr: c.code for c in load_catalogue().code_systems["competence"].codes}
    for row in named.itertuples():
        code = labels[row.indicator]
        assert row.numerator == sum(
            code in (e.competence_1, e.competence_2, e.competence_3) for e in frames.training_log
        )


def test_gps_by_sex(tables: Any, frames: Any) -> None:
    frame = Indicator(measures()["general_medecins"], tables, DATES[0]).measure("sex").frame
    counts: dict[str, int] = defaultdict(int)
    for physician in frames.physicians:
        counts[physician.sex] += 1
    assert frame.set_index("sex")["rows"].to_dict() == dict(counts)
