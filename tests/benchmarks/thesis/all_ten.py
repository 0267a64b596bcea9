"""The ten questions, their numbers made comparable, and the lines that each takes.

A question is a module: its docstring asks it in French; `sdk(ws)` is what an intern writes, `by_pandas(f)`
and `SQL` what somebody with the raw tables would. Lines are counted as ruff formats them, without blank
lines, comments, docstrings and the line of `def`; what a question takes from `by_hand` counts with it.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from types import ModuleType
from typing import Any, Final

import pandas as pd

from tests.benchmarks.thesis import (
    antibiotiques,
    antidepresseurs,
    avc,
    benzodiazepines,
    bpco,
    by_hand,
    diabete,
    hba1c,
    ipp,
    polymedication,
    statines,
)

QUESTIONS: Final = (
    bpco, ipp, hba1c, statines, diabete, avc, antibiotiques, polymedication, benzodiazepines, antidepresseurs,
)  # fmt: skip


def name(question: ModuleType) -> str:
    return question.__name__.rsplit(".", 1)[-1]


def comparable(frame: pd.DataFrame, question: ModuleType) -> list[tuple[Any, ...]]:
    """Rows in the order of their keys; a group without patients is none."""
    keys = list(question.KEYS)
    numbers = [column for column in frame if column not in keys]
    rows = frame[frame[numbers[0]] > 0]
    return sorted(
        (
            *(str(row[key]) for key in keys),
            *((number, int(row[number])) for number in sorted(numbers)),
        )
        for row in rows.to_dict("records")
    )


def body(function: Any) -> str:
    """The statements of a function, as they stand in the file."""
    lines = inspect.getsource(function).splitlines()
    statements = ast.parse(textwrap.dedent("\n".join(lines))).body[0]
    assert isinstance(statements, ast.FunctionDef)
    return textwrap.dedent("\n".join(lines[statements.body[0].lineno - 1 :]))


def counted(text: str) -> int:
    """Lines that say something."""
    return sum(1 for line in text.splitlines() if line.strip() and not line.strip().startswith("#"))


def lines(question: ModuleType) -> tuple[int, int, int]:
    """Of the SDK, pandas, SQL."""
    pandas = inspect.getsource(question.by_pandas)
    helpers = [f for f in (by_hand.entered, by_hand.followed) if f"{f.__name__}(" in pandas]
    return (
        counted(body(question.sdk)),
        sum(counted(body(f)) for f in (question.by_pandas, *helpers)),
        counted(question.SQL),
    )


def on_the_page(question: ModuleType) -> str:
    """What an intern types into a cell: `return` becomes a question that is asked."""
    text = body(question.sdk)
    code, returned = text.rsplit("return ", 1)
    return f"{code}resultat = {returned.strip()}\nresultat.execute()\n"
