"""Finding lists: by name, label, code, without accents; shared ones; the project's own files."""

from __future__ import annotations

from pathlib import Path

import pytest

import p4dp_sdk as p4dp
from p4dp_sdk.catalogue.code_lists import Flaw
from p4dp_sdk.codelists import CodeList, CodeListError, CodeListWarning, UnknownCodeListError

OWN = """
id = "pieds"
version = "{version}"
label_fr = "Pied diabétique"
label_en = "Diabetic foot"
source = "Protocole de Lyon"
author = "Inès"
[codes]
cisp2 = {codes}
"""


def own(version: str = "1", codes: str = '["S97"]') -> str:
    return OWN.format(version=version, codes=codes)


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("P4DP_CODELISTS", str(tmp_path))
    (tmp_path / "pieds").mkdir()
    for version in ("1", "1.9", "1.10"):
        (tmp_path / "pieds" / f"{version}.toml").write_text(own(version), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("diabete", "diabete_type_2"),
        ("DIABÈTE type 2", "diabete_type_2"),
        ("stroke", "avc_aigu"),
        ("T90", "diabete_type_2"),
        ("a10bj02", "glp1"),
        ("goitre", None),
    ],
)
def test_search_knows_labels_and_codes_without_accents(words: str, found: str | None) -> None:
    names = list(p4dp.codes.search(words)["name"])
    assert found in names if found else not names


def test_the_search_is_shown_with_titles_in_the_language_of_the_person() -> None:
    found = p4dp.codes.search("goutte")
    assert list(found.columns) == ["name", "label", "codes", "version", "source"]
    assert "Gout" in repr(found)


def test_an_unknown_list_says_what_may_have_been_meant() -> None:
    with pytest.raises(UnknownCodeListError, match="Did you mean “diabete_type_2”"):
        p4dp.codes("diabete_typ_2")
    with pytest.raises(UnknownCodeListError, match=r"p4dp\.codes\.search"):
        p4dp.codes("xyz")


def test_shared_lists_are_there_in_their_newest_version(shared: Path) -> None:
    assert "pieds" in p4dp.codes.all()
    assert p4dp.codes("pied diabetique").version == "1.10"
    assert p4dp.codes("pieds", version="1").version == "1"
    assert p4dp.codes.versions("pieds") == ("1", "1.9", "1.10")
    with pytest.raises(UnknownCodeListError):
        p4dp.codes("pieds", version="3")


def test_a_shared_list_that_broke_stops_nobody(shared: Path) -> None:
    (shared / "pieds" / "2.toml").write_text("id = ", encoding="utf-8")
    with pytest.warns(CodeListWarning, match="2.toml, line 1"):
        assert p4dp.codes("diabete_type_2").of("cisp2") == ("T90",)


def test_labels_that_two_lists_share_are_told_apart_by_name(shared: Path) -> None:
    (shared / "autre").mkdir()
    (shared / "autre" / "1.toml").write_text(own().replace('"pieds"', '"autre"'), encoding="utf-8")
    with pytest.raises(UnknownCodeListError, match="autre, pieds"):
        p4dp.codes("Pied diabétique")
    assert p4dp.codes("pieds").id == "pieds"


def test_own_files_are_read_and_written(tmp_path: Path) -> None:
    path = tmp_path / "ma_liste.toml"
    made = CodeList(
        id="mienne",
        label_fr="« Goutte » d'après L\u2019école",
        label_en="Gout",
        codes={"cisp2": ["T92"]},
        source="moi",
        author="moi",
        reviewed_by="Dr Denis",
        reviewed_on="2026-03-31",  # type: ignore[arg-type]
        comments={"cisp2": {"T92": 'avec "guillemets"'}},
    )
    made.write(path)
    again = p4dp.codes.read(path)
    assert again == made
    assert again.comments == made.comments
    with pytest.raises(FileExistsError):
        made.write(path)
    nameless = CodeList(codes={"cisp2": ["T92"]})
    with pytest.raises(CodeListError, match="“id” is missing"):
        nameless.write(tmp_path / "sans_nom.toml")
    assert not (tmp_path / "sans_nom.toml").exists()


BAD_FILES = [
    ("not toml at all", Flaw.NOT_TOML, 1),
    (own(codes='["T90"'), Flaw.NOT_TOML, None),
    (own(codes='["T9O"]'), Flaw.BAD_PATTERN, 9),
    (own(codes='["T88"]'), Flaw.UNKNOWN_CODE, 9),
    (own(codes="90"), Flaw.BAD_VALUE, 9),
    (own(codes='"T90"'), Flaw.BAD_VALUE, 9),
    (own("one"), Flaw.BAD_VERSION, 3),
    (own().replace('author = "Inès"\n', ""), Flaw.MISSING_FIELD, None),
    (own().replace("author =", "autor ="), Flaw.UNKNOWN_FIELD, 7),
    (own().replace('"Inès"', '""'), Flaw.MISSING_FIELD, 7),
    (own().replace('"Inès"', "7"), Flaw.BAD_VALUE, 7),
    (own().replace("Inès", "In\u202eès"), Flaw.BAD_TEXT, 7),
    (own().replace("Inès", "In\u200bès"), Flaw.BAD_TEXT, 7),
    (own().replace("[codes]\ncisp2 =", "codes ="), Flaw.BARE_CODE, 8),
    (own().replace("[codes]\ncisp2 =", "codes = 3 #"), Flaw.BAD_VALUE, 8),
    (own() + "[exclude]\nicpc2 = []", Flaw.UNKNOWN_SYSTEM, None),
    (own() + "\n" + "a = " + "[" * 5000, Flaw.NOT_TOML, None),
    (own(codes="[" + '"T90",' * 30_000 + "]"), Flaw.TOO_BIG, 8),
    (own() + "#" * 300_000, Flaw.TOO_BIG, None),
    (own() + "a" + ".a" * 100_000 + " = 1", Flaw.NOT_TOML, 10),
]


@pytest.mark.parametrize(("text", "flaw", "line"), BAD_FILES, ids=lambda value: str(value)[:24])
def test_a_bad_file_is_refused_with_its_file_and_line(
    tmp_path: Path, text: str, flaw: Flaw, line: int | None
) -> None:
    path = tmp_path / "liste.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CodeListError, match=r"liste\.toml") as problem:
        p4dp.codes.read(path)
    assert problem.value.bad.flaw is flaw
    assert line is None or problem.value.bad.place.line == line


def test_other_encodings_are_told_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "liste.toml"
    path.write_bytes(own().encode("latin-1"))
    with pytest.raises(CodeListError, match="line 4") as problem:
        p4dp.codes.read(path)
    assert problem.value.bad.flaw is Flaw.NOT_UTF8
    path.write_bytes(own().encode("utf-8-sig").replace(b"\n", b"\r\n"))
    assert p4dp.codes.read(path).id == "pieds"
    path.write_bytes(own().encode("utf-16"))
    with pytest.raises(CodeListError):
        p4dp.codes.read(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "nulle_part.toml", tmp_path):
        with pytest.raises(CodeListError) as problem:
            p4dp.codes.read(path)
        assert problem.value.bad.flaw is Flaw.UNREADABLE
