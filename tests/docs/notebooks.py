"""Template notebooks as scripts that one can write, read and compare, and their one normal form on disk.

    PYTHONPATH=tests/docs python -m notebooks show templates_notebooks/these.ipynb > these.py
    PYTHONPATH=tests/docs python -m notebooks write these.py templates_notebooks/these.ipynb
    PYTHONPATH=tests/docs python -m notebooks fix          (all of templates_notebooks, in place)

A script has the "percent" form that editors know: `# %%` opens a code cell, `# %% [parameters]` the one with
the parameters, `# %% [markdown]` a text, each line of which follows a `# `. On disk a notebook is sorted,
without outputs or counters, on the workspace's kernel; a cell keeps its id while it keeps its text or its
place.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).parents[2] / "templates_notebooks"
PARAMETERS = "parameters"
_MARK = "# %%"
_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


@dataclass(frozen=True)
class Cell:
    """A cell of a template. `tags` are those of its metadata; texts have none."""

    text: str
    is_code: bool = True
    tags: tuple[str, ...] = ()
    id: str = ""

    @property
    def content(self) -> tuple[bool, str]:
        return self.is_code, self.text


def read(path: Path) -> list[Cell]:
    """The cells of a notebook on disk."""
    return [_cell(each) for each in json.loads(path.read_text(encoding="utf-8"))["cells"]]


def from_script(script: str) -> list[Cell]:
    """The cells of a percent script, without ids."""
    cells: list[tuple[str, list[str]]] = []
    for line in script.splitlines():
        if line.startswith(_MARK):
            cells.append((line.removeprefix(_MARK).strip(), []))
        elif cells:
            cells[-1][1].append(line)
    return [_from_lines(kind, lines) for kind, lines in cells]


def to_script(cells: Iterable[Cell]) -> str:
    return "\n\n".join(_as_lines(cell) for cell in cells) + "\n"


def named(cells: Sequence[Cell], before: Sequence[Cell] = ()) -> list[Cell]:
    """The cells with ids: those of `before` where the text or the place is the same, else of their text."""
    kept = list(_kept(cells, before))
    taken = {name for name in kept if name}
    made = []
    for cell, name in zip(cells, kept, strict=True):
        chosen = name or _fresh(cell, taken)
        taken.add(chosen)
        made.append(replace(cell, id=chosen))
    return made


def normal(cells: Iterable[Cell]) -> str:
    """The bytes of a notebook, as text."""
    notebook = {
        "cells": [_as_json(cell) for cell in cells],
        "metadata": _METADATA,
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def normalised(path: Path) -> str:
    """What `path` holds, in the normal form; outputs and counters are dropped."""
    return normal(named(read(path), read(path)))


# -- parts ------------------------------------------------------------------------------------------------


def _cell(stored: Mapping[str, Any]) -> Cell:
    tags = tuple(stored.get("metadata", {}).get("tags", ()))
    return Cell("".join(stored["source"]), stored["cell_type"] == "code", tags, stored.get("id", ""))


def _from_lines(kind: str, lines: list[str]) -> Cell:
    if kind == "[markdown]":
        text = "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines)
        return Cell(text.strip("\n"), is_code=False)
    tags = tuple(kind.strip("[]").split(",")) if kind else ()
    return Cell("\n".join(lines).strip("\n"), tags=tags)


def _as_lines(cell: Cell) -> str:
    if cell.is_code:
        tags = f" [{','.join(cell.tags)}]" if cell.tags else ""
        return f"{_MARK}{tags}\n{cell.text}"
    return "\n".join([f"{_MARK} [markdown]", *(f"# {line}".rstrip() for line in cell.text.splitlines())])


def _kept(cells: Sequence[Cell], before: Sequence[Cell]) -> Iterator[str]:
    """For each cell the id that it has already, or nothing."""
    matcher = SequenceMatcher(a=[c.content for c in before], b=[c.content for c in cells], autojunk=False)
    found = [""] * len(cells)
    for kind, a, a_end, b, b_end in matcher.get_opcodes():
        if kind in ("equal", "replace"):
            for old, new in zip(range(a, a_end), range(b, b_end), strict=False):
                found[new] = before[old].id if before[old].is_code == cells[new].is_code else ""
    return iter(found)


def _fresh(cell: Cell, taken: set[str]) -> str:
    digest = hashlib.sha256(cell.text.encode()).hexdigest()
    return next(digest[at : at + 8] for at in range(len(digest) - 8) if digest[at : at + 8] not in taken)


def _as_json(cell: Cell) -> dict[str, Any]:
    body = {
        "cell_type": "code" if cell.is_code else "markdown",
        "id": cell.id,
        "metadata": {"tags": list(cell.tags)} if cell.tags else {},
        "source": cell.text.splitlines(keepends=True),
    }
    return {**body, "execution_count": None, "outputs": []} if cell.is_code else body


def main(arguments: Sequence[str]) -> int:
    match arguments:
        case ["show", path]:
            sys.stdout.write(to_script(read(Path(path))))
        case ["write", script, path]:
            target = Path(path)
            before = read(target) if target.exists() else []
            target.write_text(normal(named(from_script(Path(script).read_text("utf-8")), before)), "utf-8")
        case ["fix"]:
            for path in sorted(TEMPLATES.glob("*.ipynb")):
                path.write_text(normalised(path), "utf-8")
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
