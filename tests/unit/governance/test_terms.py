"""What a charter must keep to: the catalogue, the snapshot, the site's policy. One table, one row a rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.demo import demo_charters
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.problems import BadGrant, BadProject
from hub_config.governance.terms import SnapshotTerms, Terms, check, every_table
from hub_config.sections import PolicySettings
from p4dp_sdk.catalogue.model import Catalogue, Column, Role, Table, Unit

CENTRES = frozenset({"C01", "C02"})
SITE = PolicySettings(min_patients=20, min_physicians=5)


def table(name: str, unit: Unit, *columns: tuple[str, Role], snds: bool = False) -> Table:
    made = tuple(Column(column, "string", role, column, column) for column, role in columns)
    return Table(name, unit, name, name, name, name, made, snds=snds)


CATALOGUE = Catalogue(
    tables={
        each.name: each
        for each in (
            table("centres", Unit.PUBLIC, ("centre_id", Role.CODE), ("label", Role.RAW)),
            table("patients", Unit.PERSON, ("patient_id", Role.PATIENT), ("sex", Role.CODE)),
            table(
                "lab_results",
                Unit.PERSON,
                ("patient_id", Role.PATIENT),
                ("physician_id", Role.PHYSICIAN),
                ("value", Role.NUMERIC),
                ("raw_value", Role.RAW),
            ),
            table("physicians", Unit.PHYSICIAN, ("sex", Role.CODE)),
            table("objections", Unit.ENCLAVE, ("patient_no", Role.PATIENT)),
            table("snds_stays", Unit.PERSON, ("patient_id", Role.PATIENT), snds=True),
        )
    },
    code_systems={},
)
TERMS = Terms(SnapshotTerms(1, synthetic=False, centres=CENTRES), SITE, CATALOGUE)
GRANT = Grant(AccessLevel.AGGREGATE, {"patients": None}, legal_basis="MR-004")
CHARTER = Charter("these-lea", "Thèse de Léa", "Décrire", 1, GRANT, {"lea": MemberRole.INTERNE})
DAY = date(2020, 1, 1)


def tables(**named: frozenset[str] | None) -> dict[str, object]:
    return {"tables": named}


BAD_GRANTS = [
    ({"tables": {}}, "name at least one"),
    (tables(patient=None), "no table 'patient' to grant. Did you mean 'patients'?"),
    (tables(objections=None), "no table 'objections' to grant."),
    (tables(snds_stays=None), "'snds_stays' comes from the SNDS: it needs `snds = true`"),
    (tables(patients=frozenset({"sexe"})), "'patients' has no column 'sexe' to grant. Did you mean 'sex'?"),
    (tables(patients=frozenset()), "'patients' with no column"),
    (tables(lab_results=frozenset({"physician_id"})), "'lab_results' has no column 'physician_id' to grant."),
    (
        tables(lab_results=frozenset({"raw_value"})),
        "lab_results.raw_value is a raw value: it needs microdata",
    ),
    ({"centres": frozenset({"C01", "CO1"})}, "snapshot 1 has no centre 'CO1'. Did you mean"),
    ({"centres": frozenset()}, "centres: name at least one"),
    ({"legal_basis": " "}, "legal_basis: state it"),
    ({"date_from": DAY, "date_to": date(2019, 1, 1)}, "2020-01-01 is after 2019-01-01"),
]
GOOD_GRANTS = [
    {},
    tables(patients=None, lab_results=frozenset({"patient_id", "value"})),
    tables(physicians=None),
    tables(centres=frozenset({"label"})),
    {**tables(snds_stays=None), "snds": True},
    {**tables(lab_results=frozenset({"raw_value"})), "access": AccessLevel.MICRODATA},
    {"centres": frozenset({"C02"})},
    {"date_from": DAY, "date_to": DAY},
]
BAD_PROJECTS = [
    *(
        ({"slug": slug}, "can't name a project")
        for slug in ("ab", "Thèse", "these--x", "-x-", "1these", "a" * 41, "a/b", "a\n")
    ),
    ({"title": " "}, "title of 1 to 200"),
    ({"title": "x" * 201}, "title of 1 to 200"),
    ({"purpose": ""}, "states its purpose"),
    ({"members": {"léa & co": MemberRole.INTERNE}}, "can't be a user's name"),
    ({"snapshot": 2}, "pinned to snapshot 2, but was checked against 1"),
    ({"policy": {"min_patients": 19}}, "policy: min_patients 19 is looser than the site's 20"),
    ({"policy": {"min_physicians": 0}}, "policy: min_physicians 0 is looser than the site's 5"),
    (
        {"policy": {"p_percent": 0.2, "max_physician_share": 0.86}},
        "max_physician_share 0.86 is looser than the site's 0.85",
    ),
    ({"policy": {"minimum": 20}}, "policy: unknown policy key 'minimum'. Known: dominance_k"),
    ({"policy": {"method": "none"}}, "policy: method must be one of cell-key, rounding"),
    ({"policy": {"noise_variance": 400}}, "policy: noise_variance can't exceed"),
    ({"policy": {"min_patients": "20"}}, "policy: min_patients must lie between"),
    ({"open_to_all": True}, "Only a sandbox project is open to everyone"),
    (
        {"grant": replace(GRANT, access=AccessLevel.SANDBOX)},
        "Snapshot 1 holds real people: sandbox access is for synthetic",
    ),
]


@pytest.mark.parametrize(("change", "said"), BAD_GRANTS, ids=[said for _, said in BAD_GRANTS])
def test_a_grant_is_refused(change: dict[str, object], said: str) -> None:
    check(CHARTER, TERMS)
    with pytest.raises(BadGrant) as refused:
        check(replace(CHARTER, grant=replace(GRANT, **change)), TERMS)  # type: ignore[arg-type]
    assert said in str(refused.value)


@pytest.mark.parametrize("change", GOOD_GRANTS)
def test_a_grant_is_accepted(change: dict[str, object]) -> None:
    check(replace(CHARTER, grant=replace(GRANT, **change)), TERMS)  # type: ignore[arg-type]


@pytest.mark.parametrize(("change", "said"), BAD_PROJECTS)
def test_a_project_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(BadProject) as refused:
        check(replace(CHARTER, **change), TERMS)  # type: ignore[arg-type]
    assert said in str(refused.value)


GOOD_POLICIES: list[dict[str, object]] = [
    {},
    {"min_patients": 20, "min_physicians": 5},
    {"min_patients": 100, "max_physician_share": 0.5, "method": "rounding"},
    {"noise_bound": 20, "noise_variance": 100.0},
]


@pytest.mark.parametrize("policy", GOOD_POLICIES)
def test_a_policy_as_strict_or_stricter_is_accepted(policy: dict[str, object]) -> None:
    check(replace(CHARTER, policy=policy), TERMS)


def test_every_problem_of_a_grant_is_told_at_once() -> None:
    grant = replace(GRANT, tables={"patient": None, "lab": None}, centres=frozenset({"X"}), legal_basis="")
    with pytest.raises(BadGrant) as refused:
        check(replace(CHARTER, grant=grant), TERMS)
    assert len(refused.value.problems) == 4


def test_centres_that_were_not_looked_up_are_not_granted() -> None:
    terms = replace(TERMS, snapshot=SnapshotTerms(1, synthetic=True))
    with pytest.raises(BadGrant, match="no centre 'C01'"):
        check(replace(CHARTER, grant=replace(GRANT, centres=frozenset({"C01"}))), terms)


def test_every_table_is_all_but_gps_the_enclaves_and_the_snds() -> None:
    assert set(every_table(CATALOGUE)) == {"centres", "patients", "lab_results"}


def test_the_demo_keeps_to_the_terms_of_a_synthetic_snapshot_only() -> None:
    for charter in demo_charters(7):
        check(charter, Terms(SnapshotTerms(7, synthetic=True)))
    with pytest.raises(BadProject, match="sandbox"):
        for charter in demo_charters(7):
            check(charter, Terms(SnapshotTerms(7, synthetic=False)))


def test_the_demo_is_as_the_contract_says() -> None:
    said = {c.slug: (c.grant.access, set(c.members), c.open_to_all) for c in demo_charters(1)}
    assert said == {
        "these-ines": (AccessLevel.AGGREGATE, {"ines"}, False),
        "modeles-rachid": (AccessLevel.MICRODATA, {"rachid"}, False),
        "bac-a-sable": (AccessLevel.SANDBOX, set(), True),
    }
    for charter in demo_charters(1):
        assert charter.grant.legal_basis == "MR-004"
        assert not any(name.startswith("snds") for name in charter.grant.tables)
        assert {"patients", "diagnoses", "consultations", "centres"} <= set(charter.grant.tables)
