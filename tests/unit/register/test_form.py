"""The form: what is typed is kept; what is wrong is said at the field; only a complete request is read."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.governance.facts import AccessLevel
from hub_config.governance.register.facts import Answers, KnownPerson, Scope
from hub_config.governance.terms import _SLUG
from hub_config.register.form import Flaw, Offer, clean, parse_day, proposed_slug, read, typed
from p4dp_sdk.catalogue.load import load_catalogue

CATALOGUE = load_catalogue()
AT = datetime(2026, 11, 22, tzinfo=UTC)


def known(user: str, *roles: str) -> KnownPerson:
    return KnownPerson(user, user.capitalize(), frozenset(roles), AT)


OFFER = Offer(
    requester="ines",
    today=date(2026, 11, 22),
    catalogue=CATALOGUE,
    centres=frozenset({"C01", "C02"}),
    led=None,
    people={
        "lea": known("lea", "interne"),
        "paul": known("paul", "chercheur"),
        "diane": known("diane", "medecin-dim"),
    },
)
FORM = {
    "title": "Asthme de l'enfant",
    "director": "Pr Durand",
    "protocol": "Étude descriptive des consultations pour asthme, 2015-2022.",
    "purpose": "Décrire le suivi de l'asthme de l'enfant en soins primaires.",
    "legal_basis": "MR-004",
    "access": "aggregate",
    "centres": ["*"],
    "tables": ["patients", "diagnoses"],
    "need_patients": "L'âge et le sexe des enfants.",
    "need_diagnoses": "L'asthme est un diagnostic codé.",
    "defence_on": "2027-06-15",
    "expires_on": "30/09/2027",
    "members": "lea; PAUL",
    "lay_fr": "Nous comptons les enfants asthmatiques suivis par leur généraliste.",
}


def reading(offer: Offer = OFFER, **changed: object) -> object:
    return read(typed({**FORM, **changed}, CATALOGUE), offer)


def test_a_complete_form_is_read() -> None:
    found = reading()
    assert isinstance(found, Answers)
    assert found.expires_on == date(2027, 9, 30) and found.centres is None
    assert found.access is AccessLevel.AGGREGATE and found.scope is Scope.NATIONAL
    assert found.members == ("ines", "lea", "paul")
    assert dict(found.tables)["diagnoses"].startswith("L'asthme")


def test_an_empty_form_is_told_at_every_field_it_needs() -> None:
    problems = read(typed({}, CATALOGUE), OFFER)
    assert isinstance(problems, dict)
    assert set(problems) == {
        "title", "director", "protocol", "purpose", "legal_basis", "access", "centres", "tables",
        "expires_on", "lay_fr",
    }  # fmt: skip
    assert {problem.flaw for problem in problems.values()} == {Flaw.MISSING}


@pytest.mark.parametrize(
    ("changed", "field", "flaw"),
    [
        ({"legal_basis": "MR-999"}, "legal_basis", Flaw.NOT_ON_LIST),
        ({"legal_basis": "authorisation"}, "legal_reference", Flaw.NO_REFERENCE),
        ({"access": "sandbox"}, "access", Flaw.NOT_ON_LIST),
        ({"centres": ["C99"]}, "centres", Flaw.NOT_ON_LIST),
        ({"tables": ["objections"]}, "tables", Flaw.NOT_ON_LIST),  # never visible, not offered
        ({"tables": ["centres"], "need_centres": "Pour les régions."}, "tables", Flaw.NO_PATIENTS),
        ({"need_diagnoses": ""}, "need_diagnoses", Flaw.TOO_SHORT),
        ({"expires_on": "demain"}, "expires_on", Flaw.NOT_A_DATE),
        ({"expires_on": "2027-02-30"}, "expires_on", Flaw.NOT_A_DATE),
        ({"expires_on": "2026-11-21"}, "expires_on", Flaw.PAST),
        ({"expires_on": "2040-01-01"}, "expires_on", Flaw.TOO_FAR),
        ({"expires_on": "2027-06-14"}, "expires_on", Flaw.BEFORE_DEFENCE),
        ({"date_from": "2020-01-01", "date_to": "2019-01-01"}, "date_to", Flaw.ORDER),
        ({"members": "inconnu"}, "members", Flaw.UNKNOWN_PERSON),
        ({"members": "diane"}, "members", Flaw.NOT_A_MEMBER_ROLE),
        ({"director_login": "personne"}, "director_login", Flaw.UNKNOWN_PERSON),
        ({"title": "x" * 201}, "title", Flaw.TOO_LONG),
        ({"lay_fr": "Trop court."}, "lay_fr", Flaw.TOO_SHORT),
    ],
)
def test_a_flaw_is_told_at_its_field(changed: dict[str, object], field: str, flaw: Flaw) -> None:
    problems = reading(**changed)
    assert isinstance(problems, dict)
    assert {name: problem.flaw for name, problem in problems.items()} == {field: flaw}


@pytest.mark.parametrize("centres", [["C02"], ["*"], ["C01", "C02"]])
def test_a_lead_asks_for_centres_of_their_own_only(centres: list[str]) -> None:
    from dataclasses import replace

    lead = replace(OFFER, led=frozenset({"C01"}))
    problems = reading(lead, centres=centres)
    assert isinstance(problems, dict) and problems["centres"].flaw is Flaw.NOT_YOUR_CENTRE
    found = reading(lead, centres=["C01"])
    assert isinstance(found, Answers)
    assert found.scope is Scope.REGIONAL and found.centres == {"C01"}


def test_a_lead_of_nothing_asks_for_nothing() -> None:
    from dataclasses import replace

    assert isinstance(reading(replace(OFFER, led=frozenset()), centres=["C01"]), dict)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from([*FORM, "scope", "needs"]), st.text(max_size=80) | st.lists(st.text()))
)
def test_nothing_that_is_typed_breaks_the_form(form: dict[str, object]) -> None:
    answers = typed(form, CATALOGUE)
    assert "scope" not in answers
    read(answers, OFFER)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.sets(st.sampled_from(["projet", "asthme", "projet-2"])))
def test_a_proposed_name_can_always_name_a_project(title: str, taken: set[str]) -> None:
    slug = proposed_slug(title, taken)
    assert _SLUG.fullmatch(slug) and slug not in taken and not slug.startswith("svc-")


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Asthme de l'enfant", "asthme-enfant"),
        ("Thèse : l'hypertension à l'officine", "hypertension"),
        ("Un mot démesurémentinterminable", "mot"),
        ("2026 : évaluation", "projet-2026-evaluation"),
        ("Œdème & cœur", "oedeme-coeur"),
        ("…", "projet"),
        ("svc", "projet-svc"),
    ],
)
def test_the_name_says_the_title(title: str, slug: str) -> None:
    assert proposed_slug(title, ()) == slug


def test_what_is_not_printed_is_taken_out() -> None:
    assert clean("a\u202eb\x00c\u200bd\r\ne") == "abcd\ne"


@pytest.mark.parametrize("text", ["2027-6-1", "31/02/2027", "1/1/27", "", "２０２７-01-01"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse_day(text) is None
