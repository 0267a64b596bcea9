"""Where findings about one table are gathered: as findings, and as highlights of its preview."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub_config.airlock.checks.inside.disclosure.grid import Grid
from hub_config.airlock.checks.inside.found import Context, Notes
from hub_config.airlock.checks.inside.preview import HIGHLIGHTS, Highlight
from hub_config.governance.releases.findings import Rule, Severity


@dataclass
class Marks:
    grid: Grid
    context: Context
    notes: Notes
    rounding: int | None = None
    highlights: list[Highlight] = field(default_factory=list)
    told: set[tuple[object, ...]] = field(default_factory=set)

    @property
    def least(self) -> int:
        return self.context.min_patients

    def small(self, count: int) -> bool:
        return 0 < count < self.context.min_patients

    def add(
        self, rule: Rule, severity: Severity, row: int | None, column: int | None, **params: str | int
    ) -> None:
        """At a cell, from 0; row -1 is the header, None the whole table. Told once."""
        if rule is Rule.SMALL_COUNT:
            params = {"min": self.least, "below": self.least - 1, **params}
        same = (rule, severity, row, column, *sorted(params.items()))
        if same in self.told:
            return
        self.told.add(same)
        self.notes.add(rule, severity, self.grid.place(row, column), **params)
        if row is not None and len(self.highlights) < HIGHLIGHTS:
            self.highlights.append(Highlight(row, -1 if column is None else column, rule))
