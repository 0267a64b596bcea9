"""A load takes the codes of a site's own tables; without them they are unknown."""

from __future__ import annotations

from hub_config.warehouse.loader.load import Places, load
from hub_config.warehouse.loader.rules import Rule

from .conftest import MAPPING, Vendor


def test_rows_may_hold_a_code_of_a_loaded_table(vendor: Vendor) -> None:
    vendor.write("events.csv", "id,on,code\nZQX-1,2001-02-03,T88\nZQX-1,2001-02-03,T90\n")
    assert vendor.load().rejected == {Rule.UNKNOWN_CODE: 1}
    codes = vendor.home / "codes"
    codes.mkdir()
    (codes / "cisp2.csv").write_text("code,label_fr,label_en,parent\nT88,Du site,,T\n", encoding="utf-8")
    places = Places(vendor.directory, vendor.warehouse, vendor.home / "keys", codes)
    loaded = load("vendor.toml", vendor.read(MAPPING), places, own_uids=True)
    assert not loaded.rejected
    assert loaded.snapshot.manifest.rows["diagnoses"] == 2
