"""What a born-safe figure is: a kind, names of columns of one signed table, and closed choices. Nothing else.

There is no text in a specification, no colour, no limit, no tick, no number: all of these come from the
table. So whoever has the signed table and the specification draws the figure again, and knows that it shows
the table and only that. A specification that comes from elsewhere is parsed strictly: an unknown key, kind,
choice or column, or one too many, is an error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

from p4dp_sdk.locale import Language
from p4dp_sdk.wire.messages import N_
from p4dp_sdk.wire.publication import Column, Statement, canonical

VERSION: Final = 1
MAX_BYTES: Final = 16 * 1024
MOST_LETTERS: Final = 200  # of a name or label that is drawn


class BadSpec(ValueError):
    """Not a specification, or not one of this table. Says what is wrong; never quotes the table."""


class Kind(StrEnum):
    BAR = "bar"
    LINE = "line"
    HISTOGRAM = "histogram"
    PYRAMID = "pyramid"
    HEATMAP = "heatmap"
    FUNNEL = "funnel"
    FOREST = "forest"
    KAPLAN_MEIER = "kaplan-meier"
    FLOW_CHART = "flow-chart"


class Part(StrEnum):
    """What a column is drawn as."""

    CATEGORY = "category"
    VALUES = "values"
    AGE = "age"
    SEX = "sex"
    ROWS = "rows"
    COLUMNS = "columns"
    NUMERATOR = "numerator"
    DENOMINATOR = "denominator"
    ESTIMATE = "estimate"
    LOW = "low"
    HIGH = "high"
    TIME = "time"
    SURVIVAL = "survival"
    AT_RISK = "at-risk"
    GROUP = "group"
    STEP = "step"
    COUNT = "count"
    EXCLUDED = "excluded"


class Choice(StrEnum):
    """What may be asked besides. A choice that is not made has its usual value."""

    HORIZONTAL = "horizontal"
    LOG = "log"  # a logarithmic axis around 1
    RISING = "rising"  # a cumulative incidence, from 0
    SMOOTH = "smooth"  # straight lines in place of steps
    UNTITLED = "untitled"  # without the table's title, which is the person's own words


@dataclass(frozen=True)
class Form:
    """What a kind needs, may have, and offers. `many` parts take several columns."""

    needed: tuple[Part, ...]
    optional: tuple[Part, ...] = ()
    many: Mapping[Part, int] = field(default_factory=dict)
    choices: frozenset[Choice] = frozenset()


_NAMES: Final = 5  # groups that name a row together
_SERIES: Final = 6  # numbers side by side: as many as there are colours
_NAMED = {Part.CATEGORY: _NAMES}
_NAMED_SERIES = {Part.CATEGORY: _NAMES, Part.VALUES: _SERIES}
_INTERVAL = (Part.ESTIMATE, Part.LOW, Part.HIGH)

FORMS: Final[Mapping[Kind, Form]] = {
    Kind.BAR: Form((Part.CATEGORY, Part.VALUES), (), _NAMED_SERIES, frozenset({Choice.HORIZONTAL})),
    Kind.LINE: Form((Part.CATEGORY, Part.VALUES), (), _NAMED_SERIES),
    Kind.HISTOGRAM: Form((Part.CATEGORY, Part.VALUES), (), _NAMED),
    Kind.PYRAMID: Form((Part.AGE, Part.SEX, Part.VALUES)),
    Kind.HEATMAP: Form((Part.ROWS, Part.COLUMNS, Part.VALUES)),
    Kind.FUNNEL: Form((Part.CATEGORY, Part.NUMERATOR, Part.DENOMINATOR), (), _NAMED),
    Kind.FOREST: Form((Part.CATEGORY, *_INTERVAL), (), _NAMED, frozenset({Choice.LOG})),
    Kind.KAPLAN_MEIER: Form(
        (Part.TIME, Part.SURVIVAL),
        (Part.LOW, Part.HIGH, Part.AT_RISK, Part.GROUP),
        choices=frozenset({Choice.RISING, Choice.SMOOTH}),
    ),
    Kind.FLOW_CHART: Form((Part.STEP, Part.COUNT, Part.EXCLUDED)),
}
_OF_NUMBERS: Final = frozenset(
    {Part.VALUES, Part.NUMERATOR, Part.DENOMINATOR, *_INTERVAL, Part.SURVIVAL, Part.AT_RISK, Part.COUNT}
) | {Part.EXCLUDED}


@dataclass(frozen=True)
class Spec:
    """One figure. `columns` are names of the table; `language` is that of the words around the numbers."""

    kind: Kind
    columns: Mapping[Part, tuple[str, ...]]
    choices: frozenset[Choice] = frozenset()
    language: Language = Language.FRENCH

    def __post_init__(self) -> None:
        _check_form(self)

    @property
    def content(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "kind": self.kind.value,
            "columns": {part.value: list(names) for part, names in sorted(self.columns.items())},
            "choices": sorted(choice.value for choice in self.choices),
            "language": self.language.value,
        }

    def to_json(self) -> bytes:
        return canonical(self.content)

    @classmethod
    def from_json(cls, document: bytes | str) -> Self:
        """Raises BadSpec for anything that is not exactly of this form."""
        if len(document) > MAX_BYTES:
            raise BadSpec(N_("the specification of the figure is too long"))
        try:
            return cls.from_content(json.loads(document))
        except (ValueError, RecursionError) as problem:
            raise problem if isinstance(problem, BadSpec) else BadSpec(_NO_SPEC) from None

    @classmethod
    def from_content(cls, content: Any) -> Self:
        """Raises BadSpec."""
        try:
            return cls(**_read(content))
        except BadSpec:
            raise
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise BadSpec(_NO_SPEC) from None

    def one(self, part: Part) -> str:
        """The one column of `part`; an empty name where an optional part has none."""
        return self.columns[part][0] if part in self.columns else ""


_NO_SPEC: Final = N_("this is not the specification of a figure")
_KEYS: Final = frozenset({"version", "kind", "columns", "choices", "language"})


def _read(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict) or set(content) != _KEYS or content["version"] != VERSION:
        raise BadSpec(_NO_SPEC)
    columns = {Part(part): _names(names) for part, names in content["columns"].items()}
    choices = [Choice(choice) for choice in _names(content["choices"])]
    return {
        "kind": Kind(content["kind"]),
        "columns": columns,
        "choices": frozenset(choices),
        "language": Language(content["language"]),
    }


def _names(names: Any) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadSpec(_NO_SPEC)
    return tuple(names)


def _check_form(spec: Spec) -> None:
    form, parts = FORMS[spec.kind], set(spec.columns)
    if not set(form.needed) <= parts <= {*form.needed, *form.optional}:
        raise BadSpec(N_("the figure lacks a column, or has one that its kind does not draw"))
    if any(
        not 1 <= len(set(names)) == len(names) <= form.many.get(p, 1) for p, names in spec.columns.items()
    ):
        raise BadSpec(N_("the figure has too many columns"))
    if not spec.choices <= form.choices | {Choice.UNTITLED}:
        raise BadSpec(N_("the figure offers no such choice"))


def check_table(spec: Spec, statement: Statement) -> None:
    """Raises BadSpec unless `spec` can be drawn of the table: its columns are there, numbers where numbers
    are drawn, and no text is longer than a figure bears."""
    known = {column.name: column for column in statement.columns}
    for part, names in spec.columns.items():
        for name in names:
            if name not in known:
                raise BadSpec(N_("the table has no such column"))
            if part in _OF_NUMBERS and not _is_number(known[name]):
                raise BadSpec(N_("a number is drawn of a column that holds none"))
    texts = [*known, *(cell for row in statement.rows for cell in row if isinstance(cell, str))]
    if any(len(text) > MOST_LETTERS for text in texts):
        raise BadSpec(N_("a label of the table is too long for a figure"))


def _is_number(column: Column) -> bool:
    return column.shape.value in ("integer", "number")
