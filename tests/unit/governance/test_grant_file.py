"""A grant as an operator writes it: every slip is named, with its key."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.grant_file import parse_grant, parse_table_options, read_grant_file
from hub_config.governance.problems import BadGrant
from hub_config.governance.terms import every_table

WHOLE = """
access = "microdata"
legal_basis = "MR-004"
centres = ["C01"]
date_from = 2015-01-01
date_to = 2019-12-31
expires_on = 2027-06-30
snds = true

[tables]
patients = "all"
diagnoses = ["patient_id", "cisp2"]

[policy]
min_patients = 20
method = "rounding"
"""


def test_a_file_says_the_whole_grant(tmp_path: Path) -> None:
    (tmp_path / "grant.toml").write_text(WHOLE)
    said = read_grant_file(tmp_path / "grant.toml")
    assert said.policy == {"min_patients": 20, "method": "rounding"}
    assert said.grant == Grant(
        access=AccessLevel.MICRODATA,
        tables={"patients": None, "diagnoses": frozenset({"patient_id", "cisp2"})},
        centres=frozenset({"C01"}),
        date_from=date(2015, 1, 1),
        date_to=date(2019, 12, 31),
        expires_on=date(2027, 6, 30),
        legal_basis="MR-004",
        snds=True,
    )


LEAST = {"access": "aggregate", "legal_basis": "MR-004", "tables": {"patients": "all"}}
SLIPS = [
    ({"acess": "aggregate"}, "acess: a grant has no such key. Did you mean 'access'?"),
    ({"access": "everything"}, "access: "),
    ({"expires_on": "soon"}, "expires_on: "),
    ({"expires_on": 2027}, "expires_on: "),
    ({"snds": "yes"}, "snds: "),
    ({"centres": "C01"}, "centres: "),
    ({"tables": "some"}, 'tables: expected "all"'),
    ({"tables": ["patients"]}, 'tables: expected "all"'),
    ({"tables": {"patients": True}}, 'expected "all"'),
    ({"legal_basis": None}, "legal_basis: "),
    ({"policy": 20}, "policy: expected a table of numbers"),
    ({"policy": {"min_patients": [20]}}, "policy: expected a table of numbers"),
]


@pytest.mark.parametrize(("slip", "said"), SLIPS)
def test_a_slip_is_named(slip: dict[str, object], said: str) -> None:
    parse_grant(LEAST)
    with pytest.raises(BadGrant) as refused:
        parse_grant({**LEAST, **slip})
    assert said in str(refused.value)


@pytest.mark.parametrize("key", LEAST)
def test_what_is_missing_is_named(key: str) -> None:
    with pytest.raises(BadGrant, match=f"{key}: is missing"):
        parse_grant({name: value for name, value in LEAST.items() if name != key})


@pytest.mark.parametrize("content", [b"access = ", b"\xff\xfe", b"[a]\n[a]"])
def test_a_file_that_is_not_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "grant.toml").write_bytes(content)
    with pytest.raises(BadGrant, match="not valid TOML"):
        read_grant_file(tmp_path / "grant.toml")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadGrant, match="No such file"):
        read_grant_file(tmp_path / "grant.toml")


def test_all_is_every_table_but_the_snds() -> None:
    assert parse_grant({**LEAST, "tables": "all"}).grant.tables == every_table()


def test_a_file_that_says_nothing_of_a_policy_leaves_it_as_it_is() -> None:
    assert parse_grant(LEAST).policy is None
    assert parse_grant({**LEAST, "policy": {}}).policy == {}


OPTIONS = [
    (["patients"], {"patients": "all"}),
    (["patients:sex,age"], {"patients": ["sex", "age"]}),
    (["patients:sex", "patients:age"], {"patients": ["sex", "age"]}),
    (["patients:sex", "patients"], {"patients": "all"}),
    (["patients", "all"], "all"),
    (["patients:"], {"patients": [""]}),
]


@pytest.mark.parametrize(("options", "tables"), OPTIONS)
def test_tables_as_options(options: list[str], tables: object) -> None:
    assert parse_table_options(options) == tables
