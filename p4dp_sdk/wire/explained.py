"""Errors that explain themselves: what, why and what to do next, in the person's language, without a stack
trace. Words only (floor 0): made when shown, from names, never from data.
"""

from __future__ import annotations

import os
import re
import shutil
import textwrap
import traceback
from collections.abc import Iterable
from difflib import get_close_matches
from html import escape

from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.messages import Explanation

_GLUED = re.compile("(?<=«) | (?=[»:;?!])")  # the spaces at which French breaks no line
_NOTEBOOK_COLUMNS = 88  # beside the list of files on a laptop's screen
_BOLD_RED, _DIM, _PLAIN = "\x1b[1;31m", "\x1b[2m", "\x1b[0m"


class P4DPError(Exception):
    """An error with an explanation for people. Subclasses give `explanation` and, where there is one,
    `reference`."""

    @property
    def explanation(self) -> Explanation:
        raise NotImplementedError

    @property
    def reference(self) -> str:
        return ""

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        text = self.explanation
        lines = [
            text.what,
            _("Why: {reason}").format(reason=text.why),
            _("What to do: {step}").format(step=text.next),
        ]
        return [*lines, f"({self.reference})"] if self.reference else lines

    def _repr_html_(self) -> str:
        """For `display(error)`, where a program caught it."""
        what, *rest = self._lines()
        return f"<p><strong>{in_html(what)}</strong></p>" + "".join(
            f"<p>{in_html(line)}</p>" for line in rest
        )

    def _render_traceback_(self) -> list[str]:
        if os.environ.get("P4DP_TRACEBACK"):
            return traceback.format_exception(self)
        what, *rest = map(_wrapped, self._lines())
        return [
            f"{_BOLD_RED}{what}{_PLAIN}",
            *(_dimmed(line) if line.startswith("(") else line for line in rest),
        ]


def _wrapped(line: str) -> str:
    """`line` broken between words: a notebook breaks it anywhere."""
    width = shutil.get_terminal_size((_NOTEBOOK_COLUMNS, 24)).columns
    glued = _GLUED.sub("\u00a0", line)
    lines = textwrap.fill(glued, width, break_long_words=False, break_on_hyphens=False)
    return lines.replace("\u00a0", " ")


def _dimmed(line: str) -> str:
    return f"{_DIM}{line}{_PLAIN}"


class UnknownNameError(P4DPError, AttributeError, KeyError):
    """A table or code system that the project does not have; says which there are and which is nearest."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(name)
        self.asked = name
        self.known = sorted(known)

    @property
    def explanation(self) -> Explanation:
        near = get_close_matches(self.asked, self.known, n=1)
        hint = _("Did you mean “{name}”?").format(name=near[0]) + " " if near else ""
        return Explanation(
            _("“{name}” is not in this project's catalogue.").format(name=self.asked),
            _("Its name is misspelt, or the project was not granted it."),
            hint + _("There are: {names}.").format(names=", ".join(self.known) or "—"),
        )


class UnknownColumnError(UnknownNameError):
    """A column that a table does not have."""

    @property
    def explanation(self) -> Explanation:
        near = get_close_matches(self.asked, self.known, n=1)
        hint = _("Did you mean “{name}”?").format(name=near[0]) + " " if near else ""
        return Explanation(
            _("This table has no column “{name}”.").format(name=self.asked),
            _("Columns have the catalogue's names, which are English."),
            hint + _("There are: {names}.").format(names=", ".join(self.known) or "—"),
        )


def in_html(text: str) -> str:
    """`text` escaped; `names` between backticks are set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
