"""A template's parameters: read from its cell without running it; what is given, checked before anything
runs."""

from __future__ import annotations

import string
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.governance.report_runs.parameters import (
    BadParameters,
    BadTemplate,
    Kind,
    Parameter,
    asks_for_centres,
    check,
    given_values,
    parse,
    read_parameters,
    with_centres,
)

CELL = """
# Le département
centre: str = "CLF"  # Code du centre. choix : centres
annee: int = 2022  # Année du rapport
depuis: "date" = "2020-02-29"  # Premier jour
sexe: str = "tous"  # Sexe (choix : tous | F | M)
codes: list[str] = [
    "T89",  # type 1
    "T90",
]
seuil: float | None = None
strict: bool = True
premiere = 2000  # sans annotation
titre: str
"""


def cell(text: str, *tags: str) -> dict:
    return {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": text.splitlines(keepends=True)}


def told(problem: BadParameters) -> tuple[str, str]:
    return problem.text.fr, problem.text.en


@pytest.mark.parametrize(
    "text", ['a = "x\\u202ey"', 'a = "x\\n"', 'a = ["x", "\\x1b[2J"]', 'a: str = "\\u200b"']
)
def test_no_default_hides_from_who_reads_the_table_of_parameters(text: str) -> None:
    with pytest.raises(BadTemplate):
        parse(text)


def test_a_cell_is_read() -> None:
    found = {each.name: each for each in parse(CELL)}
    assert " ".join(found) == "centre annee depuis sexe codes seuil strict premiere titre"
    assert found["centre"] == Parameter(
        "centre", Kind.TEXT, "CLF", "Le département Code du centre.", ("centres",)
    )
    assert found["annee"] == Parameter("annee", Kind.INTEGER, 2022, "Année du rapport")
    assert found["depuis"].kind is Kind.DATE
    assert (found["sexe"].help, found["sexe"].choices) == ("Sexe", ("tous", "F", "M"))
    assert found["codes"].default == ["T89", "T90"]
    assert found["seuil"].optional and found["seuil"].kind is Kind.NUMBER
    assert found["premiere"].kind is Kind.INTEGER and found["titre"].required


@pytest.mark.parametrize(
    "text",
    [
        "import os",
        "x = os.environ",
        "x: int = 'a'",
        "x: bool = 1",
        "x: int = True",
        "x: date = '2023-02-29'",
        "x: date = '20230228'",
        "x: str = None",
        "x: list[str] = ['a', 1]",
        "x: dict = {}",
        "x = {}",
        "x: int = 1\nx: int = 2",
        "x.y: int = 1",
        "x, y = 1, 2",
        "x: int = 1 +",
        "x: str = f'{1}'",
        "x: float = 1e999",
        "x: int = __import__('os').system('touch /tmp/ran')",
        "x: str = '" + "(" * 5000,
    ],
)
def test_a_cell_with_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadTemplate, match="parameters"):
        parse(text)


@pytest.mark.parametrize("tags", [[], ["parameters", "parameters"]])
def test_there_is_one_cell(tags: list[str]) -> None:
    with pytest.raises(BadTemplate, match="exactly one"):
        read_parameters({"cells": [cell("x: int = 1", tag) for tag in tags]})


def test_a_notebook_without_parameters_still_has_their_cell() -> None:
    assert read_parameters({"cells": [cell("", "parameters"), cell("x = 1")]}) == ()


# given                 -> what is said, in French; "-": accepted
GIVEN = """
  titre=a annee=2021              -
  titre=a seuil=                  -
  titre=a seuil=2.5               -
  titre=a strict=non              -
  titre=a codes=T90,T89           -
  titre=a sexe=F                  -
  titre=a depuis=2024-02-29       -
  annee=2021                      titre : manque
  titre=a anne=2021               Vouliez-vous dire annee
  titre=a annee=2021.5            un nombre entier
  titre=a annee=MMXXI             un nombre entier
  titre=a seuil=1,5               un nombre
  titre=a seuil=nan               un nombre
  titre=a seuil=inf               un nombre
  titre=a strict=peut-être        oui ou non
  titre=a depuis=2023-02-29       une date
  titre=a depuis=29/02/2024       une date
  titre=a codes=T90,,T89          une liste
  titre=a sexe=f                  Choix : tous, F, M
  titre=a centre=CLI              Choix : CLF, CLX
"""


@pytest.mark.parametrize("row", GIVEN.strip().splitlines(), ids=lambda row: " ".join(row.split()))
def test_what_is_given_is_checked(row: str) -> None:
    typed, _, said = row.strip().partition("  ")
    parameters = with_centres(parse(CELL), ["CLF", "CLX"])
    if said.strip() == "-":
        assert len(check(parameters, given_values(typed.split()))) == len(parameters)
        return
    with pytest.raises(BadParameters) as raised:
        check(parameters, given_values(typed.split()))
    assert said.strip() in raised.value.text.fr.replace(" (Le département Code du centre.)", "")


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(BadParameters) as raised:
        check(parse("a: int = 1\nb: int = 1"), {"a": "x", "b": "y", "c": "z"})
    assert len(raised.value.problems) == 3


def test_a_default_of_another_projects_centre_must_be_replaced() -> None:
    parameters = with_centres(parse(CELL), ["CLX"])
    with pytest.raises(BadParameters, match="not a choice"):
        check(parameters, {"titre": "a"})
    assert check(parameters, {"titre": "a", "centre": "CLX"})["centre"] == "CLX"


def test_centres_stand_beside_other_choices() -> None:
    parameters = parse('centre: str = "tous"  # choix : tous | centres')
    assert asks_for_centres(parameters)
    assert with_centres(parameters, ["CLF"])[0].choices == ("tous", "CLF")
    assert not asks_for_centres(parse("x: int = 1"))


@pytest.mark.parametrize("typed", ["x", "=1", "", "x=1 x=2"])
def test_assignments_are_names_and_values(typed: str) -> None:
    with pytest.raises(BadParameters):
        given_values(typed.split() or [""])


def test_a_value_may_hold_equals_signs() -> None:
    assert given_values(["titre=a=b"]) == {"titre": "a=b"}


NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=8)
VALUES = {
    Kind.TEXT: st.text(st.characters(categories=["L", "N", "Zs"], exclude_characters="\xa0"), max_size=30)
    .map(str.strip)
    .filter(str.isprintable),
    Kind.INTEGER: st.integers(-(10**14), 10**14),
    Kind.NUMBER: st.integers(-(10**6), 10**6).map(lambda n: n / 8),
    Kind.TRUTH: st.booleans(),
    Kind.DATE: st.dates(date(1900, 1, 1), date(2100, 1, 1)).map(date.isoformat),
    Kind.LIST: st.lists(st.text(string.ascii_letters + string.digits, min_size=1), min_size=1),
}


@st.composite
def typed(draw: st.DrawFn) -> tuple[Kind, object]:
    kind = draw(st.sampled_from(Kind))
    return kind, draw(VALUES[kind])


@given(typed())
@settings(max_examples=150, deadline=None)
def test_what_is_typed_comes_out_as_it_was_meant(value: tuple[Kind, object]) -> None:
    """The same value as a default of the cell, and as text of the command."""
    kind, meant = value
    annotation = f'"{kind.value}"' if kind is Kind.DATE else kind.value
    (parameter,) = parse(f"x: {annotation} = {meant!r}")
    assert check([parameter], {}) == {"x": meant}
    text = ",".join(meant) if isinstance(meant, list) else f"{meant:f}" if kind is Kind.NUMBER else str(meant)
    assert check([parameter], {"x": text}) == {"x": meant}


@given(st.text(max_size=60), st.sampled_from(Kind))
@settings(max_examples=300, deadline=None)
def test_whatever_is_typed_is_a_value_of_the_kind_or_refused(text: str, kind: Kind) -> None:
    parameter = Parameter("x", kind, None, "", required=True)
    try:
        value = check([parameter], {"x": text})["x"]
    except BadParameters as problem:
        assert all(said.isprintable() for words in told(problem) for said in words.splitlines())
        return
    assert text.isprintable()
    types = {Kind.INTEGER: int, Kind.NUMBER: float, Kind.TRUTH: bool, Kind.LIST: list}
    assert type(value) is types.get(kind, str)


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_whatever_a_cell_holds_is_read_or_refused(text: str) -> None:
    try:
        parameters = parse(text)
    except BadTemplate:
        return
    assert all(each.name.isidentifier() for each in parameters)
