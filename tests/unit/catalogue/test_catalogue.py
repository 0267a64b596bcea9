"""The catalogue is data: these are the promises the gateway's rules, the loader and the SDK rest on."""

from __future__ import annotations

import re

import ibis
import pytest

from p4dp_sdk.catalogue import Catalogue, Code, CodeSystem, Column, Role, Table, Unit, load_catalogue

CATALOGUE = load_catalogue()
TABLES = list(CATALOGUE.tables.values())
COLUMNS = [(table, column) for table in TABLES for column in table.columns]
SYSTEMS = list(CATALOGUE.code_systems.values())

every_table = pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
every_column = pytest.mark.parametrize(
    ("table", "column"), COLUMNS, ids=[f"{t.name}.{c.name}" for t, c in COLUMNS]
)
every_system = pytest.mark.parametrize("system", SYSTEMS, ids=lambda s: s.name)

# Top 20 of the whole base, one intern's own, and the codes the indicators name.
CODES_IN_USE = {
    *("K86", "R74", "SC", "R78", "L03", "T90", "A62", "R05", "P76", "P06", "A44", "A50", "L86", "R75", "R76"),
    *("L99", "T93", "L15", "L87", "U71", "R77", "H71", "R80", "D73", "R81", "H72", "S88", "H81", "H70"),
    *("K75", "K76", "K90", "K91", "T89", "X76", "X75", "D75", "D94", "W85", "D97", "K74", "K77"),
    *("P15", "P17", "P19"),
}


@every_column
def test_coded_columns_name_a_code_system_that_exists(table: Table, column: Column) -> None:
    assert (column.codes is not None) == (column.role is Role.CODE)
    assert column.codes is None or column.codes in CATALOGUE.code_systems


@every_column
def test_bounds_and_units_stand_on_numeric_columns_only(table: Table, column: Column) -> None:
    if column.role is not Role.NUMERIC:
        assert column.bounds is None
        assert column.unit is None
        return
    assert column.bounds is not None, "a sum is clipped to the bounds: without them it is not releasable"
    low, high = column.bounds
    assert low < high


@every_column
def test_numeric_units_are_ours_unless_each_row_states_its_own(table: Table, column: Column) -> None:
    units = codes_of("unit")
    if column.role is Role.NUMERIC:
        assert column.unit in units or table.has("unit")


@every_column
def test_types_are_ibis_types_that_fit_the_role(table: Table, column: Column) -> None:
    dtype = ibis.dtype(column.dtype)
    match column.role:
        case Role.CODE | Role.RAW:
            assert dtype.is_string()
        case Role.DATE:
            assert dtype.is_date()
        case Role.NUMERIC:
            assert dtype.is_numeric()
        case Role.PATIENT | Role.PHYSICIAN | Role.INTERN | Role.EVENT:
            assert dtype.is_integer()


@every_column
def test_labels_stand_in_both_languages(table: Table, column: Column) -> None:
    assert column.label_fr.strip()
    assert column.label_en.strip()


@every_table
def test_person_tables_carry_the_protected_units(table: Table) -> None:
    stored = [column.stored_as for column in table.columns]
    if table.unit is Unit.PERSON:
        assert {"patient_no", "physician_no", "centre_id"} <= set(stored)
    if table.unit is Unit.PUBLIC:
        persons = {Role.PATIENT, Role.PHYSICIAN, Role.INTERN, Role.EVENT}
        assert not persons & {column.role for column in table.columns}


@every_table
def test_columns_and_stored_names_are_unique(table: Table) -> None:
    for names in ([c.name for c in table.columns], [c.stored_as for c in table.columns]):
        assert len(names) == len(set(names))
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)


@every_table
def test_the_dating_column_is_a_date(table: Table) -> None:
    assert table.date is None or table.column(table.date).role is Role.DATE


@every_table
def test_the_key_is_a_column_that_can_be_joined_on(table: Table) -> None:
    assert table.key is None or table.column(table.key).role in {Role.PATIENT, Role.EVENT, Role.CODE}


@every_table
def test_a_raw_value_stands_beside_its_rule(table: Table) -> None:
    if table.unit is Unit.PERSON and any(column.role is Role.RAW for column in table.columns):
        assert table.has("dq_code")


@every_table
def test_snds_tables_are_flagged(table: Table) -> None:
    assert table.snds == table.name.startswith("snds_")


@every_system
def test_codes_are_unique_and_labelled(system: CodeSystem) -> None:
    codes = [code.code for code in system.codes]
    assert len(codes) == len(set(codes))
    assert bool(codes) != system.site
    assert all(code.label_fr.strip() and code.label_en.strip() for code in system.codes)


@every_system
def test_labels_tell_codes_apart(system: CodeSystem) -> None:
    for labels in ([c.label_fr for c in system.codes], [c.label_en for c in system.codes]):
        assert len(labels) == len(set(labels))


@every_system
def test_parents_exist_in_the_system_named(system: CodeSystem) -> None:
    parents = {code.parent for code in system.codes if code.parent}
    assert bool(parents) == bool(system.parents)
    if system.parents:
        assert parents <= codes_of(system.parents)


@every_system
def test_every_code_system_serves(system: CodeSystem) -> None:
    used = {column.codes for _, column in COLUMNS} | {other.parents for other in SYSTEMS}
    assert system.name in used | {"unit"}


def test_a_parent_is_not_a_value_of_its_childrens_system() -> None:
    """Else grouping by CISP-2 would answer with empty rows for the chapters."""
    for system in SYSTEMS:
        if system.parents:
            assert not codes_of(system.parents) & codes_of(system.name)


def test_codes_in_use_have_labels_of_their_own() -> None:
    labels = {code.code: code for code in CATALOGUE.code_systems["cisp2"].codes}
    assert set(labels) >= CODES_IN_USE
    assert not [code for code in CODES_IN_USE if code in labels[code].label_fr]


def test_process_codes_combine_with_every_chapter() -> None:
    chapters = codes_of("cisp2_chapter")
    assert len(chapters) == 17
    assert {f"{chapter}{component}" for chapter in chapters for component in range(30, 70)} - codes_of(
        "cisp2"
    ) == set()


def test_no_code_is_a_class_of_its_own() -> None:
    no_code = next(code for code in CATALOGUE.code_systems["cisp2"].codes if code.code == "SC")
    assert no_code == Code("SC", "Sans code", "No code", None)


def test_age_bands_do_not_overlap() -> None:
    bands = [code.code for code in CATALOGUE.code_systems["age_band"].codes]
    assert bands == [f"{a:02d}-{a + 9:02d}" for a in range(0, 90, 10)] + ["90+"]


def test_an_unknown_column_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(KeyError, match="birth_month"):
        CATALOGUE.tables["patients"].column("name")


def test_the_catalogue_is_read_once() -> None:
    assert load_catalogue() is load_catalogue()
    assert isinstance(CATALOGUE, Catalogue)


def codes_of(system: str) -> set[str]:
    return {code.code for code in CATALOGUE.code_systems[system].codes}
