"""Broken and hostile files: each is refused with its name and line, never with what stands there."""

from __future__ import annotations

import gzip
import json
import re
import resource
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import lxml.etree
import pytest

from hub_config.warehouse.loader.mapping import Limits
from hub_config.warehouse.loader.readers import SourceProblem
from tests.unit.warehouse.readers.reading import read

SECRET = "ZQX1234"  # stands in every bad file, and in no message
XML: dict[str, Any] = {"format": "xml", "record": "export/visit"}
JSON: dict[str, Any] = {"format": "json", "record": "visits"}
MB = 1 << 20


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., str]:
    """The message with which bytes under a name are refused."""

    def one(name: str, content: bytes, *columns: str, **said: Any) -> str:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SourceProblem) as refusal:
            read(tmp_path / name, *columns, **said)
        assert SECRET not in str(refusal.value)
        assert str(refusal.value).startswith(name)
        return str(refusal.value)

    return one


Refused = Callable[..., str]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_gzip_says_after_which_line(refused: Refused, share: float) -> None:
    packed = gzip.compress(b"id,value\n" + b"".join(b"ZQX1234,%d\n" % (n * n) for n in range(100_000)))
    said = refused("a.csv.gz", packed[: int(share * len(packed))], "id")
    assert "truncated or not gzip" in said
    nested = gzip.compress(b"<export>" + b"\n<visit id='ZQX1234'/>" * 100_000 + b"</export>", 1)
    said = refused("a.xml.gz", nested[: int(share * len(nested))], "@id", **XML)
    assert "truncated or not gzip after line " in said


def test_a_small_file_too_says_where_its_copy_ends(refused: Refused) -> None:
    """Though less was unpacked than is read at once."""
    rows = b"".join(b"ZQX1234,%d\n" % (n * n) for n in range(2_000))
    packed = gzip.compress(b"id,value\n" + rows)
    lines = zlib.decompressobj(31).decompress(packed[:-3_000]).count(b"\n")
    said = refused("a.csv.gz", packed[:-3_000], "id")
    assert f"truncated or not gzip after line {lines + 1}: " in said
    assert lines > 500


def test_what_only_calls_itself_gzip(refused: Refused) -> None:
    assert "truncated or not gzip" in refused("a.csv.gz", b"id,value\nZQX1234,1\n", "id")


def test_a_damaged_gzip(refused: Refused) -> None:
    packed = bytearray(gzip.compress(b"id,value\n" + b"ZQX1234,1\n" * 1000))
    packed[-6] ^= 0xFF
    assert "truncated or not gzip" in refused("a.csv.gz", bytes(packed), "id")


def test_a_gzip_bomb_is_refused_before_it_is_unpacked(refused: Refused) -> None:
    bomb = b"id,value\n" + b"ZQX1234,1\n" + (b"Z" * 1021 + b",1\n") * (200 << 10)
    said = refused("a.csv.gz", gzip.compress(bomb), "id")
    assert "unpacks to more than 250 times its size" in said


def test_a_bomb_s_bounds_are_the_mapping_s(refused: Refused, tmp_path: Path) -> None:
    content = gzip.compress(b"id\n" + (b"Z" * 1023 + b"\n") * (70 << 10))
    (tmp_path / "a.csv.gz").write_bytes(content)
    assert len(read(tmp_path / "a.csv.gz", "id", limits=Limits(expansion=5000)).lines) == 70 << 10
    assert "holds more than 5,000,000 bytes" in refused(
        "a.csv.gz", content, "id", limits=Limits(bytes=5_000_000)
    )


def test_the_wrong_encoding_names_its_line(refused: Refused) -> None:
    rows = "id,note\n" + "1,plain\n" * 200_000 + "2,ZQX1234 é\n"
    assert "a.csv, line 200002: not utf-8 text" in refused("a.csv", rows.encode("latin-1"), "id")
    assert "line 2: not cp1252 text" in refused("a.csv", b"id\nZQX1234\x81\n", "id", encoding="cp1252")
    xml = '<?xml version="1.0" encoding="UTF-8"?>\n<export>\n<visit id="ZQX1234 é"/></export>'
    assert "a.xml, line 3: not well-formed XML" in refused("a.xml", xml.encode("latin-1"), "@id", **XML)
    assert "line 1: not utf-8" in refused(
        "a.json", '{"visits":[{"id":"ZQX1234 é"}]}'.encode("latin-1"), "id", **JSON
    )


@pytest.mark.parametrize("said", ["cp1252", "latin-1"])
def test_utf_8_is_not_read_letter_by_letter(refused: Refused, said: str) -> None:
    """Every byte is a letter there, so that nothing fails by itself: é would be Ã©, in codes and in names."""
    rows = "id;v\n" + "ZQX1234;plain\n" * 200_000 + "ZQX1234;opéré\n"
    assert f"a.csv, line 200002: is UTF-8 text, the mapping says {said}. Set `encoding = " in refused(
        "a.csv", rows.encode(), "id", encoding=said, delimiter=";"
    )
    header = "N° dossier;v\nZQX1234;1\n".encode()
    assert "line 1: is UTF-8 text" in refused("a.csv", header, "N° dossier", encoding=said, delimiter=";")
    assert "line 1: is UTF-8 text" in refused(
        "a.json", '{"visits":[{"id":"ZQX1234 é"}]}'.encode(), "id", encoding=said, **JSON
    )


@pytest.mark.parametrize("text", ["opéré", "À « l’œil »", "OPÉRÉ»", "É»", "37 €", "n° 4", "ÇA…"])
def test_text_of_one_byte_letters_is_taken_for_what_it_is(tmp_path: Path, text: str) -> None:
    for repeated in (1, 100_000):
        (tmp_path / "a.csv").write_bytes(("id\n" + f"{text}\n" * repeated).encode("cp1252"))
        assert read(tmp_path / "a.csv", "id", encoding="cp1252").rows == [(text,)] * repeated


def test_an_encoding_that_xml_makes_up(refused: Refused) -> None:
    xml = b"<?xml version='1.0' encoding='ZQX-8'?><export><visit id='ZQX1234'/></export>"
    assert "a.xml, line 1: " in refused("a.xml", xml, "@id", **XML)


def test_a_mapping_may_correct_what_xml_says_of_its_encoding(tmp_path: Path) -> None:
    xml = "<?xml version='1.0' encoding='UTF-8'?><export><visit id='œuvre'/></export>".encode("cp1252")
    (tmp_path / "a.xml").write_bytes(xml)
    assert read(tmp_path / "a.xml", "@id", encoding="cp1252", **XML).rows == [("œuvre",)]


def test_byte_order_marks(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("\ufeffid,value\n1,2\n".encode())
    assert read(tmp_path / "a.csv", "id").rows == [("1",)]
    (tmp_path / "a.json").write_bytes('\ufeff{"visits":[{"id":"1"}]}'.encode())
    assert read(tmp_path / "a.json", "id", **JSON).rows == [("1",)]
    for encoding in ("utf-8-sig", "utf-16"):
        xml = f"<?xml version='1.0'?><export><visit id='{encoding}'/></export>"
        (tmp_path / "a.xml").write_bytes(xml.encode(encoding))
        assert read(tmp_path / "a.xml", "@id", **XML).rows == [(encoding,)]
    assert "line 1: begins as UTF-8" in refused("a.csv", "\ufeffid\n".encode(), "id", encoding="cp1252")
    assert "line 1: begins as UTF-16" in refused("a.csv", "id\nZQX1234\n".encode("utf-16"), "id")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"id,value\n1,2\n\x00ZQX1234,1\n", "line 3: a NUL byte"),
        ("a.csv", "id,value\nZQX1234,1\n".encode("utf-16-le"), "line 1: a NUL byte"),
        ("a.xml", b"<export>\n<visit id='\x00ZQX1234'/></export>", "line 2: not well-formed"),
        ("a.xml", b"<export>\n<visit id='&#0;ZQX1234'/></export>", "line 2: not well-formed"),
        ("a.json", b'{"visits":[\n{"id":"\\u0000ZQX1234"}]}', "line 2: a NUL character"),
    ],
)
def test_nul_is_not_text(refused: Refused, name: str, content: bytes, said: str) -> None:
    shape = {".csv": {}, ".xml": XML, ".json": JSON}[Path(name).suffix]
    assert said in refused(name, content, "@id" if shape is XML else "id", **shape)


LAUGHS = b"<!DOCTYPE lolz [<!ENTITY a 'ZQX1234'>" + b"".join(
    b"<!ENTITY %c '%s'>" % (letter, b"&%c;" % (letter - 1) * 10) for letter in b"bcdefghij"
)
VISIT = b"<export><visit id='1'>&a;</visit></export>"
DTDS = {
    "billion laughs": LAUGHS + b"]><export>\n<visit id='&j;'/></export>",
    "quadratic": b"<!DOCTYPE q [<!ENTITY a '%s'>]><export><visit id='%s'/></export>"
    % (b"ZQX1234" * 9_999, b"&a;" * 9_999),
    "external file": b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" + VISIT,
    "external http": b"<!DOCTYPE x [<!ENTITY a SYSTEM 'http://127.0.0.1:9/'>]>" + VISIT,
    "external dtd": b"<!DOCTYPE export SYSTEM 'file:///etc/passwd'>" + VISIT,
    "parameter": b"<!DOCTYPE x [<!ENTITY % a SYSTEM 'file:///etc/passwd'> %a;]>" + VISIT,
    "empty": b"<!DOCTYPE export><export><visit id='1'/></export>",
}


@pytest.mark.parametrize("attack", DTDS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_dtd_is_refused_before_it_can_ask_for_anything(
    refused: Refused, attack: str, encoding: str
) -> None:
    head = f"<?xml version='1.0' encoding='{encoding}'?>\n<!-- {'x' * 3_000_000} -->\n"
    content = head.encode(encoding) + DTDS[attack].decode().encode(encoding).removeprefix(b"\xff\xfe")
    assert "a.xml, line 3: a DTD (<!DOCTYPE)" in refused("a.xml", content, "@id", **XML)


def test_the_entity_attack_works_on_a_reader_that_trusts(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    attack = (
        f"<!DOCTYPE x [<!ENTITY a SYSTEM 'file://{tmp_path}/secret'>]><export><visit>&a;</visit></export>"
    )
    trusting = lxml.etree.XMLParser(resolve_entities=True, load_dtd=True)
    assert lxml.etree.fromstring(attack, trusting).findtext("visit") == SECRET


INCLUSION = "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='file://{}/secret' parse='text'/>"


def test_xinclude_is_plain_text(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    inclusion = INCLUSION.format(tmp_path)
    (tmp_path / "a.xml").write_text(f"<export><visit><id>1{inclusion}</id></visit></export>")
    assert read(tmp_path / "a.xml", "id", **XML).rows == [("1",)]


def test_xinclude_works_on_a_reader_that_follows_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    inclusion = INCLUSION.format(tmp_path)
    tree = lxml.etree.ElementTree(lxml.etree.fromstring(f"<export><id>{inclusion}</id></export>"))
    tree.xinclude()
    assert tree.findtext("id") == SECRET


def test_nesting_is_bounded(refused: Refused, tmp_path: Path) -> None:
    deep = b"<export>\n<visit id='ZQX1234'/>" + b"\n<a>" * 100_000
    assert "a.xml, line 66: deeper than 64 elements" in refused("a.xml", deep, "@id", **XML)
    lists = b'{"visits":[{"id":"ZQX1234","x":' + b"\n[" * 100_000
    assert "a.json, lines 2 to 32769: deeper than 64 lists" in refused("a.json", lists, "id", **JSON)
    objects = b'{"visits":[{"id":"ZQX1234","x":' + b'\n{"a":' * 100_000
    assert "a.json, line 63: deeper than 64 lists" in refused("a.json", objects, "id", **JSON)
    (tmp_path / "a.xml").write_bytes(
        b"<export><visit id='1'>" + b"<a>" * 90 + b"</a>" * 90 + b"</visit></export>"
    )
    assert read(tmp_path / "a.xml", "@id", limits=Limits(depth=100), **XML).rows == [("1",)]


HUGE = 200  # MB


@pytest.mark.parametrize(
    ("name", "head", "piece", "said"),
    [
        ("attribute.xml", b"<export>\n<visit id='", b"Z", "line 2: a tag of more than 16,777,216 bytes"),
        ("attributes.xml", b"<export>\n<visit ", b"a='1' ", "line 2: a tag of more than 16,777,216"),
        ("name.xml", b"<export>\n<", b"Z", "line 2: a tag of more than 16,777,216 bytes"),
        ("text.xml", b"<export>\n<visit><id>", b"Z", "line 2: a value of more than 1,048,576 bytes"),
        (
            "text.json",
            b'{"visits":\n[{"id":"',
            b"Z",
            "line 2: one text or number of more than 16,777,216 bytes",
        ),
        ("key.json", b'{"visits":\n[{"', b"Z", "line 2: one text or number of more than 16,777,216 bytes"),
        (
            "digits.json",
            b'{"visits":\n[{"id":',
            b"7",
            "line 2: one text or number of more than 1,048,576",
        ),
        ("quote.csv", b'id,value\n1,"', b"Z", "line 2: a quote is opened and not closed near it"),
        ("row.csv", b"id,value\n1,", b"Z", "a row may not be longer than 4 MB"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value and " " not in value else "",
)
def test_hundreds_of_megabytes_in_one_piece(
    tmp_path: Path, name: str, head: bytes, piece: bytes, said: str
) -> None:
    """Written and deleted here: what is made while tests are collected stays in each process to the end."""
    with (tmp_path / name).open("wb") as file:
        file.write(head)
        for _ in range(HUGE):
            file.write(piece * (MB // len(piece)))
    shape = {"csv": {}, "xml": XML, "json": JSON}[name.partition(".")[2]]
    limits = {"limits": Limits(token=MB)} if name == "digits.json" else {}
    column = {"text.xml": "id"}.get(name, "@id" if shape is XML else "id")
    before = _most_memory(since_now=True)
    with pytest.raises(SourceProblem, match=r"more than|longer than|not closed") as refusal:
        read(tmp_path / name, column, **limits, **shape)
    (tmp_path / name).unlink()
    assert all(part in str(refusal.value) for part in said.split(": "))
    assert _most_memory() - before < 150, "a third of it when alone: it is never held whole"


def _most_memory(*, since_now: bool = False) -> int:
    """In MB, what this process ever held at once; what earlier tests held is forgotten, where it can be."""
    if since_now:
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def test_a_value_may_be_long_but_not_endless(refused: Refused) -> None:
    long = b"Z" * (2 * MB)
    assert "line 2: a value of more than" in refused(
        "a.xml", b"<export>\n<visit id='" + long + b"'/></export>", "@id", **XML
    )
    assert "of it: a value of more than" in refused(
        "a.json", b'{"visits":\n[{"id":"' + long + b'"}]}', "id", **JSON
    )


def test_different_names_without_end(refused: Refused) -> None:
    names = b"".join(b"<n%d/>\n" % n for n in range(300_000))
    assert "more than 10,000 different names" in refused("a.xml", b"<export>" + names, "@id", **XML)


@pytest.mark.parametrize(
    "content",
    [
        b"<export>\n<visit id='ZQX1234'>\n</export>",
        b"<export>\n<visit id='ZQX1234'/>\n",
        b"<export>\n<visit id='ZQX1234'/>\n</export><more/>",
        b"<export>\n<visit\nid='ZQX1234",
        b"<export>\n\n<visit id='ZQX1234' id='2'/></export>",
        b"<export>\n\n&nothing;<visit id='ZQX1234'/></export>",
    ],
)
def test_xml_that_is_not_well_formed(refused: Refused, content: bytes) -> None:
    assert "a.xml, line 3: not well-formed" in refused("a.xml", content, "@id", **XML).replace(
        "line 2", "line 3"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"visits":[\n{"id":"ZQX1234"}', "not JSON, or cut off"),
        (b'{"visits":[\n{"id":"ZQX1234', "not JSON, or cut off"),
        (b'{"visits":[\n{"id":"ZQX1234","v":NaN}]}', "not JSON, or cut off"),
        (b'{"visits":[\n{"id":"ZQX1234","v":Infinity}]}', "not JSON, or cut off"),
        (b'{"visits":[\n{"id":"ZQX1234","v":01}]}', "not JSON, or cut off"),
        (b"{\"visits\":[\n{'id':'ZQX1234'}]}", "not JSON, or cut off"),
        (b'{"visits":[\n{"id":"ZQX1234"},]}', "not JSON, or cut off"),
        (b'{"visits":[\n{"id":"ZQX1234"}]}{}', "not JSON, or cut off"),
        (b'{"visits":[\n{"id":"ZQX1234","id":"2"}]}', "an object has the same key twice"),
        (b'{"visits":[],\n"visits":[{"id":"ZQX1234"}]}', "an object has the same key twice"),
    ],
)
def test_json_that_is_not_or_says_two_things(refused: Refused, content: bytes, said: str) -> None:
    assert f"a.json, line 2: {said}" in refused("a.json", content, "id", **JSON)
    if said.startswith("not"):
        json_says = json.loads if b"NaN" not in content and b"Infinity" not in content else None
        with pytest.raises(ValueError, match=r".*"):
            json_says(content) if json_says else json.loads(content, parse_constant=float("x").hex)


def test_within_a_long_line_the_byte_is_told(refused: Refused) -> None:
    """A whole export may stand on one line."""
    rows = '{"id":"ZQX1234"},' * 20_000
    said = refused("a.json", f'{{"visits":[\n{rows}{{"id":ZQX}}'.encode(), "id", **JSON)
    told = re.search(r"a\.json, line 2, about byte ([\d,]+) of it: not JSON, or cut off", said)
    assert told and 0 <= len(rows) - int(told[1].replace(",", "")) <= 1 << 16
    nested = "<visit id='ZQX1234'/>" * 20_000
    said = refused("a.xml", f"<export>\n{nested}<visit id=ZQX/></export>".encode(), "@id", **XML)
    assert f"a.xml, line 2, about byte {len(nested) + len('<visit id='):,} of it: not well-formed" in said


def test_one_line_of_ndjson_that_is_not_json(refused: Refused) -> None:
    content = b'{"id":"1"}\n{"id":"2"}\n{"id":ZQX1234}\n'
    assert "a.ndjson, line 3: not JSON" in refused("a.ndjson", content, "id", format="ndjson")


def test_a_renamed_column_is_refused_with_its_new_name(refused: Refused) -> None:
    said = refused("a.csv", b"Num dossier;date_visite\nZQX1234;1\n", "date visite", delimiter=";")
    assert "line 1: no column 'date visite' (asked for by rows.0.columns). Is 'date visite' now " in said
    assert "called 'date_visite'? Correct the mapping, or ask for the export again." in said
    said = refused("a.csv", b"ID;DateVisite\nZQX1234;1\n", "id", "date visite", "note", delimiter=";")
    assert "Is 'id' now called 'ID'? Is 'date visite' now called 'DateVisite'?" in said
    xml = b"<export><visit idVisite='ZQX1234'><dateVisite>1</dateVisite></visit></export>"
    assert "/export/visit/@idVisit is nowhere in the file. Is it now called 'idVisite'?" in refused(
        "a.xml", xml, "@idVisit", **XML
    )
    assert "/export/visit/dateVisit is nowhere" in refused("a.xml", xml, "dateVisit", **XML)
    visits = b"<export><visites id='ZQX1234'/></export>"
    assert "/export/visit is nowhere in the file. Is it now called 'visites'?" in refused(
        "a.xml", visits, "@id", **XML
    )
    assert "Is it now called 'visitId'?" in refused(
        "a.json", b'{"visits":[{"visitId":"ZQX1234"}]}', "visitID", **JSON
    )


def test_a_file_without_header_tells_none_of_its_values(refused: Refused) -> None:
    said = refused("a.csv", b"ZQX1234,Durand,1950\nZQX1235,Martin,1951\n", "id", "name")
    assert "None of the mapping's columns is there" in said
    assert "Durand" not in said
    assert "1950" not in said


@pytest.mark.parametrize(("delimiter", "written"), [(";", '";"'), ("\t", r'"\t"')])
def test_another_delimiter_is_named(refused: Refused, delimiter: str, written: str) -> None:
    said = refused("a.csv", f'"id"{delimiter}"name"\nZQX1234{delimiter}Durand\n'.encode(), "id", "name")
    assert f"All of them are there by `delimiter = {written}`: say so in the mapping." in said


@pytest.mark.parametrize(
    "begun", [b"PK\x03\x04\x14\0\x06\0ZQX1234", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1ZQX1234"]
)
def test_a_workbook_is_called_one(refused: Refused, begun: bytes) -> None:
    assert "line 1: a ZIP archive or an Excel workbook. Unpack it, or export" in refused("a.csv", begun, "id")


def test_a_header_that_says_a_name_twice(refused: Refused) -> None:
    assert "line 1: more than one column is called id" in refused("a.csv", b"id,v,id\n1,2,ZQX1234\n", "id")


@pytest.mark.parametrize("name", ["a.csv", "a.xml", "a.json", "a.csv.gz"])
def test_an_empty_file(refused: Refused, name: str) -> None:
    shape = {"a.csv": {}, "a.csv.gz": {}, "a.xml": XML, "a.json": JSON}[name]
    assert "is empty" in refused(name, b"", "id", **shape)


def test_what_gzip_packed_was_empty(refused: Refused) -> None:
    assert "a.csv.gz is empty" in refused("a.csv.gz", gzip.compress(b""), "id")
    assert "not well-formed" in refused("a.xml.gz", gzip.compress(b""), "@id", **XML)
    assert "not JSON" in refused("a.json.gz", gzip.compress(b""), "id", **JSON)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"id,v\n"),
        ("a.csv", b"id,v"),
        ("a.xml", b"<export/>"),
        ("a.json", b'{"visits":[]}'),
        ("a.json", b"{}"),
    ],
)
def test_a_header_only_has_no_rows(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    shape = {"a.csv": {}, "a.xml": XML, "a.json": JSON}[name]
    done = read(tmp_path / name, "@id" if shape is XML else "id", **shape)
    assert (done.rows, done.ragged) == ([], [])


def test_ragged_rows_are_left_out_and_listed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'id,v\n1,"a\nb"\n2\n3,c\n4,d,"e\nf"\n\n5,g\n6\n')
    done = read(tmp_path / "a.csv", "id", "v")
    assert [row for row in done.rows if row[0]] == [("1", "a\nb"), ("3", "c"), ("5", "g")]
    assert (done.lines[0], done.lines[1], done.lines[-1], done.ragged) == (2, 5, 9, [4, 6, 10])


def test_a_record_with_two_values_for_a_column_is_left_out(tmp_path: Path) -> None:
    xml = b"<export>\n<visit><id>1</id></visit>\n<visit><id>2</id><id>3</id></visit>\n<visit/>\n</export>"
    (tmp_path / "a.xml").write_bytes(xml)
    done = read(tmp_path / "a.xml", "id", **XML)
    assert (done.rows, done.lines, done.ragged) == ([("1",), ("",)], [2, 4], [3])
    (tmp_path / "a.json").write_bytes(b'{"visits":[\n{"id":["1","2"]},\n{"id":["3"]},\n{"id":null}]}')
    done = read(tmp_path / "a.json", "id", **JSON)
    assert (done.rows, done.lines, done.ragged) == ([("3",), ("",)], [3, 4], [2])


def test_a_missing_file_or_pattern(tmp_path: Path) -> None:
    with pytest.raises(SourceProblem, match=r"a\.csv is not in "):
        read(tmp_path / "a.csv", "id")
    with pytest.raises(SourceProblem, match=r"No file in .* is called a-\*\.csv"):
        read(tmp_path / "a-*.csv", "id")


@pytest.mark.parametrize("path", ["lines.csv", "l*.csv"])
def test_a_link_out_of_the_directory_is_not_followed(tmp_path: Path, path: str) -> None:
    """A link to another file of the directory is one like others: that is the power of it."""
    (export := tmp_path / "export").mkdir()
    for place in (tmp_path, export):
        (place / "kept.csv").write_text(f"a\n{SECRET}\n")
    (link := export / "lines.csv").symlink_to(export / "kept.csv")
    assert read(export / path, "a").rows == [(SECRET,)]
    link.unlink()
    link.symlink_to(tmp_path / "kept.csv")
    with pytest.raises(SourceProblem, match="leads out of") as refusal:
        read(export / path, "a")
    assert SECRET not in str(refusal.value)
