r"""Tables written in LaTeX: `tabular` and its like, row by row, as `\\` and `&` cut them. Pure.

Commands are taken off, their last argument kept; nothing is typeset. A macro of the author's own may hide a
number, so a file that defines commands is told; one that reads or writes files, or runs programs, is stopped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from hub_config.airlock.checks.inside.disclosure.grid import Grid, grid_of
from hub_config.airlock.checks.inside.found import Notes
from hub_config.governance.releases.findings import Rule, Severity

_MOST_TABLES: Final = 30
_BEGIN: Final = re.compile(r"\\begin\{(tabular[x*y]?|longtable|tabulary|array|tblr)\}")
_ROW_END: Final = re.compile(r"\\\\(?:\[[^\]]{0,20}\])?|\\tabularnewline\b")
_CUT: Final = re.compile(r"(?<!\\)&")
_RULES: Final = re.compile(
    r"\\(hline|toprule|midrule|bottomrule|endhead|endfirsthead|endfoot|endlastfoot|centering|small)\b"
    r"|\\(cline|cmidrule|addlinespace)(\([a-z]*\))?(\{[^}]*\}|\[[^\]]*\])?"
)
_MULTI: Final = re.compile(r"\\multi(?:column|row)\s*\{[^}]*\}\s*\{[^}]*\}")
_COMMAND: Final = re.compile(r"\\[a-zA-Z]+\*?(?:\[[^\]]{0,80}\])?")
_REMARK: Final = re.compile(r"(?<!\\)%.*")
_DEFINES: Final = re.compile(r"\\(def|(re)?newcommand|csname|let)(?![a-zA-Z])")
_RUNS: Final = re.compile(
    r"\\(input|include|verbatiminput|write18|openin|openout|read|immediate|catcode|directlua|ShellEscape)(?![a-zA-Z])"
)


def check_latex(text: str, notes: Notes) -> None:
    if "\\" not in text:
        return
    if _RUNS.search(text):
        notes.add(Rule.ACTIVE_CONTENT, Severity.BLOCKING, what="commands that read files or run programs")
    elif _DEFINES.search(text) and _BEGIN.search(text):
        notes.add(Rule.ACTIVE_CONTENT, Severity.WARNING, what="commands of its own")


def latex_tables(text: str) -> Iterator[Grid]:
    """Each table of a text, its header the first row."""
    for count, begin in enumerate(_BEGIN.finditer(text)):
        if count >= _MOST_TABLES:
            return
        end = text.find(f"\\end{{{begin[1]}}}", begin.end())
        body = text[_after_columns(text, begin.end()) : end if end >= 0 else len(text)]
        rows = [_cells(row) for row in _ROW_END.split(_REMARK.sub("", body))]
        rows = [row for row in rows if any(row)]
        if len(rows) > 1:
            line = text.count("\n", 0, begin.start()) + 1
            yield grid_of(rows[0], rows[1:], first_row=line + 1, line=line)


def _after_columns(text: str, at: int) -> int:
    """Behind the braces and brackets that say how columns are set."""
    depth = 0
    while at < len(text) and (depth or text[at] in "{[ \n"):
        depth += (text[at] in "{[") - (text[at] in "}]")
        at += 1
    return at


def _cells(row: str) -> list[str]:
    return [_plain(cell) for cell in _CUT.split(_RULES.sub(" ", row))]


def _plain(cell: str) -> str:
    bare = _NAMED.sub(lambda match: _NAMES.get(match[1], " "), _MULTI.sub("", cell))
    bare = bare.replace(r"\%", "%").replace(r"\&", "&").replace("~", " ").replace(r"\,", " ")
    bare = _SIGN.sub(lambda match: _SIGNS.get(match[1] or "", ""), bare)
    return " ".join(re.sub(r"[{}$]", "", _COMMAND.sub(" ", bare)).split())


_NAMED: Final = re.compile(r"\\(?:ensuremath\{\\)?(text[a-z]+|approx|geq?|leq?|pm)(?:\{\}|\}|(?![a-z{]))")
_NAMES: Final = {
    "textless": "<", "textgreater": ">", "textbullet": "•", "textendash": "–", "textemdash": "—",
    "textbar": "|", "textquoteright": "’", "approx": "≈", "geq": "≥", "ge": "≥", "leq": "≤", "le": "≤",
    "pm": "±",
}  # fmt: skip
_SIGN: Final = re.compile(r"\$\s*(<|>|\\leq?|\\geq?|\\pm|\\times)?\s*\$?")
_SIGNS: Final = {"<": "<", ">": ">", r"\le": "≤", r"\leq": "≤", r"\ge": "≥", r"\geq": "≥", r"\pm": "±"}
