"""How tables and texts met inside documents are checked: as those that stand alone."""

from __future__ import annotations

from collections.abc import Sequence

from hub_config.airlock.checks.inside.checkers.text import text_found
from hub_config.airlock.checks.inside.disclosure.grid import grid_of
from hub_config.airlock.checks.inside.disclosure.tables import table_found
from hub_config.airlock.checks.inside.found import Found, Order


def check_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], order: Order) -> Found:
    return table_found(grid_of(header, rows, first_row=1, title=title), order)


def check_lines(title: str, lines: Sequence[str], order: Order) -> Found:
    return text_found("\n".join(lines), order, title=title)
