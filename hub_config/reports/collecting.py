"""Out of the folder that a run could write: regular files of a known name, up to a size, and nothing else.

The folder is hostile: a file may be a link to a key, a pipe that never ends, or the size of the disk. It is
opened once, each file below it without following a link, and is what it is by the open file, not by its name.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal, assert_never

from hub_config.governance.notebooks.facts import Output, OutputKind
from hub_config.governance.report_runs.texts import ReportProblem, Text
from hub_config.governance.services import service_of

NOTEBOOK: Final = "report.ipynb"
HTML: Final = "report.html"
PROGRESS: Final = "progress"
OUTPUTS: Final = ("work", "sorties")
"""Where a notebook writes what it leaves: `sorties`, in the folder that it runs in."""
MOST_ENTRIES: Final = 1_000
SHOWN: Final = 20
LONGEST_NAME: Final = 80
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
    if not _is_the_runs_own(os.fstat(handle), os.fstat(folder)):
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


def _is_the_runs_own(found: os.stat_result, folder: os.stat_result) -> bool:
    """A regular file, by one name alone, of whom the folder is."""
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid == folder.st_uid


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


@dataclass(frozen=True)
class Left:
    """What a run wrote into its folder of outputs: the files that were declared and are of their kind; those
    declared that are not there, or are something else; and names of what nobody declared, `more` beyond."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    lacking: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()
    more: int = 0

    @property
    def dropped(self) -> int:
        return len(self.undeclared) + self.more


def declared(folder: int, outputs: Sequence[Output], limit: int) -> Left:
    """Of the run's folder. Nothing is asked of a file but its bytes; no link is followed on the way to it."""
    with ExitStack() as stack:
        for name in OUTPUTS:
            try:
                folder = stack.enter_context(_below(folder, name))
            except OSError:
                return Left(lacking=tuple(output.name for output in outputs))
        files: dict[str, bytes] = {}
        for output in outputs:
            content = _taken(folder, output, limit - sum(map(len, files.values())))
            if content is not None:
                files[output.name] = content
        undeclared, more = _others(folder, {output.name for output in outputs})
    lacking = tuple(output.name for output in outputs if output.name not in files)
    return Left(files, lacking, undeclared, more)


def _taken(folder: int, output: Output, limit: int) -> bytes | None:
    try:
        content = read_file(folder, output.name, limit)
    except NotUsable:
        return None
    return content if content is not None and _fits(output.kind, content) else None


def _fits(kind: OutputKind | None, content: bytes) -> bool:
    """Whether the bytes are of the kind that was declared; what they say, the airlock's checks read."""
    match kind:
        case OutputKind.PNG:
            return content.startswith(b"\x89PNG\r\n\x1a\n")
        case OutputKind.JSON:
            return _is_text(content) and _is_json(content)
        case OutputKind.CSV | OutputKind.MARKDOWN | OutputKind.TEXT:
            return _is_text(content)
        case None:
            return False
        case _:
            assert_never(kind)


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def _others(folder: int, known: Collection[str]) -> tuple[tuple[str, ...], int]:
    """Names as one may print them; they are the notebook's words."""
    with os.scandir(folder) as entries:
        found = [entry.name for entry in islice(entries, MOST_ENTRIES) if entry.name not in known]
    return tuple(_printed(name)[:LONGEST_NAME] for name in sorted(found)[:SHOWN]), max(0, len(found) - SHOWN)


@contextmanager
def _below(folder: int, name: str) -> Iterator[int]:
    handle = os.open(name, _FLAGS | os.O_DIRECTORY, dir_fd=folder)
    try:
        yield handle
    finally:
        os.close(handle)


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
    return _printed(f"{output.get('evalue') or output.get('ename') or ''}"[:LONGEST_MESSAGE], "\n")


def _printed(text: str, also: str = "") -> str:
    return "".join(sign if sign.isprintable() or sign in also else "·" for sign in text)


def _not_usable(name: str) -> NotUsable:
    return NotUsable(
        Text(
            "Ce que l'exécution a laissé sous le nom {name} n'est pas un fichier ordinaire de ce genre : "
            "rien n'en est repris. Le modèle est à relire.",
            "What the run left as {name} is no ordinary file of its kind: nothing of it is taken. Have the "
            "template reviewed.",
        ).fill(name=name)
    )
