"""Asking, and reading what comes back: protected numbers by the name of their measure.

A number is None where it is withheld, and says whether it is that of an earlier answer. Nothing here
protects: the gateway does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import pandas as pd

from p4dp_sdk.backend.results import disclosure_in
from p4dp_sdk.figures.snapped import snapped_rows
from p4dp_sdk.wire.protocol import Disclosure

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from p4dp_sdk.tables.safe import SafeTable


@dataclass(frozen=True)
class Number:
    """A protected number; `earlier`: it is that of a nearly equal question asked before (≈)."""

    value: float | None = None
    earlier: bool = False

    @property
    def known(self) -> bool:
        return self.value is not None


WITHHELD = Number()


@dataclass(frozen=True)
class Answer:
    """One row of a protected table: the label of its group (None: all patients, or a missing label)."""

    label: Any
    numbers: Mapping[str, Number]

    def of(self, measure: str) -> Number:
        return self.numbers.get(measure, WITHHELD)


@dataclass(frozen=True)
class Answers:
    rows: tuple[Answer, ...]
    disclosure: Disclosure | None
    total: Answer | None = None


@dataclass(frozen=True)
class Measures:
    """What is asked of one relation at once: `question(by)` for all patients or by group. Each is made on
    `relation`; every measure counts patients or sums up a number of theirs."""

    relation: Any
    columns: Mapping[str, Any] = field(default_factory=dict)

    def question(self, keys: Sequence[str] = ()) -> ir.Table:
        grouped = self.relation.group_by(*keys) if keys else self.relation
        return grouped.agg(**self.columns)


Ask = Callable[["ir.Table"], "pd.DataFrame"]


def together(given: Sequence[Disclosure], **changes: Any) -> Disclosure:
    """What was done to several answers, as of one: that of the last, with the reasons of all."""
    last = {name.name: getattr(given[-1], name.name) for name in fields(Disclosure)}
    of_all = {
        "request_id": ", ".join(each.request_id for each in given),
        "reasons": tuple(dict.fromkeys(reason for each in given for reason in each.reasons)),
        "rows_may_be_missing": any(each.rows_may_be_missing for each in given),
        "definition": "\n".join(each.definition for each in given),
    }
    return Disclosure(**{**last, **of_all, **changes})


def draft(question: ir.Table, key: str | None = None) -> Answers:
    """The draft answer: blurred, small cells withheld."""
    frame = question.execute()
    return _read(frame, disclosure_in(frame), key)


def published(question: ir.Table, title: str) -> SafeTable:
    """The publication table of `question`, by the gateway that its tables are of. Raises EnclaveError."""
    table: SafeTable = question.get_backend().publish(question, title)
    return table


def answers_of(table: SafeTable, key: str | None = None) -> Answers:
    """The numbers of a publication table, with those of all its groups together."""
    read = _read(table.frame, table.disclosure, key)
    if key is None or table.total is None:
        return read
    (total,) = _read(table.total, None, key).rows
    return Answers(read.rows, read.disclosure, Answer(None, total.numbers))


def _read(frame: pd.DataFrame, disclosure: Disclosure | None, key: str | None) -> Answers:
    earlier = snapped_rows(frame, disclosure) if disclosure is not None else {}
    rows = tuple(_answer(frame, row, key, earlier) for row in range(len(frame)))
    return Answers(rows, disclosure)


def _answer(frame: pd.DataFrame, row: int, key: str | None, earlier: Mapping[str, frozenset[int]]) -> Answer:
    numbers = {
        str(name): _number(frame[name].iloc[row], row in earlier.get(str(name), frozenset()))
        for name in frame.columns
        if name != key
    }
    label = frame[key].iloc[row] if key is not None else None
    return Answer(None if label is None or pd.isna(label) else label, numbers)


def _number(value: Any, earlier: bool) -> Number:
    return WITHHELD if pd.isna(value) else Number(float(value), earlier)
