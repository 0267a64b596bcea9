"""Out of the folder that a run could write: regular files of a known name, up to a size, and nothing else.

The folder is hostile: a file may be a link to a key, a pipe that never ends, or the size of the disk. It is
opened once, each file below it without following a link, and is what it is by the open file, not by its name.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from hub_config.governance.services import service_of
from hub_config.reports.texts import ReportProblem, Text

NOTEBOOK: Final = "report.ipynb"
HTML: Final = "report.html"
PROGRESS: Final = "progress"
LONGEST_PROGRESS: Final = 1024 * 1024
LONGEST_MESSAGE: Final = 2_000
_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

State = Literal["running", "done", "failed"]


class NotUsable(ReportProblem):
    """A run left something else than a file of its kind: it is not taken along."""

    exit_code = 1


@dataclass(frozen=True)
class Step:
    """Code cell `cell`, as the template counts them, began or ended."""

    state: State
    cell: int


def run_folder(homes: Path, project: str, run: str) -> Path:
    """Where the box of this run had its home."""
    return homes / project / service_of(project) / run


@contextmanager
def opened(folder: Path) -> Iterator[int]:
    """The run's folder, held open. Raises OSError."""
    handle = os.open(folder, _FLAGS | os.O_DIRECTORY)
    try:
        yield handle
    finally:
        os.close(handle)


def read_file(folder: int, name: str, limit: int) -> bytes | None:
    """The file, None where there is none. Raises NotUsable for a link, a pipe, or one over the limit."""
    try:
        handle = os.open(name, _FLAGS, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError:
        raise _not_usable(name) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _not_usable(name)
    with os.fdopen(handle, "rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise NotUsable(
            Text(
                "Le rapport est trop gros ({name} : plus de {limit} octets) : il n'est pas conservé. "
                "Réduisez "
                "les figures et les tableaux, ou relevez [reports] output_bytes dans enclave.toml.",
                "The report is too big ({name}: over {limit} bytes): it is not kept. Make figures and tables "
                "smaller, or raise [reports] output_bytes in enclave.toml.",
            ).fill(name=name, limit=limit)
        )
    return content


def progress(folder: int, already: int, steps: int) -> tuple[tuple[Step, ...], int]:
    """What is told after the first `already` lines, of a template with so many code cells; and how many lines
    there are now. Anything odd is passed over: it is shown, and nothing hangs on it."""
    try:
        content = read_file(folder, PROGRESS, LONGEST_PROGRESS)
    except NotUsable:
        return (), already
    lines = (content or b"").split(b"\n")[:-1]
    found = (_step(line, steps) for line in lines[already:])
    return tuple(step for step in found if step is not None), len(lines)


def failure(notebook: Mapping[str, Any]) -> tuple[int, str] | None:
    """Of an executed notebook: its first failed code cell, as the template counts them, and what it said."""
    number = -1
    for cell in notebook["cells"]:
        if not isinstance(cell, dict) or cell.get("cell_type") != "code" or _is_injected(cell):
            continue
        number += 1
        for output in cell.get("outputs", ()):
            if isinstance(output, dict) and output.get("output_type") == "error":
                return number, _message(output)
    return None


def parsed(content: bytes) -> Mapping[str, Any]:
    """The executed notebook. Raises NotUsable."""
    try:
        notebook = json.loads(content)
    except (ValueError, RecursionError):
        raise _not_usable(NOTEBOOK) from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise _not_usable(NOTEBOOK)
    return notebook


def remove(folder: Path) -> None:
    """Remove a run's folder; no link in it is followed."""
    shutil.rmtree(folder, ignore_errors=True)


def _step(line: bytes, steps: int) -> Step | None:
    try:
        said = json.loads(line)
        state, cell = said["state"], said["cell"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    known = state in ("running", "done", "failed") and type(cell) is int and 0 <= cell < steps
    return Step(state, cell) if known else None


def _is_injected(cell: Mapping[str, Any]) -> bool:
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return isinstance(tags, list) and "injected-parameters" in tags


def _message(output: Mapping[str, Any]) -> str:
    """What the kernel said, as one may print it on a terminal."""
    text = f"{output.get('evalue') or output.get('ename') or ''}"[:LONGEST_MESSAGE]
    return "".join(sign if sign.isprintable() or sign == "\n" else "·" for sign in text)


def _not_usable(name: str) -> NotUsable:
    return NotUsable(
        Text(
            "Ce que l'exécution a laissé sous le nom {name} n'est pas un fichier ordinaire de ce genre : "
            "rien n'en est repris. Le modèle est à relire.",
            "What the run left as {name} is no ordinary file of its kind: nothing of it is taken. Have the "
            "template reviewed.",
        ).fill(name=name)
    )
