"""What protection leaves of honest work: a scripted intern on snapshot A, measured against the truth.

The intern edits one cohort thirty times and looks at Table 1 each time; then opens the dashboards
(`dashboards`) in one afternoon. Every question goes over the wire like any other. The truth comes from the
snapshot's own DuckDB, by the same expression, less those who objected. Counted: cells with at least 11
patients in truth, shown or withheld, and by how much what is shown is off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import duckdb
import ibis
import numpy as np
import pandas as pd

from hub_config.warehouse.snapshot import Snapshot
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Unit
from tests.attacks.arena import Arena, Refused
from tests.benchmarks.withheld import Step, Watched, watched
from tests.services.gateway.peer_enclave import table

LEAST: Final = 11
SIZES: Final = {
    "11–20": (11, 20),
    "21–50": (21, 50),
    "51–100": (51, 100),
    "101–500": (101, 500),
    "> 500": (501, 10**9),
}
COMORBIDITIES: Final = ("K86", "T93", "T82", "K76", "P76", "R95")
BANDS: Final = (50, 60, 70, 80)


@dataclass(frozen=True)
class Question:
    """One table. `backing` names, for a measure that is not a count of patients, the count behind it;
    `limited`: only some of its rows are looked at."""

    name: str
    expression: ibis.Table
    keys: tuple[str, ...]
    backing: Mapping[str, str] = field(default_factory=dict)
    limited: bool = False

    def labels(self, true: pd.DataFrame) -> Sequence[str] | None:
        """The cells that are looked at; None: all."""
        return (
            [str(label) for label in true[list(self.keys)].itertuples(index=False, name=None)]
            if self.limited
            else None
        )


# --- the intern's cohort -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cohort:
    """What the intern turns the knobs of."""

    disease: str = "T90"
    also: tuple[str, ...] = ()
    youngest: int = 40
    oldest: int = 84
    excluded: tuple[str, ...] = ()
    first: str = "2005-01-01"
    last: str = "2022-12-31"


EDITS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"oldest": 85},
    {"oldest": 84},
    {"youngest": 39},
    {"youngest": 40, "oldest": 83},
    {"oldest": 85},
    {"also": ("T89",)},
    {"also": ()},
    {"excluded": ("K75",)},
    {"excluded": ()},
    {"excluded": ("K75", "K90")},
    {"excluded": ("K90",)},
    {"excluded": ()},
    {"first": "2006-01-01"},
    {"first": "2006-07-01"},
    {"first": "2007-01-01"},
    {"last": "2022-06-30"},
    {"last": "2021-12-31"},
    {"first": "2005-01-01", "last": "2022-12-31"},
    {"youngest": 45},
    {"youngest": 44},
    {"oldest": 80},
    {"oldest": 79},
    {"also": ("T89",), "oldest": 84},
    {"also": ("T89", "T87")},
    {"excluded": ("W85",)},
    {"excluded": ("W85", "K75")},
    {"youngest": 40, "excluded": ()},
    {"also": (), "first": "2010-01-01"},
    {"first": "2005-01-01"},
)


def edited(cohort: Cohort) -> Iterator[Cohort]:
    """The thirty cohorts, each the one before with a knob turned."""
    for edit in EDITS:
        cohort = replace(cohort, **edit)
        yield cohort


def members(cohort: Cohort) -> Any:
    p, d = seen("patients"), seen("diagnoses")
    index = d.filter(
        d.cisp2.isin([cohort.disease, *cohort.also]), d.date >= cohort.first, d.date <= cohort.last
    )
    kept = p.filter(p.patient_id.isin(index.patient_id), p.age >= cohort.youngest, p.age <= cohort.oldest)
    for code in cohort.excluded:
        kept = kept.filter(~kept.patient_id.isin(d.filter(d.cisp2 == code).patient_id))
    return kept.mutate(band=_band(kept.age))


def _band(age: Any) -> Any:
    lower = [(age < limit, f"< {limit}") for limit in BANDS]
    return ibis.cases(*lower, else_=f"{BANDS[-1]} +")


def table_one(cohort: Cohort) -> Iterator[Question]:
    """Table 1, as it is looked at while the cohort is made: sex by age band; comorbidities, age and mean
    HbA1c by sex; everybody. Five questions.

    Where nearly everybody had HbA1c measured, its number of patients lies near that of all, and exact numbers
    would count the few without: its table can't be published beside the others. That is right, and counts as
    lost.
    """
    c, last = members(cohort), _last_hba1c()
    patients, with_ = c.patient_id.nunique(), _marked(c, cohort)
    yield Question("everybody", c.agg(n=patients), ())
    yield Question("sex × age", c.group_by("sex", "band").agg(n=patients), ("sex", "band"))
    yield Question("comorbidities", with_.group_by("sex").agg(**_counts(with_, cohort)), ("sex",))
    yield Question("age", c.group_by("sex").agg(mean=c.age.mean(), n=patients), ("sex",), {"mean": "n"})
    joined = c.join(last, "patient_id")
    measured = joined.group_by("sex").agg(mean=joined.hba1c.mean(), n=joined.patient_id.nunique())
    yield Question("HbA1c", measured, ("sex",), {"mean": "n"})


def printed(cohort: Cohort) -> Iterator[Question]:
    """Table 1, as docs/how-to/faire-un-tableau-1.md says to publish it: all that is told by sex in one table,
    and of HbA1c how many have 7 % or more. (Of a mean, the number of those with would count the few
    without.)"""
    c, last = members(cohort), _last_hba1c()
    high = c.patient_id.isin(last.filter(last.hba1c >= 7).patient_id)
    with_ = _marked(c, cohort).mutate(high=high)
    counts = {**_counts(with_, cohort), "HbA1c ≥ 7 %": with_.patient_id.nunique(where=with_.high)}
    by_sex = with_.group_by("sex").agg(n=with_.patient_id.nunique(), mean=with_.age.mean(), **counts)
    yield Question("by sex", by_sex, ("sex",), {"mean": "n"})
    by_age = c.group_by("sex", "band").agg(n=c.patient_id.nunique())
    yield Question("sex × age", by_age, ("sex", "band"))


def _others(cohort: Cohort) -> list[str]:
    return [code for code in COMORBIDITIES if code != cohort.disease]


def _marked(c: Any, cohort: Cohort) -> Any:
    """The members, each with a flag a comorbidity."""
    d = seen("diagnoses")
    return c.mutate(
        **{code: c.patient_id.isin(d.filter(d.cisp2 == code).patient_id) for code in _others(cohort)}
    )


def _counts(with_: Any, cohort: Cohort) -> dict[str, Any]:
    return {code: with_.patient_id.nunique(where=with_[code]) for code in _others(cohort)}


def _last_hba1c() -> Any:
    x = seen("lab_results").filter(lambda t: (t.analyte == "hba1c") & (t.dq_code == "ok"))
    return x.group_by("patient_id").agg(hba1c=x.value.mean())


# --- measuring ---------------------------------------------------------------------------------------------


def seen(name: str) -> Any:
    """A catalogue table as a notebook has it. (`Any`: its columns are attributes.)"""
    return table(name)


@contextmanager
def truth_of(snapshot: Snapshot) -> Iterator[ibis.BaseBackend]:
    """The snapshot's tables under the names of a notebook, less those who objected."""
    connection = duckdb.connect()
    connection.execute(f"ATTACH '{snapshot.database}' AS stored (READ_ONLY)")
    for name, described in load_catalogue().tables.items():
        if described.unit is Unit.PERSON:
            connection.execute(
                f'CREATE VIEW "{name}" AS SELECT * EXCLUDE (patient_no, physician_no),'
                f' patient_no AS patient_id FROM stored."{name}" WHERE patient_no NOT IN'
                " (SELECT patient_no FROM stored.objections WHERE patient_no IS NOT NULL UNION ALL"
                " SELECT p.patient_no FROM stored.patients p JOIN stored.objections USING (physician_no)) AND"
                " coalesce(physician_no, -1) NOT IN"
                " (SELECT physician_no FROM stored.objections WHERE physician_no IS NOT NULL)"
            )
    try:
        yield ibis.duckdb.from_connection(connection)
    finally:
        connection.close()


@dataclass
class Diary:
    """Every cell with 11 patients or more in truth, at every step: what it is and what was shown."""

    rows: list[pd.DataFrame] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    watched: Watched = field(default_factory=Watched)

    def look(self, step: Step, question: Question, arena: Arena, truth: ibis.BaseBackend) -> None:
        try:
            shown = arena.ask(question.expression)
        except Refused as refusal:
            self.refused.append(f"{question.name}: {refusal.code}")
            return
        true = truth.execute(question.expression)
        self.watched.asked(step, question.name, among=question.labels(true))
        self.note(step, question, shown, true)

    def publish(self, step: Step, question: Question, arena: Arena, truth: ibis.BaseBackend) -> None:
        """A table that is refused counts as one of which nothing is shown."""
        true = truth.execute(question.expression)
        try:
            shown = arena.publish(question.expression, question.name)
        except Refused as refusal:
            self.refused.append(f"{question.name}: {refusal.code}")
            shown = true.assign(**dict.fromkeys(true.columns.difference(question.keys), np.nan))
        self.note(step, question, shown, true)

    def note(self, step: Step, question: Question, shown: pd.DataFrame, true: pd.DataFrame) -> None:
        keys = list(question.keys)
        if keys:
            both = _textual(true, keys).merge(_textual(shown, keys), "left", keys, suffixes=("", " shown"))
        else:
            both = true.join(shown, rsuffix=" shown")
        for measure in (name for name in true.columns if name not in keys):
            patients = both[question.backing.get(measure, measure)]
            kept = both[patients >= LEAST]
            self.rows.append(
                pd.DataFrame(
                    {
                        "step": step,
                        "table": question.name,
                        "measure": measure,
                        "count": measure not in question.backing,
                        "patients": patients[patients >= LEAST].astype(float),
                        "truth": kept[measure].astype(float),
                        "shown": pd.to_numeric(kept[f"{measure} shown"]).astype(float),
                    }
                )
            )

    @property
    def cells(self) -> pd.DataFrame:
        return pd.concat(self.rows, ignore_index=True)

    def kept(self, by: str = "step") -> pd.Series:
        """The share of cells that is shown, by step or by table."""
        cells = self.cells
        return cells["shown"].notna().groupby(cells[by]).mean()

    def errors(self) -> pd.DataFrame:
        """Of counts shown, by size of the cell: number, mean, 95th percentile and most of the absolute
        error."""
        cells = self.cells[lambda f: f["count"] & f["shown"].notna()]
        off = (cells["shown"] - cells["truth"]).abs()
        rows = {}
        for name, (least, most) in SIZES.items():
            of_size = off[cells["patients"].between(least, most)]
            truth = cells["truth"][of_size.index]
            rows[name] = {
                "cells": len(of_size),
                "mean": of_size.mean(),
                "95 %": of_size.quantile(0.95),
                "most": of_size.max(),
                "mean of truth, %": 100 * (of_size / truth).mean(),
            }
        return pd.DataFrame(rows).T

    def means_off(self) -> pd.DataFrame:
        """Of means shown: mean absolute error, in their own unit."""
        cells = self.cells[lambda f: ~f["count"] & f["shown"].notna()]
        off = (cells["shown"] - cells["truth"]).abs()
        return off.groupby([cells["table"], cells["measure"]]).agg(["count", "mean", "max"])


def _textual(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Keys as text, however each engine types them."""
    return frame.assign(**{key: frame[key].map(_word) for key in keys})


def _word(value: object) -> str:
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return ""
    return str(value)[:10] if hasattr(value, "isoformat") else str(value)


def edits(
    arena: Arena, truth: ibis.BaseBackend, first: Cohort | None = None, steps: int = len(EDITS)
) -> Diary:
    """Thirty edits of one cohort, Table 1 each time."""
    diary = Diary()
    with watched(arena) as diary.watched:
        for step, cohort in enumerate(list(edited(first or Cohort()))[:steps]):
            for question in table_one(cohort):
                diary.look(step, question, arena, truth)
    return diary


def publication(
    arena: Arena,
    truth: ibis.BaseBackend,
    cohort: Cohort | None = None,
    tables: Callable[[Cohort], Iterable[Question]] = printed,
) -> Diary:
    """Table 1 of the first cohort, published."""
    diary = Diary()
    for question in tables(cohort or Cohort()):
        diary.publish(0, question, arena, truth)
    return diary


def afternoon(
    arena: Arena, truth: ibis.BaseBackend, boards: Mapping[str, Callable[[], Iterable[Question]]]
) -> Diary:
    """Dashboards, one after the other; each is a step."""
    diary = Diary()
    with watched(arena) as diary.watched:
        for name, questions in boards.items():
            for question in questions():
                diary.look(name, question, arena, truth)
    return diary
