r"""A result as a LaTeX table for `\input`: booktabs (Fear, "Publication quality tables in LaTeX") with its
notes below (threeparttable). For `\usepackage{booktabs,threeparttable}` and UTF-8 (any engine since 2018).

Every text is escaped: what a person wrote in a label is printed, never run.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from p4dp_sdk.cohorts.results.sheet import Line, Sheet

_ESCAPED: Final = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%",
    "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}", "[": "{[}", "]": "{]}", "-": "{-}", "≈": r"\ensuremath{\approx}",
    "≥": r"\ensuremath{\geq}", "≤": r"\ensuremath{\leq}", "±": r"\ensuremath{\pm}", "•": r"\textbullet{}",
    "–": r"\textendash{}", "—": r"\textemdash{}", "’": r"\textquoteright{}", "\u00a0": "~",
    "\u202f": r"\,", "\u2003": r"\quad{}",
}  # fmt: skip
_PLAIN_APOSTROPHE: Final = str.maketrans({"'": "’"})


def write_latex(sheet: Sheet, path: Path) -> Path:
    path.write_text(latex(sheet), encoding="utf-8", newline="\n")
    return path


def latex(sheet: Sheet) -> str:
    rows = [_row(sheet.headers[0], sheet.headers[1:]), r"\midrule", *map(_line, sheet.lines)]
    notes = [rf"\item {escaped(note.replace('`', ''))}" for note in sheet.notes]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            r"\begin{threeparttable}",
            rf"\caption{{{escaped(sheet.title)}}}",
            rf"\begin{{tabular}}{{l{'c' * (len(sheet.headers) - 1)}}}",
            r"\toprule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            *([r"\begin{tablenotes}\footnotesize", *notes, r"\end{tablenotes}"] if notes else []),
            r"\end{threeparttable}",
            r"\end{table}",
            "",
        ]
    )


def escaped(text: str) -> str:
    """`text` as LaTeX prints it, on one line; control characters are left out."""
    one_line = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text)
    return "".join(_ESCAPED.get(sign, sign) for sign in one_line.translate(_PLAIN_APOSTROPHE))


def _line(line: Line) -> str:
    return _row(line.label, line.cells, line.depth)


def _row(label: str, cells: tuple[str, ...], depth: int = 0) -> str:
    first = r"\quad{}" * depth + escaped(label)
    return " & ".join([f"{first or '{}'}", *(escaped(cell) for cell in cells)]) + r" \\"
