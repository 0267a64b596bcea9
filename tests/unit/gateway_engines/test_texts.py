"""A number tells which text of a list, whatever the list and its hashes are; and it is known whose texts
stand in a column."""

from __future__ import annotations

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.gateway.engines.port import stored, temporary
from hub_config.gateway.engines.texts import MOST, Texts, origin

HASHES = st.integers(-(2**63), 2**63 - 1)
LISTS = st.dictionaries(st.text(max_size=5), HASHES, max_size=40)


def listed(hashes: dict[str, int]) -> Texts | None:
    return Texts.of(pa.array(hashes, pa.string()), np.array(list(hashes.values()), dtype=np.int64))


def number(texts: Texts, hashed: int) -> int:
    """As the engine works it out."""
    return (hashed >> texts.shift) & texts.missing


@settings(deadline=None)
@given(LISTS)
def test_each_number_is_one_text(hashes):
    texts = listed(hashes)
    if texts is None:
        most = 2**22 - 1
        told = ({(h >> shift) & most for h in hashes.values()} - {most} for shift in range(64 - 22 + 1))
        assert all(len(each) < len(hashes) for each in told), "no choice of bits would do"
        return
    asked = [*(number(texts, each) for each in hashes.values()), texts.missing]
    assert texts.column(np.array(asked)).to_pylist() == [*hashes, None]
    assert texts.encoded(pa.array([None, *hashes], pa.string())).to_pylist() == [None, *hashes]


def test_few_bits_are_enough():
    """A patient (28 bits), a GP (18) and a code of CISP-2 are one number."""
    hashes = np.random.default_rng(3).integers(-(2**63), 2**63 - 1, 690)
    texts = Texts.of(pa.array([str(i) for i in range(690)]), hashes)
    assert texts is not None and texts.bits <= 17


@pytest.mark.parametrize("hashes", [{"a": 5, "b": 5}, {str(i): i << 40 for i in range(MOST + 1)}])
def test_what_no_bits_tell_apart_stays_text(hashes):
    assert listed(hashes) is None


def test_whose_texts_stand_in_a_column():
    facts = stored("facts", {"patient_no": "int64", "code": "string", "place": "string"})
    people = stored("patients", {"patient_no": "int64", "sex": "string"})
    nobody = temporary("objecting", {"patient_no": "int64"})
    mine = temporary("mine", {"patient_no": "int64", "said": "string"})
    rows = facts.filter(facts.place == "C1").anti_join(nobody, "patient_no").rename(what="code")
    rows = rows.select("patient_no", "what", odd=ibis.cases((rows.place == "C1", "here"), else_="there"))
    assert origin(rows.op(), "what") == ("facts", "code")
    assert origin(rows.op(), "odd") is None
    joined = rows.join(people, "patient_no").join(mine, "patient_no")
    assert origin(joined.op(), "sex") == ("patients", "sex")
    assert origin(joined.op(), "said") is None
    counted = facts.group_by("code").agg(n=facts.count())
    assert origin(counted.op(), "code") is None, "few rows: not worth it"
