"""Of whose rows a document asks: said once for the whole of it, and never of both."""

from __future__ import annotations

import json

import ibis
import pytest

from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.graph import decode, encode, scope_asked, scope_of
from p4dp_sdk.wire.protocol import Disclosure, Limits, Scope

SCHEMA = ibis.schema({"patient_id": "int64", "sex": "string"})
WHOLE = ibis.table(SCHEMA, name="patients")
OWN = ibis.table(SCHEMA, name="patients", database="own")
SAID = Disclosure(
    request_id="1", project="p", snapshot=1, protection="exploration", min_patients=11, min_physicians=3
)


def test_a_document_about_everybody_says_nothing_of_scope() -> None:
    """As clients and gateways from before write and read it."""
    assert set(json.loads(encode(WHOLE.count()))) == {"protocol", "nodes"}
    assert scope_asked(encode(WHOLE.count())) is Scope.ALL
    assert "scope" not in json.loads(SAID.to_json())
    assert Disclosure.from_json(SAID.to_json()) == SAID


def test_a_document_about_one_s_own_comes_back_as_the_same_question() -> None:
    document = encode(OWN.group_by("sex").agg(n=OWN.count()))
    assert scope_asked(document) is Scope.OWN
    found = decode(document, lambda _: SCHEMA, Limits(), Scope.OWN)
    assert found.equals(WHOLE.group_by("sex").agg(n=WHOLE.count()))
    own = Disclosure(**{**vars(SAID), "scope": Scope.OWN})
    assert Disclosure.from_json(own.to_json()) == own


@pytest.mark.parametrize(("table", "scope"), [(WHOLE, Scope.OWN), (OWN, Scope.ALL)])
def test_a_document_is_not_read_as_one_of_another_scope(table: ibis.Table, scope: Scope) -> None:
    with pytest.raises(Refusal) as refused:
        decode(encode(table.count()), lambda _: SCHEMA, Limits(), scope)
    assert refused.value.code is ErrorCode.MALFORMED


@pytest.mark.parametrize("said", ["mine", "OWN", "", None, 1, ["own"], {"own": "ines"}], ids=str)
def test_no_other_scope_is_understood(said: object) -> None:
    document = json.dumps({**json.loads(encode(WHOLE.count())), "scope": said}).encode()
    for read in (scope_asked, lambda text: decode(text, lambda _: SCHEMA)):
        with pytest.raises(Refusal) as refused:
            read(document)
        assert refused.value.code is ErrorCode.MALFORMED


def test_both_in_one_question_are_refused_before_anything_is_sent() -> None:
    joined = OWN.join(WHOLE, "patient_id")
    for question in (joined.count(), OWN.filter(OWN.patient_id.isin(WHOLE.patient_id)), OWN.union(WHOLE)):
        with pytest.raises(Refusal) as refused:
            encode(question)
        assert refused.value.code is ErrorCode.MIXED_SCOPES


def test_a_question_without_tables_is_everybody_s() -> None:
    assert scope_of(ibis.memtable({"x": [1]})) is Scope.ALL
