"""Workbooks, Parquet and pictures that carry rows and a pseudonym beside what they show.

Each trick is sent as a requester would; the file on the shelf, which is what is reviewed and released, holds
neither. With nothing written anew it holds both. The checks run in this process; once in their box.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from unittest import mock

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Font
from openpyxl.worksheet.datavalidation import DataValidation

from hub_config.airlock.checks import inspect, inspecting
from hub_config.airlock.intake import receiving
from hub_config.airlock.intake.receiving import receive
from hub_config.airlock.pages.desk import Desk
from hub_config.airlock.pseudonyms import Searched
from tests.corpus.running import _in_process
from tests.corpus.tables import PSEUDONYMS
from tests.services.airlock.domain.house import House
from tests.services.airlock.intake.test_written_anew import picture, with_chunk

ONE = str(PSEUDONYMS[7])
ROW = "45;F;2013-02-03;T90"
PLANTED = f"{ROW} dossier {ONE}"
SHEET, CORE = "xl/worksheets/sheet1.xml", "docProps/core.xml"


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house.store, house.shelf, house.settings, lambda: house.now)


def shelved(desk: Desk, name: str, content: bytes) -> tuple[bytes, tuple[int, ...]]:
    """What is on the shelf, and the numbers that the gateway was asked for."""
    asked: list[int] = []

    def search(_: str, __: int, candidates: object) -> Searched:
        asked.extend(candidates)  # type: ignore[call-overload]
        return Searched((), done=True)

    with mock.patch.object(inspecting, "_ask", _in_process):
        received = receive(desk, "these-ines", name, content, search)
    assert received.checked.proof.get("quarantine") is None
    return desk.shelf.read(received.shelved.sha256), tuple(asked)


def everything(content: bytes) -> bytes:
    """The bytes, and what they pack: whatever a recipient could read."""
    read = [content]
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            read += [archive.read(name) for name in archive.namelist()]
    if content.startswith(b"PAR1"):
        table = pq.read_table(io.BytesIO(content))
        read.append(
            repr((table.to_pydict(), table.schema.metadata, [f.metadata for f in table.schema])).encode()
        )
        read += [
            repr(chunk.dictionary).encode()
            for c in table.columns
            for chunk in c.chunks
            if pa.types.is_dictionary(c.type)
        ]
    if content.startswith(b"\x89PNG"):
        read += list(_inflated(content))
    return b"\n".join(read)


def _inflated(content: bytes) -> Iterator[bytes]:
    for at in range(len(content)):
        if content[at : at + 1] == b"\x78":
            try:
                yield zlib.decompressobj().decompress(content[at:])
            except zlib.error:
                continue


# --- workbooks


def workbook(change: Callable[[openpyxl.Workbook], object] = lambda book: None) -> bytes:
    book = openpyxl.Workbook()
    for row in (("cisp2", "patients"), ("K86", 3934), ("R74", 3553), ("R78", 2564)):
        book.active.append(row)
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def edited(change: Callable[[dict[str, bytes]], object], content: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content or workbook())) as read, zipfile.ZipFile(out, "w") as archive:
        parts = {name: read.read(name) for name in read.namelist()}
        change(parts)
        for name, part in parts.items():
            archive.writestr(name, part)
    return out.getvalue()


def within(part: str, before: bytes, planted: str) -> bytes:
    def change(parts: dict[str, bytes]) -> None:
        assert before in parts[part]
        parts[part] = parts[part].replace(before, planted.encode() + before, 1)

    return edited(change)


def beside(name: str) -> bytes:
    return edited(lambda parts: parts.update({name: PLANTED.encode()}))


def choice(book: openpyxl.Workbook) -> None:
    rule = DataValidation(type="list", formula1='"a,b"', prompt=PLANTED, showInputMessage=True)
    book.active.add_data_validation(rule)
    rule.add("A1")


def white(book: openpyxl.Workbook) -> None:
    rule = FormulaRule(formula=[f'"{PLANTED}"="x"'], font=Font(color="FFFFFF"))
    book.active.conditional_formatting.add("A1:A4", rule)


def under_merged(parts: dict[str, bytes]) -> None:
    cell = f'<c r="B9" t="inlineStr"><is><t>{PLANTED}</t></is></c>'.encode()
    row = b'<row r="9"><c r="A9" t="inlineStr"><is><t>Total</t></is></c>' + cell + b"</row></sheetData>"
    merged = b'<mergeCells count="1"><mergeCell ref="A9:B9"/></mergeCells>'
    parts[SHEET] = parts[SHEET].replace(b"</sheetData>", row + merged)


def commented() -> bytes:
    out = io.BytesIO(workbook())
    with zipfile.ZipFile(out, "a") as archive:
        archive.comment = PLANTED.encode()
    return out.getvalue()


def between() -> bytes:
    content = workbook()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        at = archive.start_dir
    end = content.rfind(b"PK\x05\x06")
    moved = struct.pack("<I", at + len(PLANTED))
    return content[:at] + PLANTED.encode() + content[at : end + 16] + moved + content[end + 20 :]


def format_of(shown_as: str) -> bytes:
    return workbook(lambda book: setattr(book.active["B2"], "number_format", shown_as))


WORKBOOKS: dict[str, Callable[[], bytes]] = {
    "printer settings": lambda: beside("xl/printerSettings/printerSettings1.bin"),
    "thumbnail": lambda: beside("docProps/thumbnail.jpeg"),
    "theme": lambda: within("xl/theme/theme1.xml", b"</a:theme>", f"<a:ext>{PLANTED}</a:ext>"),
    "remark": lambda: within(SHEET, b"</worksheet>", f"<!-- {PLANTED} -->"),
    "extension": lambda: within(
        SHEET, b"</worksheet>", f'<extLst><ext uri="a"><x>{PLANTED}</x></ext></extLst>'
    ),
    "choice": lambda: workbook(choice),
    "conditional format": lambda: workbook(white),
    "under merged cells": lambda: edited(under_merged),
    "number format": lambda: format_of(f'0"{PLANTED}"'),
    "style": lambda: edited(
        lambda parts: parts.update(
            {"xl/styles.xml": parts["xl/styles.xml"].replace(b'name="Normal"', f'name="{PLANTED}"'.encode())}
        )
    ),
    "property": lambda: within(
        CORE,
        b"</cp:coreProperties>",
        f'<d:description xmlns:d="http://purl.org/dc/elements/1.1/">{PLANTED}</d:description>',
    ),
    "comment of the archive": commented,
    "between the parts": between,
}


@pytest.mark.filterwarnings("ignore:Unknown extension:UserWarning")
@pytest.mark.parametrize("trick", WORKBOOKS)
def test_what_a_workbook_hides_stays_behind(trick: str, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    content = WORKBOOKS[trick]()
    released, asked = shelved(desk, "motifs.xlsx", content)
    assert ROW.encode() not in everything(released) and ONE.encode() not in everything(released)
    assert int(ONE) in asked, "what the requester's own file held is searched all the same"
    kept, sent = pd.read_excel(io.BytesIO(released)), pd.read_excel(io.BytesIO(content))
    pd.testing.assert_frame_equal(kept[:3], sent[:3], check_dtype=False)
    undefended(monkeypatch)
    assert PLANTED.encode() in everything(shelved(desk, "motifs.xlsx", content)[0]), "undefended, it leaves"


def undefended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "inspect", lambda *a, **k: replace(inspect(*a, **k), anew=b""))
    monkeypatch.setattr(receiving, "WRITTEN_ANEW", frozenset())


@pytest.mark.parametrize("shown_as", [';;;""', '"3"', "[White]General"])
def test_a_number_is_shown_as_it_was_reviewed(shown_as: str, desk: Desk) -> None:
    released, _ = shelved(desk, "motifs.xlsx", format_of(shown_as))
    cell = openpyxl.load_workbook(io.BytesIO(released)).active["B2"]
    assert (cell.value, cell.number_format) == (3934, "General")


def test_what_is_small_white_or_narrow_is_seen_as_the_rest(desk: Desk) -> None:
    def hide(book: openpyxl.Workbook) -> None:
        book.active["D1"] = "note"
        book.active["D1"].font = Font(size=1, color="FFFEFEFE")
        book.active.column_dimensions["D"].width = 0.05

    sheet = openpyxl.load_workbook(io.BytesIO(shelved(desk, "a.xlsx", workbook(hide))[0])).active
    assert sheet["D1"].font.sz == 11 and sheet["D1"].font.color.rgb != "FFFEFEFE"
    assert sheet.column_dimensions["D"].width >= 10


def test_values_of_every_type_come_out_as_they_went_in(desk: Desk) -> None:
    frame = pd.DataFrame(
        {
            "texte": ["é <&> ", None, "#N/A"],
            "nombre": [0.1 + 0.2, 1e-20, 2**53 + 0.0],
            "jour": pd.to_datetime(["2020-01-01", "1999-12-31", "2024-02-29"]),
            "moment": pd.to_datetime(["2020-01-01 10:00:01", "1999-12-31 23:59:59", "2024-02-29 12:30:00"]),
            "vrai": [True, False, True],
        }
    )
    out = io.BytesIO()
    frame.to_excel(out, sheet_name="Résultats d'été", index=False)
    released, _ = shelved(desk, "motifs.xlsx", out.getvalue())
    assert list(pd.read_excel(io.BytesIO(released), None)) == ["Résultats d'été"]
    pd.testing.assert_frame_equal(
        pd.read_excel(io.BytesIO(released)), pd.read_excel(io.BytesIO(out.getvalue())), check_exact=True
    )


# --- Parquet


def parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


MOTIFS = pa.table({"cisp2": ["K86", "R74"], "patients": [3934, 3553]})


def of_columns(metadata: dict[str, str]) -> bytes:
    fields = [pa.field("cisp2", pa.string(), metadata=metadata), pa.field("patients", pa.int64())]
    return parquet(pa.table(MOTIFS.columns, schema=pa.schema(fields)))


def before_footer() -> bytes:
    content = parquet(MOTIFS)
    at = len(content) - 8 - struct.unpack("<I", content[-8:-4])[0]
    return content[:at] + PLANTED.encode() + content[at:]


def unused() -> bytes:
    codes = pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["K86", "R74", PLANTED]))
    return parquet(pa.table({"cisp2": codes, "patients": [3934, 3553]}))


PARQUET: dict[str, Callable[[], bytes]] = {
    "a key": lambda: parquet(MOTIFS.replace_schema_metadata({"note": PLANTED})),
    "pandas' key": lambda: parquet(MOTIFS.replace_schema_metadata({"pandas": json.dumps({"x": PLANTED})})),
    "a key that looks like Parquet's": lambda: of_columns({"PARQUET:x": PLANTED}),
    "before the footer": before_footer,
    "a value of no row": unused,
}


@pytest.mark.parametrize("trick", PARQUET)
def test_what_a_parquet_file_hides_stays_behind(
    trick: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = PARQUET[trick]()
    released, asked = shelved(desk, "motifs.parquet", content)
    assert ROW.encode() not in everything(released) and ONE.encode() not in everything(released)
    assert int(ONE) in asked or trick == "a value of no row"
    assert pq.read_table(io.BytesIO(released)).to_pydict() == MOTIFS.to_pydict()
    undefended(monkeypatch)
    assert PLANTED.encode() in everything(shelved(desk, "motifs.parquet", content)[0]), (
        "undefended, it leaves"
    )


def test_a_time_zone_that_there_is_not_is_put_aside(desk: Desk) -> None:
    zone = pa.array([1], pa.timestamp("us", "Europe/Paris"))
    released, _ = shelved(desk, "a.parquet", parquet(pa.table({"t": zone})))
    assert pq.read_table(io.BytesIO(released)).schema.field("t").type == zone.type
    with pytest.raises(AssertionError):
        shelved(desk, "b.parquet", parquet(pa.table({"t": zone.cast(pa.timestamp("us", PLANTED[:9]))})))


def test_a_frame_comes_out_of_parquet_as_it_went_in(desk: Desk) -> None:
    frame = pd.DataFrame(
        {
            "texte": ["a", None],
            "nombre": [0.1, float("nan")],
            "entier": [1, 2**60],
            "moment": pd.to_datetime(["2020-01-01 10:00", None]).tz_localize("Europe/Paris"),
            "liste": [[1.5, float("nan")], []],
        }
    )
    out = io.BytesIO()
    frame.to_parquet(out)
    released, _ = shelved(desk, "a.parquet", out.getvalue())
    pd.testing.assert_frame_equal(
        pd.read_parquet(io.BytesIO(released)), pd.read_parquet(io.BytesIO(out.getvalue()))
    )


# --- pictures


@pytest.mark.parametrize(
    "kind", [b"bKGD", b"sBIT", b"cICP", b"pHYs", b"gAMA", b"cHRM", b"sRGB", b"PLTE", b"zTXt"]
)
def test_what_a_picture_hides_stays_behind(kind: bytes, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = b"a\x00\x00" + zlib.compress(PLANTED.encode())
    content = with_chunk(picture(), kind, packed if kind == b"zTXt" else PLANTED.encode())
    released, asked = shelved(desk, "figure.png", content)
    assert ROW.encode() not in everything(released) and ONE.encode() not in everything(released)
    assert int(ONE) in asked
    undefended(monkeypatch)
    assert PLANTED.encode() in everything(shelved(desk, "figure.png", content)[0]), "undefended, it leaves"


@pytest.mark.parametrize(("name", "content"), [("a.xlsx", workbook()), ("a.parquet", parquet(MOTIFS))])
def test_the_box_writes_the_same(name: str, content: bytes) -> None:
    boxed = inspecting.inspect_bytes(content, name)
    with mock.patch.object(inspecting, "_ask", _in_process):
        assert boxed.anew and boxed.anew == inspecting.inspect_bytes(content, name).anew
