"""Two tables side by side: the difference that could name somebody is found."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hub_config.airlock.pages.tables import Comparison, Table, compare, number

HEADER = ("code", "sexe", "patients")


def table(*rows: tuple[str, ...], header: tuple[str, ...] = HEADER) -> Table:
    return Table("", header, rows)


def compared(now: Table, before: Table) -> Comparison:
    found = compare(now, before)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3934", "3934"), ("3 934", "3934"), ("1\u202f234,5", "1234.5"), ("−3", "-3"), ("12 %", "12"),
        ("K86", None), ("", None), ("<11", None), ("2019-2022", None), ("1,234,567", None),
    ],
)  # fmt: skip
def test_a_number_is_read_as_a_person_reads_it(text: str, value: str | None) -> None:
    assert number(text) == (None if value is None else Decimal(value))


def test_a_small_difference_is_found_whatever_the_order_of_rows() -> None:
    found = compared(
        table(("K86", "f", "2 104"), ("R74", "f", "1 900")),
        table(("R74", "f", "1 900"), ("K86", "f", "2 099")),
    )
    assert found.small == 1
    assert [line.labels for line in found.changed] == [("K86", "f")]
    assert found.changed[0].cells[0].difference == 5
    assert found.unchanged == 1


@pytest.mark.parametrize(
    ("before", "small"), [("2 093", 0), ("2 094", 1), ("2 114", 1), ("2 115", 0), ("2 104", 0)]
)
def test_ten_is_few_and_eleven_is_not(before: str, small: int) -> None:
    assert compared(table(("K86", "f", "2 104")), table(("K86", "f", before))).small == small


def test_a_row_that_came_or_went_is_told() -> None:
    found = compared(table(("K86", "f", "20")), table(("R74", "f", "30")))
    assert [(line.cells[0].now, line.cells[0].before) for line in found.lines] == [("20", None), (None, "30")]


def test_a_cell_that_was_withheld_differs() -> None:
    found = compared(
        table(("K86", "f", "20"), ("R74", "f", "9")), table(("K86", "f", "20"), ("R74", "f", "masqué"))
    )
    assert [line.labels for line in found.changed] == [("R74", "f")]
    assert found.small == 0


def test_years_are_labels_where_nothing_else_tells_rows_apart() -> None:
    header = ("année", "patients")
    found = compared(
        table(("2015", "100"), ("2016", "120"), header=header),
        table(("2015", "97"), ("2016", "120"), header=header),
    )
    assert found.labels == ("année",)
    assert found.small == 1


def test_other_columns_or_the_same_label_twice_are_not_compared() -> None:
    assert compare(table(("K86", "f", "1")), table(("K86", "1"), header=("code", "patients"))) is None
    assert compare(table(("K86", "f", "1"), ("K86", "f", "1")), table(("K86", "f", "1"))) is None
