"""A count as people write it, what it leaves of its whole, and what nobody can hide it behind."""

from __future__ import annotations

import pytest

from hub_config.airlock.checks.inside.disclosure.cells import read_cell
from hub_config.airlock.checks.inside.disclosure.written import bounds_of
from hub_config.airlock.checks.inside.found import Context
from hub_config.airlock.checks.inside.preview import disguises, shows
from tests.unit.airlock_checks.reading import blocking, read, said, warnings


def _counts(*cells: str) -> str:
    return "code | patients\nK86 | 3934\n" + "".join(f"X{at:02d} | {cell}\n" for at, cell in enumerate(cells))


@pytest.mark.parametrize(
    ("cell", "count"),
    [
        ("4*", 4),
        ("**4**", 4),
        ("4 (b)", 4),
        ("n = 7", 7),
        ("~ 7 pts (a)", 7),
        ("environ 7", 7),
        ("Quatre patients", 4),
        ("⁷", 7),
        ("➆", 7),
        ("٧", 7),
        ("7\u034f", 7),
        ("1 204²", 1204),
        ("1 204 (a)", 1204),
        ("0,7 % (7)", 7),
        ("7 sur 1 000", 7),
        ("0,42***", None),
        ("T90", None),
        ("3 mois", None),
        ("2.3.3", None),
    ],
)
def test_a_count_is_read_with_what_stands_around_it(cell: str, count: int | None) -> None:
    assert read_cell(cell).whole == count


@pytest.mark.parametrize(
    ("text", "bounds"),
    [("1 à 3", (1, 3)), ("2-4", (2, 4)), ("deux ou trois", (2, 3)), ("< 4", (0, 3)), ("≤ 10", (0, 10)),
     ("moins de 5 patients", (0, 4)), ("2-4 ans", None), ("4-2", None), ("1,2-1,9", None)],
)  # fmt: skip
def test_two_bounds_are_read_as_such(text: str, bounds: tuple[int, int] | None) -> None:
    assert bounds_of(text) == bounds


def test_a_mask_may_be_as_wide_as_the_policy_says_and_no_closer() -> None:
    masks = _counts("< 11", "≤ 10", "1-10", "moins de 11", "400 à 500")
    assert blocking(masks) == warnings(masks) == []
    assert blocking(_counts("< 10", "2-10")) == ["narrow-mask 3,2", "narrow-mask 4,2"]
    assert "narrow-mask 3,2" in blocking(masks, Context(min_patients=20))


def test_what_no_rule_reads_in_a_column_of_counts_is_told() -> None:
    assert warnings(_counts("VII", "voir la note", "4 ou plus ?", "x")) == [
        "unread-cell 3,2",
        "unread-cell 4,2",
        "unread-cell 5,2",
    ]


def test_junk_in_a_column_hides_no_count_of_it() -> None:
    """Seven texts around one count made a column of texts of it."""
    junk = ("voir la note",) * 7
    assert blocking(_counts(*junk, "4")) == ["small-count 10,2"]
    assert blocking(_counts(*junk, "4*")) == ["small-count 10,2"]


@pytest.mark.parametrize("sign", "\u034f\ufe0f\u3164\u2800\u115f\uffa0\u180b\U000e0100")
def test_what_leaves_nothing_on_the_page_is_told_and_shown(sign: str) -> None:
    assert not shows(sign)
    assert "disguised-characters 3,2" in blocking(_counts(f"7{sign}"))
    assert "disguised-characters line 1" in said(read(f"Total 7{sign}\n", "a.txt"))


def test_a_pictogram_may_have_its_style() -> None:
    assert not disguises("⚠️ À relire")
    assert disguises("7️") and disguises("⠀️")


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("sexe | n\nFemmes | 3930\nEnsemble | 3934", ["small-complement 2,2"]),
        ("sexe | n\nTotal | 3934\nFemmes | 3930", ["small-complement 3,2"]),
        ("sexe | n\nF | 1000\nH | 990\nTotal | 1994", ["small-complement 4,2"]),
        ("sexe | n\nF | 2030\nH | 1904\nTotal | 3934", []),
        ("cas | effectif\n996 | 1000\n1200 | 1000", ["small-complement 2,1"]),
        ("mesure | valeur\nHbA1c | 996/1000\nMMSE | 28/30\nvu | 4/2021", ["small-complement 2,2"]),
        ("issue | A | B\nN | 1000 | 900\ndécès | 0,4 % | 12 %", ["count-behind-percentage 3,2"]),
        ("dx | n | pct\nHTA | 400 | 40,0\nBPCO | 300 | 30,0\nLED | * | 0,4", ["count-behind-percentage 4,3"]),
        ("dx | n\nHTA | 400 (40,0 %)\nLED | * (0,4 %)", ["count-behind-percentage 3,2"]),
    ],
)
def test_what_is_left_of_a_whole_is_found(table: str, expected: list[str]) -> None:
    assert blocking(table) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Parmi 1 000 patients, 0,4 % sont décédés.", ["count-behind-percentage line 1"]),
        ("Parmi 1 000 patients, l'IC 95 % allait de 54 à 61.", []),
        ("Parmi 100 patients, 57 % de femmes. Le seuil était de 5 %.", []),
        ("Tous sauf quatre ont été revus.", ["small-complement line 1"]),
        ("Dont 3 VIH.", ["small-count line 1"]),
        ("Trois patients, dans les deux cas.", ["small-count line 1"]),
        ("Dans les deux cas, moins de trois patients sont masqués.", []),
        ("**Décès** : *4*", ["small-count line 1"]),
        ("Décès : deux à quatre", ["narrow-mask line 1"]),
        ("⑦ patients", ["small-count line 1"]),
        ("De l'ordre de 10⁷ unités.", []),
    ],
)
def test_a_sentence_is_read_too(text: str, expected: list[str]) -> None:
    found = read(f"{text}\n", "texte.md")
    assert [each for each in said(found) if not each.startswith("extreme")] == expected
