"""Hostile files, in the real box with its real limits: each ends as a finding or aside."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hub_config.airlock.checks import Inspection, Reason, inspect_bytes
from hub_config.governance.releases.findings import Rule

_TYPES = b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'


def package(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("xl/workbook.xml", parts.get("workbook", b"<workbook/>"))
        for name, part in parts.items():
            archive.writestr(f"xl/worksheets/{name}.xml", part)
    return out.getvalue()


def lying(size: int) -> bytes:
    """A package whose directory declares less than what comes out."""
    content = bytearray(package(sheet1=b"0" * 300_000_000))
    at = content.rfind(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", size)
    return bytes(content)


def billion_laughs() -> bytes:
    entities = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10 if i else "ha"}">' for i in range(10))
    return package(workbook=f"<!DOCTYPE x [{entities}]><workbook>&a9;</workbook>".encode())


def dictionary_bomb() -> bytes:
    giant = pa.DictionaryArray.from_arrays(pa.array([0] * 4_000, pa.int32()), pa.array(["x" * 1_000_000]))
    out = io.BytesIO()
    pq.write_table(pa.table({"a": giant}), out, compression="zstd")
    return out.getvalue()


HOSTILE: list[tuple[str, Callable[[], bytes], set[Reason | Rule]]] = [
    ("bomb.xlsx", lambda: package(sheet1=b"<c " * 100_000_000), {Reason.BOMB}),
    ("lying.xlsx", lambda: lying(1_000), {Reason.BOMB, Reason.DAMAGED}),
    ("laughs.xlsx", billion_laughs, {Reason.BOMB}),
    ("empty.xlsx", package, {Reason.DAMAGED}),
    ("dictionary.parquet", dictionary_bomb, {Reason.BOMB, Reason.TOO_MUCH}),
    ("cut.parquet", lambda: b"PAR1" + b"\xff" * 5_000 + b"PAR1", {Reason.DAMAGED, Reason.CRASHED}),
    ("columns.csv", lambda: b",".join([b"x"] * 10**6) + b"\n" + b",".join([b"1"] * 10**6), {Reason.TOO_MUCH}),
    ("quote.csv", lambda: b'a,b\n"' + b"1,2\n" * 1_000_000, {Rule.GIANT_CELL}),
    (
        "digits.csv",
        lambda: b"a\n" + b"123456789012 " * 300_000,
        {Rule.GIANT_CELL, Rule.TOO_MANY_LONG_INTEGERS},
    ),
    ("signs.csv", lambda: b"a,b\n" + b"@" * 2_000_000 + b",+33" + b"6.1" * 500_000, {Rule.GIANT_CELL}),
    ("deep.json", lambda: b"[" * 1_000_000, {Reason.TOO_MUCH}),
    ("wide.json", lambda: json.dumps([list(range(2_000))] * 2_000).encode(), {Reason.TOO_MUCH}),
    (
        "tables.json",
        lambda: json.dumps({f"t{i}": [{"a": i}] for i in range(1_000)}).encode(),
        {Reason.TOO_MUCH},
    ),
    ("number.json", lambda: b"[" + b"9" * 1_000_000 + b"]", {Reason.DAMAGED}),
    ("bars.md", lambda: b"|" * 3_000_000, {Rule.GIANT_CELL}),
    ("lines.txt", lambda: b"x  1\n" * 300_000, {Rule.TOO_MANY_ROWS}),
    ("nul.txt", lambda: b"a" * 30_000 + b"\0", {Reason.ENCODING}),
    ("comments.txt", lambda: b"<!--" * 1_000_000, {Rule.GIANT_CELL, Rule.HIDDEN_CONTENT}),
]


@pytest.mark.parametrize(("name", "make", "endings"), HOSTILE, ids=[name for name, _, _ in HOSTILE])
def test_a_hostile_file_ends_as_a_finding_or_aside(
    name: str, make: Callable[[], bytes], endings: set[Reason | Rule]
) -> None:
    inspection = inspect_bytes(make(), name)
    assert ending(inspection) & endings


def ending(inspection: Inspection) -> set[Reason | Rule]:
    if inspection.quarantined is not None:
        return {inspection.quarantined.reason}
    return {finding.rule for finding in inspection.findings}
