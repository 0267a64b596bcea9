"""docs/reference/figures.md and pages like it: each benchmark writes its own section and leaves the others as
they are."""

from __future__ import annotations

import os
import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[2] / "docs/reference/figures.md"
_HEAD: Final = (
    "# Figures\n\nFrom `make bench`; each section says when and on what it was measured. Not promises.\n\n"
)
TURNS: Final = 5


def replaced(text: str, title: str, body: str, head: str = _HEAD) -> str:
    """The page `text` with the section `title` new, in its old place or at the end."""
    parts = re.split(r"^(?=## )", text, flags=re.M)[1:]
    section = f"## {title}\n\n{body.strip()}\n\n"
    places = [i for i, part in enumerate(parts) if part.startswith(f"## {title}\n")]
    if places:
        parts[places[0]] = section
    else:
        parts.append(section)
    return (head + "".join(part.rstrip() + "\n\n" for part in parts)).rstrip() + "\n"


@contextmanager
def section(title: str, page: Path = PAGE, head: str = _HEAD) -> Iterator[list[str]]:
    """Lines of the section `title` of `page`, which begins with `head`, written when the block ends well."""
    lines: list[str] = []
    yield lines
    measured = f"{date.today().isoformat()}, {os.cpu_count()} cores."
    text = page.read_text() if page.exists() else ""
    page.write_text(replaced(text, title, "\n".join([measured, "", *lines]), head))


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """A table as Markdown, followed by an empty line."""
    listed = [head, ["---"] * len(head), *rows]
    return [*("| " + " | ".join(map(str, row)) + " |" for row in listed), ""]


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_turn(
    *works: Callable[[], object],
    turns: int = TURNS,
    measure: Callable[[Callable[[], object]], float] = seconds,
) -> list[float]:
    """The median of each, measured one after the other again and again, after a first run of each that is
    not counted."""
    return [statistics.median(times) for times in measured(*works, turns=turns, measure=measure)]


def measured(
    *works: Callable[[], object],
    turns: int = TURNS,
    measure: Callable[[Callable[[], object]], float] = seconds,
) -> list[tuple[float, ...]]:
    """The same, every turn of each."""
    for work in works:
        work()
    return list(zip(*([measure(work) for work in works] for _ in range(turns)), strict=True))
