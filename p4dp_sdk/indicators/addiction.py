"""Tobacco, alcohol, cannabis and other drugs: whether something is recorded, and who is exposed. Two
questions that are never mixed.

*Recording* is a mention of any kind, a negative one too: what old dashboards called "présence de la donnée".
*Exposure* is the last mention that says something (current, former, no): current is exposure; former use and
"no" are not; without such a mention nothing is known, which is a class of its own. Of several on one day, the
one that says most counts: current before former, former before no.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from p4dp_sdk.indicators.measure import Dashboard, Measure, Population, Tables, Unit
from p4dp_sdk.indicators.people import active_list
from p4dp_sdk.indicators.window import Window
from p4dp_sdk.indicators.words import words

if TYPE_CHECKING:
    import ibis.expr.types as ir

KINDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "tobacco": ("tabac", "tabac", "tobacco"),
    "alcohol": ("alcool", "alcool", "alcohol"),
    "drugs": ("drogues", "cannabis et autres drogues", "cannabis and other drugs"),
}
SAYING: Final = ("current", "former", "no")  # statuses that say whether somebody is exposed


def recorded(tables: Tables, window: Window) -> ir.Table:
    """The active list, and for each substance whether anything is mentioned."""
    patients, history = active_list(tables, window.end), tables.history
    mentions = history.filter(window.holds(history.date))
    return patients.mutate(
        **{
            kind: patients.patient_id.isin(mentions.filter(mentions.kind == kind).patient_id)
            for kind in KINDS
        }
    )


def exposed(kind: str) -> Population:
    """The active list by the last mention of `kind` that says something."""

    def population(tables: Tables, window: Window) -> ir.Table:
        patients, history = active_list(tables, window.end), tables.history
        said = history.filter(
            window.holds(history.date), history.kind == kind, history.status.isin(list(SAYING))
        )
        last = said.group_by("patient_id").agg(
            last=said.date.max(), **{status: _last(said, status) for status in ("current", "former")}
        )
        smokes = last.filter(last.current >= last.last).patient_id
        # a former user is one whose last mention says former, and none of that day says current
        stopped = last.filter(last.former >= last.last).patient_id
        known, current = patients.patient_id.isin(last.patient_id), patients.patient_id.isin(smokes)
        return patients.mutate(
            known=known,
            current=current,
            former=patients.patient_id.isin(stopped) & ~current,
            unknown=~known,
        )

    return population


def _last(said: Any, status: str) -> Any:
    return said.date.max(where=said.status == status)


def _exposure(kind: str) -> Measure:
    name, french, english = KINDS[kind]
    return Measure(
        id=f"exposition_{name}",
        unit=Unit.PATIENT,
        window=None,
        population=exposed(kind),
        denominator="known",
        numerators={"current": "current", "former": "former"},
        missing="unknown",
        **words("exposition", french=french, english=english),
    )


RECORDING: Final = Measure(
    id="dependance_mention",
    unit=Unit.PATIENT,
    window=None,
    population=recorded,
    numerators={kind: kind for kind in KINDS},
    **words("dependance_mention"),
)
MEASURES: Final = (RECORDING, *(_exposure(kind) for kind in KINDS))
DASHBOARDS: Final = (Dashboard("dependance", "Dépendance", "Addiction", tuple(m.id for m in MEASURES)),)
