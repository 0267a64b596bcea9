"""Attrition: how many patients are left after each step, in the order written (STROBE, item 13).

One question, whose answer is protected like any other; the counts are those of distinct patients. How many a
step left out is worked out here from two protected numbers: shown only where both are, and in a draft no more
exact than they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, reduce
from itertools import takewhile
from operator import and_
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from p4dp_sdk import markup
from p4dp_sdk.backend.results import attach, disclosure_in
from p4dp_sdk.cohorts.compile import Compiled, Fixed, Step
from p4dp_sdk.cohorts.definition import Definition
from p4dp_sdk.cohorts.events import PATIENT
from p4dp_sdk.cohorts.features import INDEX
from p4dp_sdk.cohorts.prose import day as _day
from p4dp_sdk.cohorts.prose import length
from p4dp_sdk.locale import language
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.messages import N_
from p4dp_sdk.wire.protocol import Disclosure, MeasureSummary

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from matplotlib.axes import Axes

    from p4dp_sdk.tables.safe import SafeTable

FEW: Final = 15
STEP, PATIENTS, EXCLUDED = "step", "patients", "excluded"
_WITH_INDEX: Final = N_("With the event that gives the index date")
_FIXED: Final[Mapping[Fixed, str]] = {
    Fixed.BETWEEN: N_("Index date from {start} to {end}"),
    Fixed.OBSERVED: N_("Under observation on the index date"),
    Fixed.WASHOUT: N_("Observed for {length} before the index date, without the event (washout)"),
}


def question(compiled: Compiled) -> ir.Table:
    """One row: patients left after each step, cumulated."""
    rows = compiled.rows.filter(compiled.rows[INDEX].notnull())
    patients = rows[PATIENT]
    held: list[Any] = []
    counts = {"step_0": patients.nunique()}  # of everybody: a condition that all fulfil is withheld
    for step in compiled.steps:
        held += step.conditions(rows)
        counts[step.flag] = patients.nunique(where=reduce(and_, held))
    return rows.agg(**counts)


def titles(definition: Definition, compiled: Compiled) -> list[str]:
    """The steps in words: the person's own for criteria."""
    return [_(_WITH_INDEX), *(_title(definition, step) for step in compiled.steps)]


def _title(definition: Definition, step: Step) -> str:
    if step.fixed is None:
        return step.name
    start, end = definition.between or (None, None)
    return _(_FIXED[step.fixed]).format(
        start=_day(start, language()), end=_day(end, language()), length=_washout(definition)
    )


def _washout(definition: Definition) -> str:
    return "" if definition.washout is None else length(definition.washout, language())


@dataclass(frozen=True)
class Attrition:
    """The flow of patients: `frame` (step, patients, excluded), `plot()`, `publish(title)`."""

    steps: Sequence[str]
    question: ir.Table
    table: SafeTable | None = None

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a step; withheld numbers are <NA>. Asked when first looked at."""
        answer = self.table.frame if self.table is not None else self.question.execute()
        patients = pd.array([answer[name].iloc[0] for name in answer.columns], dtype="Int64")
        left = pd.Series(patients)
        excluded = (left.shift(1, fill_value=0) - left).clip(lower=0)
        frame = pd.DataFrame({STEP: list(self.steps), PATIENTS: left, EXCLUDED: excluded})
        disclosure = disclosure_in(answer)
        return (
            frame
            if disclosure is None
            else attach(frame, _turned(disclosure, list(answer.columns), self.steps))
        )

    @property
    def emptied_by(self) -> str | None:
        """The step from which on nobody is left, or no number can be shown; None while there are some."""
        left = list(zip(self.frame[STEP], self.frame[PATIENTS], strict=True))
        gone = list(takewhile(lambda one: pd.isna(one[1]) or one[1] == 0, reversed(left)))
        return str(gone[-1][0]) if gone else None

    def plot(self, **options: Any) -> Axes:
        """The flow chart."""
        from p4dp_sdk import plots

        return plots.flow_chart(self.frame, step=STEP, n=PATIENTS, excluded=EXCLUDED, **options)

    def publish(self, title: str) -> Attrition:
        """With exact numbers, in a signed publication table (`.table`). Steps that leave out few people, by
        the draft, are one line with the next: exact, their number would be withheld, and another beside it.
        Raises EnclaveError."""
        from p4dp_sdk.cohorts.results.asking import published

        told = self.together
        return replace(told, table=published(told.question, title))

    @property
    def together(self) -> Attrition:
        """The same with steps that leave out fewer than FEW put together with the next ("A ; B")."""
        ends = _ends([pd.isna(out) or out < FEW for out in self.frame[EXCLUDED]])
        names = list(self.question.columns)
        starts = [0, *(end + 1 for end in ends[:-1])]
        titles = [" ; ".join(self.steps[a : b + 1]) for a, b in zip(starts, ends, strict=True)]
        made = self.question.op()
        kept = {names[end]: made.metrics[names[end]] for end in ends}
        return replace(self, steps=titles, question=made.copy(metrics=kept).to_expr())

    def _repr_html_(self) -> str:
        from p4dp_sdk.tables.display import html

        return str(html(self._titled())) + markup.notes(self._end())

    def __repr__(self) -> str:
        from p4dp_sdk.tables.display import text

        return "\n".join([text(self._titled()), *self._end()])

    def _end(self) -> list[str]:
        """Where a cohort without patients lost them."""
        step = self.emptied_by
        if step is None or self.table is not None:
            return []
        told = _("The cohort ends at “{step}”: after it there is nobody, or too few to be shown.")
        return [told.format(step=step)]

    def _titled(self) -> pd.DataFrame:
        names = {STEP: _("Step"), PATIENTS: _("Patients"), EXCLUDED: _("Excluded")}
        disclosure = disclosure_in(self.frame)
        frame = self.frame.rename(columns=names)
        if disclosure is None:
            return frame
        measures = {names[name]: summary for name, summary in disclosure.measures.items()}
        return attach(frame, replace_in(disclosure, measures=measures, key_columns=(names[STEP],)))


def _ends(few: Sequence[bool]) -> list[int]:
    """The last step of each line: a step that leaves out few has none of its own, the first and last do."""
    last = len(few) - 1
    ends = [at for at in range(len(few)) if at in (0, last) or not few[at]]
    if last > 0 and few[last] and len(ends) > 2:
        del ends[-2]
    return ends


def replace_in(disclosure: Disclosure, **changes: Any) -> Disclosure:
    said = {each.name: getattr(disclosure, each.name) for each in fields(Disclosure)}
    return Disclosure(**{**said, **changes})


def _turned(disclosure: Disclosure, names: Sequence[str], steps: Sequence[str]) -> Disclosure:
    """The record of one row of counts, as that of one column of them."""
    measures = [disclosure.measures.get(name, MeasureSummary(0, 0)) for name in names]
    earlier = tuple((step,) for step, each in zip(steps, measures, strict=True) if each.snapped)
    whole = MeasureSummary(
        shown=sum(each.shown for each in measures),
        withheld=sum(each.withheld for each in measures),
        snapped=len(earlier),
        snapped_labels=earlier,
    )
    return replace_in(disclosure, measures={PATIENTS: whole}, key_columns=(STEP,))
