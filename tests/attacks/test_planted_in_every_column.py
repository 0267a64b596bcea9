"""What identifies somebody is planted in every text of an export of the shipped vendors, in CSV, XML, JSON
and OMOP: names, addresses, telephones, social security numbers and e-mails, in French with accents and in
other alphabets. After the load nothing that the enclave keeps or says holds any of it.

Every planted cell stands in a record of its own that is otherwise as good as its neighbour, under a key that
no other record has: a row refused for another reason would prove nothing.
"""

from __future__ import annotations

import copy
import csv
import gzip
import html
import io
import json
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import hub_config.warehouse.mappings as shipped
from hub_config.warehouse.loader import facts, measurements
from hub_config.warehouse.loader.load import Loaded, Places, load
from hub_config.warehouse.loader.mapping import Tolerance, VendorMapping, read_mapping
from hub_config.warehouse.loader.tally import MostlyBad
from hub_config.warehouse.privacy.scan import Identifying
from hub_config.warehouse.samples import cabineo, meditrame, omop
from hub_config.warehouse.samples.population import LAST, Person, people

VENDORS = ("cabineo", "meditrame", "meditrame-json", "omop-cdm-v5.4")
ADULT = next(each for each in people(99, start=12) if each.birth < date(1970, 1, 1) and len(each.history) > 1)
SMALL = replace(ADULT, death=LAST, visits=tuple(sorted(ADULT.visits, key=lambda each: -len(each.facts))[:2]))
_EXPORT = {"logiciel": "MédiTrame", "version": "1", "date": "2023-12-31", "centre": "Fac2"}

NAMES = (
    "Zqxœuvre Dürànd-Lefèvre",
    "Иванов Пётр Zqх",
    "Παπαδόπουλος Νίκος",
    "محمد بن علي",
    "王小明先生太太",
    "François NOËL-Zqx",
)
STREETS = ("rue de l'Église", "boulevard Zqx-Saint-Étienne", "улица Ленина", "impasse des Œillets")


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text("123456789", min_size=count, max_size=count)


def telephones() -> st.SearchStrategy[str]:
    shape = st.sampled_from(("06{}", "+336{}", "0033 6 {}", "06 {}", "(06).{}"))
    return st.builds(lambda form, rest: form.format(rest), shape, digits(8))


def persons_numbers() -> st.SearchStrategy[str]:
    return st.one_of(digits(12).map("185{}".format), digits(10).map("2 85 05 {} 42".format))


IDENTIFYING = st.one_of(
    st.sampled_from(NAMES),
    st.builds("{} {}, {}".format, st.integers(1, 99), st.sampled_from(STREETS), digits(5)),
    telephones(),
    persons_numbers(),
    st.builds("{}@exemple-{}.fr".format, st.sampled_from(("zqx.durand", "noël", "иванов")), digits(4)),
)


def mapping_of(name: str) -> VendorMapping:
    """The shipped one, that a load of bad rows goes on."""
    mapping = read_mapping(Path(str(shipped.__path__[0])) / f"{name}.toml")
    return mapping.model_copy(update={"limits": Tolerance(max_rejected=1.0)})


# --- exports with something planted -------------------------------------------------------------------------


def plant(name: str, directory: Path, texts: Sequence[str]) -> int:
    """An export of one person, and of each of its cells and each text one record more; how many."""
    if name.startswith("meditrame"):
        return plant_nested(directory, "json" if name.endswith("json") else "xml", texts)
    write: Callable[[Path, list[Person]], None] = cabineo.write if name == "cabineo" else omop.write
    write(directory, [SMALL])
    return sum(plant_rows(directory, name, mapping_of(name), file, texts) for file in mapping_of(name).files)


def plant_rows(directory: Path, name: str, mapping: VendorMapping, file: str, texts: Sequence[str]) -> int:
    described = mapping.files[file]
    path = directory / described.path
    packed = path.suffix == ".gz"
    text = (gzip.decompress(path.read_bytes()) if packed else path.read_bytes()).decode(described.encoding)
    header, *rows = csv.reader(io.StringIO(text), delimiter=described.delimiter)
    writable = [
        each for each in texts if each == each.encode(described.encoding, "ignore").decode(described.encoding)
    ]
    keys = {column for block in mapping.rows if block.file == file for column in block.key or ()}
    keys |= {mapping.patients.id} if file == mapping.patients.file else set()
    made = list(planted_rows(header, rows[:1], keys, writable))
    whole = io.StringIO()
    csv.writer(whole, delimiter=described.delimiter).writerows([header, *rows, *made])
    content = whole.getvalue().encode(described.encoding)
    path.write_bytes(gzip.compress(content) if packed else content)
    return len(made)


def planted_rows(
    header: list[str], rows: list[list[str]], keys: set[str], texts: Sequence[str]
) -> Iterator[list[str]]:
    number = count(1)
    for row in rows:
        for place, text in ((place, text) for place in range(len(header)) for text in texts):
            suffix = next(number)
            fresh = [
                f"{cell}{suffix:04d}" if name in keys else cell
                for name, cell in zip(header, row, strict=True)
            ]
            yield [*fresh[:place], text, *fresh[place + 1 :]]


def plant_nested(directory: Path, kind: str, texts: Sequence[str]) -> int:
    directory.mkdir(parents=True)
    record = meditrame.record_of(SMALL)
    records = [record]
    for index, (path, text) in enumerate((path, text) for path in leaves(record) for text in texts):
        records.append(planted_record(record, path, text, f"-{index}"))
    write_nested(directory / f"meditrame-01.{kind}.gz", kind, _EXPORT, records)
    for index, (key, text) in enumerate(zip(_EXPORT, texts, strict=False)):
        one = planted_record(record, (), "", f"x{index}")
        planted = _EXPORT | {key: text}
        write_nested(directory / f"meditrame-{index + 10}.{kind}.gz", kind, planted, [one])
    return len(records)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every text; of a list that of its first member."""
    if isinstance(value, str):
        yield path
    elif value:
        inside = value.items() if isinstance(value, dict) else [(0, value[0])]
        for key, each in inside:
            yield from leaves(each, (*path, key))


def planted_record(record: Any, path: tuple[Any, ...], text: str, suffix: str) -> Any:
    made = with_fresh_ids(copy.deepcopy(record), suffix)
    place = made
    for step in path[:-1]:
        place = place[step]
    if path:
        place[path[-1]] = text
    return made


def with_fresh_ids(value: Any, suffix: str) -> Any:
    if isinstance(value, list):
        return [with_fresh_ids(each, suffix) for each in value]
    if isinstance(value, dict):
        return {
            key: f"{each}{suffix}" if key in ("id", "ipp") else with_fresh_ids(each, suffix)
            for key, each in value.items()
        }
    return value


def write_nested(path: Path, kind: str, export: dict[str, str], records: list[Any]) -> None:
    if kind == "json":
        whole = json.dumps({"export": {**export, "patients": records}}, ensure_ascii=False)
    else:
        said = "".join(f' {key}="{html.escape(text)}"' for key, text in export.items())
        inside = "".join(meditrame.xml_of("patient", each, 2) for each in records)
        head = f'<?xml version="1.0" encoding="UTF-8"?>\n<export{said}>'
        whole = f"{head}\n <patients>\n{inside} </patients>\n</export>\n"
    path.write_bytes(gzip.compress(whole.encode()))


# --- what the enclave holds and says afterwards -------------------------------------------------------------


def spellings(text: str) -> set[str]:
    """A text as it could stand somewhere: composed or not, escaped, its digits together, each long word."""
    forms = {unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKD")}
    forms |= {json.dumps(text)[1:-1], html.escape(text), text.lower(), text.upper()}
    forms |= {bare for bare in ["".join(c for c in text if c.isdigit())] if len(bare) >= 8}
    return forms | {word for word in text.replace(",", " ").split() if len(word) >= 7 and not word.isascii()}


def held(home: Path) -> Iterator[bytes]:
    """Every file, as it is and, of a packed make, as what it says."""
    for path in sorted(home.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(home)).encode()
            yield path.read_bytes()
            yield from map(str.encode, read(path))


def read(path: Path) -> Iterator[str]:
    match path.suffix:
        case ".duckdb":
            with duckdb.connect(str(path), read_only=True) as connection:
                for schema, name in connection.execute(
                    "SELECT schema_name, table_name FROM duckdb_tables()"
                ).fetchall():
                    yield str(connection.execute(f'SELECT * FROM "{schema}"."{name}"').fetchall())
        case ".parquet":
            with duckdb.connect() as connection:
                yield str(connection.execute(f"SELECT * FROM '{path}'").fetchall())
        case ".gz":
            yield gzip.decompress(path.read_bytes()).decode("utf-8", "replace")


def found(home: Path, texts: Sequence[str], said: str) -> set[str]:
    whole = b"\0".join((*held(home), said.encode()))
    encodings = ("utf-8", "cp1252", "utf-16-le")
    return {
        text
        for text in texts
        if any(
            form.encode(each, "ignore") in whole
            for form in spellings(text)
            for each in encodings
            if form == form.encode(each, "ignore").decode(each)
        )
    }


def loaded(name: str, files: Path, home: Path) -> Loaded:
    return load(name, mapping_of(name), Places(files, home / "warehouse", home / "keys"), own_uids=True)


@pytest.mark.parametrize("name", VENDORS)
def test_nothing_planted_in_an_export_is_kept_or_said(
    name: str, tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    @settings(max_examples=1, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(texts=st.lists(IDENTIFYING, min_size=4, max_size=5, unique=True))
    def attempt(texts: list[str]) -> None:
        caplog.clear()
        place = tmp_path_factory.mktemp(name)
        made = plant(name, place / "files", texts)
        assert made > 20 * len(texts)
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            rows = loaded(name, place / "files", place / "home").snapshot.manifest.rows
        assert rows["patients"] > 3 and rows["lab_results"] and rows["biometrics"]
        assert rows["consultations"] and rows["diagnoses"] and rows["prescriptions"]
        assert not found(place / "home", texts, said.getvalue() + caplog.text)

    attempt()


def test_a_load_that_was_stopped_keeps_none_of_it_either(tmp_path: Path) -> None:
    """Its work stays for the next attempt, with its report and listing; and the message says how many."""
    texts = ["Zqxœuvre Dürànd-Lefèvre", "12 rue de l'Église, 76000", "0698765432"]
    plant("cabineo", tmp_path / "files", texts)
    mapping = mapping_of("cabineo").model_copy(update={"limits": Tolerance(max_rejected=0.01, least=1)})
    places = Places(tmp_path / "files", tmp_path / "home" / "warehouse", tmp_path / "home" / "keys")
    with pytest.raises(MostlyBad) as stopped:
        load("cabineo", mapping, places, own_uids=True)
    assert list((tmp_path / "home" / "landing").rglob("stage.duckdb"))
    assert not found(tmp_path / "home", texts, str(stopped.value))


def test_with_the_grammar_taken_out_the_scan_finds_it_and_so_does_this_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (facts, measurements):
        monkeypatch.setattr(module, "kept", lambda _column, text, _words=(): text)
    texts = ["Zqxœuvre Dürànd-Lefèvre", "12 rue de l'Église, 76000", "0698765432"]
    plant("cabineo", tmp_path / "files", texts)
    with pytest.raises(Identifying) as refused:
        loaded("cabineo", tmp_path / "files", tmp_path / "home")
    assert {each.column for each in refused.value.findings} == {"unit_raw"}
    assert found(tmp_path / "home", texts, "") == set(texts)
    assert not found(tmp_path / "home", ["somebody who was not planted"], "")
    assert not any(text in str(refused.value) for text in texts)
