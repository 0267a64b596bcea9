"""Attempts to get rows, or one person, out of an aggregate project by what a query says: each is refused by
name.

The victim is patient 9. Every expression travels the wire first, as it would from a notebook.
"""

from __future__ import annotations

import datetime
from types import SimpleNamespace

import pandas as pd
import pytest

from hub_config.gateway.rules.split import split
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.graph import decode, encode
from tests.attacks.refused_expressions import ATTACKS
from tests.conformance import world


def refusal_of(attack) -> ErrorCode:
    table = SimpleNamespace(**{name: world.tables().__dict__[name] for name in world.TABLES})
    with pytest.raises(Refusal) as refused:
        split(world.ask(decode(encode(attack(table)), world.schema), world.engine()))
    return refused.value.code


def test_there_are_many_of_them():
    assert len(ATTACKS) >= 60


@pytest.mark.parametrize("name", ATTACKS)
def test_is_refused_by_name(name):
    attack, code = ATTACKS[name]
    assert refusal_of(attack) is code


def test_params_carry_no_value_of_the_data():
    """What a refusal says is made of names of the query and of the enclave's own words."""
    stored = {
        str(value)
        for table in world.repeated(1).values()
        for column in table.columns
        for value in column.to_pylist()
    }
    texts = {value for value in stored if not value.isdigit() and len(value) > 3 and value != "None"}
    for attack, _code in ATTACKS.values():
        with pytest.raises(Refusal) as refused:
            split(world.ask(decode(encode(attack(world.tables())), world.schema), world.engine()))
        assert not texts & {str(value) for value in refused.value.params.values()}


def test_the_victim_is_one_person():
    patients = world.frames().patients
    assert list(patients[(patients.sex == "F") & patients.age.isna()].patient_id) == [9]
    assert datetime.date(2021, 6, 18) in set(world.frames().consultations.date.dt.date.dropna())
    assert isinstance(patients, pd.DataFrame)
