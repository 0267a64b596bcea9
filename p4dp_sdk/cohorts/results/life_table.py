"""Life tables of a cohort: survival or cumulative incidence by month, quarter or year, from protected counts.

    curve = life_table(cohort.relation, outcome="infarctus", every="quarter", by="sex", years=5)
    curve.plot(); curve.incidence()
    curve.publish("Survie sans infarctus")

A draft is one question: for every limit of time, how many were still at risk and how many events came before.
Blurred counts that lie a few patients apart come back as one (≈), so a draft's curve moves in steps of a
dozen events. A publication counts exactly who left in each interval; with `by`, the sizes of the groups are a
table of their own. Where a number is withheld, intervals are put together (`merged`) or the curve stops.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from p4dp_sdk.cohorts.results import asking, comparing, follow_up, rates
from p4dp_sdk.cohorts.results.asking import Measures
from p4dp_sdk.cohorts.results.estimates import Estimate, estimates, steps
from p4dp_sdk.cohorts.results.follow_up import Apart, Every, Followed, Grid, Survival
from p4dp_sdk.cohorts.results.questions import PATIENTS
from p4dp_sdk.cohorts.results.variables import PATIENT, Group, group_of
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.messages import N_
from p4dp_sdk.wire.protocol import Disclosure

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    from matplotlib.axes import Axes

    from p4dp_sdk.cohorts.results.sheet import Sheet
    from p4dp_sdk.tables.safe import SafeTable

KEYS = ("group", "time")
_RARE = 0.7  # free of the event, at least: then the share that had it is drawn
NUMBERS = ("at_risk", "events", "competing", "withdrawn", "survival", "low", "high")
_UNITS = {Every.MONTH: N_("month"), Every.QUARTER: N_("quarter"), Every.YEAR: N_("year")}


def life_table(
    relation: ir.Table,
    outcome: str,
    every: Every | str = Every.MONTH,
    by: str | None = None,
    competing: bool = False,
    *,
    years: float = 5,
    labels: Mapping[str, str] = MappingProxyType({}),
    title: str = "",
    apart: Apart | None = None,
) -> LifeTable:
    """The life table of `outcome` over `years` of follow-up from the index date, by groups of `by`.

    `relation` has one row a patient with `<outcome>_time` (days) and `<outcome>_event` (event, competing,
    censored), as a cohort's has, or `<outcome>_date`, `index_date` and `exit_date`. With `competing`, events
    that compete are counted apart, and `incidence` holds the Aalen-Johansen estimate; else they censor.
    `apart` says the same in relations that publications may be made of. Raises ResultError for a column that
    is not there, or too many intervals.
    """
    survival, grid = Survival.of(relation, outcome), Grid.over(years, every)
    group = None if by is None else group_of(relation, by, labels)
    return LifeTable(survival, outcome, grid, competing, group, title, apart=apart)


@dataclass(frozen=True)
class LifeTable:
    """A life table; `tables` are the signed tables it is made of (none: a draft)."""

    survival: Survival
    outcome: str
    grid: Grid
    competing: bool = False
    group: Group | None = None
    title: str = ""
    tables: tuple[SafeTable, ...] = ()
    apart: Apart | None = None

    # -- numbers --------------------------------------------------------------------------------------------

    @cached_property
    def followed(self) -> tuple[Followed, ...]:
        """The protected counts of each group."""
        return tuple(self._published()) if self.tables else self._drafted()

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a group and limit of time that can be told: `time` in months (by year: years), `at_risk`
        just before it, `events`, `competing` and `withdrawn` since the row above (`merged`: of several
        intervals together), `survival` with its 95 % interval `low` to `high`; with competing events also
        `incidence`, `incidence_low`, `incidence_high`. After the last number that can be told, rows are
        `<NA>`."""
        import pandas as pd

        from p4dp_sdk.backend.results import attach

        rows = [row for each in self.followed for row in self._rows(each)]
        frame = pd.DataFrame(rows, columns=[*KEYS, "merged", *self._numbers])
        frame = frame.astype({**dict.fromkeys(self._numbers, "Float64"), "time": "float64", "merged": "bool"})
        return frame if self._given is None else attach(frame, self._given)

    @property
    def disclosure(self) -> Disclosure | None:
        found: Disclosure | None = self.frame.attrs.get("p4dp")
        return found

    @property
    def kept(self) -> float:
        """The share of the intervals that the curves reach."""
        reached = [max((step.end for step in steps(each)), default=0) for each in self.followed]
        return sum(reached) / (self.grid.intervals * len(reached)) if reached else 1.0

    def incidence(self, per: float = 1000) -> Rates:
        """Events, person-years and rate per `per` person-years with its exact Poisson interval, for each
        group, until the last limit that can be told (see `rates`): `.frame`."""
        import pandas as pd

        from p4dp_sdk.backend.results import attach

        found = [rates.of(each, self.grid, per) for each in self.followed]
        rows = [
            (self._word(group.label), *rate.row) for group, rate in zip(self.followed, found, strict=True)
        ]
        frame = pd.DataFrame(rows, columns=["group", *rates.COLUMNS])
        frame = frame.astype(dict.fromkeys(rates.COLUMNS, "Float64"))
        return Rates(frame if self._given is None else attach(frame, self._given), per, self.unit)

    def log_rank(self) -> comparing.Test:
        """Whether the groups' curves differ, from grouped counts (see `comparing`)."""
        return comparing.log_rank(self.followed, exact=bool(self.tables))

    # -- publication ----------------------------------------------------------------------------------------

    def publish(self, title: str) -> LifeTable:
        """The same from publication tables: exact and signed. Of a cohort, intervals are put together where
        the draft says that one alone would be withheld. Raises EnclaveError where they are refused."""
        relation, key = self.survival.relation, self._key
        if self.apart is not None:
            return self._published_apart(title, self.apart)
        measures = follow_up.by_interval(self.survival, self.grid, competing=self.competing)
        keys = [follow_up.INTERVAL] if key is None else [key, follow_up.INTERVAL]
        tables = [asking.published(measures.question(keys), title)]
        if key is not None:
            sizes = Measures(relation, {PATIENTS: relation[PATIENT].nunique()})
            tables.insert(0, asking.published(sizes.question([key]), title))
        return replace(self, title=title, tables=tuple(tables))

    def _published_apart(self, title: str, apart: Apart) -> LifeTable:
        grid = follow_up.tellable(self.followed, self.grid, competing=self.competing)
        sizes, *leaving = apart.measures(grid, competing=self.competing)
        keys = [] if self._key is None else [self._key]
        tables = [asking.published(sizes.question(keys), title)]
        for measures in leaving:
            tables.append(asking.published(measures.question([*keys, follow_up.INTERVAL]), title))
        return replace(self, title=title, grid=grid, tables=tuple(tables))

    # -- shown ----------------------------------------------------------------------------------------------

    def plot(self, **options: Any) -> Axes:
        """The curves with their 95 % intervals and the numbers at risk: of the survival, or of the share that
        had the event where that stays under 30 % and for competing events (Pocock, Clayton & Altman, Lancet
        359 (2002) 1686-1689: plots that go up, for rare events). `options` are those of
        `p4dp.plots.kaplan_meier`."""
        from p4dp_sdk import plots

        frame, columns = self.frame, NUMBERS[-3:]
        rising = self.competing or bool((frame.survival.dropna() > _RARE).all())
        if self.competing:
            columns = ("incidence", "incidence_low", "incidence_high")
        elif rising:
            frame = frame.assign(survival=1 - frame.survival, low=1 - frame.high, high=1 - frame.low)
        named = dict(zip(("survival", "low", "high"), columns, strict=True))
        given = {"title": self.title, "unit": self.unit, "rising": rising, "stepped": False, **named}
        return plots.kaplan_meier(frame, **{**given, **options})

    @property
    def sheet(self) -> Sheet:
        """The table in words."""
        from p4dp_sdk.cohorts.results.curve_sheet import life_table_sheet

        return life_table_sheet(self)

    def _repr_html_(self) -> str:
        return self.sheet.html

    def __repr__(self) -> str:
        return self.sheet.text

    @property
    def notes(self) -> list[str]:
        """What is said below the table: how it was estimated, what became of withheld intervals."""
        lines = [
            _("Life table by {unit} (Cutler & Ederer 1958), Greenwood variance, log(-log) intervals at 95 %.")
        ]
        if self.competing:
            lines.append(_("Cumulative incidence with competing events: Aalen & Johansen 1978."))
        if self.frame["merged"].any():
            lines.append(_("Intervals with a withheld number are put together with the next."))
        if not self.tables and self._given is not None:
            lines.append(_("Draft: counts that lie close come back as one, so the curve moves in steps."))
        if self.kept < 1:
            lines.append(
                _("A curve stops at the last time of which every number is shown. Longer intervals: more.")
            )
        return [line.format(unit=_(_UNITS[self.grid.every])) for line in lines]

    # -- from answers to curves -----------------------------------------------------------------------------

    @property
    def _key(self) -> str | None:
        return None if self.group is None else self.group.name

    @property
    def unit(self) -> str:
        """Of the times, in words."""
        return _("years") if self.grid.every is Every.YEAR else _("months")

    @property
    def _numbers(self) -> tuple[str, ...]:
        return (*NUMBERS, "incidence", "incidence_low", "incidence_high") if self.competing else NUMBERS

    def _rows(self, group: Followed) -> Iterator[tuple[Any, ...]]:
        label, times = self._word(group.label), self.grid.times
        found = estimates(steps(group))
        unknown = (None,) * len(self._numbers)
        start = group.at_risk[0]
        yield (label, 0.0, False, start, *(self._start if found else unknown[1:]))
        for each in found:
            left = group.at_risk[each.step.end]
            merged = each.step.end - each.step.start > 1
            yield (label, times[each.step.end], merged, left, *self._told(each))
        for time in times[(found[-1].step.end if found else 0) + 1 :]:
            yield label, time, False, *unknown

    @property
    def _start(self) -> tuple[float, ...]:
        nothing = (0.0, 0.0, 0.0, 1.0, 1.0, 1.0)
        return (*nothing, 0.0, 0.0, 0.0) if self.competing else nothing

    def _told(self, each: Estimate) -> tuple[float, ...]:
        step = each.step
        counted = (step.events, step.competing, step.withdrawn, each.survival, *each.survival_within)
        return (*counted, each.incidence, *each.incidence_within) if self.competing else counted

    @cached_property
    def _draft(self) -> asking.Answers:
        measures = follow_up.cumulative(self.survival, self.grid, competing=self.competing)
        return asking.draft(measures.question([] if self._key is None else [self._key]), self._key)

    def _drafted(self) -> tuple[Followed, ...]:
        rows = sorted(self._draft.rows, key=lambda row: self._place(row.label))
        return tuple(follow_up.followed(row, self.grid, competing=self.competing) for row in rows)

    def _published(self) -> Iterator[Followed]:
        key, whole = self._key, self._sizes
        labels = [None] if key is None else sorted(dict.fromkeys(whole), key=self._place)
        for label in labels:
            rows = self._by_interval(self.tables[-1], label)
            if self.apart is not None:
                rows = follow_up.together(self._by_interval(self.tables[1], label), rows)
            yield follow_up.followed_by_interval(
                rows, whole.get(label), label, self.grid, competing=self.competing
            )

    def _by_interval(self, table: SafeTable, label: Any) -> dict[Any, dict[str, float | None]]:
        frame, key = table.frame, self._key
        mine = frame if key is None else frame[[_same(each, label) for each in frame[key]]]
        return {row[follow_up.INTERVAL]: _numbers(row) for row in mine.to_dict("records")}

    @property
    def _sizes(self) -> dict[Any, float | None]:
        """The patients of each group (None: all)."""
        key = self._key
        if key is None:
            total = self.tables[0].frame if self.apart is not None else self.tables[0].total
            return {} if total is None else {None: _numbers(total.iloc[0].to_dict()).get(PATIENTS)}
        rows = self.tables[0].frame.to_dict("records")
        return {None if _missing(row[key]) else row[key]: _numbers(row).get(PATIENTS) for row in rows}

    @property
    def _given(self) -> Disclosure | None:
        draft = [] if self.tables else [self._draft.disclosure]
        given = [table.disclosure for table in self.tables] + [each for each in draft if each is not None]
        if not given:
            return None
        return asking.together(given, measures={}, key_columns=KEYS)

    def _place(self, label: Any) -> tuple[bool, int, str]:
        order = list(self.group.labels) if self.group is not None else []
        return label is None, order.index(label) if label in order else len(order), str(label)

    def _word(self, label: Any) -> str:
        if self.group is None:
            return _("All patients")
        return _("not recorded") if label is None else str(self.group.labels.get(label, label))


@dataclass(frozen=True)
class Rates:
    """Incidence rates: `frame` has a row a group, with `events`, `person_years`, `rate` per `per`, `low`,
    `high`, and the time `until` which they were counted."""

    frame: pd.DataFrame
    per: float
    unit: str

    @property
    def sheet(self) -> Sheet:
        from p4dp_sdk.cohorts.results.curve_sheet import rates_sheet

        return rates_sheet(self.frame, self.per, self.unit)

    def _repr_html_(self) -> str:
        return self.sheet.html

    def __repr__(self) -> str:
        return self.sheet.text


def _missing(value: Any) -> bool:
    import pandas as pd

    return bool(pd.isna(value))


def _same(value: Any, label: Any) -> bool:
    return label is None if _missing(value) else bool(value == label)


def _numbers(row: Mapping[Any, Any]) -> dict[str, float | None]:
    wanted = (PATIENTS, follow_up.EVENT, follow_up.COMPETING)
    return {name: None if _missing(row[name]) else float(row[name]) for name in wanted if name in row}
