"""Every command that a page shows is run: in its order, in a home of its own, with the outcome the page
shows.

A `sh` block is a script. In a `console` block `$ ` begins a command, and what follows is its output, in
which `…` stands for anything. What starts the whole enclave, or wants a server of its own, is run by other
tests: `ELSEWHERE` names them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .conftest import Desk
from .markdown import ROOT, Block, blocks, pages

SHELL = ("sh", "console", "bash", "shell")


@dataclass(frozen=True)
class Elsewhere:
    """A test, or a script, that runs the command; `words` are how its file, or its conftest, says it."""

    file: str
    words: str
    test: str = ""
    starts_an_enclave: bool = True


_STARTING = Elsewhere(
    "tests/journeys/test_stopping.py",
    '["make", "up"]',
    "test_ctrl_c_leaves_nothing_and_a_second_start_keeps_everything",
)
_ON_A_SERVER = Elsewhere(
    "tests/services/gateway/test_postgresql.py",
    '"warehouse", "publish", "1"',
    "test_the_how_to_leads_to_a_published_snapshot",
    starts_an_enclave=False,
)
ELSEWHERE = {
    "make up": _STARTING,
    "P4DP_PORT=9000 make up": _STARTING,
    "p4dp-enclave status": Elsewhere(
        "tests/services/hub/test_enclave.py", '"status"', "test_status_says_what_runs"
    ),
    "p4dp-enclave report run prise-en-main --project modeles-rachid -p code_diagnostic=K86": Elsewhere(
        "tests/services/hub/test_enclave.py",
        '"report", "run", "prise-en-main", "--project", "modeles-rachid", "-p", "code_diagnostic=K86"',
        "test_a_report_runs_without_a_person",
    ),
    "make test": Elsewhere(".ci/run", "make test"),
    "p4dp-enclave warehouse publish 1": _ON_A_SERVER,
    "p4dp-enclave warehouse unpublish 1 --yes": _ON_A_SERVER,
}


@dataclass(frozen=True)
class Command:
    """What a page tells to type, and the output it shows, if any."""

    block: Block
    text: str
    shown: str

    @property
    def tried_elsewhere(self) -> bool:
        return self.text in ELSEWHERE


def commands(block: Block) -> Iterator[Command]:
    if block.language != "console":
        yield Command(block, block.text.strip(), "")
        return
    assert block.text.startswith("$ "), f"{block.where}: a console block begins with a command"
    for part in re.split(r"^\$ ", block.text, flags=re.M)[1:]:
        lines = part.splitlines()
        typed = 1 + next((i for i, line in enumerate(lines) if not line.endswith("\\")), 0)
        yield Command(block, "\n".join(lines[:typed]), "\n".join(lines[typed:]).strip())


def of_page(page: Path) -> list[Command]:
    return [command for block in blocks(page, *SHELL) for command in commands(block)]


def as_pattern(shown: str) -> re.Pattern[str]:
    """Output as a page shows it: runs of spaces are alike, `…` is anything."""
    words = r"\s+".join(re.escape(word) for word in shown.split())
    return re.compile(words.replace("…", r".*?"), re.S)


WITH_COMMANDS = [page for page in pages() if of_page(page)]


def test_pages_with_commands_are_found() -> None:
    names = {str(page.relative_to(ROOT)) for page in WITH_COMMANDS}
    assert {"README.md", "docs/how-to/load-data.md", "docs/how-to/run-an-enclave.md"} <= names


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.stem)
def test_the_commands_of_a_page_work(page: Path, desk: Desk) -> None:
    for command in of_page(page):
        if command.tried_elsewhere:
            continue
        done = desk.run(command.text)
        assert done.returncode == 0, f"{command.block.where}\n{command.text}\n{done.stdout}{done.stderr}"
        said = done.stdout + done.stderr
        assert as_pattern(command.shown).search(said), f"{command.block.where}: not what it shows:\n{said}"


def test_a_command_that_fails_is_noticed(desk: Desk) -> None:
    assert desk.run("p4dp-enclave project show nobody; true").returncode != 0


def test_an_output_that_differs_is_noticed() -> None:
    assert as_pattern("Intact: … events").search("Intact: 12 events in 1 segments.")
    assert not as_pattern("Intact: … events").search("BROKEN at event 3")


def test_what_is_tried_elsewhere_is_shown_by_a_page() -> None:
    shown = {command.text for page in WITH_COMMANDS for command in of_page(page)}
    assert set(ELSEWHERE) <= shown


@pytest.mark.parametrize("command", ELSEWHERE)
def test_what_is_tried_elsewhere_is_tried_there(command: str) -> None:
    where = ELSEWHERE[command]
    file = ROOT / where.file
    content = file.read_text(encoding="utf-8")
    beside = file.with_name("conftest.py")
    assert where.words in content + (beside.read_text(encoding="utf-8") if beside.exists() else "")
    if where.test:
        functions = {node.name for node in ast.walk(ast.parse(content)) if isinstance(node, ast.FunctionDef)}
        assert where.test in functions
        marked = re.search(r"^pytestmark = .*\bpytest\.mark\.enclave\b", content, flags=re.M)
        assert bool(marked) is where.starts_an_enclave
