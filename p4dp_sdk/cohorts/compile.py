"""A definition → one lazy Ibis relation over the project's tables: one row a patient, or a patient and index
date.

Pure: builds an expression and asks nothing. The same expression runs through the gateway and on an engine.
Only what is wanted is worked out, since a publication counts all that its definition says.

The rules, as the methods section tells them:
- the index lies in an observation period (`start_date` to `end_date`, both included); periods that overlap
  there are one, and a gap ends the follow-up;
- exit is the earliest of end of observation and end of follow-up. On a tie the patient's own end is named, so
  that a death on the last day of the follow-up is a death. That observation ends with life and with the data,
  and why it ended, the warehouse guarantees (`hub_config.warehouse.derived.observation`);
- age is in completed years by month of birth: the year is complete from the first day of that month.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, reduce
from operator import and_, or_
from typing import Any, Final, assert_never

import ibis
import ibis.expr.types as ir

from p4dp_sdk.backend.ibis_interface import names_read
from p4dp_sdk.cohorts import ages, features, outcomes
from p4dp_sdk.cohorts.definition import (
    DEATH,
    Criterion,
    Definition,
    EventCriterion,
    Index,
    Occurrence,
    Outcome,
    RowCriterion,
    Summary,
    Variable,
)
from p4dp_sdk.cohorts.events import DATE, PATIENT, Source
from p4dp_sdk.cohorts.features import EXIT, INDEX, WEEK, WEEKDAY, Kind
from p4dp_sdk.cohorts.windows import Span, Window

REASON, AGE, AGE_DAYS, AGE_MONTHS = "exit_reason", "age", "age_days", "age_months"
START, (END, FOLLOWED), WHY = "observed_from", features.ENDS, "observed_until"
BIRTH = "birth_month"
PERSON: Final = ("sex", "centre_id", BIRTH)  # of the patient, where the grant has them
WORKING: Final = (START, *features.ENDS, WHY, BIRTH, WEEK, WEEKDAY, "washing")


class Fixed(StrEnum):
    """Steps that every cohort may have."""

    BETWEEN = "between"
    OBSERVED = "observed"
    WASHOUT = "washout"


Condition = Callable[[ir.Table], Any]


@dataclass(frozen=True)
class Step:
    """One condition of the cohort: what attrition counts, in this order. A criterion has its own name.
    `also`: a column that is known of whoever fulfils it; said, so that tables of these people know it."""

    name: str
    flag: str
    fixed: Fixed | None = None
    also: str = ""

    def conditions(self, rows: ir.Table) -> list[Any]:
        return [rows[self.flag], *([rows[self.also].notnull()] if self.also else [])]


@dataclass(frozen=True)
class Compiled:
    """`rows`: one row an index date, with one boolean column a step; `steps` in the order written."""

    rows: ir.Table
    steps: tuple[Step, ...]

    def kept(self, names: Iterable[str]) -> ir.Table:
        """The rows that fulfil all steps."""
        held = [condition for step in self.steps for condition in step.conditions(self.rows)]
        return self.rows.filter(*held).select(*names)


@dataclass(frozen=True)
class Compiler:
    """`tables` are the project's."""

    tables: Mapping[str, ir.Table]
    definition: Definition
    index: Index
    _beside: dict[tuple[Hashable, Window], ir.Table] = field(default_factory=dict)

    # -- the index date -------------------------------------------------------------------------------------

    @cached_property
    def anchor(self) -> ir.Table:
        """The index dates: patient_id, index_date and, where a patient has several, what tells them apart."""
        events = self.index.events.relation()
        match self.index.which:
            case Occurrence.FIRST:
                return events.group_by(PATIENT).agg(index_date=events[DATE].min())
            case Occurrence.LAST:
                return events.group_by(PATIENT).agg(index_date=events[DATE].max())
            case Occurrence.ANY:
                day = events[DATE]
                parts = {WEEK: day.truncate("W"), WEEKDAY: day.day_of_week.index()}
                return events.group_by(PATIENT, **parts).agg(index_date=day.min())

    @cached_property
    def _observed(self) -> ir.Table:
        """The index dates with the period around each; NULL where there is none."""
        periods = self.tables["observation_periods"]
        periods = periods.select(
            period_of=periods[PATIENT], start=periods.start_date, end=periods.end_date, why=periods.end_reason
        )
        anchor = self.anchor
        inside = [
            anchor[PATIENT] == periods.period_of,
            anchor[INDEX] >= periods.start,
            anchor[INDEX] <= periods.end,
        ]
        both = anchor.left_join(periods, inside)
        around = {INDEX: both[INDEX].min(), START: both.start.min(), END: both.end.max()}
        around[WHY] = both.why.argmax(both.end)
        return both.group_by(*features.keys(anchor)).agg(**around)

    @cached_property
    def _people(self) -> ir.Table:
        patients = self.tables["patients"]
        wanted = [name for name in PERSON if name in patients.columns]
        return patients.select(person=patients[PATIENT], **{name: patients[name] for name in wanted})

    @cached_property
    def _whole(self) -> ir.Table:
        """Index dates with who the patient is and when they were observed."""
        observed, people = self._observed, self._people
        both = observed.inner_join(people, [observed[PATIENT] == people.person])
        person = [name for name in people.columns if name != "person"]
        return both.select(*observed.columns, *person)

    # -- exit -----------------------------------------------------------------------------------------------

    @cached_property
    def _bounded(self) -> ir.Table:
        """With the last day of follow-up, where one is planned."""
        rows, planned = self._whole, self.definition.follow_up
        return rows.mutate(**{FOLLOWED: planned.after(rows[INDEX])}) if isinstance(planned, Span) else rows

    def _with_exit(self, rows: ir.Table, needed: Collection[str]) -> ir.Table:
        """`rows` with the day and, where needed, the reason."""
        followed = FOLLOWED in rows.columns
        if EXIT in needed:
            rows = rows.mutate(**{EXIT: ibis.least(rows[END], rows[FOLLOWED]) if followed else rows[END]})
        return rows.mutate(**{REASON: _reason(rows)}) if REASON in needed else rows

    # -- columns --------------------------------------------------------------------------------------------

    def compiled(self, wanted: Collection[str]) -> Compiled:
        """With the columns of `wanted`, and those that the criteria need."""
        rows = self._described(set(wanted) | self._tested | set(self._also.values()))
        steps: list[Step] = []
        for name, condition in self._conditions():
            fixed = name if isinstance(name, Fixed) else None
            step = Step(name, f"step_{len(steps) + 1}", fixed, self._also.get(name, ""))
            rows = rows.mutate(**{step.flag: condition(rows)})
            steps.append(step)
        return Compiled(rows, tuple(steps))

    @cached_property
    def _also(self) -> dict[str, str]:
        """Criteria that leave out whose age is not known."""
        preview = preview_of(self.definition, self.tables)
        kept = [c for c in self.definition.criteria if isinstance(c, RowCriterion) and c.keeps]
        return {c.name: AGE_DAYS for c in kept if ages.implies_known(c.test(preview), AGE)}

    @cached_property
    def _tested(self) -> set[str]:
        """The columns that criteria on rows read."""
        preview = preview_of(self.definition, self.tables)
        tests = [c.test(preview) for c in self.definition.criteria if isinstance(c, RowCriterion)]
        computed = [test for test in tests if AGE in names_read(test) and not ages.only_compared(test, AGE)]
        return {name for test in tests for name in names_read(test) if name != AGE or computed}

    def _described(self, needed: Set[str]) -> ir.Table:
        made = [outcome for outcome in self.definition.outcomes if needed & set(outcomes.columns(outcome))]
        asked = [variable for variable in self.definition.variables if variable.name in needed]
        asked += [variable for outcome in made for variable in outcomes.dates(outcome)]
        asked += self._event_flags if self.definition.repeats else []
        leave = set(needed).union(*(outcomes.reads(outcome, needed) for outcome in made)) & {EXIT, REASON}
        rows = _aged(self._bounded if leave else self._whole, needed)
        rows = self._with_exit(rows, leave) if leave else rows
        rows = self._with_columns(rows, asked)
        for outcome in made:
            rows = outcomes.settled(rows, outcome, needed)
        return rows

    def _with_columns(self, rows: ir.Table, asked: Iterable[Variable]) -> ir.Table:
        groups: dict[tuple[Kind, bool], list[Variable]] = {}
        asked = list(asked)
        if not self.definition.repeats:
            flags = [variable for variable in asked if variable.summary is Summary.ANY]
            rows = rows.mutate(**{flag.name: self._has_event(rows, flag) for flag in flags})
            asked = [variable for variable in asked if variable.summary is not Summary.ANY]
        for variable in asked:
            kind = Kind(variable.events, None if variable.of == DATE else variable.of)
            groups.setdefault((kind, variable.window.looks_ahead), []).append(variable)
        both, added = rows, list[str]()
        for (kind, ahead), variables in groups.items():
            found = features.columns(self._anchor_for(ahead), kind, variables)
            found = features.keyed(found, features.keys(rows))
            both = both.inner_join(found, features.matched(rows, found))  # a row for each of the anchor
            added += [variable.name for variable in variables]
        return both.select(*rows.columns, *added) if added else rows

    def _anchor_for(self, ahead: bool) -> ir.Table:
        if not ahead:
            return self.anchor
        ends = [name for name in features.ENDS if name in self._bounded.columns]
        return self._bounded.select(*self.anchor.columns, *ends)

    def leaving(self, outcome: Outcome, names: Collection[str]) -> tuple[ir.Table, ir.Table]:
        """Patients with the event during observation and `days` to it; patients without it, `days` observed
        and whether they `died`. Each says less of people than both would together."""
        kept = self.compiled(names).kept(dict.fromkeys([PATIENT, INDEX, END, WHY, *names]))
        met = [self._met(source, outcomes.AFTER) for source in outcome.events.sources]
        seen = [
            each.select(event_of=each[PATIENT], event_date=each[source.date])
            for each, source in zip(met, outcome.events.sources, strict=True)
        ]
        every = reduce(lambda one, other: one.union(other), seen)
        first = every.group_by("event_of").agg(event_date=every.event_date.min())
        came = kept.inner_join(first, [kept[PATIENT] == first.event_of])
        without = kept.filter(*(~kept[PATIENT].isin(each[PATIENT]) for each in met))
        return (
            came.select(PATIENT, *names, days=came.event_date.delta(came[INDEX], unit="day")),
            without.select(
                PATIENT,
                *names,
                days=without[END].delta(without[INDEX], unit="day"),
                died=without[WHY] == DEATH,
            ),
        )

    # -- conditions -----------------------------------------------------------------------------------------

    def _conditions(self) -> Iterator[tuple[str, Condition]]:
        """What an index date must fulfil, in order."""
        definition = self.definition
        if definition.between is not None:
            first, last = map(ibis.literal, definition.between)
            yield Fixed.BETWEEN, lambda rows: rows[INDEX].between(first, last)
        if definition.washout is None:
            yield Fixed.OBSERVED, lambda rows: rows[START].notnull()
        else:
            washout = definition.washout
            yield Fixed.WASHOUT, lambda rows: self._washed_out(rows, washout)
        for at, criterion in enumerate(definition.criteria):
            yield criterion.name, self._condition(at, criterion)

    def _washed_out(self, rows: ir.Table, washout: Span) -> ir.BooleanValue:
        """Observed throughout the washout; no event of the kind in it (a first event has none before)."""
        washing = _washing(self.definition, self.index)
        observed = rows[START] <= washout.before(rows[INDEX])
        if self.index.which is Occurrence.FIRST:
            return observed
        return observed & self._has_none(rows, washing)

    def _condition(self, at: int, criterion: Criterion) -> Condition:
        match criterion:
            case RowCriterion(test=test, keeps=keeps):
                return lambda rows: _kept(_tested(rows, test), keeps)
            case EventCriterion(keeps=keeps):
                flag = _flag(at, criterion)
                return lambda rows: self._has_event(rows, flag) if keeps else self._has_none(rows, flag)
            case _:
                assert_never(criterion)

    def _has_event(self, rows: ir.Table, flag: Variable) -> ir.BooleanValue:
        """By the patient; where there are several index dates, by the row's own."""
        if self.definition.repeats:
            return rows[flag.name]
        return reduce(or_, self._found(rows, flag))

    def _has_none(self, rows: ir.Table, flag: Variable) -> ir.BooleanValue:
        if self.definition.repeats:
            return ~rows[flag.name]
        return reduce(and_, (~found for found in self._found(rows, flag)))

    def _found(self, rows: ir.Table, flag: Variable) -> list[ir.BooleanValue]:
        """In each source: is the patient among those with such an event?"""
        met = [self._met(source, flag.window)[PATIENT] for source in flag.events.sources]
        return [rows[PATIENT].isin(patients) for patients in met]

    def _met(self, source: Source, window: Window) -> ir.Table:
        """The events of `source` in `window`. Conditions come after the join, which all criteria on the table
        with that window then share."""
        at = (source.whole.op(), window)
        if at not in self._beside:
            anchor = self._anchor_for(window.looks_ahead)
            self._beside[at] = features.beside(anchor, source, window)
        met = self._beside[at]
        return met.filter(*source.conditions) if source.conditions else met

    @property
    def _event_flags(self) -> list[Variable]:
        found = [
            _flag(at, c) for at, c in enumerate(self.definition.criteria) if isinstance(c, EventCriterion)
        ]
        washing = [_washing(self.definition, self.index)] if self.definition.washout is not None else []
        return washing + found


def _flag(at: int, criterion: EventCriterion) -> Variable:
    return Variable(f"criterion_{at + 1}", Summary.ANY, criterion.events, criterion.window)


def _washing(definition: Definition, index: Index) -> Variable:
    window = Window(before=definition.washout, with_index=False)
    return Variable("washing", Summary.ANY, index.events, window)


def _kept(condition: Any, keeps: bool) -> Any:
    """Where it is not known whether somebody is to be left out, they stay; to be kept, it must be known."""
    return condition if keeps else ibis.ifelse(condition, False, True)


def _tested(rows: ir.Table, test: Any) -> Any:
    """The test of a criterion; an age that the rows do not hold is only compared, and told in months."""
    if AGE in rows.columns or BIRTH not in rows.columns:
        return test(rows)
    aged = rows.mutate(**{AGE: rows[INDEX].year()})  # stands for the age, and is gone below
    months = rows[INDEX].delta(rows[BIRTH], unit="month")
    said = ages.in_months(test(aged), aged[AGE], months)
    return said.op().replace({aged[name].op(): rows[name].op() for name in rows.columns}).to_expr()


def _reason(rows: ir.Table) -> ir.StringColumn:
    """Why the exit was on that day; of several reasons, the patient's own comes first."""
    why = rows[WHY]
    seen = [(why == "death", "death"), (why == "last_export", "end_of_data")]
    own = ibis.cases(*seen, (why.notnull(), "end_of_observation"))
    if FOLLOWED not in rows.columns:
        return own
    return ibis.ifelse(rows[FOLLOWED] < rows[END], "end_of_follow_up", own)


def _aged(rows: ir.Table, needed: Collection[str]) -> ir.Table:
    if BIRTH not in rows.columns:
        return rows
    index, birth = rows[INDEX], rows[BIRTH]
    before_birthday = ibis.ifelse(index.month() < birth.month(), 1, 0)
    made = {
        AGE: index.year() - birth.year() - before_birthday,
        AGE_DAYS: index.delta(birth, unit="day"),
        AGE_MONTHS: index.delta(birth, unit="month"),
    }
    return rows.mutate(**{name: value for name, value in made.items() if name in needed})


def preview_of(definition: Definition, tables: Mapping[str, ir.Table]) -> ir.Table:
    """An empty table with the columns that a criterion may speak of: names and types."""
    people = tables["patients"]
    person = {name: people.schema()[name] for name in PERSON if name in people.columns}
    schema = {PATIENT: people.schema()[PATIENT], INDEX: "date", EXIT: "date", REASON: "string"}
    ages = {AGE: "int64", AGE_DAYS: "int64"} if BIRTH in people.columns else {}
    own = {variable.name: features.type_of(variable) for variable in definition.variables}
    return ibis.table({**schema, **person, **ages, **own}, name="cohort")
