"""What comes out of the box is read as a stranger's words, and what goes to a page is inert and bounded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.airlock.checks.inside.found import MOST_FINDINGS_OF_A_RULE, Found, Notes, Order
from hub_config.airlock.checks.inside.kinds import kind_of
from hub_config.airlock.checks.inside.names import findings_of_name
from hub_config.airlock.checks.inside.preview import (
    CELL_SHOWN,
    COLUMNS_SHOWN,
    ROWS_SHOWN,
    Highlight,
    ImageBlock,
    NoteBlock,
    Preview,
    TableBlock,
    shows,
    table_block,
    text_block,
    visible,
)
from hub_config.airlock.checks.inside.program import answer_to
from hub_config.airlock.checks.inside.protocol import (
    Answer,
    BadAnswer,
    finding_document,
    preview_document,
    read_answer,
    read_finding,
    read_preview,
    write_answer,
)
from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.airlock.checks.texts import WORDS, say, where, why_quarantined
from hub_config.governance.releases.facts import FileKind
from hub_config.governance.releases.findings import Finding, Place, Rule, Severity

FINDING = Finding(Rule.SMALL_COUNT, Severity.BLOCKING, Place(row=3, column=2, what="patients"), {"min": 11})
ANSWER = Answer(
    Found(
        (FINDING, Finding(Rule.EMPTY, Severity.NOTE)),
        (
            table_block("t", ["a", "b"], [["1", "2"]], highlights=[Highlight(0, 1, Rule.SMALL_COUNT)]),
            text_block(["one", "two"]),
            ImageBlock(b"\x89PNG\r\n\x1a\n0000", "une figure", 3, 4),
            NoteBlock(FINDING),
        ),
        (1234567890123456789,),
    )
)


def test_an_answer_comes_back_as_it_was_said() -> None:
    assert read_answer(write_answer(ANSWER)) == ANSWER
    stopped = Answer(Found(), Reason.BOMB)
    assert read_answer(write_answer(stopped)) == stopped


def test_findings_and_previews_can_be_kept() -> None:
    assert read_finding(json.loads(json.dumps(finding_document(FINDING)))) == FINDING
    preview = Preview(ANSWER.found.blocks)
    assert read_preview(json.loads(json.dumps(preview_document(preview)))) == preview


def changed(path: str, value: Any) -> bytes:
    document = json.loads(write_answer(ANSWER))
    *way, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    inner = document
    for key in way:
        inner = inner[key]
    inner[last] = value
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("findings.0.rule", "no-such-rule"),
        ("findings.0.severity", "harmless"),
        ("findings.0.more", 1),
        ("findings.0.place", {"row": "3"}),
        ("findings.0.place", {"row": -3}),
        ("findings.0.place", {"somewhere": 3}),
        ("findings.0.params", {"a": "x" * 5_000}),
        ("findings.0.params", {"a": ["x"]}),
        ("findings.0.params", {f"a{i}": 1 for i in range(100)}),
        ("findings", [json.loads(write_answer(ANSWER))["findings"][0]] * 10_000),
        ("stopped", "because"),
        ("stopped", 7),
        ("candidates", ["-1"]),
        ("candidates", [17]),
        ("candidates", ["١٢٣"]),
        ("candidates", ["9" * 41]),
        ("preview.blocks.0.block", "html"),
        ("preview.blocks.0.rows", [["x"] * (COLUMNS_SHOWN + 1)]),
        ("preview.blocks.0.rows", [["x"]] * (ROWS_SHOWN + 1)),
        ("preview.blocks.0.rows", [["x" * 100 * CELL_SHOWN]]),
        ("preview.blocks.0.rows", [["\u202egnp.exe"]]),
        ("preview.blocks.0.title", "a\x00b"),
        ("preview.blocks.0.total_rows", True),
        ("preview.blocks.0.total_rows", 2**60),
        ("preview.blocks.2.png", "PHN2Zz4="),
        ("preview.blocks.2.png", "%%%"),
        ("preview.blocks", "abc"),
    ],
)
def test_what_no_checker_says_is_not_believed(path: str, value: Any) -> None:
    with pytest.raises(BadAnswer):
        read_answer(changed(path, value))


@given(st.binary(max_size=400))
@settings(max_examples=60, deadline=None)
def test_noise_is_no_answer(document: bytes) -> None:
    with pytest.raises(BadAnswer):
        read_answer(document)


KINDS = st.sampled_from([*FileKind])
NAMES = st.sampled_from(["t.csv", "t.tsv", "t.txt", "t.md", "t.json", "t.xlsx", "t.parquet", "t.html", "t"])
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12) | st.integers().map(str)
TABLES = st.lists(st.lists(CELLS, max_size=6), max_size=12).map(
    lambda rows: "\n".join(",".join(row) for row in rows).encode()
)
OPENINGS = st.sampled_from(
    [b"", b"PK\x03\x04xl/workbook.xml", b"PAR1", b"\xff\xfe", b"{", b"a,b\n", b"| a | b |\n"]
)


@given(st.tuples(OPENINGS, st.binary(max_size=300)).map(b"".join) | TABLES, NAMES, KINDS | st.none())
@settings(max_examples=250, deadline=None)
def test_any_bytes_are_answered_within_bounds(content: bytes, name: str, kind: FileKind | None) -> None:
    answer = answer_to(content, Order(name, kind or kind_of(content, name)))
    assert read_answer(write_answer(answer)) == answer


@given(st.text(max_size=60), KINDS)
@settings(max_examples=100, deadline=None)
def test_any_name_can_be_described(name: str, kind: FileKind) -> None:
    for finding in findings_of_name(name, kind):
        assert read_finding(finding_document(finding)) == finding


@given(st.text(max_size=300))
@settings(max_examples=100)
def test_what_is_shown_shows(text: str) -> None:
    shown = visible(text, 200)
    assert all(map(shows, shown))
    assert len(shown.splitlines()) <= 1


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("t\u202efdp.csv", "invisible"),
        ("tаble.csv", "look-alikes"),  # a Cyrillic а
        ("../t.csv", "path"),
        ("a\\b.csv", "path"),
        (".htaccess.csv", "edges"),
        ("t.pdf.csv", "two-extensions"),
        ("con.csv", "reserved"),
        ("t" * 200 + ".csv", "long"),
    ],
)
def test_a_deceptive_name(name: str, how: str) -> None:
    found = findings_of_name(name, FileKind.CSV)
    assert how in {finding.params.get("how") for finding in found}


def test_ordinary_names_are_no_deception() -> None:
    for name in ("Tableau 1 – effectifs (2021).csv", "été_2020.csv", "v1.2-résultats.csv"):
        assert findings_of_name(name, FileKind.CSV) == ()


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "t.csv", FileKind.PNG),
        (b"<!-- a --><!DOCTYPE html><p>", "t.txt", FileKind.HTML),
        (b"<?xml version='1.0'?><svg xmlns='x'/>", "t.txt", FileKind.SVG),
        (b'{"cells": [], "nbformat": 4}', "t.json", FileKind.NOTEBOOK),
        (b"PK\x03\x04....xl/workbook.xml", "t.zip", FileKind.XLSX),
        (b"PK\x03\x04....a.csv", "t.csv", FileKind.ARCHIVE),
        (b"\x80\x04K\x01.", "t.json", FileKind.PICKLE),
        (b"a,b\n1,2\n", "t.csv", FileKind.CSV),
        (b"hello", "t", FileKind.TEXT),
        (b"\x00\x01\x02", "t.csv", FileKind.UNKNOWN),
    ],
)
def test_a_kind_is_told_from_the_bytes(content: bytes, name: str, kind: FileKind) -> None:
    assert kind_of(content, name) is kind


def test_a_table_of_small_cells_is_told_not_recited() -> None:
    notes = Notes()
    for row in range(MOST_FINDINGS_OF_A_RULE + 50):
        notes.add(Rule.SMALL_COUNT, Severity.BLOCKING, Place(row=row + 1))
    assert len(notes.findings()) == MOST_FINDINGS_OF_A_RULE
    assert notes.findings()[0].params["more"] == 50


def test_a_preview_shows_the_beginning() -> None:
    row = ["x" * (CELL_SHOWN + 1)] * 80
    block = table_block("t", ["h"] * 80, [row] * 400, highlights=[Highlight(399, 0, Rule.EMPTY)])
    assert (len(block.rows), len(block.rows[0]), len(block.rows[0][0])) == (
        ROWS_SHOWN,
        COLUMNS_SHOWN,
        CELL_SHOWN + 1,
    )
    assert (block.total_rows, block.total_columns, block.highlights) == (400, 80, ())
    assert isinstance(block, TableBlock)


@pytest.mark.parametrize("rule", Rule)
def test_every_rule_has_words_in_both_languages(rule: Rule) -> None:
    for language in ("fr", "en"):
        told = say(Finding(rule, Severity.BLOCKING, None, {"min": 11}), language)
        assert all((told.what, told.why, told.remedy))
        assert "{" not in told.what + told.why + told.remedy
    assert set(WORDS) == set(Rule)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_words_in_both_languages(reason: Reason) -> None:
    for language in ("fr", "en"):
        told = why_quarantined(reason, language)
        assert all((told.what, told.why, told.remedy))


def test_where() -> None:
    assert where(Place(sheet=2, row=3, column=4, what="n"), "fr") == "feuille 2, ligne 3, colonne 4, n"
    assert where(Place(page=2), "en") == "page 2"
    assert where(None, "fr") == ""
