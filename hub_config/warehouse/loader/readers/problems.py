"""What stops the reading of a file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

from hub_config.warehouse.problems import WarehouseProblem

_LONG: Final = 1 << 16  # bytes that nobody looks through by eye


class SourceProblem(WarehouseProblem):
    """A source file can't be loaded. The message names file and line, never what stands there."""


def at(name: str, line: int, why: str, *, last: int = 0, byte: int = 0) -> SourceProblem:
    """`last` is given where the line is only known to lie between the two. `byte` is where in the line, which
    is told of a long one: a whole export may stand on it."""
    place = f"lines {line} to {last}" if last > line else f"line {line}"
    place += f", about byte {byte:,} of it" if byte > _LONG and last <= line else ""
    return SourceProblem(f"{name}, {place}: {why}")


def nearest(wanted: str, names: Iterable[str]) -> str:
    """A question after a new name, where one is near; empty otherwise."""
    near = near_name(wanted, names)
    return f" Is it now called {near!r}?" if near else ""


def near_name(wanted: str, names: Iterable[str]) -> str | None:
    """The name that is most like the wanted one, whatever its case, spaces and dashes; none where none is.

    Only such a name is ever said: of a file without a header the first row would be the names.
    """
    folded = {_folded(name): name for name in names}
    near = difflib.get_close_matches(_folded(wanted), folded, n=1)
    return folded[near[0]] if near else None


def _folded(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
