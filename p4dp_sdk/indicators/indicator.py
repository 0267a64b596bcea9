"""A measure in somebody's hands: asked of tables, divided, published, explained.

`ws.indicators["polymedication"]` is one on the project's tables; `.on(tables)` is the same on others (one's
own, a test's).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from p4dp_sdk.indicators.compile import Asked, question
from p4dp_sdk.indicators.errors import (
    BadSeriesError,
    NotAShareError,
    NoWorkspaceError,
    OutsideDataError,
    UnknownGroupError,
    UnknownNumeratorError,
)
from p4dp_sdk.indicators.measure import Measure, Tables, Unit
from p4dp_sdk.indicators.window import Every, Window, day, ends

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from p4dp_sdk.granted import GrantedCatalogue
    from p4dp_sdk.indicators.funnel import Funnel
    from p4dp_sdk.indicators.ranking import Comparison
    from p4dp_sdk.indicators.result import Result
    from p4dp_sdk.indicators.standardise import Standard, Standardised
    from p4dp_sdk.indicators.watched import Watched
    from p4dp_sdk.workspace import Workspace

Day = date | str
_KNOWN_BY_CODE = frozenset({"cisp2", "atc"})
_EVENT_MONTHS = 12  # the window of events where neither the question nor the measure names one


@dataclass(frozen=True)
class Indicator:
    """One measure on `tables`. Made by `ws.indicators`; `reference`, `first` and `last` are the snapshot's
    dates."""

    measure_: Measure
    tables: Tables
    reference: date
    first: date | None = None
    last: date | None = None
    workspace: Workspace | None = None

    @property
    def id(self) -> str:
        return self.measure_.id

    @property
    def label(self) -> str:
        return self.measure_.label

    def on(self, tables: Tables) -> Indicator:
        """The same indicator on other tables: `ws.indicators["carnet"].on(ws.me)`."""
        return replace(self, tables=getattr(tables, "tables", tables))

    def only(self, numerator: str) -> Indicator:
        """The same with one of its numerators, by its name or label:
        `ws.indicators["dependance_mention"].only("tabac")` has a funnel. Raises UnknownNumeratorError."""
        names = {each: self.measure_.labels.get(each, (each, each)) for each in self.measure_.numerators}
        chosen = next((each for each in names if numerator in (each, *names[each])), None)
        if chosen is None:
            raise UnknownNumeratorError(numerator, [self.measure_.name_of(each) for each in names])
        french, english = names[chosen]
        kept = replace(
            self.measure_,
            numerators={chosen: self.measure_.numerators[chosen]},
            label_fr=f"{self.measure_.label_fr} ({french})",
            label_en=f"{self.measure_.label_en} ({english})",
        )
        return replace(self, measure_=kept)

    def known(self) -> Indicator:
        """The same among the denominator alone. Where almost everybody is in it, how many are not would be
        told by both numbers, so that the denominator is withheld; this way there is only one."""
        measure, inside = self.measure_, self.measure_.denominator
        if inside is None:
            return replace(self, measure_=replace(measure, missing=None))

        def population(tables: Tables, window: Window) -> ir.Table:
            units = measure.population(tables, window)
            return units.filter(units[inside])

        return replace(self, measure_=replace(measure, population=population, denominator=None, missing=None))

    def where(self, **codes: str | Sequence[str]) -> Indicator:
        """The same of some rows: `ws.indicators["carnet"].where(cisp2="R74").top(10, by="reason")`. Raises
        UnknownGroupError."""
        from p4dp_sdk.indicators.ranking import only

        measure = self.measure_
        for key, wanted in codes.items():
            if key not in measure.keys:
                raise UnknownGroupError(key, measure.keys)
            measure = only(measure, key, [wanted] if isinstance(wanted, str) else list(wanted))
        return replace(self, measure_=measure)

    def expr(
        self,
        by: str | Sequence[str] = (),
        *,
        at: Day | None = None,
        between: tuple[Day, Day] | None = None,
        every: Every | str | None = None,
        ages: Sequence[int] | None = None,
    ) -> ir.Table:
        """The question in Ibis: the way out for whoever wants to change it.

        `by` are groups: "sex", "age_band", "centre_id", and the measure's own. Patients are counted as they
        were `at` a date (the snapshot's reference date if not given), looking back by the measure's window;
        `between` two dates is a window of one's own, with its last day as reference. With `every` ("year",
        "month", "week"), patients are counted at the end of each of these inside of `between`; events by the
        period of their date. `ages` are where age classes start: [18, 65].

        Raises UnknownGroupError, BadPeriodError, OutsideDataError, BadSeriesError.
        """
        return question(self.measure_, self.tables, self.asked(by, at, between, every, ages))

    def measure(self, by: str | Sequence[str] = (), **when: Any) -> Result:
        """The draft answer with shares and intervals; the arguments are those of `expr`."""
        asked = self.asked(by, **when)
        return self._answered(question(self.measure_, self.tables, asked), asked)

    def publish(self, by: str | Sequence[str] = (), *, title: str, **when: Any) -> Result:
        """The same, exact and signed; `.table` is the publication table. The arguments are those of
        `expr`."""
        asked = self.asked(by, **when)
        return self._published(question(self.measure_, self.tables, asked), title, asked)

    def top(self, n: int = 20, by: str = "cisp2", **when: Any) -> Result:
        """The `n` codes that occur most, most frequent first. The draft's `.publish(title)` publishes these
        codes, exactly: of neighbours in rank, the draft decides which are shown. Fewer than `n` where the
        others are withheld."""
        from p4dp_sdk.indicators.ranking import first, only

        asked = self.asked(by, **when)
        found = _shown(self._answered(first(question(self.measure_, self.tables, asked), by, n), asked))
        chosen = only(self.measure_, by, found.counts[by].dropna().tolist())
        exact = first(question(chosen, self.tables, asked), by, n)
        return replace(
            found, publisher=found.publisher and (lambda title: self._published(exact, title, asked))
        )

    def compare(self, own: Tables, n: int = 20, by: str = "cisp2", **when: Any) -> Comparison:
        """The `n` codes most frequent in `own` tables (`ws.me`), beside the whole base."""
        from p4dp_sdk.indicators.ranking import compared

        mine = self.on(own)
        return compared(
            mine.top(n, by, **when), mine.measure(**when), self.measure(by, **when), self.measure(**when), by
        )

    def plot(self, by: str | Sequence[str] = (), **when: Any) -> Any:
        """The draft answer, drawn."""
        return self.measure(by, **when).plot()

    def funnel(self, by: str = "centre_id", **when: Any) -> Funnel:
        """Groups against what chance allows around the whole (Spiegelhalter 2005)."""
        from p4dp_sdk.indicators.funnel import funnel

        self._need_share()
        result = self.measure(by, **when)
        return replace(funnel(result.readable, unit=by), result=result)

    def standardised(
        self, by: str = "centre_id", *, standard: Standard | str = "base", **when: Any
    ) -> Standardised:
        """Shares of `by`, as they would be if all had the ages and sexes of one population: the whole base,
        or the European Standard Population 2013 ("esp2013"). See `standardise`."""
        from p4dp_sdk.indicators.standardise import standardised

        self._need_share()
        strata = ["sex", "age_band"]
        whole = self.measure(strata, **when).readable  # totals first: a sum asked later would add up blurs
        crude = self.measure(by, **when)
        found = standardised(self.measure([by, *strata], **when).readable, whole, by, standard)
        return replace(found, crude=crude)

    def watch(self, since: Day, **when: Any) -> Watched:
        """The weekly rate beside its epidemic threshold, fitted on the weeks before `since`; by month where
        too many weeks are withheld. See `watched`."""
        from p4dp_sdk.indicators.watched import watched

        self._need_share()
        return watched(lambda step: self.measure(every=step, **when), self._known(since))

    def explain(self, language: str | None = None) -> str:
        """In plain words: what is counted, among whom, when, on whose authority, and what it does not say."""
        from p4dp_sdk.indicators.explain import explain

        return explain(self.measure_, language)

    def asked(
        self,
        by: str | Sequence[str] = (),
        at: Day | None = None,
        between: tuple[Day, Day] | None = None,
        every: Every | str | None = None,
        ages: Sequence[int] | None = None,
    ) -> Asked:
        """The arguments of `expr`, read and checked."""
        step = None if every is None else Every(every)
        columns = (by,) if isinstance(by, str) else tuple(by)
        windows = self._windows(at, between, step)
        starts = None if ages is None else tuple(ages)
        return Asked(windows, columns, step, starts, self.reference)

    def _windows(self, at: Day | None, between: tuple[Day, Day] | None, every: Every | None) -> Windows:
        span = None if between is None else Window(self._known(between[0]), self._known(between[1]))
        patients = self.measure_.unit is Unit.PATIENT
        if span is not None and every is not None and patients:
            dates = ends(span, every)
            if not dates:
                raise BadSeriesError(0, 0)
            return tuple(Window.before(on, self.measure_.window) for on in dates)
        if span is not None:
            return (span,)
        on = self.reference if at is None else self._known(at)
        months = self.measure_.window
        return (Window.before(on, _EVENT_MONTHS if months is None and not patients else months),)

    def _known(self, value: Day) -> date:
        """A date inside of the snapshot's."""
        on = day(value)
        first, last = self.first, self.last
        if first is not None and last is not None and not first <= on <= last:
            raise OutsideDataError(on, first, last)
        return on

    def _answered(self, expression: ir.Table, asked: Asked) -> Result:
        from p4dp_sdk.indicators.result import Result

        result = Result(self.measure_, asked, expression.execute(), names=self._names())
        if self.workspace is None:
            return result
        return replace(result, publisher=lambda title: self._published(expression, title, asked))

    def _published(self, expression: ir.Table, title: str, asked: Asked) -> Result:
        from p4dp_sdk.indicators.result import Result

        if self.workspace is None:
            raise NoWorkspaceError
        table = self.workspace.publish(expression, title)
        return Result(self.measure_, asked, table.frame, table=table, names=self._names())

    def _names(self) -> Mapping[str, Mapping[str, str]]:
        """The labels of the codes that the measure's groups may hold."""
        if self.workspace is None:
            return {}
        catalogue = self.workspace.catalogue
        columns = [column for table in catalogue.tables.values() for column in table.columns]
        systems = {column.name: column.codes for column in columns if column.codes in catalogue.code_systems}
        return {key: _labels(catalogue, system) for key, system in systems.items() if system is not None}

    def _need_share(self) -> None:
        if not self.measure_.numerators:
            raise NotAShareError(self.label)

    def __repr__(self) -> str:
        return self.explain()

    def _repr_html_(self) -> str:
        from p4dp_sdk import markup
        from p4dp_sdk.indicators.explain import sentences

        title, *parts = sentences(self.measure_)
        return markup.heading(title) + markup.paragraph(" ".join(parts))


def _shown(ranking: Result) -> Result:
    """The codes whose number is shown, if any: a withheld one has no rank."""
    from p4dp_sdk.indicators.compile import ROWS

    known = ranking.counts[ROWS].notna()
    return replace(ranking, counts=ranking.counts[known].reset_index(drop=True)) if known.any() else ranking


def _labels(catalogue: GrantedCatalogue, system: str) -> Mapping[str, str]:
    """Labels by code; where people know the codes themselves, beside them."""
    labels = catalogue.labels(system)
    return {code: f"{code} {label}" for code, label in labels.items()} if system in _KNOWN_BY_CODE else labels


Windows = tuple[Window, ...]
