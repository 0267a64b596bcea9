"""The queries of the judging: which rows a rule sees, with what a condition may ask of them. Text only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa

from hub_config.warehouse.quality.conditions import AGE_NAMED, BAD_HEIGHT, NOTE, VALUES, of_kinds
from hub_config.warehouse.quality.units import UnitProblem, conversion
from hub_config.warehouse.ranges import Range
from hub_config.warehouse.schema import literal
from p4dp_sdk.catalogue.quality import FINE, Effect, Plausible, load_height_limits, load_plausible, load_rules

_LIKE_FINE: Final = f"({literal(FINE)}, 'unit_converted', 'unit_missing')"
_ANTICOAGULANT: Final = "B01AA"
_ANTICOAGULATED_DAYS: Final = 365
_UNKNOWN_AGE: Final = -1
_NO_END: Final = 12 * 200
_MONTHS: Final = "CASE WHEN t.date >= p.birth_month THEN datediff('month', p.birth_month, t.date) END"


def measurements_seen(table: str, kind: str, patients: Range) -> str:
    """Rows of a table of measurements whose exported text is kept, with their person and their bounds."""
    return f"""
        WITH persons AS (
            SELECT t.rowid AS place, t.patient_no, t.physician_no, t.date, t.{kind} AS kind, t.value,
                t.unit, t.unit_raw, t.value_raw, t.dq_code, p.birth_month, p.death_month,
                {_MONTHS} AS months, CASE WHEN t.value IS NULL OR t.unit_raw <> t.unit
                THEN try_cast(replace(trim(t.value_raw), ',', '.') AS DOUBLE) END AS written,
                t.dq_code IS NULL OR t.dq_code = {literal(FINE)} AS fresh,
                t.dq_code IS NULL OR t.dq_code IN {_LIKE_FINE} AS sound,
                h.low AS z_low, h.high AS z_high,
                coalesce(u.convertible, true) AS convertible, u.factor, u.shift,
            FROM {table} t LEFT JOIN patients p USING (patient_no)
                LEFT JOIN quality_units u ON u.kind = t.{kind} AND u.unit = t.unit AND u.unit_raw = t.unit_raw
                LEFT JOIN quality_heights h ON h.kind = t.{kind} AND h.sex = p.sex AND h.months = {_MONTHS}
            WHERE t.value_raw IS NOT NULL AND t.patient_no BETWEEN {patients[0]} AND {patients[1]}
        ), units AS (
            SELECT *, fresh AND factor IS NOT NULL AND isfinite(written)
                AND (value IS NULL OR value = written) AS converts,
                coalesce(dq_code = 'out_of_range', false) AND value IS NULL
                AND (unit_raw IS NULL OR unit_raw = unit) AS reopened,
            FROM persons
        ), harmonised AS (
            SELECT *, CASE WHEN converts THEN written * factor + shift ELSE value END AS h FROM units
        )
        SELECT s.*, coalesce(h, CASE WHEN reopened THEN written END) AS number, b.low, b.high
        FROM harmonised s LEFT JOIN quality_bounds b ON b.kind = s.kind AND b.unit = s.unit
            AND coalesce(s.months, {_UNKNOWN_AGE}) >= b.from_months
            AND coalesce(s.months, {_UNKNOWN_AGE}) < b.to_months
    """  # noqa: S608


def doses_seen(patients: Range) -> str:
    """Rows of vaccinations, their label without accents, and whether it is a note."""
    return f"""
        WITH persons AS (
            SELECT t.rowid AS place, t.patient_no, t.physician_no, t.date, t.date_precision, t.atc,
                t.label_raw, t.dq_code, p.birth_month, p.death_month, {_MONTHS} AS months,
                lower(strip_accents(trim(t.label_raw))) AS label,
                t.dq_code IS NULL OR t.dq_code = {literal(FINE)} AS sound,
            FROM vaccinations t LEFT JOIN patients p USING (patient_no)
            WHERE t.patient_no BETWEEN {patients[0]} AND {patients[1]}
        )
        SELECT *, regexp_matches(label, {literal(NOTE)}) OR coalesce(abs(
            try_cast(regexp_extract(label, {literal(AGE_NAMED)}, 1) AS INTEGER) - months // 12) > 2, false
        ) AS is_note
        FROM persons
    """  # noqa: S608


def with_units(table: str, kind: str) -> str:
    """The kinds of which some rows came with a unit."""
    return f"SELECT DISTINCT {kind} FROM {table} WHERE unit_raw IS NOT NULL"  # noqa: S608


def copied(pairs: Sequence[tuple[str, str]]) -> str:
    """Both rows of two quantities that have one value on one day."""
    found = (
        f"SELECT unnest([a.place, b.place]) FROM quality_seen a JOIN quality_seen b "  # noqa: S608
        "ON a.patient_no = b.patient_no AND a.date = b.date AND a.h = b.h "
        f"AND a.kind = {literal(one)} AND b.kind = {literal(other)}"
        for one, other in pairs
    )
    return " UNION ".join(found)


def treated(patients: Range) -> str:
    """INR of people who were prescribed a vitamin-K antagonist in the year before."""
    return f"""
        SELECT DISTINCT s.place FROM quality_seen s JOIN prescriptions r ON r.patient_no = s.patient_no
            AND r.date BETWEEN s.date - {_ANTICOAGULATED_DAYS} AND s.date
        WHERE s.kind = 'inr' AND r.atc LIKE '{_ANTICOAGULANT}%'
            AND r.patient_no BETWEEN {patients[0]} AND {patients[1]}
    """  # noqa: S608


def repeated(what: str) -> str:
    """All but the first of rows that are the same in patient, GP, date and `what`."""
    return f"""
        SELECT unnest(list_sort(list(place))[2:]) FROM quality_seen
        GROUP BY patient_no, physician_no, date, {what} HAVING count(*) > 1
    """  # noqa: S608


def bad_heights(code: str) -> str:
    """Persons and days of a height that was corrected or set aside, here or before."""
    return f"""
        SELECT DISTINCT patient_no, date FROM quality_seen WHERE kind = 'height' AND {code} IN {BAD_HEIGHT}
    """  # noqa: S608


def first_that_fires(table: str, conditions: Mapping[str, str], kind: str | None = None) -> str:
    """The code of the first rule of the registry that fires, as a CASE: of all rules, or those on `kind`."""
    rules = [rule for rule in load_rules().values() if table in rule.tables and rule.effect != Effect.COUNTS]
    cases = [
        f"WHEN {of_kinds(rule, conditions[rule.name])} THEN {literal(rule.dq_code)}"
        for rule in rules
        if kind is None or not rule.kinds or kind in rule.kinds
    ]
    return f"CASE {' '.join(cases)} ELSE coalesce(dq_code, {literal(FINE)}) END"


def measurement_changes(code: str) -> str:
    """Rows whose code changes, with their value from then on."""
    empty = {rule.dq_code for rule in load_rules().values() if rule.effect is Effect.SETS_ASIDE}
    values = " ".join(f"WHEN {literal(name)} THEN {value}" for name, value in VALUES.items())
    codes = ", ".join(literal(each) for each in sorted(empty))
    return f"""
        SELECT place, final, CASE final {values} ELSE CASE WHEN final NOT IN ({codes}) THEN h END END
        FROM (SELECT *, {code} AS final FROM quality_seen)
        WHERE final IS DISTINCT FROM dq_code
    """  # noqa: S608


def heights() -> pa.Table:
    found = load_height_limits()
    return pa.table(
        {
            "kind": ["height"] * len(found),  # a column, that DuckDB joins by hash
            "sex": [sex for sex, _ in found],
            "months": pa.array([month for _, month in found], pa.int64()),
            "low": [low for low, _ in found.values()],
            "high": [high for _, high in found.values()],
        }
    )


def bounds(table: str) -> pa.Table:
    """The table's plausible bounds by kind, unit and age; at an unknown age the widest of the kind."""
    by_kind: dict[tuple[str, str], list[Plausible]] = {}
    for each in load_plausible():
        if each.table == table:
            by_kind.setdefault((each.kind, each.unit), []).append(each)
    rows = [
        (e.kind, e.unit, e.from_months, e.to_months or _NO_END, e.low, e.high)
        for ages in by_kind.values()
        for e in ages
    ]
    for (kind, unit), ages in by_kind.items():
        widest = min(each.low for each in ages), max(each.high for each in ages)
        rows.append((kind, unit, _UNKNOWN_AGE, 0, *widest))
    names = ("kind", "unit", "from_months", "to_months", "low", "high")
    return pa.table(dict(zip(names, zip(*rows, strict=True), strict=True)))


def converted(pairs: Sequence[tuple[str, str, str]]) -> pa.Table:
    """How each (kind, unit, raw unit) that occurs becomes the table's unit; what can't be is listed too."""
    found = [_convertible(*pair) for pair in pairs]
    return pa.table(
        {
            "kind": pa.array([kind for kind, _, _ in pairs], pa.string()),
            "unit": pa.array([unit for _, unit, _ in pairs], pa.string()),
            "unit_raw": pa.array([raw for _, _, raw in pairs], pa.string()),
            "convertible": pa.array([each is not None for each in found], pa.bool_()),
            "factor": pa.array([each and each[0] for each in found], pa.float64()),
            "shift": pa.array([each and each[1] for each in found], pa.float64()),
        }
    )


def _convertible(kind: str, unit: str, unit_raw: str) -> tuple[float, float] | None:
    try:
        found = conversion(unit_raw, unit, kind)
    except UnitProblem:
        return None
    return found.factor, found.shift
