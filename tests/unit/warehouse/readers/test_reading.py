"""What a file says arrives as text, unchanged, each record with the line it starts on; and nothing grows."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import tracemalloc
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import hub_config.warehouse.loader.readers.streams as streams
from hub_config.warehouse.loader.mapping import SourceFile
from hub_config.warehouse.loader.readers import FILE, SourceProblem, matching, open_rows
from hub_config.warehouse.loader.readers.lines import RecordLines
from hub_config.warehouse.loader.readers.streams import CHUNK, Unpacked
from tests.unit.warehouse.readers.reading import read

COLUMNS = ("id", "code", "note")
SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

# Any text but surrogates, NUL and, where a format normalises or forbids them, some controls.
_printable = st.characters(exclude_categories=["Cs", "Cc"])
_cell = st.text(st.one_of(_printable, st.sampled_from("\";,\t\n '&<>]")), max_size=12)
_tables = st.lists(st.tuples(_cell, _cell, _cell), max_size=12)
_with_returns = st.lists(
    st.tuples(*[st.text(st.one_of(_printable, st.sampled_from('";\r\n')), max_size=8)] * 3), max_size=12
)


@SETTINGS
@given(
    rows=_with_returns,
    delimiter=st.sampled_from(",;\t|"),
    ends=st.sampled_from(["\n", "\r\n"]),
    every=st.booleans(),
)
def test_any_table_goes_through_csv(
    tmp_path: Path, rows: list[tuple[str, ...]], delimiter: str, ends: str, every: bool
) -> None:
    text = io.StringIO()
    returns = any("\r" in cell for row in rows for cell in row)  # Python 3.11 leaves a lone one unquoted
    quoting = csv.QUOTE_ALL if every or returns else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=delimiter, lineterminator=ends, quoting=quoting).writerows([COLUMNS, *rows])
    (tmp_path / "a.csv").write_bytes(text.getvalue().encode())
    done = read(tmp_path / "a.csv", *COLUMNS, delimiter=delimiter)
    assert (done.rows, done.ragged) == (rows, [])
    assert done.lines == list(_lines_of(text.getvalue(), delimiter))


@SETTINGS
@given(
    header=st.sampled_from(["a;b\n", '"a";b\r\n', 'a;"b"\r', '"c\nd";a;b\n', "a;b", '"a";"b"\r']),
    text=st.text(st.sampled_from('xy;"\n\r'), max_size=40),
    size=st.integers(1, 7),
)
@example(header='a;"b"\r', text=";\n\n", size=1)  # a block of one blank line, behind a header that ends in CR
def test_rows_are_the_same_however_the_text_is_cut(tmp_path: Path, header: str, text: str, size: int) -> None:
    (tmp_path / "a.csv").write_bytes((header + text).encode())
    whole = _read_or_refused(tmp_path / "a.csv")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(streams, "CHUNK", size)
        assert _read_or_refused(tmp_path / "a.csv") == whole


def _read_or_refused(path: Path) -> tuple[Any, ...] | None:
    try:
        done = read(path, "a", "b", delimiter=";")
    except SourceProblem:
        return None
    return done.rows, done.lines, done.records, done.ragged


def _lines_of(text: str, delimiter: str) -> Iterator[int]:
    """By the standard library's reader, which counts what it is given: one line of any kind at a time."""
    given_ = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)", text)
    reader = csv.reader(iter(given_), delimiter=delimiter)
    next(reader)
    while True:
        before = reader.line_num
        if next(reader, None) is None:
            return
        yield before + 1


@SETTINGS
@given(rows=_tables)
def test_any_table_goes_through_xml_as_elements_and_attributes(
    tmp_path: Path, rows: list[tuple[str, ...]]
) -> None:
    root = ET.Element("export")
    for row in rows:
        visit = ET.SubElement(ET.SubElement(root, "visits"), "visit", id=row[0])
        for name, text in zip(COLUMNS[1:], row[1:], strict=True):
            ET.SubElement(visit, name).text = text
    ET.ElementTree(root).write(tmp_path / "a.xml", encoding="utf-8", xml_declaration=True)
    done = read(tmp_path / "a.xml", "@id", "code", "note", format="xml", record="export/visits/visit")
    assert (done.rows, done.ragged) == (rows, [])


@SETTINGS
@given(rows=_tables, indent=st.sampled_from([None, 1]), ascii_=st.booleans(), many=st.booleans())
def test_any_table_goes_through_json(
    tmp_path: Path, rows: list[tuple[str, ...]], indent: int | None, ascii_: bool, many: bool
) -> None:
    records = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    text = json.dumps({"data": records}, indent=indent, ensure_ascii=ascii_)
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    done = read(tmp_path / "a.json", *COLUMNS, format="json", record="data")
    assert (done.rows, done.ragged) == (rows, [])
    assert done.lines == ([3 + 5 * n for n in range(len(rows))] if indent else [1] * len(rows))
    listed = json.dumps(records) if many else "".join(json.dumps(one) + "\n" for one in records)
    if not listed:
        return
    (tmp_path / "b.json").write_text(listed, encoding="utf-8")
    done = read(tmp_path / "b.json", *COLUMNS, format="json" if many else "ndjson")
    assert done.rows == rows
    assert done.lines == ([1] * len(rows) if many else list(range(1, len(rows) + 1)))


@SETTINGS
@given(
    text=st.text(st.sampled_from('ab;"\n\r'), max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=6),
)
def test_lines_are_counted_alike_however_the_text_is_cut(text: str, cuts: list[int]) -> None:
    content = text.encode() + b"\nx"
    whole, pieces = RecordLines(";"), RecordLines(";")
    whole.feed(content)
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(content)], strict=True):
        pieces.feed(content[start:end])
    assert whole._ended == pieces._ended
    assert whole.open_since == pieces.open_since


def _counted(content: bytes) -> tuple[int, bool, int]:
    """Records ended, whether a quote is open, and breaks within records: byte by byte."""
    inside, closed, before = False, False, ord("\n")
    ended = inner = 0
    for place, byte in enumerate(content):
        if byte == ord('"'):
            real = inside or before in b",\n\r" or (closed and before == byte)
            inside, closed = inside ^ real, inside
        elif byte == ord("\n") or (byte == ord("\r") and content[place + 1 : place + 2] != b"\n"):
            ended, inner = ended + (not inside), inner + inside
        before = byte
    return ended, inside, inner


@settings(max_examples=300, deadline=None)
@given(text=st.text(st.sampled_from('x",\r\n'), max_size=24), size=st.integers(1, 7))
@example(text='"\r\r', size=3)
def test_lines_are_those_of_a_simple_count(text: str, size: int) -> None:
    content = text.encode() + b"x"  # a last return is held back: a line feed may follow
    lines = RecordLines(",")
    for start in range(0, len(content), size):
        lines.feed(content[start : start + size])
    ended, inside, inner = _counted(content)
    assert (lines._ended, lines._inside) == (ended, inside)
    assert lines.of(np.array([ended + 1])) == [ended + 2 + inner]


@pytest.mark.parametrize(
    ("content", "rows", "lines"),
    [
        (b'id;note\n1;"a\nb"\n2;"c ""d"""\n\n3;e', ["1", "2", "", "3"], [2, 4, 5, 6]),
        (b'id;note\r\n1;"a\r\nb"\r\n2;c\r\n', ["1", "2"], [2, 4]),
        (b'id;note\r1;"a\rb"\r2;c\r', ["1", "2"], [2, 4]),
        (
            b'id;note\n1;12" pipe\n2;a "b\nc\n3;"d\ne"f"\n4;g\n'.replace(b"\nc\n", b" c\n"),
            ["1", "2", "3", "4"],
            [2, 3, 4, 6],
        ),
        (b'note;id\n"a\nb\nc";1\n"d";2\n', ["1", "2"], [2, 5]),
        (b'"id";"not\ne"\n1;2\n', ["1"], [3]),
    ],
)
def test_lines_are_right_whatever_stands_in_quotes(
    tmp_path: Path, content: bytes, rows: list[str], lines: list[int]
) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    done = read(tmp_path / "a.csv", "id", delimiter=";")
    assert ([row[0] for row in done.rows], done.lines) == (rows, lines)


def test_lines_are_right_over_many_blocks(tmp_path: Path) -> None:
    """Ragged rows and breaks within quotes, some megabytes of them."""
    kept, lines, ragged, line = [], [], [], 2
    with (tmp_path / "a.csv").open("w", newline="") as file:
        file.write("id,note\n")
        for number in range(250_000):
            match number % 7:
                case 3:
                    file.write(f'{number},"{"x" * (number % 60)}\n\n"\n')
                case 5:
                    file.write(f"{number}\n")
                    ragged.append(line)
                case _:
                    file.write(f"{number},{'y' * 30}\n")
            if number % 7 != 5:
                kept.append(str(number))
                lines.append(line)
            line += 3 if number % 7 == 3 else 1
    done = read(tmp_path / "a.csv", "id")
    assert [row[0] for row in done.rows] == kept
    assert done.lines == lines
    assert done.ragged == ragged


def test_the_order_of_columns_is_free_and_others_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name;id;date\nDurand;1;x\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text("date;phone;id\ny;06;2\n", encoding="utf-8")
    done = read(tmp_path / "?.csv", "id", "date", FILE, delimiter=";")
    assert done.rows == [("1", "x", "a.csv"), ("2", "y", "b.csv")]
    assert done.table.column_names == ["id", "date", FILE, "#line", "#record"]


def test_a_pattern_is_every_file_by_name(tmp_path: Path) -> None:
    (tmp_path / "2024").mkdir()
    for name in ("2024/b.csv.gz", "2024/a.csv.gz", "c.csv.gz"):
        (tmp_path / name).write_bytes(gzip.compress(f"id,v\n{name},1\n{name}\n".encode()))
    file = SourceFile(path="*/*.csv.gz")
    assert [one.path for one in matching(tmp_path, file)] == ["2024/a.csv.gz", "2024/b.csv.gz"]
    with open_rows(tmp_path, file, {"id": "key"}) as rows:
        read_ = [batch.to_pylist() for batch in rows.batches if batch.num_rows]
    assert read_ == [[{"id": name, "#line": 2, "#record": 1}] for name in ("2024/a.csv.gz", "2024/b.csv.gz")]
    assert rows.ragged == [3, 3]


NESTED = """<?xml version="1.0"?>
<e:export xmlns:e="urn:x" date="2024-01-01">
 <patient id="1">
  <visits><visit id="a"><code>K86</code></visit><visit id="b"/></visits>
  <born>1950</born>
 </patient>
 <patient id="2"><born>1960</born>
  <visits>
   <visit id="c"><other><code>no</code></other><code>T<!-- - -->9<![CDATA[0]]></code></visit>
  </visits>
 </patient>
</e:export>
"""


def test_a_nested_record_has_what_stands_above_it_wherever_that_comes(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(NESTED)
    columns = ("../../../@date", "../../@id", "../../born", "@id", "code")
    done = read(tmp_path / "a.xml", *columns, format="xml", record="export/patient/visits/visit")
    assert done.rows == [
        ("2024-01-01", "1", "1950", "a", "K86"),
        ("2024-01-01", "1", "1950", "b", ""),
        ("2024-01-01", "2", "1960", "c", "T90"),
    ]
    assert done.lines == [4, 4, 9]
    patients = read(tmp_path / "a.xml", "@id", "born", format="xml", record="export/patient")
    assert (patients.rows, patients.lines) == ([("1", "1950"), ("2", "1960")], [3, 7])


def test_nested_json_is_read_alike(tmp_path: Path) -> None:
    document = {
        "date": "2024-01-01",
        "patients": [
            {"id": 1, "visits": [{"id": "a", "code": {"cisp": "K86"}}, {"id": "b"}], "born": 1950},
            {
                "id": 2,
                "born": 1960,
                "visits": [{"id": "c", "code": {"cisp": 1.50, "atc": True}, "x": [[{}]]}],
            },
        ],
    }
    (tmp_path / "a.json").write_text(json.dumps(document, indent=2).replace("1.5,", "1.50,"))
    columns = ("../../date", "../id", "../born", "id", "code.cisp", "code.atc")
    done = read(tmp_path / "a.json", *columns, format="json", record="patients.visits")
    assert done.rows == [
        ("2024-01-01", "1", "1950", "a", "K86", ""),
        ("2024-01-01", "1", "1950", "b", "", ""),
        ("2024-01-01", "2", "1960", "c", "1.50", "true"),
    ]
    assert done.lines == [7, 13, 23]


def test_what_belongs_to_very_many_records_must_come_before_them(tmp_path: Path) -> None:
    visits = "<visit/>\n" * 40_000
    (tmp_path / "a.xml").write_text(f"<export>\n{visits * 4}<date>2024</date></export>")
    with pytest.raises(SourceProblem, match=r"line 160002: '\.\./date' comes after .* it must come first"):
        read(tmp_path / "a.xml", "../date", format="xml", record="export/visit")
    (tmp_path / "a.xml").write_text(f"<export><date>2024</date>\n{visits}</export>")
    done = read(tmp_path / "a.xml", "../date", format="xml", record="export/visit")
    assert set(done.rows) == {("2024",)}


@pytest.mark.parametrize("column", ["../../@id", "../../../@id"])
def test_a_path_above_the_document_is_refused(tmp_path: Path, column: str) -> None:
    (tmp_path / "a.xml").write_text("<export><visit/></export>")
    with pytest.raises(SourceProblem, match="is above the document"):
        read(tmp_path / "a.xml", column, format="xml", record="export/visit")


def test_lines_beyond_what_16_bits_count(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<export>" + "\n<visit id='1'/>" * 200_000 + "</export>")
    lines = read(tmp_path / "a.xml", "@id", format="xml", record="export/visit").lines
    assert lines == list(range(2, 200_002))


def _csv(records: int) -> Iterator[bytes]:
    yield b"id;note\n"
    yield from (b'%d;"%s\nb"\n' % (number, b"x" * 200) for number in range(records))


def _xml(records: int) -> Iterator[bytes]:
    yield b"<export><patient id='1'>"
    yield from (b"<visit id='%d'><note>x</note></visit><other/>text\n" % number for number in range(records))
    yield b"</patient></export>"


def _json(records: int) -> Iterator[bytes]:
    yield b'{"id":"1","visits":['
    yield from (b'%s{"id":%d,"note":"x"}' % (b"," * (number > 0), number) for number in range(records))
    yield b"]}"


@pytest.mark.parametrize(
    ("write", "file", "column"),
    [
        (_csv, {"path": "a.csv.gz", "delimiter": ";"}, "note"),
        (_xml, {"path": "a.xml.gz", "format": "xml", "record": "export/patient/visit"}, "@id"),
        (_json, {"path": "a.json.gz", "format": "json", "record": "visits"}, "id"),
    ],
    ids=["csv", "xml", "json in one line"],
)
def test_memory_doesn_t_grow_with_the_file(
    tmp_path: Path, write: Callable[[int], Iterator[bytes]], file: dict[str, Any], column: str
) -> None:
    held = []
    with gzip.open(tmp_path / file["path"], "wb", 1) as packed:
        packed.writelines(write(200_000))
    with traced() as memory, open_rows(tmp_path, SourceFile(**file), {column: "key"}) as rows:
        for batch in rows.batches:
            held.append(memory() - batch.nbytes)
    assert len(held) > 6
    assert held[-2] < 1.1 * held[1]


def test_no_more_of_a_csv_is_read_than_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrow's own reader of streams goes on in a thread, as long as 32 blocks wait."""
    taken: list[int] = []
    take = Unpacked.read

    def counted(self: Unpacked) -> bytes:
        chunk = take(self)
        taken.append(len(chunk))
        return chunk

    monkeypatch.setattr(Unpacked, "read", counted)
    with (tmp_path / "a.csv").open("wb") as file:
        file.writelines(_csv(100_000))
    with open_rows(tmp_path, SourceFile(path="a.csv", delimiter=";"), {"id": "key"}) as rows:
        for number, _ in enumerate(rows.batches):
            assert sum(taken) <= (number + 2) * CHUNK  # the header was looked at before


@contextmanager
def traced() -> Iterator[Callable[[], int]]:
    """How many bytes Python's objects and Arrow's take, since here."""
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[0] + pa.total_allocated_bytes() - before
    finally:
        tracemalloc.stop()
