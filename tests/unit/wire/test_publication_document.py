"""The signed form of a publication table: one sequence of bytes, and nothing in it can change unnoticed."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p4dp_sdk.wire.publication import Document, NotGenuine, Signature, Statement, cell, verify
from tests.unit.sdk.signed_tables import OTHER_KEY, STATEMENT, pem, signed

CELLS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=4), st.text())
@settings(max_examples=60, deadline=None)
def test_a_document_is_the_same_after_a_round_trip(rows: list[tuple[Any, ...]], title: str) -> None:
    document = signed(rows=tuple(rows), title=title)
    again = Document.from_json(document.to_json())
    assert again == document
    assert again.statement.signed_bytes == document.statement.signed_bytes
    assert verify(again, pem()) == document.statement


def test_signed_bytes_are_those_that_the_reference_describes() -> None:
    small = replace(STATEMENT, columns=(), rows=(("é", 0.1, None),), policy={})
    head, _, body = small.signed_bytes.partition(b"\n")
    assert head == b"p4dp publication table 1"
    assert b'"rows":[["\\u00e9",0.1,null]]' in body and b" :" not in body
    assert list(json.loads(body)) == sorted(json.loads(body))


def changed(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The document with each part of its statement changed, one at a time."""
    for field in fields(Statement):
        value = content["statement"][field.name]
        other = {str: "x", int: 7, bool: True, list: [], dict: {}, type(None): None}[type(value)]
        if other != value and field.name != "version":
            yield {**content, "statement": {**content["statement"], field.name: other}}


def test_no_part_can_be_changed_unnoticed() -> None:
    content = json.loads(signed().to_json())
    made = list(changed(content))
    assert len(made) >= 14
    for document in made:
        with pytest.raises(NotGenuine):
            verify(Document.from_json(json.dumps(document)), pem())


def test_another_key_and_another_context_do_not_verify() -> None:
    with pytest.raises(NotGenuine, match="another key"):
        verify(signed(OTHER_KEY), pem())
    forged = Document(STATEMENT, replace(signed(OTHER_KEY).signature, key=signed().signature.key))
    with pytest.raises(NotGenuine, match="changed"):
        verify(forged, pem())
    for value in ("", "!", "QQ=="):
        with pytest.raises(NotGenuine, match="changed"):
            verify(Document(STATEMENT, Signature(signed().signature.key, value)), pem())


@pytest.mark.parametrize("key", ["", "no key", b"\xff", pem().replace("A", "B", 1)])
def test_what_is_no_key_is_said_to_be_none(key: str | bytes) -> None:
    with pytest.raises(NotGenuine):
        verify(signed(), key)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"statement": {}, "signature": {}}',
        b"[" * 100_000,
        json.dumps({"statement": [], "signature": []}).encode(),
        signed().to_json().replace(b'"key"', b'"keyhole"'),
        signed().to_json().replace(b'"measure"', b'"measured"'),
        signed().to_json().replace(b"1234", b"NaN"),
        signed().to_json().replace(b'["40-49",1234,0.125]', b'["40-49"]'),
        signed().to_json().replace(b'["40-49",1234,0.125]', b'["40-49",[1],0.125]'),
        signed().to_json().replace(b'"version":1', b'"version":2'),
    ],
)
def test_what_is_no_document_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(NotGenuine):
        Document.from_json(content)


def test_values_have_one_form() -> None:
    assert [cell(value) for value in (1, True, None, "a", 0.5)] == [1, True, None, "a", 0.5]
    assert cell(datetime.date(2020, 2, 29)) == "2020-02-29"
    assert cell(Decimal("1.5")) == 1.5
    assert cell(float("inf")) is None and cell(float("nan")) is None
    with pytest.raises(NotGenuine):
        cell(b"bytes")


def test_the_share_that_is_kept() -> None:
    assert STATEMENT.kept == pytest.approx(4 / 6)
    assert replace(STATEMENT, shown=0, withheld=0).kept == 1.0
