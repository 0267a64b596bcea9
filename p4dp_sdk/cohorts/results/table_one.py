"""Table 1 of a cohort: who the patients are, by group, in protected numbers.

    table = table_one(cohort.relation, by="sex", variables=["age", "hta", "hba1c"], bands={"age": [50, 65]})
    table                                     # a draft: blurred, small cells marked
    table.publish("Patients à l'inclusion")   # exact, signed
    table.publish("…").to_word("tableau1.docx")

Works on any Ibis relation with one row a patient (`patient_id`, and a column a characteristic). A draft is
two questions, whatever the number of lines; a publication one signed table for the sizes and the plain
yes/no lines, and one for each other variable, so that a variable that can't be shown costs no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from p4dp_sdk.cohorts.results import asking, comparing, differences, questions
from p4dp_sdk.cohorts.results.asking import Answer, Measures, Number
from p4dp_sdk.cohorts.results.columns import Column, columns_of, joined, summary
from p4dp_sdk.cohorts.results.errors import not_summed, unknown_column
from p4dp_sdk.cohorts.results.questions import PATIENTS, Entry, Part
from p4dp_sdk.cohorts.results.variables import Asked, Bands, Group, Kind, Variable
from p4dp_sdk.errors import EnclaveError
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.errors import ErrorCode
from p4dp_sdk.wire.protocol import Disclosure

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

    from p4dp_sdk.cohorts.results.sheet import Sheet
    from p4dp_sdk.tables.safe import SafeTable

KEYS = ("variable", "level", "statistic")


def table_one(
    relation: ir.Table,
    by: str | None = None,
    variables: Iterable[str] | None = None,
    bands: Bands = MappingProxyType({}),
    *,
    labels: Mapping[str, str] = MappingProxyType({}),
    title: str = "",
    narrowed: Callable[..., ir.Table] | None = None,
    known: Iterable[str] = (),
    complete: Iterable[str] = (),
) -> TableOne:
    """Table 1 of `relation`, overall and by the groups of `by`; a draft, asked when it is first looked at.

    `variables` are columns in the order of the table (without it: all that can be told). `bands` gives limits
    of classes for a number ({"age": [50, 65]}) or the codes told of a coded column; `labels` words of one's
    own. `narrowed` gives the relation with the columns named only (a cohort's `select`): each publication
    table then says no more of people than it tells. `known`: what a publication takes as known unless told
    otherwise (see `publish`); `complete`: what nobody in `relation` misses. Raises ResultError for a column
    that can't be told.
    """
    names = None if variables is None else tuple(variables)
    made = _made(relation, Asked(by, names, bands, labels), title)
    return replace(made._complete_in(complete), narrowed=narrowed, known=tuple(known))


def _made(relation: ir.Table, asked: Asked, title: str) -> TableOne:
    return TableOne(relation, asked, asked.variables(relation), asked.group(relation), title)


@dataclass(frozen=True)
class TableOne:
    """A Table 1. `tables` are the signed tables it is made of (none: a draft) and `unpublished` the variables
    that could not be published, with the reason."""

    relation: Any
    asked: Asked
    variables: tuple[Variable, ...]
    group: Group | None = None
    title: str = ""
    tables: tuple[SafeTable, ...] = ()
    unpublished: Mapping[str, str] = field(default_factory=dict)
    narrowed: Callable[..., ir.Table] | None = None
    known: tuple[str, ...] = ()

    # -- numbers --------------------------------------------------------------------------------------------

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """All patients, then each group."""
        return tuple(self._columns_published() if self.tables else self._columns_of_draft())

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        said = {"quantiles": not self.tables, "spread": not self.blurred}
        return tuple(questions.entries(self.lines, _("not recorded"), **said))

    @property
    def blurred(self) -> bool:
        """Whether the numbers carry noise: a standard deviation, which squares it, is then not told."""
        return any(each.error for each in self._disclosures)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a number: `variable`, `level`, `statistic`, then a column for all (`overall`) and each
        group. Withheld numbers are `<NA>`; `.attrs["p4dp"]` says what was done."""
        import pandas as pd

        from p4dp_sdk.backend.results import attach

        keys = {
            "variable": [each.variable.name if each.variable else PATIENTS for each in self.entries],
            "level": [each.level for each in self.entries],
            "statistic": [each.statistic.value for each in self.entries],
        }
        cells = {
            column.name: pd.array([column.of(each).value for each in self.entries], dtype="Float64")
            for column in self.columns
        }
        frame = pd.DataFrame({**keys, **cells})
        return frame if self.disclosure is None else attach(frame, self.disclosure)

    @property
    def differences(self) -> pd.Series[Any]:
        """The standardised difference of each variable between the two groups; empty where there are not
        two."""
        import pandas as pd

        compared = self._compared
        if compared is None:
            return pd.Series(dtype="Float64", name="smd")
        told = [v for v in self.lines if self.compares(v)]
        found = dict.fromkeys(v.name for v in self.lines)
        found |= {v.name: differences.standardised(v, *compared) for v in told}
        return pd.Series(list(found.values()), index=list(found), dtype="Float64", name="smd")

    def compares(self, variable: Variable) -> bool:
        """Whether a standardised difference can be told: that of means takes standard deviations."""
        return not (self.blurred and variable.kind is Kind.NUMBER)

    def chi_square(self, variable: str) -> comparing.Test:
        """Pearson's chi-square of a yes/no or coded line between the groups (see `comparing`)."""
        named = {each.name: each for each in self.lines}
        if variable not in named:
            raise unknown_column(variable, named)
        groups = [column.numbers for column in self.columns[1:] if column.name != _("not recorded")]
        return comparing.chi_square(named[variable], groups, exact=bool(self.tables))

    @property
    def disclosure(self) -> Disclosure | None:
        """What was done to the numbers, of all answers together; None for an engine that protects nothing."""
        given = self._disclosures
        if not given:
            return None
        return asking.together(
            given,
            measures={column.name: summary(column, self.entries) for column in self.columns},
            key_columns=KEYS,
        )

    @property
    def kept(self) -> float:
        """The share of the table's numbers that is shown."""
        cells = [column.of(entry).known for column in self.columns for entry in self.entries]
        return sum(cells) / len(cells) if cells else 1.0

    # -- publication ----------------------------------------------------------------------------------------

    def publish(self, title: str, *, known: Iterable[str] | None = None) -> TableOne:
        """The same table from publication tables: exact, signed, protected together. `title` is one line of
        up to 120 characters. Means are published, quartiles are not.

        The mean of a measure that nearly everybody has is withheld: its number of patients beside that of
        all would count the few without. `known` names measures without which a patient is left out of the
        whole table, as the legend says; a cohort's names the age unless told otherwise. Raises EnclaveError
        if even the size of the groups can't be published; another variable that is refused stands in
        `unpublished`.
        """
        table = self._of_those_known(self.known if known is None else tuple(known))
        sizes, placed = table._with_sizes(title)
        tables, told = [sizes], {variable.name: variable for variable in table.variables}
        refused: dict[str, str] = {}
        for relation, part in table._others(placed):
            try:
                tables.append(table._signed(title, relation, part))
            except EnclaveError as error:
                (variable,) = part.variables
                what, left = questions.without(told[variable.name], part)
                refused[what], told[variable.name] = str(error), left
        variables = tuple(told.values())
        return replace(table, title=title, variables=variables, tables=tuple(tables), unpublished=refused)

    def _of_those_known(self, names: tuple[str, ...]) -> TableOne:
        """The table as it can be asked for; of patients of whom all of `names` is known."""
        for name in names:
            if name not in self.relation.columns:
                raise unknown_column(name, self.relation.columns)
        relation = questions.recorded(self.relation, self._told_by(names)) if names else self.relation
        sure = (*names, *(each.name for each in self.variables if not each.may_miss))
        made = _made(relation, self.asked, self.title)._complete_in(sure)
        variables = tuple(map(made._summable, made.variables))
        return replace(made, variables=variables, narrowed=self.narrowed, known=names)

    def _complete_in(self, names: Iterable[str]) -> TableOne:
        """The table, where nobody misses these variables."""
        sure = set(names)
        told = (replace(each, may_miss=each.may_miss and each.name not in sure) for each in self.variables)
        return replace(self, variables=tuple(told))

    def _told_by(self, names: Iterable[str]) -> list[str]:
        """The columns that say whether they are known: of an age, its days."""
        days = {name: f"{name}_days" for name in names}
        return [day if day in self.relation.columns else name for name, day in days.items()]

    def _with_sizes(self, title: str) -> tuple[SafeTable, list[str]]:
        """The first table: sizes, and the names of what nobody misses beside them; less of it where the
        definition would say too much. Raises EnclaveError."""
        sure = [each for each in self.variables if questions.is_sure(each)]
        numbers = [each for each in sure if each.levels]
        for variables in (sure, numbers):
            try:
                return self._signed(title, *self._part(variables)), [each.name for each in variables]
            except EnclaveError as error:
                if error.code is not ErrorCode.NOT_PUBLISHABLE:
                    raise
        return self._signed(title, *self._part([])), []

    def _part(self, sure: list[Variable]) -> tuple[ir.Table, Part]:
        relation, variables = self._narrow(sure)
        return relation, next(questions.published(relation, variables))

    def _others(self, placed: Iterable[str]) -> Iterator[tuple[ir.Table, Part]]:
        """The publication tables after the first, each with the relation that it is asked of."""
        for variable in self.variables:
            if variable.name in placed:
                continue
            relation, alone = self._narrow([variable])
            with_sizes, *parts = questions.published(relation, alone)
            yield from ((relation, part) for part in ([with_sizes] if with_sizes.variables else parts))

    def _signed(self, title: str, relation: ir.Table, part: Part) -> SafeTable:
        return asking.published(self._question(relation, part.columns), title)

    def _narrow(self, variables: list[Variable]) -> tuple[ir.Table, list[Variable]]:
        """The relation with what `variables` need, and these as columns of it."""
        known = self._told_by(self.known)
        if self.narrowed is None:
            return self.relation, variables
        names = tuple(each.name for each in variables)
        told = [column for each in variables for column in self._columns_of(each)]
        needed = dict.fromkeys([*told, *known, *([self._key] if self._key else [])])
        relation = questions.recorded(self.narrowed(*needed), known)
        bands = {name: limits for name, limits in self.asked.bands.items() if name in names}
        found = replace(self.asked, names=names, bands=bands).variables(relation)
        same = zip(found, variables, strict=True)
        return relation, [replace(new, may_miss=old.may_miss, summed=old.summed) for new, old in same]

    def _columns_of(self, variable: Variable) -> list[str]:
        """The columns that tell it: an age by its days and, for classes, its months."""
        parts = [f"{variable.name}_days", f"{variable.name}_months"]
        if variable.amount is None or not set(parts) <= set(self.relation.columns):
            return [variable.name, *([parts[0]] if variable.amount is not None else [])]
        return parts if variable.levels else parts[:1]

    @property
    def sources(self) -> dict[str, SafeTable]:
        """For each measure, the signed table that its number is taken from."""
        found: dict[str, SafeTable] = {}
        for table in self.tables:
            for column in table.statement.columns:
                if column.protected:
                    found.setdefault(column.name, table)
        return found

    # -- shown ----------------------------------------------------------------------------------------------

    @property
    def sheet(self) -> Sheet:
        """The table in words, as every file shows it."""
        from p4dp_sdk.cohorts.results.sheet import table_one_sheet

        return table_one_sheet(self)

    def _repr_html_(self) -> str:
        return self.sheet.html

    def __repr__(self) -> str:
        return self.sheet.text

    def to_word(self, path: str | Path) -> Path:
        """Write a Word document (.docx): the table, its legend, and where its numbers come from."""
        from p4dp_sdk.cohorts.results.word import write_word

        return write_word(self.sheet, Path(path))

    def to_latex(self, path: str | Path) -> Path:
        """Write a LaTeX table for `\\input` (packages booktabs and threeparttable)."""
        from p4dp_sdk.cohorts.results.latex import write_latex

        return write_latex(self.sheet, Path(path))

    def to_excel(self, path: str | Path) -> Path:
        """Write a workbook: the table as shown, and its numbers one a row on a second sheet."""
        from p4dp_sdk.cohorts.results.workbook import write_workbook

        return write_workbook(self.sheet, self.frame, Path(path))

    # -- from answers to columns ----------------------------------------------------------------------------

    @cached_property
    def lines(self) -> tuple[Variable, ...]:
        """The variables that the table tells."""
        if not self.tables:
            return self._drafted[0]
        return tuple(each for each in self.variables if each.name not in self.unpublished)

    @property
    def _compared(self) -> tuple[Mapping[str, Number], Mapping[str, Number]] | None:
        groups = [column for column in self.columns[1:] if column.name != _("not recorded")]
        return (groups[0].numbers, groups[1].numbers) if len(groups) == 2 else None

    @property
    def _key(self) -> str | None:
        return None if self.group is None else self.group.name

    def _question(self, relation: ir.Table, columns: Mapping[str, Any]) -> ir.Table:
        return Measures(relation, columns).question([] if self._key is None else [self._key])

    @cached_property
    def _drafted(self) -> tuple[tuple[Variable, ...], tuple[asking.Answers, ...]]:
        """What could be asked, and the answers. Only where a mean is refused is each looked at alone."""
        try:
            return self.variables, self._asked_for(self.variables)
        except EnclaveError as error:
            if error.code is not ErrorCode.VALUE_RULE:
                raise
        variables = tuple(map(self._summable, self.variables))
        return variables, self._asked_for(variables)

    def _asked_for(self, variables: tuple[Variable, ...]) -> tuple[asking.Answers, ...]:
        """All patients first: a total asked after its parts would be their sum."""
        measures = Measures(self.relation, questions.draft(self.relation, variables))
        whole = asking.draft(measures.question())
        if self._key is None:
            return (whole,)
        return (whole, asking.draft(measures.question([self._key]), self._key))

    def _summable(self, variable: Variable) -> Variable:
        """`variable`, without mean and quartiles where they can't be released. Raises ResultError if nothing
        of it is left."""
        if variable.kind is not Kind.NUMBER or not variable.summed:
            return variable
        try:
            asking.draft(Measures(self.relation, {"mean": variable.number.mean()}).question())
        except EnclaveError as error:
            if error.code is not ErrorCode.VALUE_RULE:
                raise
            if not variable.levels:
                raise not_summed(variable.name) from None
            return replace(variable, summed=False)
        return variable

    @property
    def _disclosures(self) -> list[Disclosure]:
        if self.tables:
            return [table.disclosure for table in self.tables]
        return [each.disclosure for each in self._drafted[1] if each.disclosure is not None]

    def _columns_of_draft(self) -> Iterator[Column]:
        whole, *grouped = self._drafted[1]
        return columns_of(whole.rows[0].numbers, grouped[0].rows if grouped else (), self.group)

    def _columns_published(self) -> Iterator[Column]:
        whole, groups = joined([asking.answers_of(table, self._key) for table in self.tables], self._key)
        rows = [Answer(label, questions.with_missing(self.lines, n)) for label, n in groups.items()]
        return columns_of(questions.with_missing(self.lines, whole), rows, self.group)
