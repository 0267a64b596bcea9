"""Findings and the cells they are about point at each other."""

from __future__ import annotations

from hub_config.airlock.checks import Highlight, Preview, TableBlock, TextBlock
from hub_config.airlock.pages.previews import PLACES_SHOWN, TableView, TextView, shown
from hub_config.governance.releases.facts import CheckState, FileFacts, FileKind, OutputClass
from hub_config.governance.releases.findings import Finding, Place, Rule, Severity

ROWS = tuple((f"K{n}", str(n)) for n in range(30))
TABLE = TableBlock("", ("code", "patients"), ROWS, total_rows=40, total_columns=3)
PARAMS = {"below": 10, "min": 11}


def file(number: int, findings: list[Finding]) -> FileFacts:
    return FileFacts(
        number,
        "t.csv",
        "a" * 64,
        9,
        FileKind.CSV,
        OutputClass.UNVERIFIED,
        CheckState.CHECKED,
        tuple(findings),
    )


def small(row: int, column: int = 2) -> Finding:
    return Finding(Rule.SMALL_COUNT, Severity.WARNING, Place(row=row, column=column), PARAMS)


def test_a_cell_is_marked_with_the_number_of_its_finding_and_linked_both_ways() -> None:
    findings, (view,) = shown(file(3, [small(4)]), Preview((TABLE,)), "fr")
    assert isinstance(view, TableView)
    cell = view.rows[2].cells[1]
    assert [mark.anchor for mark in cell.marks] == [findings[0].anchor]
    assert findings[0].spots[0].cell == cell.id
    assert cell.severity == "warning"
    assert view.rows[2].number == 4


def test_findings_of_one_rule_are_told_once_with_all_their_places() -> None:
    findings, _ = shown(file(1, [small(row) for row in range(2, 32)]), Preview((TABLE,)), "fr")
    assert len(findings) == 1
    assert len(findings[0].spots) == PLACES_SHOWN
    assert findings[0].more == 30 - PLACES_SHOWN


def test_the_heaviest_come_first_and_weigh_on_the_cell() -> None:
    heavy = Finding(Rule.PSEUDONYM, Severity.BLOCKING, Place(row=4, column=2))
    findings, (view,) = shown(file(1, [small(4), heavy]), Preview((TABLE,)), "fr")
    assert [found.severity for found in findings] == [Severity.BLOCKING, Severity.WARNING]
    assert isinstance(view, TableView)
    assert view.rows[2].cells[1].severity == "blocking"
    assert [mark.number for mark in view.rows[2].cells[1].marks] == [1, 2]


def test_a_finding_about_a_column_marks_its_header() -> None:
    about = Finding(Rule.ID_COLUMN, Severity.WARNING, Place(column=1))
    findings, (view,) = shown(file(1, [about]), Preview((TABLE,)), "fr")
    assert isinstance(view, TableView)
    assert [mark.number for mark in view.header[0].marks] == [findings[0].number]


def test_a_highlight_without_a_place_of_its_own_is_marked_by_its_rule() -> None:
    block = TextBlock(("a", "b"), (Highlight(1, -1, Rule.PERSONAL_PATTERN),), total_lines=5)
    about = Finding(Rule.PERSONAL_PATTERN, Severity.WARNING, None)
    _, (view,) = shown(file(1, [about]), Preview((block,)), "fr")
    assert isinstance(view, TextView)
    assert [bool(line.marks) for _, line in view.lines] == [False, True]
    assert view.hidden_lines == 3


def test_what_the_preview_leaves_out_is_counted() -> None:
    _, (view,) = shown(file(1, []), Preview((TABLE,)), "fr")
    assert isinstance(view, TableView)
    assert (view.hidden_rows, view.hidden_columns) == (10, 1)


def test_a_finding_in_a_notebook_leads_to_its_cell() -> None:
    cell, output = TextBlock(("top.head()",), title="[3]"), TextBlock(("a", "b"))
    about = [Finding(Rule.SMALL_COUNT, Severity.BLOCKING, Place(cell=3, row=4, column=1), PARAMS)]
    findings, (first, _) = shown(file(1, about), Preview((cell, output)), "fr")
    assert isinstance(first, TextView)
    assert findings[0].spots[0].cell == first.lines[0][1].id
