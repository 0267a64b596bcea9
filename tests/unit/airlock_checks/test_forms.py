"""Encodings, workbooks, Parquet, JSON and texts: the same small group is found in each, at its place."""

from __future__ import annotations

import io
import json
import zipfile

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl.comments import Comment
from openpyxl.workbook.defined_name import DefinedName

from hub_config.airlock.checks.inside.found import CannotRead
from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.governance.releases.findings import Rule
from tests.unit.airlock_checks.reading import read, said

SMALL = "région;patients\nÎle-de-France;7\nNormandie;140\n"


@pytest.mark.parametrize(
    ("encoding", "told"),
    [("utf-8", []), ("utf-8-sig", []), ("utf-16", ["encoding"]), ("cp1252", ["encoding"])],
)
def test_encodings(encoding: str, told: list[str]) -> None:
    assert said(read(SMALL.encode(encoding))) == [*told, "small-count 2,2"]


def test_nul_bytes_are_put_aside() -> None:
    with pytest.raises(CannotRead):
        read(b"a,b\n1,\x002\n" + b"x" * 30_000 + b"\x00")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators(separator: str) -> None:
    assert said(read(SMALL.replace(";", separator))) == ["small-count 2,2"]


def test_a_title_above_the_header_moves_the_rows() -> None:
    assert said(read("Tableau 1. Patients par région\n\n" + SMALL.replace(";", ","))) == ["small-count 4,2"]


def test_a_table_without_a_header() -> None:
    assert said(read("F,120\nM,7\n")) == ["small-count 2,2"]


@pytest.mark.parametrize(
    "document",
    [
        [{"annee": 2020, "patients": 7}, {"annee": 2021, "patients": 70}],
        {"annee": [2020, 2021], "patients": [7, 70]},
        {"columns": ["annee", "patients"], "index": [0, 1], "data": [[2020, 7], [2021, 70]]},
        {"annee": {"0": 2020, "1": 2021}, "patients": {"0": 7, "1": 70}},
        {"tables": {"one": [["annee", "patients"], [2020, 7], [2021, 70]]}},
        {"centre": "A", "effectif": 7},
    ],
)
def test_json_in_all_the_ways_pandas_writes_it(document: object) -> None:
    assert "small-count" in " ".join(said(read(json.dumps(document), "t.json")))


def test_json_with_a_key_twice_hides_a_value() -> None:
    assert any(each.startswith("hidden-content") for each in said(read('{"a": 1, "a": 2}', "t.json")))


@pytest.mark.parametrize("document", ["[" * 5_000, "{", "nul", '{"a": ' * 100 + "1" + "}" * 100])
def test_json_that_can_t_be_read_is_put_aside(document: str) -> None:
    with pytest.raises(CannotRead):
        read("[" + document if document == "nul" else document, "t.json")


def parquet(**columns: list[object]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def test_parquet() -> None:
    assert said(read(parquet(annee=[2020, 2021], patients=[7, 70]), "t.parquet")) == ["small-count 1,2"]


def test_parquet_whose_counts_a_gap_made_floats() -> None:
    assert said(read(parquet(annee=[2020, 2021], patients=[7.0, None]), "t.parquet")) == ["small-count 1,2"]


def test_parquet_with_more_than_it_should_have() -> None:
    table = pa.table({"n": [120]}).replace_schema_metadata({"note": "Mme Durand"})
    out = io.BytesIO()
    pq.write_table(table, out)
    assert said(read(out.getvalue(), "t.parquet")) == ["document-metadata"]


def test_parquet_that_is_cut_is_put_aside() -> None:
    with pytest.raises(CannotRead):
        read(parquet(n=[1])[:-10], "t.parquet")


def workbook(**changes: bool) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (("année", "patients"), (2020, 120), (2021, 140)):
        sheet.append(row)
    if changes.get("small"):
        sheet["B2"] = 7
    if changes.get("hidden_sheet"):
        other = book.create_sheet("brut")
        other.sheet_state = "veryHidden"
        other.append(("patients",))
        other.append((3,))
    if changes.get("hidden_row"):
        sheet.row_dimensions[2].hidden = True
    if changes.get("hidden_column"):
        sheet.column_dimensions["B"].hidden = True
    if changes.get("comment"):
        sheet["A1"].comment = Comment("à revoir", "x")
    if changes.get("formula"):
        sheet["B4"] = "=SUM(B2:B3)"
    if changes.get("name"):
        book.defined_names["secret"] = DefinedName("secret", attr_text='"12345"')
    if changes.get("white"):
        sheet["A4"] = "caché"
        sheet["A4"].font = openpyxl.styles.Font(color="FFFFFFFF")
    if changes.get("author"):
        book.properties.creator = "Jeanne"
    if changes.get("link"):
        sheet["A1"].hyperlink = "http://example.org/"
    if changes.get("chart"):
        sheet.add_chart(openpyxl.chart.BarChart(), "E5")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("small", Rule.SMALL_COUNT),
        ("hidden_sheet", Rule.HIDDEN_CONTENT),
        ("hidden_sheet", Rule.SMALL_COUNT),
        ("hidden_row", Rule.HIDDEN_CONTENT),
        ("hidden_column", Rule.HIDDEN_CONTENT),
        ("comment", Rule.COMMENT),
        ("formula", Rule.FORMULA),
        ("name", Rule.DEFINED_NAME),
        ("white", Rule.HIDDEN_CONTENT),
        ("author", Rule.DOCUMENT_METADATA),
        ("link", Rule.EXTERNAL_LINK),
        ("chart", Rule.EMBEDDED_OBJECT),
    ],
)
def test_what_a_workbook_can_hide(change: str, rule: Rule) -> None:
    assert rule in {finding.rule for finding in read(workbook(**{change: True}), "t.xlsx").findings}


def test_a_plain_workbook_raises_nothing() -> None:
    assert said(read(workbook(), "t.xlsx")) == []


def with_part(name: str, part: bytes) -> bytes:
    out = io.BytesIO(workbook())
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(name, part)
    return out.getvalue()


@pytest.mark.parametrize(
    ("part", "rule"),
    [
        ("xl/vbaProject.bin", Rule.MACRO),
        ("xl/externalLinks/externalLink1.xml", Rule.EXTERNAL_LINK),
        ("xl/embeddings/oleObject1.bin", Rule.MACRO),
        ("xl/pivotCache/pivotCacheRecords1.xml", Rule.EMBEDDED_OBJECT),
        ("xl/media/image1.png", Rule.EMBEDDED_OBJECT),
        ("customXml/item1.xml", Rule.EMBEDDED_OBJECT),
        ("notes/cohort.csv", Rule.EMBEDDED_OBJECT),
    ],
)
def test_every_part_of_a_workbook_is_accounted_for(part: str, rule: Rule) -> None:
    assert rule in {finding.rule for finding in read(with_part(part, b"<a/>"), "t.xlsx").findings}


@pytest.mark.parametrize(
    ("part", "reason"),
    [(b'<!DOCTYPE a [<!ENTITY b "cc">]><a>&b;</a>', Reason.BOMB), (b"\0" * 200_000_000, Reason.BOMB)],
)
def test_bombs_in_a_workbook_are_put_aside_before_they_are_parsed(part: bytes, reason: Reason) -> None:
    out = io.BytesIO(workbook())
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/bomb.xml", part)
    with pytest.raises(CannotRead) as stop:
        read(out.getvalue(), "t.xlsx")
    assert stop.value.reason is reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Parmi eux, 7 patients ont eu un AVC.", ["small-count line 1"]),
        ("L'étude porte sur 1 240 patients et 12 centres.", []),
        ("Groupe traité (n = 8)", ["small-count line 1"]),
        ("- Décès : 7", ["small-count line 1"]),
        ("Durée : 7 jours", []),
        ("Femmes : 7\nHommes : 120", ["small-count line 1"]),
        ("10 patients sur 100 ont un risque annoncé.", []),
        ("Min. 1st Qu. Median Mean 3rd Qu. Max.", ["extreme-value line 1"]),
        ("Contact : jean@exemple.fr", ["personal-pattern line 1"]),
        ("Df Residuals:                        8", ["few-degrees-of-freedom line 1"]),
        ("Soit 7/230 (3 %)", ["small-count line 1"]),
        ("Mme Durand a été revue.", ["personal-pattern line 1"]),
        ("Âge de 65 ans et plus, suivis 5 ans, 3 fois par an.", []),
        ("<script>alert(1)</script> dans un texte", ["active-content line 1"]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert said(read(text + "\n", "t.md")) == expected


def test_a_table_in_markdown_and_one_as_pandas_prints_it() -> None:
    marked = "# Titre\n\n| sexe | patients |\n|---|---|\n| F | 7 |\n| M | 140 |\n"
    printed = "Sortie :\n\n   sexe  patients\n0  F     7\n1  M     140\n"
    assert said(read(marked, "t.md")) == ["small-count line 4"]
    assert any("small-count" in each for each in said(read(printed, "t.txt")))


def test_a_header_of_two_levels() -> None:
    assert said(read(",F,F,M,M\nsexe,n,%,n,%\nA,120,50,4,2\nB,130,60,90,5\n")) == ["small-count 3,4"]


def test_code_sets_variables() -> None:
    assert said(read("n = 3\ntop = table.limit(5)\n", "t.py")) == []


def test_a_table_too_wide_for_the_checks_is_not_let_through_in_part() -> None:
    wide = "\n".join([",".join(f"c{i}" for i in range(400)), *[",".join(["120"] * 400)] * 1_500])
    assert any("too-many-rows" in each for each in said(read(wide)))


def test_a_csv_under_another_name_is_read_as_one() -> None:
    assert said(read("sexe,patients\nF,7\nM,140\n", "t.txt")) == ["small-count 2,2"]
