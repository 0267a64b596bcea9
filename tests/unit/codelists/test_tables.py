"""The tables that classifications are published as; and files that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub_config.codelists.problems import CodeListProblem
from hub_config.codelists.tables import Format, read_table
from p4dp_sdk.catalogue.model import Code

CLAML = """<?xml version="1.0" encoding="UTF-8"?>
{doctype}
<ClaML version="2.0.0">
<Class code="IV" kind="chapter"><SubClass code="E10-E14"/>
  <Rubric kind="preferred"><Label>Maladies endocriniennes</Label></Rubric></Class>
<Class code="E10-E14" kind="block"><SuperClass code="IV"/><SubClass code="E11"/>
  <Rubric kind="preferred"><Label>Diabète sucré</Label></Rubric></Class>
<Class code="E11" kind="category"><SuperClass code="{above}"/><SubClass code="E11.4"/>
  <Rubric kind="preferred"><Label>Diabète de type 2{text}</Label></Rubric></Class>
<Class code="E11.4" kind="category"><SuperClass code="E11"/>
  <Rubric kind="preferred"><Label>Complications neurologiques</Label></Rubric></Class>
</ClaML>"""
BOMB = '<!DOCTYPE ClaML [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


def claml(doctype: str = "", above: str = "E10-E14", text: str = "") -> str:
    return CLAML.format(doctype=doctype, above=above, text=text)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "table.txt"


def read(
    file: Path, system: str, content: str | bytes, form: str = "csv", encoding: str = "utf-8"
) -> list[Code]:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_table(system, file, Format(form), encoding).codes)


def test_csv_in_the_ways_it_is_written(file: Path) -> None:
    wanted = [Code("T90", "Diabète, type 2", "Diabète, type 2", "T")]
    assert read(file, "cisp2", 'code,libellé\nT90,"Diabète, type 2"\n') == wanted
    assert read(file, "cisp2", "Code;Label\r\nT90;Diabète, type 2\r\n") == wanted
    assert (
        read(file, "cisp2", "\ufeffcode\tlabel_fr\tlabel_en\nT90\tDiabète, type 2\tDiabète, type 2") == wanted
    )
    assert (
        read(file, "cisp2", "code;label\nT90;Diabète, type 2".encode("cp1252"), encoding="cp1252") == wanted
    )


def test_atc_takes_substances_and_puts_them_under_their_group(file: Path) -> None:
    text = "ATC code,ATC level name\nA,Alimentary\nA10,Antidiabetics\nA10BX,Other\nA10BX02,repaglinide\n"
    assert read(file, "atc", text, "atc") == [Code("A10BX02", "repaglinide", "repaglinide", "A10")]


def test_bdpm_in_its_two_files(file: Path) -> None:
    cis = "60002283\tANASTROZOLE ACCORD 1 mg, comprimé pelliculé\tcomprimé\torale\n".encode("cp1252")
    assert read(file, "cis", cis, "bdpm", "cp1252")[0].code == "60002283"
    cip = "60002283\t4949729\tplaquette(s) de 30 comprimés\tactive\tDéclarée\t16/03/2011\t3400949497294\t\n"
    assert read(file, "cip", cip, "bdpm") == [
        Code("3400949497294", "plaquette(s) de 30 comprimés", "plaquette(s) de 30 comprimés", "60002283")
    ]


def test_loinc_in_english_and_french(file: Path) -> None:
    english = 'LOINC_NUM,COMPONENT,LONG_COMMON_NAME\n4548-4,Hemoglobin A1c,"Hemoglobin A1c in Blood"\n'
    assert read(file, "loinc", english, "loinc")[0].label_fr == "Hemoglobin A1c in Blood"
    french = "LOINC_NUM,LinguisticVariantDisplayName,LONG_COMMON_NAME\n4548-4,HbA1c,Hemoglobin A1c\n"
    assert read(file, "loinc", french, "loinc") == [Code("4548-4", "HbA1c", "Hemoglobin A1c", None)]


def test_claml_gives_categories_with_what_is_above(file: Path) -> None:
    doctype = '<!DOCTYPE ClaML SYSTEM "ClaML.dtd">'
    assert read(file, "cim10", claml(doctype), "claml") == [
        Code("E11", "Diabète de type 2", "Diabète de type 2", "E10-E14"),
        Code(
            "E11.4",
            "Diabète de type 2, Complications neurologiques",
            "Diabète de type 2, Complications neurologiques",
            "E11",
        ),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (claml(BOMB, text="&b;"), "declares entities"),
        (claml(BOMB, text="&b;").encode("utf-16"), "declares entities|no XML"),
        (
            claml('<!DOCTYPE ClaML [<!ENTITY x SYSTEM "file:///etc/passwd">]>', text="&x;"),
            "declares entities",
        ),
        (claml('<!DOCTYPE ClaML [<!ENTITY % p SYSTEM "http://x.invalid/"> %p;]>'), "declares entities"),
        ("<ClaML", "no XML"),
        ("code,label\n", "no XML"),
        ("<html/>", "holds no code"),
        (claml().replace('code="E11.4" ', ""), "no ClaML"),
    ],
)
def test_a_hostile_claml_is_refused(file: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(CodeListProblem, match=said):
        read(file, "cim10", content, "claml")


def test_a_claml_that_goes_in_circles_ends(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is above E11 is below it: the library would follow it for ever."""
    monkeypatch.setattr("hub_config.codelists.claml.SECONDS", 3)
    with pytest.raises(CodeListProblem, match=r"too long|more memory or time"):
        read(file, "cim10", claml(above="E11.4"), "claml")


@pytest.mark.parametrize(
    ("system", "content", "said"),
    [
        ("cisp2", "code,label\nT9O,Diabète\n", "line 2: this is no code of cisp2"),
        ("cisp2", "code,label\nT90,\n", "line 2: a code without a label"),
        ("cisp2", "code,label\nT90,a\nT90,b\n", "line 3: T90 stands in it twice"),
        ("cisp2", "code,label\nT90,Dia\u202ebète\n", "turns the writing"),
        ("cisp2", "code,label\nT90,Dia\x1b[31mbète\n", "can't be seen"),
        ("cisp2", "code,label\nT90,Dia\u200bbète\n", "can't be seen"),
        ("cisp2", 'code,label\nT90,"a\n', "no CSV"),
        ("cisp2", "code,label\nT90,a\x00b\n", "no CSV|can't be seen"),
        ("cisp2", "code,label,parent\nT90,a,=cmd|x\n", "parent is no code"),
        ("cisp2", "kode,label\nT90,a\n", "names no column 'code'"),
        ("cisp2", "", "names no column 'code'"),
        ("cisp2", "code,label\n", "holds no code"),
        ("cisp2", "code,label\nT90,Diabète\n".encode("latin-1"), "line 2: this is no text in utf-8"),
        ("cisp2", "code,label\nT90,a\n".encode("utf-16"), "no text in utf-8"),
    ],
)
def test_a_bad_table_is_refused_with_its_line(
    file: Path, system: str, content: str | bytes, said: str
) -> None:
    with pytest.raises(CodeListProblem, match=said):
        read(file, system, content)


def test_formats_and_systems_that_do_not_go_together_are_told(file: Path) -> None:
    for system, form in (("atc", "claml"), ("cim10", "bdpm"), ("cisp2", "loinc"), ("cim10", "atc")):
        with pytest.raises(CodeListProblem, match="The format"):
            read(file, system, "code,label\n", form)
    with pytest.raises(CodeListProblem, match="no encoding"):
        read(file, "cisp2", "code,label\n", encoding="klingon")
    with pytest.raises(CodeListProblem, match="can't be loaded"):
        read(file, "centre", "code,label\n")


def test_sizes_are_bounded(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub_config.codelists.tables.MAX_CODES", 2)
    with pytest.raises(CodeListProblem, match="more than 2 codes"):
        read(file, "cisp2", "code,label\nT90,a\nT89,a\nT92,a\n")
    monkeypatch.setattr("hub_config.codelists.tables.MAX_BYTES", 8)
    with pytest.raises(CodeListProblem, match="larger"):
        read(file, "cisp2", "code,label\nT90,a\n")
    monkeypatch.undo()
    assert read(file, "cisp2", f"code,label\nT90,{'a' * 5000}\n")[0].label_fr.endswith("…")
