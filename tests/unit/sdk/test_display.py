"""A protected result on screen: one mark for each withheld cell, and below it why and what to do."""

from __future__ import annotations

import pickle

import pandas as pd
import pyarrow as pa
import pytest

import p4dp_sdk as p4dp
from p4dp_sdk.backend.results import attach, protected_scalar
from p4dp_sdk.figures.snapped import snapped_rows
from p4dp_sdk.tables.display import html, text, withheld_cells
from p4dp_sdk.wire.protocol import Disclosure, MeasureSummary, Scope
from tests.unit.sdk.crosstabs import crosstab
from tests.unit.sdk.peer import disclosure

NNBSP = "\u202f"


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
            "2 cellules masquées : moins de 11 patients. 67 % des cellules sont montrées.",
            "Que faire : élargissez les classes d'âge ou laissez ces cellules masquées.",
            "Brouillon : chaque effectif est brouillé, de ± 2 environ.",
            "ws.publish",
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
        ("classe", "élargissez les classes ou"),
    ],
)
def test_advice_follows_the_groups(key: str, advice: str) -> None:
    assert advice in text(attach(crosstab().rename(columns={"age_band": key}), disclosure()))


@pytest.mark.parametrize(
    ("keys", "advice"),
    [
        (("sex",), "élargissez la cohorte, regroupez ce que vous y comptez"),
        (("sex", "type"), "prenez des groupes plus larges"),
    ],
)
def test_advice_does_not_ask_for_what_can_not_be_done(keys: tuple[str, ...], advice: str) -> None:
    by_sex = pd.DataFrame({"sex": ["F", "M"], "type": ["a", "b"], "n": pd.array([None, 20], "Int64")})
    assert advice in text(attach(by_sex[[*keys, "n"]], disclosure(key_columns=keys)))


def with_unrecorded(**changes: object) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"classe": ["40-64", "65+", "non renseigné"], "n": pd.array([40, None, None], "Int64")}
    )
    return attach(frame, disclosure(key_columns=("classe",), **changes))


def test_what_is_not_recorded_is_no_loss() -> None:
    """Its class always comes back, nearly always empty: no wider class would fill it."""
    both = with_unrecorded()
    assert "2 cellules masquées" in text(both)
    assert "Hors « non renseigné », 50 % des cellules sont montrées." in text(both)
    assert "Que faire" in text(both)
    one = attach(both.iloc[[0, 2]], both.attrs["p4dp"])
    for drawn in (text(one), text(one.set_index("classe"))):
        assert "1 cellule masquée" in drawn
        assert "Hors « non renseigné », 100 % des cellules sont montrées." in drawn
        assert "Que faire" not in drawn
    nothing_else = attach(both.iloc[[2]], both.attrs["p4dp"])
    assert "1 cellule masquée" in text(nothing_else)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("physicians", "trop peu de médecins"),
        ("dominance", "un patient ou un médecin qui pèse presque tout"),
        ("unanimity", "un groupe où presque tous sont dans le même cas"),
        ("secondary", "masquage complémentaire"),
        ("earlier", "trop proche d'une réponse antérieure"),
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


def whole(**changes: object) -> pd.DataFrame:
    return attach(pd.DataFrame({"patients": pd.array([12], "Int64")}), disclosure(**changes))


def test_nothing_withheld_and_nothing_blurred_needs_no_notes() -> None:
    assert text(whole(method="", error=0.0)).splitlines()[-1].endswith("12")


def test_a_draft_says_by_how_much_it_is_blurred_and_how_to_get_exact_values() -> None:
    note = text(whole(error=3.4)).splitlines()[-1]
    assert note == (
        "Brouillon : chaque effectif est brouillé, de ± 3 environ. "
        "Pour des valeurs exactes, figez le tableau : ws.publish."
    )
    assert "<code>ws.publish</code>" in (html(whole()) or "")
    assert "moyennes" in text(crosstab())


def test_a_draft_of_ones_own_rows_is_not_told_to_be_published() -> None:
    said = text(whole(scope=Scope.OWN))
    assert "ne se figent pas" in said and "ws.publish" not in said


def test_a_rounded_draft_says_so() -> None:
    assert "chaque effectif est arrondi, de ± 2 environ" in text(whole(method="rounding", error=2.0))


def test_the_least_rounded_number_is_read_as_such() -> None:
    counts = pd.DataFrame({"patients": pd.array([10, 15], "Int64"), "part": [0.5, 7.0]})
    for method, shown in (("rounding", "≥ 10"), ("cell-key", " 10")):
        drawn = text(attach(counts, disclosure(method=method)))
        assert shown in drawn
        assert drawn.count("≥") == (method == "rounding")


def test_a_publication_table_says_that_it_is_exact_and_what_secondary_suppression_is() -> None:
    shown = text(crosstab(protection="publication", error=0.0, method=""))
    assert "• effectif masqué (< 11), trop révélateur, ou masquage complémentaire" in shown
    assert "les nombres montrés sont exacts" in shown
    assert "rouillon" not in shown


def test_noise_on_a_budget_says_its_error() -> None:
    shown = text(crosstab(protection="noise", error=7.0, method="noise"))
    assert "Bruit payé sur le budget : un effectif est décalé de ± 7 environ" in shown
    assert "•" not in shown, "nothing is withheld"


def test_the_share_shown_is_never_rounded_to_all_or_nothing() -> None:
    for missing, told in ((1, "99 %"), (999, "1 %"), (1000, "0 %")):
        values = pd.array([None] * missing + [50] * (1000 - missing), "Int64")
        assert f"{told} des cellules" in text(attach(pd.DataFrame({"n": values}), disclosure()))


def test_a_year_that_is_a_key_is_no_cell() -> None:
    years = pd.DataFrame({"annee": pd.array([2020, None], "Int32"), "n": pd.array([50, 60], "Int64")})
    shown = text(attach(years, disclosure(key_columns=("annee",))))
    assert "•" not in shown
    assert "—" in shown


def snapped(count: int, *labels: tuple[object, ...]) -> dict[str, MeasureSummary]:
    return {"patients": MeasureSummary(shown=2, withheld=1, snapped=count, snapped_labels=labels)}


def test_cells_rounded_to_an_earlier_answer_carry_a_sign() -> None:
    frame = crosstab(measures=snapped(2, ("30-39",), (None,)), key_columns=("age_band",))
    for shown in (text(frame), html(frame) or ""):
        assert f"≈ 12{NNBSP}345" in shown
        assert "≈ 1999" in shown
        assert "≈ 0,1235" not in shown
        assert "≈ arrondi à une réponse antérieure : 2 cellules." in shown


def test_what_is_given_again_says_of_when_it_is() -> None:
    """Of each day once, whatever the measure."""
    days = ("2026-01-05", "2026-02-01")
    again = {
        name: MeasureSummary(2, 1, 1, (("30-39",),), days[:count])
        for count, name in enumerate(("patients", "part [1]"), 1)
    }
    frame = crosstab(measures=again, key_columns=("age_band",))
    assert "La même question a déjà été posée : valeur du 05/01/2026, 01/02/2026." in text(frame)
    said = disclosure(measures=again)
    assert Disclosure.from_json(said.to_json()) == said
    assert b"given_again" not in disclosure(measures=snapped(1, ("30-39",))).to_json()


def test_the_sign_follows_its_row() -> None:
    frame = crosstab(measures=snapped(1, ("30-39",)), key_columns=("age_band",))
    for moved in (frame.iloc[::-1], frame.set_index("age_band"), frame.iloc[[1]]):
        assert f"≈ 12{NNBSP}345" in text(attach(moved, frame.attrs["p4dp"]))
    assert "≈ 1999" not in text(frame)


def test_a_ratio_of_a_rounded_part_carries_the_sign() -> None:
    parts = {"part [1]": MeasureSummary(2, 1, 1, (("30-39",),)), "part [2]": MeasureSummary(3, 0)}
    assert "≈ 0,1235" in text(crosstab(measures=parts, key_columns=("age_band",)))


def test_a_table_on_its_side_keeps_its_marks() -> None:
    """Table 1 as it is printed: measures to the left, groups above."""
    counts = {"n": MeasureSummary(2, 0, 1, (("F",),)), "age [1]": MeasureSummary(2, 0, 2, (("F",), ("M",)))}
    made = disclosure(
        key_columns=("sex",), measures={**counts, "age [2]": MeasureSummary(2, 0, 1, (("F",),))}
    )
    frame = pd.DataFrame(
        {
            "sex": ["F", "M"],
            "n": pd.array([41, 52], "Int64"),
            "age": pd.array([66.5, 65.5], "Float64"),
            "T90": pd.array([None, 20], "Int64"),
            "R95": pd.array([None, None], "Int64"),
        }
    )
    upright = attach(frame, made)
    turned = upright.set_index("sex").T
    for drawn in (text(upright), text(turned), text(upright.T)):
        for shown in ("≈ 41", " 52", "≈ 66,5", "≈ 65,5", "≈ arrondi à une réponse antérieure : 3 cellules."):
            assert shown in drawn
        assert drawn.count("•") == 4
        assert "3 cellules masquées" in drawn
        assert "—" not in drawn


@pytest.mark.parametrize("turn", ["pivot_table", "unstack"])
def test_a_table_that_pandas_turned_keeps_its_marks(turn: str) -> None:
    frame = pd.DataFrame(
        {
            "sex": ["F", "M"] * 2,
            "band": ["a", "a", "b", "b"],
            "n": pd.array([20, None, 30, 40], "Int64"),
        }
    )
    made = attach(frame, disclosure(key_columns=("sex", "band")))
    wide = (
        made.pivot_table(index="band", columns="sex", values="n")
        if turn == "pivot_table"
        else made.set_index(["band", "sex"])["n"].unstack()
    )
    drawn = text(wide)
    assert "•" in drawn and "1 cellule masquée" in drawn and "<NA>" not in drawn


def test_columns_of_words_and_numbers_hold_no_cells() -> None:
    mixed = pd.DataFrame(
        {"a": ["x", 1, None], "b": [True, False, None], "n": pd.array([20, 30, 40], "Int64")}
    )
    assert "•" not in text(attach(mixed, disclosure()))


def test_what_is_not_found_again_is_told_by_its_number() -> None:
    renamed = crosstab(measures=snapped(3, ("30-39",)), key_columns=("age_band",)).rename(
        columns={"age_band": "classe"}
    )
    assert "\narrondi à une réponse antérieure : 3 cellules." in text(renamed)
    some = crosstab(measures=snapped(3, ("30-39",)), key_columns=("age_band",))
    assert "≈ arrondi à une réponse antérieure : 3 cellules (dont 1 ici)." in text(some)


def test_what_is_rounded_elsewhere_is_not_told_here() -> None:
    frame = crosstab(measures=snapped(1, ("30-39",)), key_columns=("age_band",))
    head = attach(frame[frame["age_band"] != "30-39"], frame.attrs["p4dp"])
    assert "arrondi" not in text(head)
    renamed = attach(head.rename(columns={"patients": "effectif"}), frame.attrs["p4dp"])
    assert "arrondi à une réponse antérieure : 1 cellule." in text(renamed)


def test_a_withheld_cell_has_one_mark() -> None:
    """Of a mean, a part may be rounded and the other withheld."""
    frame = crosstab(measures=snapped(1, ("20-29",)), key_columns=("age_band",))
    assert frame.loc[frame["age_band"] == "20-29", "patients"].isna().all()
    assert "≈ •" not in text(frame)


def test_dates_and_numbers_of_labels_are_those_that_json_made() -> None:
    days = pd.DataFrame(
        {"jour": pd.to_datetime(["2020-02-29", "2020-03-01"]), "an": [2020, 2020], "n": [20, 30]}
    )
    summary = {"n": MeasureSummary(shown=2, withheld=0, snapped=1, snapped_labels=(("2020-02-29", 2020),))}
    made = disclosure(measures=summary, key_columns=("jour", "an"))
    for read in (made, Disclosure.from_json(made.to_json())):
        assert snapped_rows(days, read) == {"n": {0}}


def test_a_single_number_tells_how_exact_it_is() -> None:
    measures = {"n": MeasureSummary(shown=1, withheld=0, snapped=1, snapped_labels=((),))}
    number = protected_scalar(pa.table({"n": [40]}), disclosure(measures=measures))
    assert number + 1 == 41
    for words in ("≈ 40", "arrondi à une réponse antérieure", "± 2"):
        assert words in number._repr_html_()
    parts = {f"n [{part}]": MeasureSummary(1, 0, 1, ((),)) for part in (1, 2)}
    mean = protected_scalar(pa.table({"n": [42.5]}), disclosure(measures=parts))._repr_html_()
    assert "≈ 42,5" in mean and "≈ arrondi à une réponse antérieure : 1 cellule." in mean
    assert type(protected_scalar(pa.table({"n": [40]}), disclosure("public"))) is int
    assert "brouillées" not in protected_scalar(pa.table({"n": [0.5]}), disclosure())._repr_html_()


def test_a_number_can_be_kept_in_a_file() -> None:
    number = protected_scalar(pa.table({"n": [40]}), disclosure())
    assert pickle.loads(pickle.dumps(number)) == 40  # noqa: S301 - our own


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


def test_long_tables_are_cut() -> None:
    long = attach(pd.DataFrame({"n": pd.array(range(5000), "Int64")}), disclosure())
    assert len((html(long) or "").splitlines()) < 500
