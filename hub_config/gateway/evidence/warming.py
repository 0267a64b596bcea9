"""Facts of whole tables, found out before anybody asks: otherwise the first question on a column of a hundred
million rows would wait for them.

An answer is the same whether its facts were known or not: both find out the same, in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hub_config.gateway.engine import Session
from hub_config.gateway.evidence.fanout import STORED, highest_stored, most_stored
from hub_config.gateway.evidence.measurement import WHOLE
from hub_config.gateway.evidence.plain import limits_stored
from hub_config.gateway.evidence.repetition import Part, find_out, is_known_by
from p4dp_sdk.catalogue.model import Catalogue, Column, Role, Table, Unit


def warm(session: Session, catalogue: Catalogue, larger_than: int = WHOLE) -> None:
    """What questions to tables of more rows will want to know of patients, codes, years and numbers."""
    for table in _large(session, catalogue, larger_than):
        highest_stored(session, STORED)
        most_stored(session, table.name, STORED)
        for column in table.columns:
            _about(session, table, column)


def _large(session: Session, catalogue: Catalogue, larger_than: int) -> Iterable[Table]:
    """Tables about patients, the largest first: of them the first question would wait longest."""
    rows = session.stored_rows()
    names = sorted((name for name in rows if rows[name] > larger_than), key=lambda name: (-rows[name], name))
    tables = [catalogue.tables[name] for name in names if name in catalogue.tables]
    return [
        table
        for table in tables
        if table.unit is Unit.PERSON and session.stored_type(table.name, STORED) is not None
    ]


def _about(session: Session, table: Table, column: Column) -> None:
    for part in _parts(table, column):
        if is_known_by(session, part):
            find_out(session, part)
    if column.role is Role.NUMERIC:
        limits_stored(session, table.name, column.stored_as)


def _parts(table: Table, column: Column) -> Iterator[Part]:
    """What may be the key of a table: a code, or the year of a date."""
    if column.role in (Role.CODE, Role.DATE):
        yield Part(table.name, STORED, column.stored_as, year=column.role is Role.DATE)
