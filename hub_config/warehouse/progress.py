"""A bar on the terminal for long work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def progress(title: str) -> Iterator[Callable[..., None]]:
    """`report(step)` or `report(step, share_done, rows)` on a rich bar on the error stream, which tells the
    rows and their rate; the bar goes when the work is done."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=None)

        began = time.monotonic()

        def report(step: str, done: float | None = None, rows: int | None = None) -> None:
            pace = f" ({rows:,} rows, {rows / (time.monotonic() - began):,.0f}/s)" if rows else ""
            progress.update(task, description=f"{title}: {step}{pace}")
            if done is not None:
                progress.update(task, total=1.0, completed=done)

        yield report
