"""A site's tables over the catalogue: more codes and labels, never a code less, nothing without them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.codelists.in_force import site_catalogue
from hub_config.codelists.loading import CLOSED_UP_TO
from hub_config.codelists.problems import CodeListProblem
from hub_config.gateway.rules.facts import MAX_LABELS
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Code
from p4dp_sdk.catalogue.overlay import Overlay, OverlayError, extended, parse_overlay, write_overlay

SHIPPED = load_catalogue()
labels = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
codes = st.builds(
    Code, st.from_regex(r"[A-Z][0-9]{2}", fullmatch=True), labels, labels, st.sampled_from([None, "T", "A"])
)
tables = st.lists(codes, min_size=1, max_size=8, unique_by=lambda code: code.code).map(
    lambda them: Overlay("cisp2", tuple(them))
)


def test_without_tables_the_catalogue_is_the_shipped_one(tmp_path: Path) -> None:
    assert site_catalogue(tmp_path / "missing") is SHIPPED
    assert extended(SHIPPED, []) is SHIPPED


@given(tables)
@settings(max_examples=40, deadline=None)
def test_a_table_adds_and_takes_nothing_away(table: Overlay) -> None:
    made = extended(SHIPPED, [table])
    old, new = SHIPPED.code_systems["cisp2"].codes, made.code_systems["cisp2"].codes
    assert [code.code for code in new[: len(old)]] == [code.code for code in old]
    assert [code.parent for code in new[: len(old)]] == [code.parent for code in old]
    assert {code.code for code in new} == {code.code for code in (*old, *table.codes)}
    assert {code.code: code.label_fr for code in new}.items() >= {
        c.code: c.label_fr for c in table.codes
    }.items()
    assert {name: s for name, s in made.code_systems.items() if name != "cisp2"} == {
        name: s for name, s in SHIPPED.code_systems.items() if name != "cisp2"
    }
    assert made.tables == SHIPPED.tables


@given(tables)
@settings(max_examples=40, deadline=None)
def test_a_table_reads_back_from_what_it_writes(table: Overlay) -> None:
    assert parse_overlay("cisp2", write_overlay(table)) == table


@pytest.mark.parametrize(
    ("system", "text"),
    [
        ("centre", "code,label_fr,label_en,parent\n"),
        ("atc", "code,label\nA10BA02,Metformine\n"),
        ("atc", "code,label_fr,label_en,parent\nA10BA02,,,\n"),
        ("atc", "code,label_fr,label_en,parent\nA10BA02,a,b,c,d\n"),
        ("atc", "code,label_fr,label_en,parent\nA10BA02,a,b\n"),
        ("atc", "code,label_fr,label_en,parent\nA10BA02,a,,\nA10BA02,b,,\n"),
        ("atc", ""),
    ],
)
def test_a_broken_table_is_an_error(system: str, text: str) -> None:
    with pytest.raises(OverlayError):
        parse_overlay(system, text)


def test_a_table_that_broke_is_told_and_not_left_out(tmp_path: Path) -> None:
    (tmp_path / "atc.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(CodeListProblem, match=r"atc\.csv can't be read"):
        site_catalogue(tmp_path)


def test_many_codes_are_an_open_key_from_where_the_gateway_says() -> None:
    assert CLOSED_UP_TO == MAX_LABELS
