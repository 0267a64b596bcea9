"""The data-quality report: what the rules found, what is missing, how codes came about, who fell silent.

Shares are computed from protected numbers: a withheld one leaves `<NA>`. The raw value stays in the
warehouse; here rows are counted, never shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from p4dp_sdk.granted import label
from p4dp_sdk.locale import translate as _
from p4dp_sdk.tables.derived import Derived

if TYPE_CHECKING:
    import pandas as pd

    from p4dp_sdk.granted import GrantedCatalogue

FINE: Final = "ok"
_CHECKED: Final = ("biometrics", "lab_results", "vaccinations")
_MEASURED: Final = {"biometrics": "measure", "lab_results": "analyte"}
_NO_CODE: Final = "SC"


@dataclass(frozen=True)
class Quality:
    """The report on `tables` from the year `first` to the year `last`."""

    tables: Mapping[str, Any]
    catalogue: GrantedCatalogue
    first: int
    last: int

    def rules(self) -> Derived:
        """A row a rule, in the catalogue's words, and a column a table: rows that carry it."""
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
        """Consultations by month and centre in the last year."""
        rows = self.tables["consultations"]
        rows = rows.filter(rows.date.year() == self.last).mutate(month=lambda t: t.date.truncate("M"))
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
        return table.filter(table.date.year().between(self.first, self.last))

    def _title(self, name: str) -> str:
        return label(self.catalogue.tables[name])


def _share(part: pd.Series[Any], whole: pd.Series[Any], per: int) -> pd.Series[Any]:
    share = per * part.astype("Float64") / whole.astype("Float64")
    return share.round(1)
