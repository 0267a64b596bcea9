"""`SafeTable`: what it shows, what it keeps, and that nobody changes it unnoticed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

import p4dp_sdk as p4dp
from p4dp_sdk.figures.sheets import METADATA_KEY, inert
from p4dp_sdk.wire.publication import GIVEN_AGAIN, Column, Lineage, Shape
from tests.unit.sdk.signed_tables import OTHER_KEY, STATEMENT, pem, signed, table

pytestmark = pytest.mark.usefixtures("english")

WRITERS = ("to_csv", "to_excel", "to_arrow", "to_parquet")
SUFFIXES = {"to_csv": "csv", "to_excel": "xlsx", "to_arrow": "arrow", "to_parquet": "parquet"}
HOSTILE = ("=1+1", "+A1", "-2", "@SUM(A1)", "\tx", "École d’été ; « a »", 'a"b\nc', "שלום", "🩺")


@pytest.fixture
def english(french: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4DP_LANG", "en")


def saved(writer: str, directory: Path, made: p4dp.SafeTable | None = None) -> Path:
    path: Path = getattr(made or table(), writer)(directory / f"table.{SUFFIXES[writer]}")
    return path


def test_the_frame_is_exact_and_withheld_cells_are_na() -> None:
    frame = table().frame
    assert frame["patients"].dtype == "Int64" and frame["part"].dtype == "Float64"
    assert frame["patients"].tolist()[0] == 1234 and frame["patients"].isna().tolist() == [False, True, False]
    assert frame.attrs["p4dp"].protection == "publication"
    assert frame.attrs["p4dp"].measures["patients"].withheld == 1


def test_a_changed_frame_changes_no_table() -> None:
    made = table()
    frame = made.frame
    frame["patients"] = 0
    assert made.frame["patients"].tolist()[0] == 1234
    with pytest.raises(AttributeError):
        made.document = signed()  # type: ignore[misc]


def test_dates_and_empty_tables_have_frames() -> None:
    columns = (Column("mois", Shape.DATE, Lineage.KEY), Column("vu", Shape.BOOLEAN, Lineage.KEY))
    frame = table(columns=columns, rows=(("2020-02-01", True), (None, None)), total=None).frame
    assert frame["mois"].iloc[0] == pd.Timestamp(2020, 2, 1) and frame["mois"].isna().iloc[1]
    assert table(rows=(), total=None).frame.empty


def test_a_notebook_shows_title_marks_reasons_and_where_it_comes_from() -> None:
    html = table()._repr_html_()
    assert "Diabète par âge &lt;b&gt;et&lt;/b&gt; sexe" in html and "<b>et" not in html
    assert html.count("<td>•</td>") == 2 and "1234" in html
    for words in ("2 withheld cells", "fewer than 11 patients", "widen the age bands", "67 %"):
        assert words in html, words
    for words in ("Total", "Project these-ines", "snapshot 3", "2026-11-21"):
        assert words in html, words


def test_the_terminal_shows_the_same() -> None:
    text = repr(table())
    assert text.startswith("Diabète par âge") and "•" in text and "2 withheld cells" in text


def test_what_is_not_vouched_for_is_said() -> None:
    text = repr(table(unverified=("rows-held", "libellé"), synthetic=True, left_out=("sex",)))
    assert "Synthetic data" in text and "libellé" in text and "sex" in text
    assert "physician looks" in text and "if any, are too few" in text


def test_a_table_published_before_says_of_when_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4DP_LANG", "fr")
    again = table(method=f"{STATEMENT.method}; {GIVEN_AGAIN}")
    assert "Tableau déjà publié" in again._repr_html_() and "ceux du 21/11/2026" in repr(again)
    assert "déjà publié" not in repr(table())


def test_a_table_may_lack_cells_for_one_published_on_earlier_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4DP_LANG", "fr")
    shown = repr(table(reasons=("frequency", "earlier")))
    assert "nombre déjà publié, même sur une version antérieure des données" in shown


def test_the_record_has_all_but_the_cells() -> None:
    record = table().record
    assert json.loads(json.dumps(record)) and record["kept"] == pytest.approx(0.6667)
    assert record["signature"]["algorithm"] == "ed25519" and record["snapshot"] == 3
    assert "rows" not in record and "total" not in record


def test_the_signature_is_verified() -> None:
    assert table().verify(pem())
    with pytest.raises(p4dp.NotGenuineError, match="another key"):
        table().verify(pem(OTHER_KEY))
    forged = json.loads(signed().to_json())
    forged["statement"]["rows"][0][1] = 1235
    with pytest.raises(p4dp.NotGenuineError, match="changed after"):
        p4dp.SafeTable.from_json(json.dumps(forged)).verify(pem())


@pytest.mark.parametrize("writer", WRITERS)
def test_every_file_is_read_back(writer: str, tmp_path: Path) -> None:
    again = p4dp.SafeTable.read(saved(writer, tmp_path))
    assert again == table() and again.verify(pem())


@pytest.mark.parametrize("writer", WRITERS)
def test_hostile_labels_come_back_and_never_run(writer: str, tmp_path: Path) -> None:
    made = table(rows=tuple((label, 11, 0.5) for label in HOSTILE))
    path = saved(writer, tmp_path, made)
    assert p4dp.SafeTable.read(path) == made
    if writer == "to_csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            cells = [row[0] for row in csv.reader(file, delimiter=";")]
        assert not [text for text in cells if text.startswith(("=", "+", "-", "@", "\t"))]
    if writer == "to_excel":
        sheet = openpyxl.load_workbook(path).worksheets[0]
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)


def test_csv_opens_cleanly_in_a_french_spreadsheet(tmp_path: Path) -> None:
    content = saved("to_csv", tmp_path).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.decode("utf-8-sig").splitlines()[1:3] == ["40-49;1234;0,125", "50-59;•;•"]
    frame = pd.read_csv(tmp_path / "table.csv", sep=";", decimal=",", na_values="•")
    assert frame["part"].tolist()[2] == 1 / 3 and frame["patients"].isna().sum() == 1


def test_excel_shows_the_table_its_legend_and_its_record(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(saved("to_excel", tmp_path))
    shown, record, signed_sheet = book.worksheets
    texts = [str(cell.value) for row in shown.iter_rows() for cell in row if cell.value is not None]
    assert "Diabète par âge <b>et</b> sexe" in texts and "•" in texts and "Total" in texts
    assert any("2 withheld cells" in text for text in texts)
    assert any(row[0].value == "Signature" for row in record.iter_rows())
    assert signed_sheet.sheet_state == "hidden"


def test_arrow_and_parquet_carry_the_document(tmp_path: Path) -> None:
    for found in (
        feather.read_table(saved("to_arrow", tmp_path)),
        parquet.read_table(saved("to_parquet", tmp_path)),
    ):
        assert found.schema.metadata[METADATA_KEY] == signed().to_json()
        assert found.column("patients").to_pylist() == [1234, None, 87]


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    path = saved("to_csv", tmp_path)
    path.write_bytes(path.read_bytes().replace(b"1234", b"1235"))
    book = openpyxl.load_workbook(saved("to_excel", tmp_path))
    book.worksheets[0]["B4"] = 1235
    book.save(tmp_path / "table.xlsx")
    changed = parquet.read_table(saved("to_parquet", tmp_path))
    column = pa.array([1235, None, 87], pa.int64())
    parquet.write_table(changed.set_column(1, changed.schema.field(1), column), tmp_path / "table.parquet")
    for suffix in ("csv", "xlsx", "parquet"):
        with pytest.raises(p4dp.NotGenuineError, match="no longer those"):
            p4dp.SafeTable.read(tmp_path / f"table.{suffix}")


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    saved("to_csv", tmp_path)
    (tmp_path / "table.csv.json").unlink()
    for name, content in {"a.xlsx": b"PK", "b.arrow": b"ARROW1", "c.parquet": b"", "d.json": b"{}"}.items():
        (tmp_path / name).write_bytes(content)
    openpyxl.Workbook().save(tmp_path / "e.xlsx")
    parquet.write_table(pa.table({"a": [1]}), tmp_path / "f.parquet")
    (tmp_path / "g.txt").write_text("")
    for path in ("table.csv", *("a.xlsx", "b.arrow", "c.parquet", "d.json", "e.xlsx", "f.parquet", "g.txt")):
        with pytest.raises(p4dp.NotGenuineError) as problem:
            p4dp.SafeTable.read(tmp_path / path)
        assert "What to do" in str(problem.value)


@pytest.mark.parametrize(("text", "written"), [("=1", "'=1"), ("a=1", "a=1"), ("", ""), ("-1", "'-1")])
def test_formulas_get_an_apostrophe(text: str, written: str) -> None:
    assert inert(text) == written


def test_it_draws_itself() -> None:
    matplotlib.use("agg")
    axes = table().plot.bar(values="patients").axes
    assert axes.get_title(loc="left") == table().title
    assert len(axes.patches) >= 3
    counted, of_shares = table().plot.bar().axes, table().plot.bar(values=["patients", "part"]).axes
    assert len(counted.patches) == len(axes.patches) < len(of_shares.patches), "counts alone unless asked"
    columns = (
        *table().statement.columns[:1],
        Column("sex", Shape.TEXT, Lineage.KEY),
        *table().statement.columns[1:],
    )
    crossed = table(columns=columns, rows=(("40-49", "F", 30, 0.5), ("40-49", "M", None, None)), total=None)
    names = [tick.get_text() for tick in crossed.plot.bar(values=["patients"]).axes.get_xticklabels()]
    assert names == ["40-49 · F", "40-49 · M"]
    with pytest.raises(p4dp.P4DPError, match="patients"):
        table().plot.bar(values="patient")
    plt.close("all")
