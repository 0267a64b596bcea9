"""Table 1 as Word, LaTeX and Excel: the same texts, nothing that runs, nothing of the machine."""

from __future__ import annotations

import re
import time
import zipfile
from pathlib import Path
from typing import Any

import docx
import ibis.expr.types as ir
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p4dp_sdk.cohorts.results import table_one
from p4dp_sdk.cohorts.results.latex import escaped, latex
from p4dp_sdk.cohorts.results.sheet import Line, Sheet
from p4dp_sdk.cohorts.results.word import write_word

HOSTILE = r"=cmd|' /C calc'!A0 \input{/etc/passwd} $x$ & 50 % _a_ <b>#~^" + "\x07"


@pytest.fixture
def table(hand: ir.Table) -> Any:
    labels = {"hta": HOSTILE, "age": "Âge"}
    return table_one(hand, by="sex", variables=["age", "hta"], labels=labels, title="Tableau 1")


def test_word_holds_the_table(table: Any, tmp_path: Path) -> None:
    document = docx.Document(str(table.to_word(tmp_path / "one.docx")))
    cells = [[cell.text for cell in row.cells] for row in document.tables[0].rows]
    assert cells[0][1:] == ["All patients", "F", "M", "not recorded", "SMD"]
    assert cells[1] == ["Patients, n", "9", "5", "3", "1", ""]
    assert cells[-1] == ["\u2003not recorded", "1 (11.1)", "0 (0.0)", "1 (33.3)", "0 (0.0)", ""]
    assert document.paragraphs[0].text == "Tableau 1"
    assert any("Percentages" in paragraph.text for paragraph in document.paragraphs)


def test_word_shows_what_was_written_and_runs_nothing(table: Any, tmp_path: Path) -> None:
    path = table.to_word(tmp_path / "one.docx")
    cells = [row.cells[0].text for row in docx.Document(str(path)).tables[0].rows]
    assert HOSTILE.replace("\x07", "") + ", n (%)" in cells
    with zipfile.ZipFile(path) as archive:
        body = archive.read("word/document.xml").decode()
    assert "w:fldSimple" not in body and "w:instrText" not in body and "w:hyperlink" not in body


@pytest.mark.parametrize(
    ("write", "name"), [("to_word", "t.docx"), ("to_excel", "t.xlsx"), ("to_latex", "t.tex")]
)
def test_files_are_the_same_bytes_whenever_they_are_written(
    table: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: str, name: str
) -> None:
    first = getattr(table, write)(tmp_path / name).read_bytes()
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(2_000_000_000))
    monkeypatch.setenv("USER", "somebody")
    assert getattr(table, write)(tmp_path / f"again-{name}").read_bytes() == first


@pytest.mark.parametrize(("write", "name"), [("to_word", "t.docx"), ("to_excel", "t.xlsx")])
def test_files_name_nobody_and_no_hour(table: Any, tmp_path: Path, write: str, name: str) -> None:
    with zipfile.ZipFile(getattr(table, write)(tmp_path / name)) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
    assert set(re.findall(r"\d{4}-\d\d-\d\d", core)) <= {"1980-01-01", "2013-12-23"}
    assert "P4DP" in core and "python-docx" not in core and "openpyxl" not in core


def test_excel_holds_the_table_and_its_numbers(table: Any, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(table.to_excel(tmp_path / "one.xlsx"))
    shown, numbers = book.worksheets
    assert [cell.value for cell in shown[4]][:5] == ["Patients, n", "9", "5", "3", "1"]
    assert [cell.value for cell in numbers[2]] == ["patients", None, "n", 9, 5, 3, 1]
    texts = [cell for page in book.worksheets for row in page.iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in texts)


# -- LaTeX ---------------------------------------------------------------------------------------------------


def test_latex_is_a_booktabs_table(table: Any) -> None:
    text = latex(table.sheet)
    for rule in (
        r"\toprule",
        r"\midrule",
        r"\bottomrule",
        r"\begin{tabular}{lccccc}",
        r"\caption{Tableau 1}",
    ):
        assert rule in text
    assert r"Patients, n & 9 & 5 & 3 & 1 &  \\" in text
    assert r"\input" not in text and r"\textbackslash{}input" in text


_COMMANDS = re.compile(
    r"\\(?:textbackslash|textasciicircum|textasciitilde|textless|textgreater|textbar|textquotedbl|"
    r"textasciigrave|textquotesingle|textbullet|textendash|textemdash|textquoteright|quad)\{\}"
    r"|\\ensuremath\{\\(?:approx|geq|leq|pm)\}|\{[\[\]-]\}|\\[{}$&#%_,]"
)


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_no_text_is_a_command(text: str) -> None:
    """What is left without the escapes holds no sign that LaTeX reads as anything but itself."""
    left = _COMMANDS.sub("", escaped(text))
    assert not set(left) & set("\\{}$&#%_^\"<>|`'") and "\n" not in left and "\r" not in left
    assert left.count("~") <= text.count("\u00a0")


@given(st.lists(st.text(max_size=8), min_size=2, max_size=2))
@settings(max_examples=25, deadline=None)
def test_a_row_has_as_many_cells_as_columns(cells: list[str]) -> None:
    text = latex(Sheet("t", ("", "a", "b"), (Line(cells[0], (cells[1], "x")),), ()))
    (row,) = text[text.index(r"\midrule") :].splitlines()[1:2]
    assert row.replace(r"\&", "").count("&") == 2 and row.endswith(r" \\")


@given(text=st.text(max_size=20))
@settings(max_examples=25, deadline=None)
def test_any_text_can_stand_in_word(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    sheet = Sheet(text, ("", "a"), (Line(text, (text,)),), (text,))
    path = write_word(sheet, tmp_path_factory.mktemp("word") / "any.docx")
    assert docx.Document(str(path)).tables
