"""Whether staged rows are what catalogue and mapping require: Pandera decides, on DuckDB through Ibis.

Pandera tells for each check which rows fail, by their place in the table; a row is set aside under the first
requirement it breaks, in the order in which they are declared. Its messages and failure cases hold values of
the data: they are never read, printed or kept. No environment variable switches validation off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, assert_never

import duckdb
import ibis
import numpy as np
import pandera.ibis as pandera
import pyarrow as pa
import pyarrow.compute as pc
from ibis.backends.duckdb import Backend
from pandera.config import ValidationDepth, config_context
from pandera.errors import SchemaErrors

from hub_config.warehouse.loader.requirements import (
    Holds,
    Known,
    Needed,
    Readable,
    Requirement,
    Within,
    asked_of,
    text_of,
)

_MOST_CODES: Final = 500  # a longer list is looked up as the value is read; whether it was found is checked


class ValidationBroken(RuntimeError):
    """A check could not be carried out: nothing may be believed. No value of the data is in the message."""


class _Repeating(Backend):  # type: ignore[misc]
    """DuckDB through Ibis, which writes the SQL of a check once: each batch is asked the same."""

    @cached_property
    def _written(self) -> dict[tuple[Any, Any], str]:
        return {}

    def compile(self, expr: Any, /, *, limit: Any = None, **more: Any) -> str:
        if any(more.values()):
            return str(super().compile(expr, limit=limit, **more))
        said = (expr.op(), limit)  # by its form and the columns of its tables
        if said not in self._written:
            self._written[said] = super().compile(expr, limit=limit)
        return self._written[said]


@dataclass(frozen=True)
class Validation:
    """Requirements of the rows of one staged table, in the order in which they count."""

    requirements: tuple[Requirement, ...]

    def broken(self, connection: duckdb.DuckDBPyConnection, table: str) -> Any:
        """An Arrow table with the `place` of each bad row of `table`, counted from 0, and the position of the
        first requirement it breaks (`broken`)."""
        staged = self._asking(connection).table(table)
        places, ranks = [], []
        for rank, failing in sorted(self._failures(staged), key=lambda each: each[0]):
            places.append(failing)
            ranks.append(np.full(len(failing), rank, dtype=np.int32))
        return _first(places, ranks)

    def _asking(self, connection: duckdb.DuckDBPyConnection) -> Any:
        """The same for each batch of a load."""
        if connection not in self._askings:
            self._askings[connection] = _Repeating.from_connection(connection)
        return self._askings[connection]

    @cached_property
    def _askings(self) -> dict[duckdb.DuckDBPyConnection, Any]:
        return {}

    @cached_property
    def _schema(self) -> Any:
        checks: dict[str | None, list[Any]] = {name: [] for name in (None, *self._never_null)}
        for rank, requirement in enumerate(self.requirements):
            for name, check in _checks(rank, requirement):
                checks.setdefault(name, []).append(check)
        columns = {
            name: pandera.Column(nullable=name not in self._never_null, checks=of_it)
            for name, of_it in checks.items()
            if name is not None
        }
        return pandera.DataFrameSchema(columns, checks=checks[None])

    @cached_property
    def _never_null(self) -> dict[str, int]:
        return {
            text_of(each.name): rank
            for rank, each in enumerate(self.requirements)
            if isinstance(each, Needed) and not each.conditional
        }

    def _failures(self, staged: Any) -> Iterator[tuple[int, np.ndarray[Any, Any]]]:
        try:
            with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
                self._schema.validate(staged, lazy=True)
        except SchemaErrors as failed:
            errors = failed.schema_errors
        else:
            return
        for error in errors:
            yield self._failure(error)

    def _failure(self, error: Any) -> tuple[int, np.ndarray[Any, Any]]:
        output = error.check_output
        if not isinstance(output, ibis.Table | ibis.Column):
            raise ValidationBroken(f"A check of {error.schema.name!r} could not be carried out.")
        flags = output.to_pyarrow()
        if isinstance(flags, pa.Table):
            flags = flags.column(0)
        if error.check == "not_nullable":
            return self._never_null[error.schema.name], np.flatnonzero(_filled(flags, False))
        return int(error.check.name), np.flatnonzero(~_filled(flags, True))


def _checks(rank: int, requirement: Requirement) -> Iterator[tuple[str | None, Any]]:
    """The check, and the staged column it looks at; none where it relates columns. That a column may not be
    null is the column's own matter."""
    options: dict[str, Any] = {"name": str(rank), "n_failure_cases": 1}
    name = requirement.name
    match requirement:
        case Needed(conditional=False):
            return
        case Needed():
            yield None, pandera.Check(_given_where_asked(name), ignore_na=False, **options)
        case Readable():
            yield None, pandera.Check(_read_where_given(name), ignore_na=False, **options)
        case Known() if len(requirement.codes) > _MOST_CODES:
            yield None, pandera.Check(_read_where_given(name), ignore_na=False, **options)
        case Known():
            yield text_of(name), pandera.Check.isin(sorted(requirement.codes), **options)
        case Within():
            yield name, pandera.Check.in_range(requirement.low, requirement.high, **options)
        case Holds():
            yield name, pandera.Check.eq(True, **options)
        case _:
            assert_never(requirement)


def _given_where_asked(name: str) -> Callable[[Any], Any]:
    return lambda data: ~data.table[asked_of(name)] | data.table[text_of(name)].notnull()


def _read_where_given(name: str) -> Callable[[Any], Any]:
    return lambda data: data.table[name].notnull() | data.table[text_of(name)].isnull()


def _filled(flags: Any, by: bool) -> np.ndarray[Any, Any]:
    return np.asarray(pc.fill_null(flags, by)).astype(bool)


def _first(places: Sequence[Any], ranks: Sequence[Any]) -> Any:
    """Each place once, with its lowest rank; `places` come in the order of their ranks."""
    if not places:
        return pa.table({"place": pa.array([], pa.int64()), "broken": pa.array([], pa.int32())})
    place, first = np.unique(np.concatenate(places), return_index=True)
    return pa.table({"place": place.astype(np.int64), "broken": np.concatenate(ranks)[first]})
