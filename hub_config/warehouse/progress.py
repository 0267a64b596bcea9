"""A bar on the terminal for long work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def progress(title: str) -> Iterator[Callable[..., None]]:
    """`report(step)` or `report(step, share_done)` on a rich bar on the error stream; the bar goes when the
    work is done."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=None)

        def report(step: str, done: float | None = None) -> None:
            progress.update(task, description=f"{title}: {step}")
            if done is not None:
                progress.update(task, total=1.0, completed=done)

        yield report
