"""Ways to rows, or to one person, by what a query says, each with the code that refuses it.

The victim is patient 9 of tests/conformance/world.py.
"""

from __future__ import annotations

import ibis
from ibis import _

from p4dp_sdk.wire.errors import ErrorCode

VICTIM = ibis.memtable({"patient_id": [9]}, schema={"patient_id": "int64"})


def is_victim(table):
    return (table.sex == "F") & table.age.isnull()


def copies(table, count):
    whole = table
    for _i in range(count - 1):
        whole = ibis.union(whole, table)
    return whole


ATTACKS = {
    # rows
    "rows": (lambda t: t.patients, ErrorCode.ROW_LEVEL),
    "rows of one person": (lambda t: t.patients.filter(is_victim(t.patients)), ErrorCode.ROW_LEVEL),
    "rows, one per patient": (
        lambda t: t.diagnoses.group_by("patient_id").agg(n=_.count()),
        ErrorCode.ROW_LEVEL,
    ),
    "distinct rows": (lambda t: t.diagnoses.select("date", "cisp2").distinct(), ErrorCode.SET_RULE),
    "keys without a measure": (lambda t: t.patients.group_by("birth_month").agg(), ErrorCode.SET_RULE),
    # measures that show one record
    "maximum": (lambda t: t.patients.group_by("sex").agg(m=_.age.max()), ErrorCode.MEASURE_NOT_RELEASABLE),
    "minimum": (lambda t: t.patients.agg(m=_.birth_month.min()), ErrorCode.MEASURE_NOT_RELEASABLE),
    "first": (
        lambda t: t.patients.agg(m=_.age.first(order_by="birth_month")),
        ErrorCode.MEASURE_NOT_RELEASABLE,
    ),
    "arbitrary": (lambda t: t.patients.agg(m=_.age.arbitrary()), ErrorCode.MEASURE_NOT_RELEASABLE),
    "any": (lambda t: t.patients.agg(m=(_.age == 9).any()), ErrorCode.MEASURE_NOT_RELEASABLE),
    "all": (lambda t: t.patients.agg(m=(_.age == 9).all()), ErrorCode.MEASURE_NOT_RELEASABLE),
    "mode": (lambda t: t.patients.agg(m=_.age.mode()), ErrorCode.MEASURE_NOT_RELEASABLE),
    "collect": (lambda t: t.patients.agg(m=_.age.collect()), ErrorCode.MEASURE_NOT_RELEASABLE),
    "labels joined to text": (
        lambda t: t.patients.agg(m=_.sex.group_concat()),
        ErrorCode.MEASURE_NOT_RELEASABLE,
    ),
    "argmax": (lambda t: t.biometrics.agg(m=_.value.argmax(_.date)), ErrorCode.MEASURE_NOT_RELEASABLE),
    "bitwise or": (lambda t: t.patients.agg(m=_.age.bit_or()), ErrorCode.MEASURE_NOT_RELEASABLE),
    "correlation": (lambda t: t.patients.agg(m=_.age.corr(_.age)), ErrorCode.MEASURE_NOT_RELEASABLE),
    "distinct ages": (lambda t: t.patients.agg(m=_.age.nunique()), ErrorCode.MEASURE_NOT_RELEASABLE),
    "distinct rows counted": (
        lambda t: t.patients.agg(m=t.patients.nunique()),
        ErrorCode.MEASURE_NOT_RELEASABLE,
    ),
    "approximate distinct patients": (
        lambda t: t.patients.agg(m=_.patient_id.approx_nunique()),
        ErrorCode.MEASURE_NOT_RELEASABLE,
    ),
    "maximum of a per-patient feature": (
        lambda t: t.consultations.group_by("patient_id").agg(n=_.count()).agg(m=_.n.max()),
        ErrorCode.MEASURE_NOT_RELEASABLE,
    ),
    # values
    "selector inside a sum": (
        lambda t: t.patients.agg(m=ibis.ifelse(is_victim(t.patients), _.age * 1000, _.age).sum()),
        ErrorCode.VALUE_RULE,
    ),
    "selector inside a mean": (
        lambda t: t.biometrics.agg(m=ibis.cases((_.value > 81, 1e9), else_=0.0).mean()),
        ErrorCode.VALUE_RULE,
    ),
    "weights by arithmetic": (lambda t: t.patients.agg(m=(_.age * 1_000_000).sum()), ErrorCode.VALUE_RULE),
    "modulo in a sum": (lambda t: t.patients.agg(m=(_.age % 2).sum()), ErrorCode.VALUE_RULE),
    "filled values in a sum": (
        lambda t: t.patients.agg(m=_.age.fill_null(99999).sum()),
        ErrorCode.VALUE_RULE,
    ),
    # identifiers
    "literal identifier": (
        lambda t: t.patients.filter(_.patient_id == 9).count(),
        ErrorCode.OPAQUE_IDENTIFIER,
    ),
    "identifier in a list": (
        lambda t: t.patients.filter(_.patient_id.isin([9])).count(),
        ErrorCode.OPAQUE_IDENTIFIER,
    ),
    "identifier in a range": (
        lambda t: t.patients.filter(_.patient_id.between(9, 9)).count(),
        ErrorCode.OPAQUE_IDENTIFIER,
    ),
    "identifier modulo": (
        lambda t: t.patients.group_by(k=_.patient_id % 2).agg(n=_.count()),
        ErrorCode.OPAQUE_IDENTIFIER,
    ),
    "identifier as text": (
        lambda t: t.patients.group_by(k=_.patient_id.cast("string")).agg(n=_.count()),
        ErrorCode.OPAQUE_IDENTIFIER,
    ),
    "nunique of a conditional": (
        lambda t: t.patients.agg(m=ibis.ifelse(_.sex == "F", _.patient_id, 0).nunique()),
        ErrorCode.OPAQUE_IDENTIFIER,
    ),
    "nunique of an identifier filled": (
        lambda t: t.patients.agg(m=_.patient_id.nullif(9).nunique()),
        ErrorCode.OPAQUE_IDENTIFIER,
    ),
    "patient compared with an event": (
        lambda t: t.diagnoses.filter(_.patient_id == _.consultation_id).count(),
        ErrorCode.OPAQUE_IDENTIFIER,
    ),
    "event compared with a literal": (
        lambda t: t.diagnoses.filter(_.consultation_id == 113).count(),
        ErrorCode.OPAQUE_IDENTIFIER,
    ),
    "identifiers mixed by a union": (
        lambda t: ibis.union(
            t.patients.select("patient_id"), t.patients.select(patient_id=_.age.cast("int64"))
        ).agg(n=_.patient_id.nunique()),
        ErrorCode.OPAQUE_IDENTIFIER,
    ),
    "exported text": (
        lambda t: t.biometrics.group_by("value_raw").agg(n=_.count()),
        ErrorCode.GRANT_MISSING,
    ),
    "exported text as a selector": (
        lambda t: t.biometrics.filter(_.value_raw == "80").count(),
        ErrorCode.GRANT_MISSING,
    ),
    # flow back
    "released joined to persons": (
        lambda t: (
            t.patients.join(t.patients.group_by("sex").agg(k=_.count()), "sex").group_by("k").agg(n=_.count())
        ),
        ErrorCode.FLOWS_BACK,
    ),
    "persons filtered by a released table": (
        lambda t: t.patients.filter(
            t.patients.sex.isin(t.patients.group_by("sex").agg(k=_.count()).filter(_.k < 5).sex)
        ).count(),
        ErrorCode.FLOWS_BACK,
    ),
    "persons compared with a released number": (
        lambda t: t.patients.filter(_.age > t.patients.age.mean().as_scalar()).count(),
        ErrorCode.FLOWS_BACK,
    ),
    "persons compared with a released count": (
        lambda t: t.patients.filter(_.age > t.patients.count().as_scalar()).count(),
        ErrorCode.FLOWS_BACK,
    ),
    "released compared with one of several": (
        lambda t: (
            t.patients.group_by("sex")
            .agg(n=_.count())
            .mutate(more=t.patients.group_by("centre_id").agg(n=_.count())[["n"]].as_scalar())
        ),
        ErrorCode.ILL_TYPED,
    ),
    "released stacked on persons": (
        lambda t: ibis.union(
            t.patients.select("sex"), t.patients.group_by("sex").agg(n=_.count()).select("sex")
        ).sex.value_counts(),
        ErrorCode.FLOWS_BACK,
    ),
    # joins
    "joined on something else than the patient": (
        lambda t: t.patients.join(t.diagnoses, "centre_id").group_by("sex").agg(n=_.patient_id.nunique()),
        ErrorCode.JOIN_RULE,
    ),
    "joined on the patient or on nothing": (
        lambda t: (
            lambda d: t.patients.join(d, (t.patients.patient_id == d.patient_id) | (d.cisp2 == "T90")).count()
        )(t.diagnoses.view()),
        ErrorCode.JOIN_RULE,
    ),
    "cross join": (lambda t: t.patients.cross_join(t.diagnoses.view()).count(), ErrorCode.JOIN_RULE),
    "full outer join": (
        lambda t: t.patients.outer_join(t.diagnoses, "patient_id").group_by("sex").agg(n=_.count()),
        ErrorCode.JOIN_RULE,
    ),
    "existence by an empty row": (
        lambda t: t.centres.left_join(t.patients, "centre_id").group_by("region").agg(n=_.count()),
        ErrorCode.JOIN_RULE,
    ),
    "public rows that have a person": (
        lambda t: t.centres.semi_join(t.patients, "centre_id"),
        ErrorCode.JOIN_RULE,
    ),
    "public rows whose code is in a table of persons": (
        lambda t: t.centres.filter(t.centres.centre_id.isin(t.patients.centre_id)),
        ErrorCode.JOIN_RULE,
    ),
    "nearest row of anybody": (
        lambda t: t.diagnoses.asof_join(t.biometrics, on="date").group_by("cisp2").agg(n=_.count()),
        ErrorCode.JOIN_RULE,
    ),
    "persons with physicians": (
        lambda t: t.patients.join(t.physicians, "centre_id").group_by("centre_id").agg(n=_.count()),
        ErrorCode.JOIN_RULE,
    ),
    "unmatched rows grouped as one person": (
        lambda t: (
            t.patients.left_join(t.diagnoses, "patient_id")
            .group_by("patient_id_right")
            .agg(n=_.count())
            .agg(m=_.count())
        ),
        ErrorCode.KEY_RULE,
    ),
    # a user's own table
    "own table of identifiers": (
        lambda t: t.patients.join(VICTIM, "patient_id").count(),
        ErrorCode.USER_TABLE_RULE,
    ),
    "own table of identifiers, by semi-join": (
        lambda t: t.patients.semi_join(VICTIM, "patient_id").count(),
        ErrorCode.USER_TABLE_RULE,
    ),
    "own list of identifiers": (
        lambda t: t.patients.filter(t.patients.patient_id.isin(VICTIM.patient_id)).count(),
        ErrorCode.USER_TABLE_RULE,
    ),
    "own table of values": (
        lambda t: t.biometrics.join(ibis.memtable({"value": [80.0]}), "value").count(),
        ErrorCode.USER_TABLE_RULE,
    ),
    "own table with a code ten times": (
        lambda t: t.diagnoses.join(ibis.memtable({"cisp2": ["T90"] * 10 + ["K86"]}), "cisp2").count(),
        ErrorCode.USER_TABLE_RULE,
    ),
    "own table without a condition": (
        lambda t: t.patients.cross_join(ibis.memtable({"x": [1, 2]})).count(),
        ErrorCode.JOIN_RULE,
    ),
    # windows, picks, sets
    "window over everybody": (
        lambda t: (
            t.patients.mutate(k=ibis.row_number().over(order_by="birth_month")).filter(_.k == 0).count()
        ),
        ErrorCode.WINDOW_RULE,
    ),
    "group sizes over everybody": (
        lambda t: t.patients.group_by("centre_id").mutate(k=_.count()).filter(_.k < 3).count(),
        ErrorCode.WINDOW_RULE,
    ),
    "quantile groups of everybody": (
        lambda t: t.patients.mutate(k=ibis.ntile(12).over(order_by="age")).group_by("k").agg(n=_.count()),
        ErrorCode.WINDOW_RULE,
    ),
    "share of everybody below the frontier": (
        lambda t: t.patients.mutate(s=_.age / _.age.sum()).group_by("s").agg(n=_.count()),
        ErrorCode.WINDOW_RULE,
    ),
    "limit": (
        lambda t: t.patients.order_by("birth_month").limit(1).group_by("sex").agg(n=_.count()),
        ErrorCode.ROW_PICK,
    ),
    "sample": (lambda t: t.patients.sample(0.1).count(), ErrorCode.ROW_PICK),
    "distinct union": (
        lambda t: ibis.union(t.patients.select("sex"), t.patients.select("sex"), distinct=True).count(),
        ErrorCode.SET_RULE,
    ),
    "difference": (
        lambda t: ibis.difference(t.patients.select("patient_id"), t.diagnoses.select("patient_id")).count(),
        ErrorCode.SET_RULE,
    ),
    "intersection": (
        lambda t: ibis.intersect(t.patients.select("patient_id"), t.diagnoses.select("patient_id")).count(),
        ErrorCode.SET_RULE,
    ),
    # one person counted many times
    "duplicates by union": (
        lambda t: ibis.union(t.patients, copies(t.patients.filter(is_victim(t.patients)), 50)).count(),
        ErrorCode.MEASURE_NOT_RELEASABLE,
    ),
    "duplicates by self-join": (
        lambda t: t.diagnoses.join(t.diagnoses.view(), "patient_id").group_by("cisp2").agg(n=_.count()),
        ErrorCode.MEASURE_NOT_RELEASABLE,
    ),
    "duplicates counted per patient, then summed": (
        lambda t: copies(t.diagnoses, 3).group_by("patient_id").agg(n=_.count()).agg(m=_.n.sum()),
        ErrorCode.VALUE_RULE,
    ),
    # errors that tell
    "whole division by a value": (
        lambda t: t.patients.filter((_.age // (_.age - 9)) > 0).count(),
        ErrorCode.UNKNOWN_OPERATION,
    ),
    "overflow": (
        lambda t: t.patients.filter(_.age * 9_000_000_000_000_000_000 > 0).count(),
        ErrorCode.VALUE_RULE,
    ),
    "a pattern that fails when it meets a row": (
        lambda t: t.diagnoses.filter(_.cisp2.re_search("(")).count(),
        ErrorCode.ILL_TYPED,
    ),
    "a date that can't be": (
        lambda t: t.patients.filter(ibis.date(_.age, _.age, _.age) > "2020-01-01").count(),
        ErrorCode.UNKNOWN_OPERATION,
    ),
    "text as long as the memory": (
        lambda t: t.diagnoses.filter(_.cisp2.lpad(1_000_000_000, "x") == "x").count(),
        ErrorCode.UNKNOWN_OPERATION,
    ),
    # keys
    "more cells than may come back": (
        lambda t: (
            t.diagnoses.join(t.patients, "patient_id")
            .join(t.consultations.select("consultation_id", "type"), "consultation_id")
            .group_by("cisp2", "sex", "age_band", "type", "centre_id", w=_.date.truncate("W"))
            .agg(n=_.count())
        ),
        ErrorCode.TOO_MANY_CELLS,
    ),
    # what the wire has no word for
    "random": (lambda t: t.patients.filter(ibis.random() < 0.5).count(), ErrorCode.UNKNOWN_OPERATION),
    "hash": (lambda t: t.patients.group_by(k=_.sex.hash()).agg(n=_.count()), ErrorCode.UNKNOWN_OPERATION),
    "clock": (lambda t: t.diagnoses.filter(_.date > ibis.today()).count(), ErrorCode.UNKNOWN_OPERATION),
    "exists": (
        lambda t: t.patients.filter((t.diagnoses.patient_id == t.patients.patient_id).any()).count(),
        ErrorCode.UNKNOWN_OPERATION,
    ),
    "arrays": (
        lambda t: t.patients.group_by("sex").agg(n=_.count()).mutate(a=ibis.array([1, 2]).unnest()),
        ErrorCode.UNKNOWN_OPERATION,
    ),
    "another table": (
        lambda t: ibis.table({"patient_no": "int64"}, name="objections").count(),
        ErrorCode.UNKNOWN_TABLE,
    ),
    "hidden column": (
        lambda t: (
            ibis.table({"patient_id": "int64", "__physician": "int32"}, name="patients")
            .group_by("__physician")
            .agg(n=_.count())
        ),
        ErrorCode.ILL_TYPED,
    ),
    "a column of the enclave's name": (
        lambda t: t.patients.mutate(__patient=_.age).group_by("sex").agg(n=_.count()),
        ErrorCode.MALFORMED,
    ),
    "two columns alike but for case": (
        lambda t: (
            t.patients.select("patient_id", "sex", SEX=_.birth_month.cast("string"))
            .group_by("sex")
            .agg(n=_.count())
        ),
        ErrorCode.MALFORMED,
    ),
}
