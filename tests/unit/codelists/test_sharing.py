"""What an operator types: lists shared once and for all, tables that only grow, each on the audit log."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import p4dp_sdk as p4dp
from hub_config.cli import main
from hub_config.governance.audit import read_records
from hub_config.settings import Settings

OWN = """
id = "pieds"
version = "1"
label_fr = "Pied diabétique"
label_en = "Diabetic foot"
source = "Protocole"
author = "Inès"
[codes]
cisp2 = ["S97"]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("P4DP_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def say(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def written(text: str, name: str = "liste.toml") -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


def events(home: Path) -> list[tuple[str, object]]:
    settings = Settings(home=home)
    return [(one.what, one.details) for one in read_records(settings.audit_dir, settings.keys_dir)]


def test_a_list_is_shared_and_shown(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = say("codelist", "add", written(OWN))
    assert done.exit_code == 0, done.output
    assert "Shared: pieds, version 1" in done.output
    assert events(home) == [("codelist.add", {"list": "pieds", "version": "1"})]
    assert say("codelist", "add", written(OWN.replace('"1"', '"1.1"'))).exit_code == 0
    listed = say("codelist", "list").output.splitlines()
    assert [line.split()[:2] for line in listed] == [["pieds", "1"], ["pieds", "1.1"]]
    assert say("codelist", "show", "pieds", "--version", "1").output == OWN
    monkeypatch.setenv("P4DP_CODELISTS", str(home / "codelists"))
    assert p4dp.codes("Pied diabetique").version == "1.1"


def test_shared_files_can_be_read_by_workspaces_and_home_by_nobody(home: Path) -> None:
    say("codelist", "add", written(OWN))
    modes = {path.name: path.stat().st_mode & 0o777 for path in (home, *home.glob("codelists/**/*"))}
    assert modes == {"home": 0o700, "pieds": 0o755, "1.toml": 0o644}


def test_a_version_is_never_overwritten(home: Path) -> None:
    say("codelist", "add", written(OWN))
    again = say("codelist", "add", written(OWN.replace("S97", "S98")))
    assert again.exit_code == 2
    assert "Give the changed list a new version" in again.output
    assert "S97" in (home / "codelists/pieds/1.toml").read_text(encoding="utf-8")
    assert [path.name for path in home.glob("codelists/pieds/*")] == ["1.toml"]
    assert len(events(home)) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OWN.replace("S97", "S9O"), "liste.toml, line 9"),
        (OWN.replace('"pieds"', '"../../etc"'), "can't be the name of a list"),
        (OWN.replace('"1"', '"../1"'), "can't be a version"),
        (OWN.replace('"pieds"', '"diabete_type_2"'), "ships with the SDK"),
        (OWN.replace("cisp2", "icpc2"), "no code system"),
        (OWN.replace("Inès", "In\u202eès"), "turns the direction"),
        ("id = [" * 10_000, "no TOML"),
        ("#" * 1_100_000, "larger than a code list"),
    ],
)
def test_a_list_that_cant_be_used_is_refused_and_leaves_nothing(home: Path, text: str, said: str) -> None:
    done = say("codelist", "add", written(text))
    assert done.exit_code == 2
    assert said in done.output
    assert not home.exists() or not list(home.rglob("*.toml"))


def test_what_the_site_does_not_know_is_told(home: Path) -> None:
    done = say("codelist", "add", written(OWN.replace('cisp2 = ["S97"]', 'atc = ["A10BA02", "A10BX02"]')))
    assert done.exit_code == 0
    assert "Not known here: atc A10BX02" in done.output
    assert "Did you mean 'pieds'" in say("codelist", "show", "pied").output
    assert say("codelist", "show", "pieds", "--version", "9").exit_code == 2


def test_a_table_is_loaded_and_lists_take_its_codes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = say(
        "codes", "load", "atc", written("code,label\nA10BX02,Répaglinide\nA10BA02,Metformine\n", "a.csv")
    )
    assert done.exit_code == 0, done.output
    assert "2 codes read, 1 of them new; 85 are known now" in done.output
    assert events(home) == [("codes.load", {"system": "atc", "format": "csv", "codes": 2})]
    own = OWN.replace('cisp2 = ["S97"]', 'atc = ["A10BX02"]')
    assert "Not known" not in say("codelist", "add", written(own)).output
    monkeypatch.setenv("P4DP_CODES", str(home / "codes"))
    assert "A10BX02" in p4dp.codes("antidiabetiques").of("atc")
    assert p4dp.CodeList(codes={"atc": ["A10BX02"]}).listing()["label"].tolist() == ["Répaglinide"]


def test_a_table_only_grows(home: Path) -> None:
    say("codes", "load", "loinc", written("LOINC_NUM,LONG_COMMON_NAME\n4548-4,HbA1c\n", "a.csv"))
    more = say(
        "codes", "load", "loinc", written("LOINC_NUM,LONG_COMMON_NAME\n718-7,Hb\n4548-4,Hb A1c\n", "a.csv")
    )
    assert "2 codes read, 1 of them new; 2 are known now" in more.output
    say("codes", "load", "loinc", written("LOINC_NUM,LONG_COMMON_NAME\n718-7,Hb\n", "a.csv"))
    assert "loinc    2 codes" in say("codes", "list").output
    assert "Hb A1c" in (home / "codes/loinc.csv").read_text(encoding="utf-8")


def test_a_bad_table_changes_nothing(home: Path) -> None:
    assert say("codes", "load", "atc", written("code,label\nA10BX02,\n", "a.csv")).exit_code == 2
    assert not list(home.rglob("*.csv"))
    assert "No table was loaded" in say("codes", "list").output
