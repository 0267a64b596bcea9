"""docs/reference/attacks.md: what the attacks of one run achieved. Written on demand (`--write-attacks`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from tests.attacks.arena import Line
from tests.attacks.population import PEOPLE, PHYSICIANS

PAGE: Final = Path(__file__).parents[2] / "docs/reference/attacks.md"
_HEAD: Final = f"""# Attacks

How often each attack of `tests/attacks` was right in one run against a real gateway, on a planted population
of {PEOPLE:,} patients of {PHYSICIANS} GPs: with its defence taken out, and for real. In brackets: a 99 %
interval. *Guessing* is who does not look. *Questions* is how many were asked for real, about many victims at
once. What is more than guessing, and why, stands in
[what is protected](../explanation/what-is-protected.md#how-well-it-holds); what protection costs, in
[the figures](figures.md). Not promises: more questions wear noise down further.

"""


def report(lines: Sequence[Line]) -> str:
    measured = f"Measured {date.today().isoformat()} by `pytest tests/attacks --write-attacks`."
    rows = [_row(attack, [line for line in lines if line.attack == attack]) for attack in _attacks(lines)]
    head = ("attack", "defence out", "right without it", "right for real", "guessing", "questions")
    table = [" | ".join(row) for row in (head, ["---"] * len(head), *rows)]
    return _HEAD + measured + "\n\n" + "".join(f"| {row} |\n" for row in table)


def _attacks(lines: Iterable[Line]) -> list[str]:
    return sorted({line.attack for line in lines})


def _row(attack: str, lines: Sequence[Line]) -> Sequence[str]:
    out = next((line for line in lines if line.out), None)
    real = next((line for line in lines if not line.out), None)
    said = attack.replace("_", " ")
    return (
        said,
        ", ".join(out.out) if out else "",
        f"{out.score.rate:.2f}" if out else "",
        _measured(real) if real else "",
        f"{(real or out or lines[0]).score.base:.2f}",
        str(real.asked) if real else "",
    )


def _measured(line: Line) -> str:
    low, high = line.score.interval()
    return f"{line.score.rate:.2f} [{low:.2f}, {high:.2f}]"
