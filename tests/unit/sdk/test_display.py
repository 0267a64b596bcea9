"""A protected result on screen: one mark for each withheld cell, and below it why and what to do."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

import p4dp_sdk as p4dp
from p4dp_sdk.backend.results import attach
from p4dp_sdk.tables.display import html, show_protected_results, text, withheld_cells
from p4dp_sdk.wire.protocol import MeasureSummary
from tests.unit.sdk.peer import disclosure

NNBSP = "\u202f"


def crosstab(**changes: object) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "age_band": pd.array(["20-29", "30-39", None], "string"),
            "patients": pd.array([None, 12345, 1999], "Int64"),
            "part": pd.array([None, 0.123456, 1234.5], "Float64"),
        }
    )
    return attach(frame, disclosure(**changes))


def test_withheld_cells_carry_one_mark_and_missing_labels_another() -> None:
    shown = text(crosstab())
    assert shown.count("•") == 3  # two cells and the legend
    assert "—" in shown
    assert "<NA>" not in shown


def test_notes_say_why_and_what_to_do() -> None:
    for shown in (html(crosstab()), text(crosstab())):
        assert shown is not None
        for words in (
            "effectif masqué (",
            " 11)",
            "2 cellules masquées : moins de 11 patients.",
            "Que faire : élargissez les classes d'âge ou laissez ces cellules masquées.",
        ):
            assert words in shown.replace("&#x27;", "'")


def test_notes_speak_english_too() -> None:
    p4dp.language("en")
    assert "2 withheld cells: fewer than 11 patients." in text(crosstab())
    assert "12,345" in text(crosstab())


@pytest.mark.parametrize(
    ("key", "advice"),
    [
        ("centre_id", "regroupez plusieurs centres"),
        ("annee", "prenez des périodes plus longues"),
        ("cisp2", "regroupez plusieurs codes"),
        ("sex", "prenez des groupes plus larges"),
    ],
)
def test_advice_follows_the_groups(key: str, advice: str) -> None:
    assert advice in text(attach(crosstab().rename(columns={"age_band": key}), disclosure()))


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("physicians", "moins de 3 médecins"),
        ("unanimity", "tous les patients d'un groupe ont la même réponse"),
        ("a-later-rule", "une règle de confidentialité"),
    ],
)
def test_each_reason_has_words(reason: str, words: str) -> None:
    assert words in text(crosstab(reasons=(reason,)))


def test_numbers_are_written_as_in_french() -> None:
    shown = text(crosstab())
    for number in (f"12{NNBSP}345", "1999", "0,1235", f"1{NNBSP}234"):
        assert number in shown


def test_a_count_of_codes_is_not_a_group_of_codes() -> None:
    counts = attach(crosstab().rename(columns={"patients": "diagnostics"}), disclosure())
    assert "plusieurs codes" not in text(counts)


def test_nothing_withheld_needs_no_notes() -> None:
    whole = attach(pd.DataFrame({"patients": pd.array([12], "Int64")}), disclosure())
    assert text(whole).splitlines()[-1].endswith("12")


def test_dropped_groups_are_told_without_their_number() -> None:
    assert "leur nombre n'est pas dit" in text(crosstab(rows_may_be_missing=True))


def test_sandbox_says_what_protection_would_do() -> None:
    shown = text(crosstab(protection="none", measures={"patients": MeasureSummary(shown=2, withheld=4)}))
    assert "4 cellules de ce tableau seraient masquées" in shown
    assert "•" not in shown


def test_individual_data_stay_here() -> None:
    shown = text(crosstab(protection="rows"))
    assert "restent dans cet espace de travail" in shown
    assert "•" not in shown


def test_public_tables_need_no_notes() -> None:
    assert "•" not in text(crosstab(protection="public"))


def test_a_protection_not_known_here_still_marks_its_cells() -> None:
    assert withheld_cells(crosstab()) == 2
    assert "•" in text(crosstab(protection="of-a-later-version"))


def test_labels_are_escaped() -> None:
    frame = attach(pd.DataFrame({"<script>": ["<img src=x>"]}), disclosure())
    assert "<script>" not in (html(frame) or "")
    assert "<img" not in (html(frame) or "")


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


def test_long_tables_are_cut() -> None:
    long = attach(pd.DataFrame({"n": pd.array(range(5000), "Int64")}), disclosure())
    assert len((html(long) or "").splitlines()) < 500
