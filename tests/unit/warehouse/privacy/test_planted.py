"""What identifies somebody is planted in every cell that a mapping reads: no file of the enclave holds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub_config.warehouse.loader import expressions, facts, measurements
from hub_config.warehouse.privacy.identifying import Trace
from hub_config.warehouse.privacy.scan import Identifying
from tests.unit.warehouse.conftest import MAPPING, Vendor

PLANTED = (
    *("ZQXDURAND", "12 rue Zqxbeaulieu", "0698765432", "06 98 76 54 32", "zqx@exemple.fr"),
    *("185057800608491", "10003456789", "761234567", "12031950"),
)
VACCINES = """
[[rows]]
table = "vaccinations"
file = "vaccines"
person = "id"

[rows.columns]
date = { column = "on", as = "date" }
label_raw = { column = "label", optional = true }
"""
WIDER = (
    MAPPING.replace("[files.events]", '[files.vaccines]\npath = "vaccines.csv"\n\n[files.events]').replace(
        'of = "analyte"', 'unit = "unit"\nunits = { "mmol/L" = "mmol/L" }\nof = "analyte"'
    )
    + VACCINES
    + "\n[limits]\nmax_rejected = 1.0\n"
)


def plant(vendor: Vendor) -> None:
    cells = [("5.25", text) for text in PLANTED] + [(text, "mmol/L") for text in PLANTED]
    rows = [f"ZQX-1,{day},chol,{value},{unit}\n" for day, (value, unit) in enumerate(cells)]
    vendor.write("results.csv", "id,day,test,value,unit\nZQX-1,99,hdl,0.7,mmol/L\n" + "".join(rows))
    vendor.write("vaccines.csv", "id,on,label\n" + "".join(f"ZQX-1,2001-02-03,{text}\n" for text in PLANTED))
    codes = "".join(f"ZQX-1,2001-02-03,{text}\n" for text in PLANTED)
    vendor.write("events.csv", "id,on,code\nZQX-1,2001-02-03,K86\n" + codes)


def found(home: Path) -> set[str]:
    files = [path for path in home.rglob("*") if path.is_file() and path.name != "vendor.toml"]
    held = b"".join(path.read_bytes() for path in files)
    return {text for text in PLANTED if text.encode() in held}


def test_no_file_of_the_enclave_holds_what_was_planted(
    vendor: Vendor, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    plant(vendor)
    rows = vendor.load(WIDER).snapshot.manifest.rows
    assert rows["vaccinations"] and rows["lab_results"] and rows["diagnoses"]
    assert not found(vendor.home)
    said = caplog.text + "".join(capfd.readouterr())
    assert not any(text in said for text in PLANTED)


def test_with_the_scrub_taken_out_it_is_found_and_no_snapshot_is_made(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (facts, measurements):
        monkeypatch.setattr(module, "kept", lambda _column, text, _words=(): text)
    monkeypatch.setattr(expressions, "_NUMBER", r"\d+(\.\d*)?")
    plant(vendor)
    with pytest.raises(Identifying) as refused:
        vendor.load(WIDER)
    assert {(each.table, each.column, each.trace) for each in refused.value.findings} == {
        ("lab_results", "unit_raw", Trace.FREE_TEXT),
        ("lab_results", "value_raw", Trace.FREE_TEXT),
        ("vaccinations", "label_raw", Trace.FREE_TEXT),
    }
    assert found(vendor.home)
    assert not list(vendor.warehouse.glob("[0-9]*"))
