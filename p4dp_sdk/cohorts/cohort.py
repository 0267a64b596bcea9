"""`p4dp.Cohort`: what a person writes. Immutable; every method gives a new cohort, and nothing is asked
until a result is wanted.

    cohort = (p4dp.Cohort(ws, "Diabète de type 2, nouveaux cas")
              .index(first=d.where(codes=p4dp.codes("diabète de type 2")))
              .between("2015-01-01", "2019-12-31")
              .washout(months=12)
              .follow_up(years=5)
              .include("40-84 ans", lambda s: s.age.between(40, 84))
              .exclude("infarctus ou AVC", before=p4dp.codes("infarctus ou AVC")))

A definition that would mislead is an error, here and not at the gateway: a window that is reversed, a
criterion without one, a look past the index date that was not asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from p4dp_sdk.cohorts import ages, checks, outcomes
from p4dp_sdk.cohorts.compile import (
    AGE,
    AGE_DAYS,
    AGE_MONTHS,
    BIRTH,
    PERSON,
    REASON,
    WORKING,
    Compiled,
    Compiler,
    preview_of,
)
from p4dp_sdk.cohorts.definition import (
    DEATH,
    Definition,
    EventCriterion,
    Index,
    Occurrence,
    Outcome,
    RowCriterion,
    Test,
)
from p4dp_sdk.cohorts.events import PATIENT, Events
from p4dp_sdk.cohorts.features import EXIT, INDEX
from p4dp_sdk.cohorts.windows import Reach, Span

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

    from p4dp_sdk.cohorts.attrition import Attrition
    from p4dp_sdk.cohorts.results import Apart, Grid, LifeTable, TableOne
    from p4dp_sdk.identity import Identity


class Site(Protocol):
    """What is asked of a workspace."""

    @property
    def tables(self) -> Mapping[str, ir.Table]: ...
    @property
    def whoami(self) -> Identity: ...


@dataclass(frozen=True, repr=False, eq=False)
class Cohort:
    """Patients who entered at their index date, with what is known of them there and how they left."""

    _site: Any
    _definition: Definition

    def __init__(self, workspace: Any, name: str, _definition: Definition | None = None) -> None:
        object.__setattr__(self, "_site", workspace)
        object.__setattr__(self, "_definition", _definition or Definition(name))

    @property
    def name(self) -> str:
        return self._definition.name

    @property
    def definition(self) -> Definition:
        return self._definition

    def _with(self, **changes: Any) -> Cohort:
        return Cohort(self._site, self.name, replace(self._definition, **changes))

    # -- when -----------------------------------------------------------------------------------------------

    def index(self, *, first: Any = None, last: Any = None, any: Any = None) -> Cohort:
        """The index date: the patient's first or last event on record, or (`any`) each day with one."""
        given = {Occurrence.FIRST: first, Occurrence.LAST: last, Occurrence.ANY: any}
        which, events = checks.only_one(given, "index", "first=", "last=", "any=")
        return self._with(index=Index(which, checks.events(events, self._site)))

    def between(self, start: str | date, end: str | date) -> Cohort:
        """Index dates from `start` to `end`, both included."""
        return self._with(between=checks.period(start, end, self._site.whoami.reference_date))

    def washout(
        self,
        *unitless: int,
        months: int | None = None,
        years: int | None = None,
        days: int | None = None,
    ) -> Cohort:
        """Observed throughout that time before the index, and no event of the index's kind in it."""
        length = checks.length("washout", unitless, {"months": months, "years": years, "days": days})
        return self._with(washout=length)

    def follow_up(
        self,
        *unitless: int,
        years: int | None = None,
        months: int | None = None,
        days: int | None = None,
    ) -> Cohort:
        """Followed for that long at most. Without it: until death, end of observation or of the data."""
        length = checks.length("follow_up", unitless, {"months": months, "years": years, "days": days})
        checks.windows_fit(self._definition.variables, length)
        return self._with(follow_up=length)

    # -- who ------------------------------------------------------------------------------------------------

    def include(self, name: str, test: Any = None, **windows: Any) -> Cohort:
        """Keeps who fulfils `test`, a condition on a row (`lambda s: s.age >= 18`), or has the events given
        as `before=` or `after=` the index, `within=months(24)` of it where told."""
        return self._criterion(name, True, test, **windows)

    def exclude(self, name: str, test: Any = None, **windows: Any) -> Cohort:
        """Leaves out who fulfils `test` or has the events; unknown is not fulfilled."""
        return self._criterion(name, False, test, **windows)

    def _criterion(
        self,
        name: str,
        keeps: bool,
        test: Test | Any | None,
        *,
        before: Any = None,
        after: Any = None,
        within: Span | None = None,
        look_ahead: bool = False,
    ) -> Cohort:
        checks.name(name, [criterion.name for criterion in self._definition.criteria])
        criterion: EventCriterion | RowCriterion
        if callable(test) and before is None and after is None:
            checks.row_test(test, self._definition, self._site.tables)
            criterion = RowCriterion(name, keeps, test)
        else:
            window, events = checks.event_window(test, before, after, within, look_ahead)
            criterion = EventCriterion(name, keeps, checks.events(events, self._site), window)
        return self._with(criteria=(*self._definition.criteria, criterion))

    # -- what -----------------------------------------------------------------------------------------------

    def variable(
        self,
        name: str,
        *,
        of: str | None = None,
        before: Reach | bool | None = None,
        after: Reach | bool | None = None,
        look_ahead: bool = False,
        **summary: Any,
    ) -> Cohort:
        """A column: `first=`, `last=`, `nearest=`, `count=`, `any=`, `mean=`, `slope=` or `status=` events,
        in a window up to the index date (`before=months(12)`; that day counts) or past it (`after=`, with
        `look_ahead=True`). `of` is the column summarised, or "date"."""
        made = checks.variable(name, self._site, of, before, after, look_ahead, summary)
        checks.column_name(name, self._reserved)
        checks.windows_fit([made], self._definition.follow_up)
        return self._with(variables=(*self._definition.variables, made))

    def outcome(self, name: str, *, first: Any, competing: Mapping[str, Any] | None = None) -> Cohort:
        """The first of these events after the index date, until exit; `competing={"décès": "death"}` or
        events. Columns: <name>_date, <name>_time (days), <name>_event (event, competing, censored)."""
        rivals = {
            label: DEATH if isinstance(events, str) and events == DEATH else checks.events(events, self._site)
            for label, events in (competing or {}).items()
        }
        made = Outcome(name, checks.events(first, self._site), MappingProxyType(rivals))
        for column in (name, *outcomes.columns(made)):
            checks.column_name(column, self._reserved)
        return self._with(outcomes=(*self._definition.outcomes, made))

    @property
    def _reserved(self) -> tuple[str, ...]:
        """Names that the relation has, or is made with."""
        made = [*WORKING, *(f"criterion_{n + 1}" for n in range(len(self._definition.criteria)))]
        made += [v.name for outcome in self._definition.outcomes for v in outcomes.dates(outcome)]
        return (*self.columns, *made)

    # -- the relation ---------------------------------------------------------------------------------------

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of `relation`."""
        granted = self._site.tables["patients"].columns
        person = [name for name in PERSON if name in granted and name != BIRTH]
        ages = [AGE, AGE_DAYS] if BIRTH in granted else []
        own = [variable.name for variable in self._definition.variables]
        ends = [column for outcome in self._definition.outcomes for column in outcomes.columns(outcome)]
        return (PATIENT, INDEX, EXIT, REASON, *person, *ages, *own, *ends)

    @property
    def relation(self) -> ir.Table:
        """The cohort as an Ibis table, lazy: one row a patient (with `any=`, a patient and index date)."""
        return self.select(*self.columns)

    ibis = relation

    def select(self, *names: str) -> ir.Table:
        """The relation with the patient and the columns `names` only. What is not asked for is not worked
        out: publications count all that their definition says."""
        more = [AGE_MONTHS] if AGE in self.columns else []  # completed, as the age: less to say
        checks.known_columns(names, [*self.columns, *more])
        wanted = list(dict.fromkeys((PATIENT, *names)))
        return self._compiled(wanted).kept(wanted)

    def _compiled(self, wanted: Collection[str]) -> Compiled:
        index = checks.complete(self._definition, self._site.tables)
        return Compiler(self._site.tables, self._definition, index).compiled(wanted)

    # -- results --------------------------------------------------------------------------------------------

    def attrition(self) -> Attrition:
        """How many patients each step leaves: one question. `.frame`, `.plot()`, `.publish(title)`."""
        from p4dp_sdk.cohorts import attrition

        compiled = self._compiled(())
        return attrition.Attrition(attrition.titles(self._definition, compiled), attrition.question(compiled))

    def table_one(
        self, by: str | None = None, variables: Iterable[str] | None = None, **options: Any
    ) -> TableOne:
        """Table 1, overall and by the groups of `by`; without `variables`: sex, age and all variables."""
        from p4dp_sdk.cohorts import results

        checks.one_row_each(self._definition)
        named = list(variables) if variables is not None else self._described_by_default(by)
        aged = AGE in named
        parts = [AGE_DAYS, AGE_MONTHS] if aged else []  # of days, the mean may be released
        rows = self.select(*dict.fromkeys([*named, *parts, *([by] if by else [])]))
        how = "complete" if self._age_is_known else "known"
        options = {how: [AGE] if aged else [], **options}
        return results.table_one(rows, by=by, variables=named, narrowed=self.select, **options)

    @property
    def _age_is_known(self) -> bool:
        """Whether a criterion leaves out whose age is not."""
        preview = preview_of(self._definition, self._site.tables)
        tests = [c.test for c in self._definition.criteria if isinstance(c, RowCriterion) and c.keeps]
        return any(ages.implies_known(test(preview), AGE) for test in tests)

    def _described_by_default(self, by: str | None) -> list[str]:
        """Dates say nothing in a Table 1."""
        schema = self.relation.schema()
        own = [variable.name for variable in self._definition.variables]
        return [
            name
            for name in ("sex", AGE, *own)
            if name in schema and name != by and not schema[name].is_date()
        ]

    def life_table(self, outcome: str, by: str | None = None, **options: Any) -> LifeTable:
        """Who is still followed and without `outcome`, period by period; events that compete with it are told
        as such where the outcome has some. Options are those of `results.life_table` (every=, years=)."""
        from p4dp_sdk.cohorts import results

        checks.one_row_each(self._definition)
        made = checks.known_outcome(outcome, self._definition)
        _, time, event = outcomes.columns(made)
        options = {"competing": bool(made.competing), **options}
        told, groups = self._until(results.Grid.of(**options), by), [by] if by else []
        rows = told.select(*dict.fromkeys([time, event, *groups]))
        return results.life_table(rows, outcome, by=by, apart=told._apart(made, groups), **options)

    def _until(self, grid: Grid, by: str | None) -> Cohort:
        """The cohort without a follow-up that lasts as long as is looked at."""
        ends = {EXIT, REASON}.union(*map(outcomes.columns, self._definition.outcomes))
        if by in ends:
            return self
        return Cohort(self._site, self.name, self._definition.without_follow_up(grid.limits[-1]))

    def _apart(self, outcome: Outcome, groups: list[str]) -> Apart | None:
        """What a published life table is made of, where the event is all that is waited for."""
        from p4dp_sdk.cohorts import results

        rivals = any(isinstance(each, Events) for each in outcome.competing.values())
        if rivals or self._definition.follow_up is not None:
            return None
        index = checks.complete(self._definition, self._site.tables)
        events, others = Compiler(self._site.tables, self._definition, index).leaving(outcome, groups)
        return results.Apart(self.select(*groups), events, others)

    def features(self, *names: str) -> pd.DataFrame:
        """The rows as pandas, for scikit-learn and lifelines. Raises CohortError unless the project has the
        microdata grant."""
        checks.rows_allowed(self._site.whoami)
        frame: pd.DataFrame = self.select(*(names or self.columns)).execute()
        return frame

    def match(
        self,
        controls: Cohort,
        *,
        n: int = 1,
        on: Iterable[str] = (AGE, "sex", "centre_id"),
        caliper: Mapping[str, float] = MappingProxyType({}),
        replacement: bool = False,
        seed: int = 0,
    ) -> pd.DataFrame:
        """`n` controls for each patient, alike in `on` (numbers within `caliper`); see `matching.matched`.

        Raises CohortError unless the project has the microdata grant: persons are never joined to other
        persons where only protected aggregates come back.
        """
        from p4dp_sdk.cohorts import matching

        checks.matching_allowed(self._site.whoami)
        how = matching.Rule(n, tuple(on), dict(caliper), replacement, seed)
        wanted = (INDEX, *how.on)
        return matching.matched(self.features(*wanted), controls.features(*wanted), how)

    # -- what it says ---------------------------------------------------------------------------------------

    def describe(self, language: str | None = None) -> str:
        """The methods section: every step, window, code list and rule, in French or English."""
        from p4dp_sdk.cohorts import prose
        from p4dp_sdk.locale import Language
        from p4dp_sdk.locale import language as in_force

        chosen = Language(language) if language else in_force()
        last = checks.last_day(self._site.whoami)
        return prose.describe(self._definition, self._site.whoami, last, self.fingerprint, chosen)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the definition, its code lists and the snapshot."""
        from p4dp_sdk.cohorts.fingerprint import fingerprint

        return fingerprint(self._definition, self._site.tables, self._site.whoami.snapshot)

    def __repr__(self) -> str:
        return self.describe()

    def _repr_html_(self) -> str:
        from p4dp_sdk import markup

        title, *paragraphs = self.describe().split("\n\n")
        return markup.heading(title) + "".join(map(markup.paragraph, paragraphs))
