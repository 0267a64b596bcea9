"""Attempts to make one person weigh more than thousands in a sum, or to learn a sum's noise by asking for it
in two scales: refused by name; with the defence out, the number tells.

The victim is patient 9 of the world of tests/conformance/world.py: a woman whose age nobody knows.
"""

from __future__ import annotations

import datetime
from dataclasses import replace

import ibis
import ibis.expr.operations as ops
import pytest
from ibis import _

from hub_config.gateway.rules import frontier, values
from hub_config.gateway.rules.facts import Number, Quantity
from hub_config.gateway.rules.split import split
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.graph import decode, encode
from tests.conformance import world


def is_victim(table):
    return (table.sex == "F") & table.age.isnull()


def visits(t):
    return t.consultations.group_by("patient_id").agg(n=_.count())


def first_seen(t):
    each = t.consultations.group_by("patient_id").agg(first=_.date.min())
    return each.join(t.patients, "patient_id")


def chosen_date(t):
    """Everybody's duration is nothing; the victim's is 8,000 years."""
    p = first_seen(t)
    chosen = ibis.ifelse(is_victim(p), ibis.date("9999-01-01"), p.first)
    return p.mutate(d=chosen.delta(p.first, unit="day")).agg(m=_.d.sum())


ATTACKS = {
    "scaled": lambda t: t.patients.agg(m=(_.age * 1_000).sum()),
    "scaled by itself": lambda t: t.patients.agg(m=(_.age * _.age).sum()),
    "shifted": lambda t: t.biometrics.agg(m=(_.value + 1e6).mean()),
    "turned round": lambda t: t.biometrics.agg(m=(-_.value).sum()),
    "absolute": lambda t: t.biometrics.agg(m=_.value.abs().sum()),
    "divided": lambda t: t.biometrics.agg(m=(_.value / 1e-6).sum()),
    "clipped by the query": lambda t: t.biometrics.agg(m=_.value.clip(lower=79.5).sum()),
    "rounded": lambda t: t.biometrics.agg(m=_.value.round().sum()),
    "rounded by a cast": lambda t: t.biometrics.agg(m=_.value.cast("int64").sum()),
    "nulled where it equals": lambda t: t.biometrics.agg(m=_.value.nullif(80.0).sum()),
    "filled where it is missing": lambda t: t.biometrics.agg(m=_.value.fill_null(1e9).mean()),
    "first there is": lambda t: t.patients.agg(m=ibis.coalesce(_.age, 99999).sum()),
    "the greater of two": lambda t: t.patients.agg(m=ibis.greatest(_.age, 99999).sum()),
    "chosen": lambda t: t.patients.agg(m=ibis.ifelse(is_victim(t.patients), 10**9, _.age).sum()),
    "chosen, then averaged": lambda t: t.patients.agg(
        m=ibis.ifelse(is_victim(t.patients), 1e9, _.age.cast("float64")).mean()
    ),
    "chosen per patient": lambda t: (
        t.biometrics.group_by("patient_id")
        .agg(v=ibis.ifelse(_.value > 81, 1e9, _.value).max())
        .agg(m=_.v.sum())
    ),
    "chosen, spread": lambda t: t.patients.agg(
        m=ibis.ifelse(is_victim(t.patients), 10**6, 0).std(),
    ),
    "chosen, median": lambda t: t.patients.agg(m=ibis.ifelse(is_victim(t.patients), 1, 0).median()),
    "a literal": lambda t: t.patients.mutate(x=ibis.literal(7)).agg(m=_.x.sum()),
    "a length": lambda t: t.patients.agg(m=_.sex.length().sum()),
    "a year": lambda t: t.consultations.agg(m=_.date.year().mean()),
    "a code of one's own table": lambda t: t.patients.join(
        ibis.memtable({"sex": ["F", "M"], "w": [10**6, 1]}), "sex"
    ).agg(m=_.w.sum()),
    "a count scaled": lambda t: visits(t).agg(m=(_.n * 10**6).sum()),
    "a count chosen": lambda t: visits(t).agg(m=ibis.ifelse(_.n == 3, 10**6, _.n).sum()),
    "a sum per patient": lambda t: t.biometrics.group_by("patient_id").agg(v=_.value.sum()).agg(m=_.v.sum()),
    "a rank": lambda t: t.consultations.mutate(
        r=ibis.row_number().over(group_by="patient_id", order_by="date")
    ).agg(m=_.r.sum()),
    "two columns stacked": lambda t: ibis.union(
        t.patients.select("patient_id", x=_.age.cast("float64")),
        t.biometrics.select("patient_id", x=_.value),
    ).agg(m=_.x.sum()),
    "a chosen date": chosen_date,
    "time since a day of one's own": lambda t: t.consultations.mutate(
        d=_.date.delta(ibis.date("0001-01-01"), unit="day")
    ).agg(m=_.d.sum()),
    "time from a shifted date": lambda t: (
        first_seen(t)
        .mutate(d=(_.first + ibis.interval(years=100)).delta(_.birth_month, unit="day"))
        .agg(m=_.d.sum())
    ),
    "time in another unit": lambda t: (
        first_seen(t).mutate(d=_.first.delta(_.birth_month, unit="month")).agg(m=_.d.sum())
    ),
}


def planned(attack, engine=None):
    expression = decode(encode(attack(world.tables())), world.schema)
    return split(world.ask(expression, engine or world.engine(), world.LOOSE))


def refused(attack) -> ErrorCode:
    with pytest.raises(Refusal) as refusal:
        planned(attack)
    return refusal.value.code


@pytest.mark.parametrize("name", ATTACKS)
def test_is_refused(name):
    assert refused(ATTACKS[name]) is ErrorCode.VALUE_RULE


HONEST = {
    "a column": lambda t: t.patients.agg(m=_.age.mean()),
    "a wider type": lambda t: t.patients.agg(m=_.age.cast("float64").mean()),
    "of some": lambda t: t.patients.agg(m=_.age.mean(where=_.sex == "F")),
    "the last of each patient": lambda t: (
        t.biometrics.group_by("patient_id").agg(v=_.value.argmax(_.date)).agg(m=_.v.median())
    ),
    "visits of each patient": lambda t: visits(t).agg(m=_.n.mean(), s=_.n.std()),
    "days from birth to the first visit": lambda t: (
        first_seen(t).mutate(d=_.first.delta(_.birth_month, unit="day")).agg(m=_.d.mean())
    ),
    "one column of two years stacked": lambda t: (
        ibis.union(t.biometrics.filter(_.date < "2021-01-01"), t.biometrics.filter(_.date >= "2021-01-01"))
        .select("patient_id", "value")
        .group_by("patient_id")
        .agg(v=_.value.mean())
        .agg(m=_.v.mean())
    ),
}


@pytest.mark.parametrize("name", HONEST)
def test_what_is_meant_passes(name):
    assert planned(HONEST[name]).releases


# -- with the defence out, what each would have told ------------------------------------------------------

ANY_NUMBER = Number(Quantity.COUNT, "anything", (-1e12, 1e12))


def told(attack, engine) -> object:
    return world.answer(planned(attack, engine), engine, world.LOOSE).to_pylist()[0]["m"]


def without_the_victim():
    engine = world.engine()
    kept = engine.to_pyarrow(engine.table("patients").filter(_.patient_id != 9))
    engine.drop_table("patients")
    engine.create_table("patients", kept)
    return engine


@pytest.fixture
def any_duration(monkeypatch):
    """A test double: what lies between two dates may be summed, whatever the dates are."""
    rule = values.BELOW[ops.DateDelta]

    def delta(node, args, here):
        return replace(rule(node, args, here), fact=ANY_NUMBER)

    return lambda: monkeypatch.setattr(frontier, "BELOW", {**values.BELOW, ops.DateDelta: delta})


class TestWithoutTheValueRule:
    """A sum over eleven other people: its leading digits are the victim's."""

    def test_a_condition_in_a_value(self, monkeypatch):
        attack = ATTACKS["chosen"]
        assert refused(attack) is ErrorCode.VALUE_RULE
        monkeypatch.setattr(values, "outcomes", lambda node, chosen: ANY_NUMBER)
        assert told(attack, world.engine()) >= 10**9 > 10**6 > told(attack, without_the_victim())

    def test_a_condition_in_a_date(self, any_duration):
        assert refused(chosen_date) is ErrorCode.VALUE_RULE
        any_duration()
        assert told(chosen_date, world.engine()) > 2_000_000
        assert told(chosen_date, without_the_victim()) is None  # nobody adds anything

    def test_two_scales_of_one_sum_give_its_noise(self, any_duration):
        """Noise is z times the largest contribution. A far day of one's own shifts that as much as any other:
        the difference of two such sums is n + z shifts."""
        shifted = [since(day) for day in ("1000-01-01", "1500-01-01")]
        assert [refused(attack) for attack in shifted] == [ErrorCode.VALUE_RULE] * 2
        any_duration()
        far, near = (blurred(attack, z=0.731) for attack in shifted)
        shift = (datetime.date(1500, 1, 1) - datetime.date(1000, 1, 1)).days
        assert (far - near) / shift % 1 == pytest.approx(0.731, abs=1e-6)


def since(day):
    return lambda t: t.consultations.mutate(d=_.date.delta(ibis.date(day), unit="day")).agg(m=_.d.sum())


def blurred(attack, z):
    engine = world.engine()
    (release,) = planned(attack, engine).releases
    added = [v for v in engine.to_pyarrow(release.rows).column("__w0").to_pylist() if v is not None]
    return sum(added) + z * max(map(abs, added))
