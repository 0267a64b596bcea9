"""The shipped mappings take what their vendors export, catch the planted traps, and read no name."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

import hub_config.warehouse.mappings as shipped
from hub_config.warehouse.loader import staging
from hub_config.warehouse.loader.agreement import require_agreement
from hub_config.warehouse.loader.load import Loaded, Places, load
from hub_config.warehouse.loader.mapping import VendorMapping, read_mapping
from hub_config.warehouse.loader.readers import nested, open_rows
from hub_config.warehouse.loader.rules import Rule
from hub_config.warehouse.samples import cabineo, meditrame, omop
from hub_config.warehouse.samples.population import PLANTED, Person, facts, people, tally
from p4dp_sdk.catalogue.load import load_catalogue

MAPPINGS = Path(str(shipped.__path__[0]))
PERSONS = [each for each in people(240) if each.practice == 6]


def of(name: str) -> VendorMapping:
    return read_mapping(MAPPINGS / f"{name}.toml")


WRITERS: dict[str, Callable[[Path, list[Person]], None]] = {
    "cabineo": cabineo.write,
    "meditrame": meditrame.write_xml,
    "meditrame-json": meditrame.write_json,
    "omop-cdm-v5.4": omop.write,
}


@dataclass(frozen=True)
class Site:
    """One vendor's export, loaded."""

    files: Path
    home: Path
    loaded: Loaded

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.loaded.snapshot.database), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def counts(self, table: str) -> Counter[str]:
        return Counter(dict(self.ask(f"SELECT dq_code, count(*) FROM {table} GROUP BY ALL")))


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Site]]:
    made: dict[str, Site] = {}

    def site(name: str) -> Site:
        if name not in made:
            home = tmp_path_factory.mktemp(name)
            WRITERS[name](home / "files", PERSONS)
            places = Places(home / "files", home / "warehouse", home / "keys")
            made[name] = Site(home / "files", home, load(name, of(name), places, own_uids=True))
        return made[name]

    yield site


@pytest.mark.parametrize("name", sorted(path.stem for path in MAPPINGS.glob("*.toml")))
def test_every_shipped_mapping_agrees_with_the_catalogue(name: str) -> None:
    require_agreement(name, of(name), load_catalogue())


def test_xml_and_json_of_one_vendor_say_the_same(tmp_path: Path) -> None:
    read = {}
    for name in ("meditrame", "meditrame-json"):
        WRITERS[name](tmp_path / name, PERSONS[:12])
        mapping = of(name)
        for file in mapping.files:
            columns = mapping.source_columns(file)
            with open_rows(tmp_path / name, mapping.files[file], columns) as rows:
                # the two spell paths differently, so the texts of a row are compared without their names
                texts = [
                    sorted(str(v) for k, v in row.items() if k not in ("#line", "#record"))
                    for b in rows.batches
                    for row in b.to_pylist()
                ]
            read[name, file] = texts
    for file in of("meditrame").files:
        assert read["meditrame", file] == read["meditrame-json", file]
        assert read["meditrame", file]


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_an_export_is_deterministic(name: str, tmp_path: Path) -> None:
    for copy in ("one", "two"):
        WRITERS[name](tmp_path / copy, PERSONS[:5])
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


@pytest.mark.parametrize("name", ["cabineo", "meditrame", "meditrame-json"])
def test_a_vendor_s_traps_are_named(sites: Callable[[str], Site], name: str) -> None:
    site = sites(name)
    known = [each for each in PERSONS if not (name == "cabineo" and each.stranger)]
    planted, measured, inr = tally(known), site.counts("biometrics"), site.counts("lab_results")
    assert planted["height_in_metres"] > 10
    assert measured["birth_weight_carried"] == planted["birth_weight_carried"]
    assert inr["inr_out_of_range"] == planted["inr_out_of_range"]
    assert site.counts("vaccinations")["empty_vaccination"] == planted["empty_vaccination"]
    assert site.ask("SELECT count(*) FROM vaccinations WHERE atc IS NULL") == [
        (planted["empty_vaccination"],)
    ]
    visits = [visit for each in known for visit in each.visits]
    results = sum(len(list(visit.of("result"))) for visit in visits)
    doses = sum(len(each.vaccines) for each in known)
    rows, rejected = site.loaded.snapshot.manifest.rows, site.loaded.rejected
    assert rows["lab_results"] == results - planted["bad_date"] - planted["not_numeric"]
    assert rows["vaccinations"] == doses - planted["dose_note"]
    assert set(rejected) - {Rule.NO_PERSON} == {Rule.BAD_DATE, Rule.BAD_NUMBER, Rule.UNKNOWN_CODE}
    assert rejected[Rule.BAD_DATE] == planted["bad_date"]
    assert rejected[Rule.BAD_NUMBER] == planted["not_numeric"]
    assert rejected[Rule.UNKNOWN_CODE] == planted["dose_note"] + len(PERSONS) - len(known)
    years = "SELECT count(*) FROM history WHERE date_precision = 'year' AND kind = '{}'"
    for kind in ("medical", "surgical"):
        assert site.ask(years.format(kind)) == [(sum(f.kind == kind for p in known for f in p.history),)]


@pytest.mark.parametrize("name", ["cabineo", "meditrame", "meditrame-json"])
def test_a_vendor_s_rows_arrive_under_their_consultation_and_export(
    sites: Callable[[str], Site], name: str
) -> None:
    site = sites(name)
    known = [each for each in PERSONS if not (name == "cabineo" and each.stranger)]
    visits = [visit for each in known for visit in each.visits]
    rows = site.loaded.snapshot.manifest.rows
    assert rows["patients"] == len(known)
    assert rows["consultations"] == rows["reasons"] == len(visits)
    assert rows["diagnoses"] == sum(len(visit.diagnoses) for visit in visits)
    assert rows["prescriptions"] == sum(len(list(visit.of("drug"))) for visit in visits)
    assert rows["history"] == sum(len(each.history) for each in known)
    joined = "SELECT count(*) FROM diagnoses JOIN consultations USING (consultation_id, patient_no)"
    assert site.ask(joined) == [(rows["diagnoses"],)]
    named = "SELECT bool_and(regexp_full_match(software, 'software-[a-p]{8}')) FROM exports"
    assert site.ask(named) == [(True,)]  # told apart, and not as the cell says
    assert site.ask("SELECT count(*) > 0, min(exported_on) = DATE '2023-12-31' FROM exports") == [
        (True, True)
    ]


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_no_planted_name_or_telephone_leaves_an_export(sites: Callable[[str], Site], name: str) -> None:
    site = sites(name)
    secrets = [text.encode(encoding) for text in PLANTED for encoding in ("utf-8", "cp1252", "utf-16-le")]
    assert any(secret in unpacked(path) for path in site.files.iterdir() for secret in secrets)
    kept = [
        path
        for place in site.home.iterdir()
        if place != site.files
        for path in place.rglob("*")
        if path.is_file()
    ]
    assert kept
    assert not [(path, secret) for path in kept for secret in secrets if secret in path.read_bytes()]
    for (table,) in site.ask("SELECT table_name FROM information_schema.tables"):
        written = str(site.ask(f'SELECT * FROM "{table}"'))  # the bytes of a database are packed
        assert not [text for text in PLANTED if text in written]


def unpacked(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def test_what_omop_knows_beyond_the_subset_is_set_aside(sites: Callable[[str], Site]) -> None:
    site = sites("omop-cdm-v5.4")
    visits = [visit for each in PERSONS for visit in each.visits]
    codes = [code for visit in visits for code, _ in visit.diagnoses]
    rows, rejected = site.loaded.snapshot.manifest.rows, site.loaded.rejected
    assert rows["patients"] == len(PERSONS)
    assert rows["diagnoses"] == sum(code not in {"R74", "H71"} for code in codes)
    drugs = [fact.kind for visit in visits for fact in visit.of("drug")]
    assert rows["prescriptions"] == sum(kind != "drug:A02BC01" for kind in drugs)
    phones = sum(visit.place == "phone" for visit in visits)
    unknown = len(codes) - rows["diagnoses"] + len(drugs) - rows["prescriptions"] + phones
    assert rejected == {Rule.UNKNOWN_CODE: unknown}
    dead = {each.number for each in PERSONS if each.death}
    assert site.ask("SELECT count(*) FROM patients WHERE death_month = DATE '2021-06-01'") == [(len(dead),)]
    smokers = sum(fact.text == "actuel" for each in PERSONS for fact in facts(each))
    assert site.ask("SELECT count(*) FROM history WHERE cisp2 = 'P17' AND status = 'current'") == [(smokers,)]


def test_one_line_of_json_is_loaded_whole_batch_by_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All its records begin on line 1: nothing may tell them apart by their line."""
    monkeypatch.setattr(staging, "BATCH", 60)
    monkeypatch.setattr(nested, "BATCH", 20)
    twice = [*PERSONS[:6], PERSONS[0]]
    meditrame.write_json(tmp_path / "files", twice)
    places = Places(tmp_path / "files", tmp_path / "warehouse", tmp_path / "keys")
    rows = load("meditrame-json", of("meditrame-json"), places, own_uids=True).snapshot.manifest.rows
    assert rows["patients"] == 6
    assert rows["consultations"] == sum(len(each.visits) for each in PERSONS[:6])
    assert rows["diagnoses"] == sum(len(v.diagnoses) for each in PERSONS[:6] for v in each.visits)
