"""The columns of a Table 1: all patients, then each group, with the numbers of both by the name of their
measure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from p4dp_sdk.cohorts.results.asking import WITHHELD, Answer, Answers, Number
from p4dp_sdk.cohorts.results.questions import PATIENTS, Entry, Statistic
from p4dp_sdk.cohorts.results.variables import Group
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.protocol import MeasureSummary

OVERALL = "overall"


@dataclass(frozen=True)
class Column:
    """One column of the table: what it is called in the frame, its words, its numbers by measure."""

    name: str
    label: str
    numbers: Mapping[str, Number]

    def of(self, entry: Entry) -> Number:
        number = self.numbers.get(entry.measure, WITHHELD)
        if entry.statistic is not Statistic.PERCENT:
            return number
        whole = self.numbers.get(PATIENTS, WITHHELD)
        if number.value is None or not whole.value:
            return WITHHELD
        return Number(100 * number.value / whole.value, number.earlier)


def columns_of(whole: Mapping[str, Number], rows: Iterable[Answer], group: Group | None) -> Iterator[Column]:
    """All patients; then the groups in the order of their code list, those not recorded last."""
    yield Column(OVERALL, _("All patients"), whole)
    order = list(group.labels) if group is not None else []
    places = {label: place for place, label in enumerate(order)}
    for row in sorted(
        rows, key=lambda row: (row.label is None, places.get(row.label, len(order)), str(row.label))
    ):
        name = _("not recorded") if row.label is None else str(row.label)
        yield Column(name, _words(row.label, group), row.numbers)


def joined(
    read: Sequence[Answers], key: str | None
) -> tuple[dict[str, Number], dict[Any, dict[str, Number]]]:
    """The numbers of several publication tables as of one: of all patients, and of each group."""
    whole: dict[str, Number] = {}
    groups: dict[Any, dict[str, Number]] = {}
    for answers in read:
        total = answers.total if key is not None else answers.rows[0]
        _merge(whole, total.numbers if total is not None else {})
        for row in answers.rows if key is not None else ():
            _merge(groups.setdefault(row.label, {}), row.numbers)
    return whole, groups


def summary(column: Column, entries: Sequence[Entry]) -> MeasureSummary:
    """How many of its numbers are shown, and which are those of an earlier answer."""
    known = [column.of(entry) for entry in entries]
    earlier = tuple(
        (entry.variable.name if entry.variable else PATIENTS, entry.level, entry.statistic.value)
        for entry, number in zip(entries, known, strict=True)
        if number.earlier
    )
    shown = sum(number.known for number in known)
    return MeasureSummary(shown, len(known) - shown, len(earlier), earlier)


def _words(label: Any, group: Group | None) -> str:
    if label is None:
        return _("not recorded")
    if isinstance(label, bool) or str(label) in ("True", "False"):
        told = group.label if group is not None else ""
        answer = _("yes") if str(label) == "True" else _("no")
        return f"{told} : {answer}"
    return str(group.labels.get(label, label)) if group is not None else str(label)


def _merge(into: dict[str, Number], numbers: Mapping[str, Number]) -> None:
    """Adds what is not there yet: of the size of a group, the first table's number stands."""
    for name, number in numbers.items():
        if name not in into or not into[name].known:
            into[name] = number
