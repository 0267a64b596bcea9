"""A quiet sign of life: nothing for one second, then the seconds a query has taken, wiped when it ends."""

from __future__ import annotations

import contextvars
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from p4dp_sdk.locale import translate as _

PATIENCE_SECONDS = 1.0

Show = Callable[[str], None]


@contextmanager
def progress(show: Show | None = None, *, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """While the block runs, `show` a line once a second; at the end an empty one if any was shown."""
    done = threading.Event()
    ticker = threading.Thread(
        target=contextvars.copy_context().run,  # keeps a notebook's output in the cell that asked
        args=(_tick, show or where_people_look(), done, patience),
        daemon=True,
    )
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()


def _tick(show: Show, done: threading.Event, patience: float) -> None:
    start = time.monotonic()
    if done.wait(patience):
        return
    while True:
        show(_("Computing on the server… {seconds} s").format(seconds=round(time.monotonic() - start)))
        if done.wait(1.0):
            break
    show("")


def where_people_look() -> Show:
    """Writes one line, and over it the next; nowhere where output goes to a file."""
    if "ipykernel" in sys.modules:
        return _in_notebook()
    return _on_terminal if sys.stderr.isatty() else _nowhere


def _in_notebook() -> Show:
    from IPython.display import DisplayHandle

    handle: Any = DisplayHandle()  # type: ignore[no-untyped-call]
    shown = False

    def show(line: str) -> None:
        nonlocal shown
        content = {"text/plain": line, "text/html": f"<em>{line}</em>" if line else ""}
        (handle.update if shown else handle.display)(content, raw=True)
        shown = True

    return show


def _on_terminal(line: str) -> None:
    sys.stderr.write(f"\r\x1b[2K{line}")
    sys.stderr.flush()


def _nowhere(line: str) -> None:
    """Output goes to a file or a pipe: progress would only litter it."""
