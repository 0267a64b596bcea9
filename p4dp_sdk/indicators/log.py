"""The interns' log (*carnet de consultation*): from problem to reason, result and procedure, three
competences, level and supervision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Final

from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.indicators.general import rows_of
from p4dp_sdk.indicators.measure import Dashboard, Measure, Tables, Unit, Words
from p4dp_sdk.indicators.window import Window
from p4dp_sdk.indicators.words import words

if TYPE_CHECKING:
    import ibis.expr.types as ir

COMPETENCES: Final = ("competence_1", "competence_2", "competence_3")
_CODES: Final = ("cisp2", "reason", "result", "procedure", "level", "supervision")


def competences(tables: Tables, window: Window) -> ir.Table:
    """Entries that name a competence, and for each competence whether it is one of up to three."""
    entries = rows_of("training_log")(tables, window)
    columns = [entries[name] for name in COMPETENCES]
    named = {code: _any([column == code for column in columns]) for code in _known()}
    return entries.mutate(stated=_any([column.notnull() for column in columns]), **named)


def _any(conditions: Sequence[Any]) -> Any:
    return reduce(or_, conditions)


def _known() -> Mapping[str, Words]:
    codes = load_catalogue().code_systems["competence"].codes
    return {each.code: (each.label_fr, each.label_en) for each in codes}


def supervised(tables: Tables, window: Window) -> Any:
    """Entries whose supervision is known, and whether the intern was alone."""
    entries = rows_of("training_log")(tables, window)
    return entries.mutate(
        stated=entries.supervision.notnull(),
        autonomous=entries.supervision == "autonomous",
        direct=entries.supervision == "direct",
        unstated=entries.supervision.isnull(),
    )


def _named(section: str) -> dict[str, Any]:
    """The words of a section, and the labels of all competences."""
    said = words(section)
    return {**said, "labels": {**said["labels"], **_known()}}


ENTRIES: Final = Measure(
    id="carnet",
    unit=Unit.ROW,
    window=None,
    population=rows_of("training_log"),
    keys=(*_CODES, *COMPETENCES),
    **words("carnet"),
)
BY_COMPETENCE: Final = Measure(
    id="carnet_competences",
    unit=Unit.ROW,
    window=None,
    population=competences,
    denominator="stated",
    numerators={code: code for code in _known()},
    keys=("level", "supervision"),
    **_named("carnet_competences"),
)
SUPERVISION: Final = Measure(
    id="carnet_supervision",
    unit=Unit.ROW,
    window=None,
    population=supervised,
    denominator="stated",
    numerators={"autonomous": "autonomous", "direct": "direct"},
    missing="unstated",
    keys=("level", "competence_1"),
    **words("carnet_supervision"),
)
MEASURES: Final = (ENTRIES, BY_COMPETENCE, SUPERVISION)
DASHBOARDS: Final = (
    Dashboard("carnet", "Carnet de consultation", "Training log", tuple(m.id for m in MEASURES)),
)
