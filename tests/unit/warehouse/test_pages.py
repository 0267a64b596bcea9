"""The pages of snapshots: French first, scales that don't deceive, colours that everybody tells apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hub_config.warehouse.comparing import Change, Comparison
from hub_config.warehouse.pages.comparison import comparison_page
from hub_config.warehouse.pages.drawing import LESS, MORE, Heat, Moved, bars, heat, scale_of
from hub_config.warehouse.pages.language import Words, language_of
from hub_config.warehouse.pages.quality import Since, write_report
from hub_config.warehouse.quality.compare import Move, What
from hub_config.warehouse.quality.profile import Counts, Profile, TableProfile
from p4dp_sdk.figures.style import PALETTE
from tests import words

PACKAGE = Path(__file__).parents[3] / "hub_config" / "warehouse" / "pages"
FRENCH, ENGLISH = Words("fr"), Words("en")
NBSP, NARROW, MINUS = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}", "\N{MINUS SIGN}"


def test_everything_is_said_in_english() -> None:
    assert words.unsaid(PACKAGE, "p4dp-warehouse") == []


def test_the_compiled_catalogue_is_current() -> None:
    assert words.is_compiled(PACKAGE, "p4dp-warehouse")


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "fr"),
        ({"LANG": "C.UTF-8"}, "fr"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": ""}, "fr"),
    ],
)
def test_pages_are_french_unless_the_terminal_is_english(environ: dict[str, str], language: str) -> None:
    assert language_of(environ) == language


def test_numbers_are_written_as_the_language_does() -> None:
    assert (FRENCH.count(36_694), ENGLISH.count(36_694)) == (f"36{NARROW}694", "36,694")
    assert (FRENCH.percent(0.9876), ENGLISH.percent(0.9876)) == (f"98,76{NBSP}%", f"98.76{NBSP}%")
    assert (FRENCH.change(-0.2771), FRENCH.signed(-1200)) == (f"{MINUS}27,7{NBSP}%", f"{MINUS}1{NARROW}200")
    assert FRENCH.percent(0.00001) == f"<0,01{NBSP}%" and FRENCH.percent(0.99999) == f">99,99{NBSP}%"
    assert (FRENCH.count(None), FRENCH.percent(0), FRENCH.percent(1)) == (
        "",
        f"0,00{NBSP}%",
        f"100,00{NBSP}%",
    )


# --- quality -----------------------------------------------------------------------------------------------

CENTRES = {
    "C1": Counts(1000, {"value": 990, "unit": 1000}, {"height_in_metres": 12}),
    "C2": Counts(500, {"value": 250, "unit": 500}, {}),
}
ALL = Counts(1500, {"value": 1240, "unit": 1500}, {"height_in_metres": 12})
PROFILE = Profile({"biometrics": TableProfile(ALL, CENTRES, {})}, twins=0)
MOVES = [
    Move("biometrics", What.FILLED, "value", 0.99, 0.5, "C2"),
    Move("biometrics", What.RULE, "height_in_metres", 0.0, 0.0101),
    Move("vaccinations", What.GONE, "vaccinations", 1200, 0),
]


def test_the_quality_page_is_french_and_names_what_a_physician_knows(tmp_path: Path) -> None:
    page = write_report(PROFILE, 4, Since(3, MOVES), tmp_path).read_text(encoding="utf-8")
    assert '<html lang="fr">' in page and "Qualité de la version figée 4" in page
    assert "Taille en mètres saisie comme centimètres, corrigée" in page
    assert "Lignes où « Valeur harmonisée » est rempli" in page
    assert f"99,00{NBSP}%" in page and f"1{NARROW}200" in page
    assert "Toujours remplies : Unité." in " ".join(page.split())
    assert 'style="width: 82.67%"' in page, "the bar is as long as the share, of 100"
    assert (tmp_path / "biometrics-completeness-centre.png").stat().st_size > 1000
    english = write_report(PROFILE, 4, Since(3, MOVES), tmp_path, ENGLISH).read_text(encoding="utf-8")
    assert '<html lang="en">' in english and "Height in metres entered as centimetres, corrected" in english


def shown(cells: list[list[float]], top: float, *, dark_is_many: bool) -> Heat:
    rows = [f"row {place}" for place in range(len(cells))]
    return Heat(rows, ["C1", "C2"], cells, "centre", "lignes (%)", top, dark_is_many)


def test_a_heat_map_goes_from_nothing_to_its_top_and_is_darkest_where_to_look() -> None:
    filled = heat(shown([[0.98, 0.99]], 1.0, dark_is_many=False), FRENCH)
    (image,) = filled.axes[0].images
    assert image.get_clim() == (0, 100), "shares that differ by a hundredth look alike"
    assert image.get_cmap().name == "cividis"
    assert [text.get_text() for text in filled.axes[0].texts] == ["98,00", "99,00"]
    assert filled.axes[1].get_ylabel() == "lignes (%)" and filled.axes[0].get_xlabel() == "centre"
    assert [text.get_text() for text in filled.axes[1].get_yticklabels()][-1] == f"100{NBSP}%"
    fired = heat(shown([[0.0, 0.02]], 0.02, dark_is_many=True), FRENCH)
    (image,) = fired.axes[0].images
    assert (image.get_clim(), image.get_cmap().name) == ((0, 2), "cividis_r")
    assert [text.get_color() for text in fired.axes[0].texts] == ["black", "white"], "legible on its cell"


# --- comparison --------------------------------------------------------------------------------------------

SIDE = {
    "number": 1,
    "source": "mapping <north>",
    "population": "north",
    "numbering": "registered",
    "made": "2024-03-01T10:00:00+00:00",
    "last_date": "2023-12-31",
}
FOUND = Comparison(
    before=SIDE,
    after={**SIDE, "number": 2},
    people=(Change("patients", 100, 150), Change("physicians", 10, 10)),
    tables=(Change("diagnoses", 1000, 500), Change("vaccinations", None, 70)),
    quality=(Change("height_in_metres", 10, 10),),
    centres=(Change("C1", 100, None), Change("C2", None, 150)),
    schema=("+ patients.region_id",),
)


def test_a_comparison_is_drawn_counted_and_french() -> None:
    page = comparison_page(FOUND)
    assert "De la version figée 1 à la 2" in page and "01/03/2024" in page
    assert "mapping &lt;north&gt;" in page and "<north>" not in page
    assert page.count("data:image/png;base64,") == 3, "people, rows, centres; nothing moved by rule"
    assert "Rien n&#39;a changé." in page
    assert "Apparus, sans avant : Vaccinations (70)." in page and "disparu" in page and "nouveau" in page
    assert "+ patients.region_id" in page and "http" not in page
    assert "From snapshot 1 to 2" in comparison_page(FOUND, ENGLISH)
    apart = replace(FOUND, after={**FOUND.after, "numbering": "preset A"})
    assert "numérotés à part" in comparison_page(apart) and "numérotés à part" not in page


def test_what_is_more_and_what_is_less_are_told_apart_without_colours() -> None:
    figure = bars(
        [Moved("a", 0.5, "+50 %"), Moved("b", -0.2, "-20 %"), Moved("c", 9.0, "+900 %")], 1.0, FRENCH
    )
    more, less, far = figure.axes[0].patches
    assert (more.get_hatch(), less.get_hatch()) == (None, "//")
    assert (more.get_width(), less.get_width(), far.get_width()) == (0.5, -0.2, 1.0)
    assert {MORE, LESS} <= set(PALETTE), "which colour-blind readers tell apart"


@pytest.mark.parametrize(
    ("shares", "scale"), [((), 0.1), ((0.03, -0.09), 0.1), ((0.1, -0.3), 0.5), ((-1.0, 4.0), 1.0)]
)
def test_one_scale_serves_all_bars_of_a_page(shares: tuple[float, ...], scale: float) -> None:
    assert scale_of(shares) == scale
