"""A mapping that can't be used says which key is wrong, before a source row is read."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hub_config.warehouse.loader.mapping import read_mapping
from hub_config.warehouse.loader.mapping_problem import MappingProblem, lines_of
from hub_config.warehouse.loader.rules import MEANING, Doubt, Rule
from hub_config.warehouse.snapshot import snapshot_numbers
from p4dp_sdk.catalogue.load import load_catalogue

if TYPE_CHECKING:
    from conftest import Vendor

MAPPINGS = Path(str(files("hub_config.warehouse"))) / "mappings"


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        (
            'label = "A vendor"',
            'lable = "A vendor"',
            r"source\.lable: there is no such key here; did you mean `label`\?",
        ),
        ('label = "A vendor"', "", r"source\.label: Field required"),
        ("[source]", "[source", "not valid TOML: .*line 2"),
        (
            'table = "diagnoses"',
            'table = "diagnosis"',
            r"rows\.1\.table: no such table; rows may go to biometrics, ",
        ),
        ('table = "diagnoses"', 'table = "patients"', r"rows\.1\.table: patients is filled by \[patients\]"),
        ('table = "diagnoses"', 'table = "objections"', r"rows\.1\.table: no such table"),
        (
            'table = "diagnoses"',
            'table = "snds_claims"',
            r"rows\.1\.table: snds_claims is filled by `p4dp-enclave warehouse link-snds`",
        ),
        (
            'file = "events"',
            'file = "evnts"',
            r"rows\.1\.file: no file is called 'evnts'; \[files\] has people, ",
        ),
        ("cisp2 = {", "cisp3 = {", r"rows\.1\.columns\.cisp3: not a column to fill of diagnoses; those are "),
        ("cisp2 = {", "patient_id = {", r"rows\.1\.columns\.patient_id: not a column to fill"),
        (
            'cisp2 = { column = "code" }',
            'consultation_id = { column = "code", as = "integer" }',
            r"consultation_id\.as: consultation_id holds the source's names of events: read it as text",
        ),
        (
            'column = "on", as = "date"',
            'column = "on"',
            r"rows\.1\.columns\.date\.as: date holds date: read it as ",
        ),
        (
            'column = "on", as = "date"',
            'column = "on", as = "dat"',
            r"rows\.1\.columns\.date\.as: Input should be ",
        ),
        ('\ndate = { column = "on", as = "date" }', "", r"rows\.1\.columns: diagnoses needs `date`"),
        (
            'constant = "manual"',
            'constant = "guessed"',
            "columns.coding_source.constant: 'guessed' is not a code of ",
        ),
        ('m = "M"', 'm = "H"', r"patients\.sex\.codes: 'H' is not a code of sex"),
        ('one = "C1"', 'one = "C9"', r"physicians\.centre\.codes: 'C9' is not a code of centre"),
        ('column = "code"', "", r"rows\.1\.columns\.cisp2: give either `column` or `constant`"),
        (
            'birth = { column = "born", as = "date" }',
            "",
            "patients: give either `age` or `birth`",
        ),
        ('path = "people.csv"', 'path = "../people.csv"', r"files\.people: `path` is relative"),
        ("day_zero = 2000-01-01\n", "", r"source\.day_zero: is needed: rows\.0\.columns\.date counts days"),
        (
            "quantities.chol",
            "quantities.cholesterol",
            r"quantities\.cholesterol: not a code of lab_results\.analyte",
        ),
        ('unit = "mmol/L", plaus', 'unit = "mmol", plaus', r"quantities\.chol\.unit: 'mmol' is not a unit"),
        ('hdl = "hdl"', 'hdl = "ldl"', r"measurement\.quantities: 'ldl' is measured but has no unit"),
        ('["chol", "hdl"]]', '["chol", "ldl"]]', r"measurement\.differ: 'ldl' is not one of the quantities"),
        (
            'of = "analyte"',
            'of = "test"',
            r"measurement\.of: must be one of the columns filled by this block",
        ),
        (
            "dates = [1990-01-01, 2020-12-31]",
            "dates = [2020-12-31, 1990-01-01]",
            r"source\.dates: .*lower one",
        ),
        ("plausible = [1, 20]", "plausible = [20, 1]", r"quantities\.chol\.plausible: .*lower one"),
        (
            'column = "on", as = "date"',
            'column = "on", as = "date", format = "DD/MM/YYYY"',
            r'columns\.date: .*"%d/%m/%Y" reads 31/12/2023',
        ),
        (
            'path = "people.csv"',
            'path = "people.csv"\ndelimiter = "tab"',
            r'files\.people: .*"\\t" for a tab',
        ),
        (
            "[physicians]",
            '[[centres]]\nid = "C1"\nregion = "R2"\nlabel = "Other"\n\n[physicians]',
            r"  mapping: two of \[\[centres\]\] have one `id`",
        ),
        (
            'table = "lab_results"',
            'table = "reasons"',
            r"rows\.0\.measurement: reasons holds no measurements",
        ),
    ],
)
def test_a_bad_mapping_names_its_key(vendor: Vendor, good: str, bad: str, said: str) -> None:
    assert vendor.mapping.count(good) >= 1
    with pytest.raises(MappingProblem, match=said):
        vendor.load(vendor.mapping.replace(good, bad, 1))
    assert snapshot_numbers(vendor.warehouse) == []


def test_the_mapping_these_are_made_from_is_good(vendor: Vendor) -> None:
    assert vendor.load().snapshot.manifest.source == "mapping vendor"


def test_every_fault_is_told_at_once(vendor: Vendor) -> None:
    with pytest.raises(MappingProblem) as problem:
        vendor.load(vendor.mapping.replace('m = "M"', 'm = "H"').replace('"manual"', '"guessed"'))
    assert str(problem.value).count("\n") == 2


@pytest.mark.parametrize(
    ("good", "bad", "stands"),
    [
        ('label = "A vendor"', 'lable = "A vendor"', "lable ="),
        ('label = "A vendor"\n', "", "[source]"),  # of what is missing, where it is missing from
        ('m = "M"', 'm = "H"', "sex ="),
        ('table = "diagnoses"', 'table = "diagnosis"', 'table = "diagnosis"'),
        ('cisp2 = { column = "code" }', 'cisp3 = { column = "code" }', "cisp3 ="),
        ('cisp2 = { column = "code" }', 'cisp2.colum = "code"', "cisp2.colum ="),
        ('differ = [["chol", "hdl"]]', 'differ = [\n  ["chol"\n]]', "differ ="),
        ('\ncisp2 = { column = "code" }', "\n[rows.columns.cisp2]\nclumn = 'code'", "clumn ="),
    ],
)
def test_a_fault_names_its_line(vendor: Vendor, good: str, bad: str, stands: str) -> None:
    assert vendor.mapping.count(good) == 1
    mapping = vendor.mapping.replace(good, bad)
    (line,) = (n for n, text in enumerate(mapping.splitlines(), start=1) if text.startswith(stands))
    with pytest.raises(MappingProblem, match=rf"\n  line {line}, "):
        vendor.load(mapping)


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.toml")), ids=lambda path: path.stem)
def test_the_lines_of_a_shipped_mapping_are_where_their_keys_stand(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines, written = lines_of(text), text.splitlines()
    for key, line in lines.items():
        assert written[line - 1].startswith("[[") or key.split(".")[-1] in written[line - 1], key
    assert {f"rows.{n}.table" for n in range(text.count("[[rows]]"))} <= set(lines)


def test_what_only_looks_like_a_table_has_no_line() -> None:
    assert lines_of('list = [\n  ["said"]\n]\nother = 2\n') == {"list": 1, "other": 4}


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), (b"\xff", "not UTF-8 text")])
def test_an_unreadable_mapping_says_why(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "vendor.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MappingProblem, match=said):
        read_mapping(path)


def test_every_rule_is_explained_and_every_doubt_is_in_the_catalogue() -> None:
    assert set(MEANING) == set(Rule)
    assert set(Doubt) <= {code.code for code in load_catalogue().code_systems["dq_code"].codes}


def test_a_unit_that_leads_nowhere_is_a_fault_of_the_mapping(vendor: Vendor) -> None:
    """Without a `factor` the units say it: so they must be UCUM, of one kind, with a known molar mass."""
    for unit in ("kg", "g per litre"):
        text = vendor.mapping.replace('unit_raw = "g/L", factor = 2.0', f'unit_raw = "{unit}"')
        with pytest.raises(MappingProblem, match=r"hdl\.unit_raw: .* can't be converted to 'mmol/L'"):
            vendor.load(text)
