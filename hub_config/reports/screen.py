"""Progress by cell: a bar on a terminal, one plain line a step elsewhere.

What is shown are the template's own headings, never a word of the box.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from hub_config.governance.report_runs.texts import Language, Text
from hub_config.reports.collecting import Step

_STARTING = Text("ouverture du bac à sable…", "opening the sandbox…")


class Screen(Protocol):
    def show(self, step: Step) -> None: ...


@contextmanager
def screen_for(steps: Sequence[str], language: Language) -> Iterator[Screen]:
    """`steps`: the heading of each code cell."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        console.print(_STARTING.say(language), soft_wrap=True)
        yield _Lines(console, steps)
        return
    columns = (SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as shown:
        yield _Bar(shown, steps, _STARTING.say(language))


class _Lines:
    def __init__(self, console: Console, steps: Sequence[str]) -> None:
        self.console, self.steps = console, steps

    def show(self, step: Step) -> None:
        if step.state == "running":
            where = f"[{step.cell + 1}/{len(self.steps)}]"
            self.console.print(f"{where} {self.steps[step.cell]}", markup=False, soft_wrap=True)


class _Bar:
    def __init__(self, shown: Progress, steps: Sequence[str], first: str) -> None:
        self.shown, self.steps = shown, steps
        self.task = shown.add_task(first, total=len(steps))

    def show(self, step: Step) -> None:
        done = step.cell + (step.state != "running")
        self.shown.update(self.task, completed=done, description=escape(self.steps[step.cell]))
