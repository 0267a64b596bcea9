"""The data-quality report: what the rules found, what is missing, how codes came about, who fell silent, what
moved since the version before.

`ws.quality` is the report on all years. Shares are computed from protected numbers: a withheld one leaves
`<NA>`. The raw value stays in the warehouse; here rows are counted, never shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from p4dp_sdk import markup
from p4dp_sdk.catalogue.quality import load_rules
from p4dp_sdk.errors import EnclaveError, UnknownNameError
from p4dp_sdk.granted import label
from p4dp_sdk.locale import Language, language
from p4dp_sdk.locale import translate as _
from p4dp_sdk.quality.asking import Asked
from p4dp_sdk.quality.changes import Changes, Comparison
from p4dp_sdk.quality.previous import Previous
from p4dp_sdk.tables.derived import Derived
from p4dp_sdk.wire.errors import ErrorCode

if TYPE_CHECKING:
    import pandas as pd

    from p4dp_sdk.catalogue.model import Column
    from p4dp_sdk.granted import GrantedCatalogue

FINE: Final = "ok"
_CHECKED: Final = ("biometrics", "lab_results", "vaccinations")
_MEASURED: Final = {"biometrics": "measure", "lab_results": "analyte"}
_NO_CODE: Final = "SC"


@dataclass(frozen=True)
class Quality:
    """The report on `tables` from the year `first` to the year `last`; without them on all years.

    `completeness("biometrics", by=("centre_id", "month"))` tells how far columns are filled,
    `rules("biometrics")` which rules fired, `changes()` what moved since the version before,
    `plot("biometrics", "rules")` draws each, `explain()` says what each rule looks for and why. All are
    protected questions as any other.
    """

    tables: Mapping[str, Any]
    catalogue: GrantedCatalogue
    first: int | None = None
    last: int | None = None
    previous: Previous | None = None

    def completeness(
        self, table: str, by: str | Iterable[str] = (), columns: Iterable[str] | None = None
    ) -> Derived:
        """A row for each column of `table` (and each group of `by`: codes, "month", "year"): its rows, how
        many have nothing in it, and the share filled in per cent.

        A number that is withheld is one of few patients, or of none: such a column is as good as full.

        Raises UnknownNameError for a table, column or group that is not there.
        """
        import pandas as pd

        asked = self._asked(table, by)
        chosen = self._chosen(asked, columns)
        if not chosen:
            raise UnknownNameError("", [column.name for column in asked.columns()])
        counted = asked.missing(chosen)
        parts = []
        for column in chosen:
            part = counted[[*asked.by, "rows"]].copy()
            part.insert(len(asked.by), "column", label(column))
            part["missing"] = counted[f"missing_{column.name}"]
            part["percent"] = 100 - _share(part["missing"], part["rows"], 100)
            parts.append(part)
        titles = {"column": _("Column"), "rows": _("Rows"), "missing": _("Missing"), "percent": _("% filled")}
        return Derived(pd.concat(parts, ignore_index=True), titles)

    def rules(self, table: str | None = None, by: str | Iterable[str] = ()) -> Derived:
        """A row a rule, in the catalogue's words, and a column a table: rows that carry it. With `table`, a
        row a rule of that table (and each group of `by`).

        Raises UnknownNameError for a table or group that is not there, or a table whose rows bear no code.
        """
        return self._all_rules() if table is None else self._rules_of(table, by)

    def _rules_of(self, table: str, by: str | Iterable[str]) -> Derived:
        if not self._checked_table(table):
            raise UnknownNameError(table, [name for name in self.tables if self._checked_table(name)])
        asked = self._asked(table, by)
        found = asked.fired()
        labels = self.catalogue.labels("dq_code")
        found.insert(len(asked.by), "rule", [labels.get(code, code) for code in found["dq_code"]])
        return Derived(found.drop(columns="dq_code"), {"rule": _("Rule"), "n": _("Rows")})

    def changes(self, table: str | None = None, by: str | Iterable[str] = (), points: float = 5.0) -> Changes:
        """What moved by more than `points` since the version before, in `table` (or in each), for each group
        of `by`: rows that are lost, columns that empty or fill, rules (a tenth of it). Of all years.

        Raises EnclaveError where there is no version before, UnknownNameError for a table or group that is
        not there.
        """
        keys = (by,) if isinstance(by, str) else tuple(dict.fromkeys(by or ()))
        name = table if table is None or isinstance(table, str) else type(table).__name__
        return self._comparison.changes(name, keys, _number(points))

    def plot(self, table: str, what: str = "completeness", by: str = "centre_id") -> Any:
        """A heat map of `what` ("completeness", "rules" or "changes") of `table`, by a code, "month" or
        "year"; withheld cells hatched. Gives the axes."""
        from p4dp_sdk.plots import heatmap

        match what:
            case "completeness":
                frame, title = self.completeness(table, by).frame, _("{table}: how far columns are filled")
                return heatmap(
                    frame, "column", by, "percent", title=title.format(table=self._title(table)), axis="%"
                )
            case "rules":
                frame, title = self.rules(table, by).frame, _("{table}: the rules that fired")
                return heatmap(
                    frame, "rule", by, "n", title=title.format(table=self._title(table)), axis=_("Rows")
                )
            case "changes":
                found = self._comparison.compared(table, (by,)).filled()
                title = _("{table}: filling since version {number}")
                title = title.format(
                    table=self._title(table), number=self._comparison.previous.version.number
                )
                return heatmap(found, "column", by, "moved", title=title, axis=_("points"))
        raise UnknownNameError(what, ["completeness", "rules", "changes"])

    def explain(self) -> Derived:
        """Every rule: what it looks for, what becomes of the value, why, and on whose word."""
        import pandas as pd

        english = language() is Language.ENGLISH
        effects = {
            "corrects": _("value put right"),
            "sets_aside": _("value emptied"),
            "marks": _("row marked"),
            "counts": _("counted only"),
        }
        told = [
            {
                _("Rule"): self.catalogue.labels("dq_code").get(rule.dq_code, rule.dq_code),
                "dq_code": rule.dq_code,
                _("Tables"): ", ".join(rule.tables),
                _("What it looks for"): rule.what_en if english else rule.what_fr,
                _("Effect"): effects[rule.effect],
                _("Why"): rule.why_en if english else rule.why_fr,
                _("Source"): rule.source,
            }
            for rule in load_rules().values()
        ]
        return Derived(pd.DataFrame(told))

    def __repr__(self) -> str:
        return "\n".join(f"{call:<58}{told}" for call, told in _help())

    def _repr_html_(self) -> str:
        return markup.table([_("Write"), _("To see")], [*_help()])

    @property
    def _comparison(self) -> Comparison:
        if self.previous is None or self.first is not None:
            raise EnclaveError(ErrorCode.PREVIOUS_VERSION)
        return Comparison(self.tables, self.catalogue, self.previous)

    def _asked(self, table: str, by: str | Iterable[str]) -> Asked:
        if table not in self.catalogue.tables or table not in self.tables:
            raise UnknownNameError(table, self.tables)
        return Asked.of(self._rows(table), self.catalogue.tables[table], by)

    def _chosen(self, asked: Asked, columns: Iterable[str] | None) -> list[Column]:
        known = {column.name: column for column in asked.columns()}
        if columns is None:
            return list(known.values())
        for name in (names := list(columns)):
            if name not in known:
                raise UnknownNameError(name, known)
        return [known[name] for name in names]

    def _checked_table(self, name: str) -> bool:
        return name in self.tables and self.catalogue.tables[name].has("dq_code")

    def _all_rules(self) -> Derived:
        import pandas as pd

        labels = self.catalogue.labels("dq_code")
        counted = {self._title(name): self._by_rule(name) for name in self._checked}
        frame = pd.DataFrame(counted).reindex([code for code in labels if code != FINE]).dropna(how="all")
        frame.insert(0, _("Rule"), [labels[code] for code in frame.index])
        return Derived(frame.reset_index(drop=True))

    def _by_rule(self, name: str) -> pd.Series[Any]:
        rows = self._rows(name)
        counts: pd.DataFrame = rows.group_by("dq_code").agg(n=rows.count()).execute()
        return counts.set_index("dq_code")["n"]

    def flagged(self, by: str) -> pd.DataFrame:
        """Rows that carry a rule, of 1,000 of a table, by "centre_id" or "year"."""
        import pandas as pd

        parts = []
        for name in self._checked:
            rows = self._rows(name).mutate(year=lambda t: t.date.year())
            asked = rows.group_by(by).agg(rows=rows.count(), flagged=rows.count(where=rows.dq_code != FINE))
            found = asked.order_by(by).execute()
            found.insert(0, "table", self._title(name))
            parts.append(found)
        frame = pd.concat(parts, ignore_index=True)
        frame["per_1000"] = _share(frame["flagged"], frame["rows"], 1000)
        chosen: pd.DataFrame = frame[["table", by, "rows", "flagged", "per_1000"]]
        return chosen

    def missing(self) -> Derived:
        """A row for each thing that may be missing: rows, how many lack it, and the share in per cent."""
        import pandas as pd

        told = [self._lacking(name, lambda t: t.value.isnull(), _("no usable value")) for name in _MEASURED]
        told += [self._lacking(name, lambda t: t.unit.isnull(), _("no unit")) for name in _MEASURED]
        told += [
            self._lacking(name, lambda t: t.cisp2 == _NO_CODE, _("no code"))
            for name in ("diagnoses", "reasons")
        ]
        told.append(self._lacking("consultations", lambda t: t.type == "unknown", _("type not recorded")))
        return Derived(pd.DataFrame([each for each in told if each is not None]))

    def _lacking(self, name: str, missing: Any, what: str) -> dict[str, Any] | None:
        if name not in self.tables:
            return None
        rows = self._rows(name)
        answer = rows.agg(rows=rows.count(), lacking=rows.count(where=missing(rows))).execute()
        share = _share(answer["lacking"], answer["rows"], 100).iloc[0]
        return {
            _("Table"): self._title(name),
            _("What is missing"): what,
            _("Rows"): answer["rows"].iloc[0],
            _("Missing"): answer["lacking"].iloc[0],
            "%": share,
        }

    def coding(self) -> pd.DataFrame:
        """Diagnoses by year, and a column for each source of their codes."""
        rows = self._rows("diagnoses").mutate(year=lambda t: t.date.year())
        asked = rows.group_by("year", "coding_source").agg(n=rows.count()).execute()
        labels = self.catalogue.labels("coding_source")
        wide = asked.pivot(index="year", columns="coding_source", values="n").rename(columns=labels)
        wide.columns.name = None
        by_year: pd.DataFrame = wide.sort_index().reset_index()
        return by_year

    def activity(self) -> pd.DataFrame:
        """Consultations by month and centre in the last year; of all years where none is given."""
        rows = self.tables["consultations"]
        if self.last is not None:
            rows = rows.filter(rows.date.year() == self.last)
        rows = rows.mutate(month=lambda t: t.date.truncate("M"))
        asked = rows.group_by("month", "centre_id").agg(consultations=rows.count()).execute()
        asked["month"] = [str(day)[:7] for day in asked["month"]]
        months: pd.DataFrame = asked.sort_values(["centre_id", "month"], ignore_index=True)
        return months

    def duplicates(self) -> Derived:
        """Patients who may stand under two sources, and patients with one measure twice on a day."""
        import pandas as pd

        people = self.tables["patients"]
        twice = people.filter(people.dq_code == "possible_duplicate")
        counted = {_("patients who may stand under two sources"): twice}
        for name, kind in _MEASURED.items():
            if name in self.tables:
                rows = self._rows(name)
                each = rows.group_by("patient_id", "date", kind).agg(times=rows.count())
                counted[f"{self._title(name)} : {_('patients with one measure twice on a day')}"] = (
                    each.filter(each.times > 1)
                )
        answers = [
            table.agg(n=table.patient_id.nunique()).execute()["n"].iloc[0] for table in counted.values()
        ]
        return Derived(
            pd.DataFrame({_("What"): list(counted), _("Patients"): pd.array(answers, dtype="Int64")})
        )

    @property
    def _checked(self) -> list[str]:
        return [name for name in _CHECKED if name in self.tables]

    def _rows(self, name: str) -> Any:
        table = self.tables[name]
        if self.first is None or self.last is None:
            return table
        return table.filter(table.date.year().between(self.first, self.last))

    def _title(self, name: str) -> str:
        return label(self.catalogue.tables[name])


def _share(part: pd.Series[Any], whole: pd.Series[Any], per: int) -> pd.Series[Any]:
    share = per * part.astype("Float64") / whole.astype("Float64")
    return share.round(1)


def _number(points: float | str) -> float:
    try:
        return float(points)
    except (TypeError, ValueError):
        raise ValueError(_("points is a number of per cent: 5, or 0.5.")) from None


def _help() -> Iterable[tuple[str, str]]:
    yield 'ws.quality.completeness("biometrics", by="centre_id")', _("how far columns are filled")
    yield 'ws.quality.rules("biometrics", by=("centre_id", "month"))', _("the rules that fired")
    yield 'ws.quality.plot("biometrics", "rules", by="month")', _("a heat map of either")
    yield 'ws.quality.changes(by="centre_id")', _("what moved since the version before")
    yield "ws.quality.missing()", _("values, units and codes that are missing")
    yield "ws.quality.duplicates()", _("possible duplicates")
    yield "ws.quality.explain()", _("what each rule looks for, and why")
