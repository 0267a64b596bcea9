"""What a notebook shows by itself: protected frames drawn, mistakes of newcomers told without a
page of source."""

from __future__ import annotations

from collections.abc import Iterator

import ibis
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from p4dp_sdk.backend.results import attach
from p4dp_sdk.cohorts import Cohort
from p4dp_sdk.tables.display import show_protected_results
from tests.unit.cohorts.written import site
from tests.unit.sdk.crosstabs import crosstab
from tests.unit.sdk.peer import disclosure


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def test_notebooks_draw_protected_frames_and_leave_the_others(shell: InteractiveShell) -> None:
    show_protected_results()
    drawn, _metadata = shell.display_formatter.format(crosstab())
    assert "•" in drawn["text/html"]
    assert "•" in drawn["text/plain"]
    series, _metadata = shell.display_formatter.format(attach(crosstab()["patients"], disclosure()))
    assert "•" in series["text/html"]
    plain = pd.DataFrame({"patients": [None, 1.0]})
    ordinary, _metadata = shell.display_formatter.format(plain)
    assert ordinary == {"text/html": plain._repr_html_(), "text/plain": repr(plain)}
    ordinary, _metadata = shell.display_formatter.format(plain["patients"])
    assert ordinary == {"text/plain": repr(plain["patients"])}


PATIENTS = ibis.table({"age": "int64", "age_band": "string", "sex": "string"}, name="patients")


@pytest.mark.parametrize(
    "asked", ["patients.sexe", "patients['sexe']", "patients.filter(ibis._.sexe == 'F')"]
)
def test_a_misspelt_column_is_told_without_a_page_of_source(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], asked: str
) -> None:
    show_protected_results()
    shell.push({"patients": PATIENTS, "ibis": ibis})
    result = shell.run_cell(asked)
    shown = capsys.readouterr().out
    assert isinstance(result.error_in_exec, AttributeError | TypeError)
    for words in ("n'a pas de colonne « sexe ».", "Vouliez-vous dire « sex »", "age, age_band, sex"):
        assert words in shown
    assert "relations.py" not in shown


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("diagnoses.code", ("n'a pas de colonne « code »", "cisp2")),
        ("diagnoses.filter(not diagnoses.date.notnull())", ("ne relient pas", "~")),
        ("(diagnoses.cisp2 == 'T90') and True", ("ne relient pas", "&")),
        ("cohort.group_by('sex')", ("n'a pas de « group_by »", "cohort.relation.group_by")),
        ("cohort.execute()", ("n'a pas de « execute »", "cohort.relation.execute")),
        ("cohort.sex", ("n'a pas de « sex »", "cohort.relation.sex")),
    ],
)
def test_mistakes_of_newcomers_are_explained(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], asked: str, words: tuple[str, ...]
) -> None:
    show_protected_results()
    ws = site({})
    diagnoses = ws.tables["diagnoses"]
    cohort = Cohort(ws, "Diabète").index(first=diagnoses.where(diagnoses.cisp2 == "T90"))
    shell.push({"diagnoses": diagnoses, "cohort": cohort})
    assert shell.run_cell(asked).error_in_exec is not None
    shown = " ".join(capsys.readouterr().out.split())
    assert all(each in shown for each in words), shown
    assert "Traceback" not in shown


def test_other_mistakes_are_shown_as_ever(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    show_protected_results()
    shell.push({"patients": PATIENTS})
    for asked, words in (
        ("(1).real.x", "has no attribute 'x'"),
        ("len(1)", "object of type 'int'"),
        ("int('x')", "invalid literal for int()"),
        ("patients.groupby('sex')", "did you mean 'group_by'"),
    ):
        shell.run_cell(asked)
        assert words in capsys.readouterr().out
    monkeypatch.setenv("P4DP_TRACEBACK", "1")
    shell.run_cell("patients.sexe")
    assert "Traceback" in capsys.readouterr().out
