"""What is wrong with a mapping, and on which line of its file. Pure: text and keys in, a message out."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from hub_config.warehouse.problems import WarehouseProblem

_NAME: Final = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_NAMES: Final = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_TABLE: Final = re.compile(rf"\s*(\[\[?)\s*({_NAMES})\s*\]\]?\s*(?:#.*)?$")
_KEY: Final = re.compile(rf"\s*({_NAMES})\s*=")


class MappingProblem(WarehouseProblem):
    """The mapping can't be used: one line a fault, each with the key it is at, and where `text`, the
    mapping's file, is known, the line."""

    def __init__(self, origin: str, faults: Mapping[str, str], text: str = "") -> None:
        lines = lines_of(text)
        told = [f"  {_place(lines, key)}{key}: {why}" for key, why in faults.items()]
        super().__init__(f"Mapping {origin} can't be used. Correct it and load again:\n" + "\n".join(told))


def lines_of(text: str) -> dict[str, int]:
    """The line of each table and key that has one, by its path: blocks of `[[rows]]` count from 0."""
    try:
        there = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}
    found: dict[str, int] = {}
    for path, line in _written(text, there):
        found.setdefault(".".join(path), line)
    return found


def _place(lines: Mapping[str, int], key: str) -> str:
    """The line of `key`; of what it is missing from or written within, where it has none of its own."""
    parts = key.split(".")
    for end in range(len(parts), 0, -1):
        if line := lines.get(".".join(parts[:end])):
            return f"line {line}, "
    return ""


def _written(text: str, there: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], int]]:
    """What only looks like a table or key, within a list of several lines, leads nowhere."""
    blocks: Counter[tuple[str, ...]] = Counter()
    table: tuple[str, ...] = ()
    for line, said in enumerate(text.splitlines(), start=1):
        path: tuple[str, ...] = ()
        if begun := _TABLE.match(said):
            path = _within(blocks, _apart(begun[2]))
            if begun[1] == "[[":
                blocks[path] += 1
                path = (*path, str(blocks[path] - 1))
        elif key := _KEY.match(said):
            path = (*table, *_apart(key[1]))
        if path and _leads_somewhere(there, path):
            table = path if begun else table
            yield path, line


def _within(blocks: Mapping[tuple[str, ...], int], names: Sequence[str]) -> tuple[str, ...]:
    """`rows.columns` is of the last `[[rows]]` before it."""
    path: tuple[str, ...] = ()
    for name in names:
        if path in blocks:
            path = (*path, str(blocks[path] - 1))
        path = (*path, name)
    return path


def _apart(names: str) -> tuple[str, ...]:
    return tuple(name.strip("\"'") for name in re.findall(_NAME, names))


def _leads_somewhere(there: Any, path: Sequence[str]) -> bool:
    for part in path:
        if isinstance(there, list):
            if not part.isdecimal() or int(part) >= len(there):
                return False
            there = there[int(part)]
        elif isinstance(there, dict) and part in there:
            there = there[part]
        else:
            return False
    return True
