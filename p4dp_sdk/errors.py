"""What a person sees when the enclave says no: what, why and what to do next, in their language, without a
stack trace.

Notebooks and IPython use `_render_traceback_`; plain interactive Python uses the hook that `connect()`
installs. Set `P4DP_TRACEBACK=1` to see ordinary tracebacks. Texts are made when shown, from a code and names:
never from data.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
import traceback
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import TracebackType

from p4dp_sdk import markup
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.messages import Explanation, explain

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
        return markup.heading(what) + "".join(map(markup.paragraph, rest))

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


class EnclaveError(P4DPError):
    """The enclave refused or failed. `code` says how (a closed list); `params` name the table, column or
    limit meant."""

    def __init__(
        self, code: ErrorCode, params: Mapping[str, str | int] | None = None, *, request_id: str | None = None
    ) -> None:
        super().__init__(code.value)
        self.code = code
        self.params = dict(params or {})
        self.request_id = request_id

    @classmethod
    def of(cls, refusal: Refusal) -> EnclaveError:
        return cls(refusal.code, refusal.params)

    @property
    def explanation(self) -> Explanation:
        return explain(self.code, self.params, _)

    @property
    def reference(self) -> str:
        if not self.request_id:
            return self.code.value
        return _("{code}, request {number}").format(code=self.code.value, number=self.request_id)


class NotInWorkspaceError(P4DPError):
    """`connect()` was called where there is no gateway socket or token: not in a workspace of the enclave."""

    def __init__(self, variable: str) -> None:
        super().__init__(variable)
        self.variable = variable

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("This is not a workspace of the enclave."),
            _("The environment variable {variable}, which every workspace has, is not set.").format(
                variable=self.variable
            ),
            _("Open the enclave's address, start your project's workspace and run this notebook there."),
        )


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


class BadClassesError(P4DPError, ValueError):
    """Class edges that would overlap or leave a hole."""

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("These class limits can't be used."),
            _("Classes must not overlap: limits are whole numbers, each larger than the one before."),
            _("For example: p4dp.age_bands(p.age, [18, 40, 65])."),
        )


class BadQuantilesError(P4DPError, ValueError):
    """Quantiles outside of what can be protected."""

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("These quantiles can't be asked."),
            _("A quantile is a share between 0 and 1; a minimum or a maximum is one person's value."),
            _("For example: p4dp.quantiles(p.age, at=[0.25, 0.5, 0.75])."),
        )


class UnknownBoundsError(P4DPError, ValueError):
    """Classes were asked of a column for which the catalogue gives no bounds."""

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("The limits of the classes can't be guessed here."),
            _("Only a plain numeric column of the catalogue has known bounds."),
            _("Give the limits: p4dp.histogram(column, edges=[18.5, 25, 30])."),
        )


class NotGenuineError(P4DPError, ValueError):
    """A file or document is no publication table that the enclave signed, or no longer."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("This is not a publication table as the enclave signed it: {problem}.").format(
                problem=_(self.problem)
            ),
            _("Whoever reads a table must be able to rely on every number of it."),
            _("Save the table anew with to_csv, to_excel or to_arrow, or publish it again."),
        )


class WithheldWarning(UserWarning):
    """A single number was withheld: `<NA>` was returned."""


def show_errors_plainly() -> None:
    """In plain interactive Python, show our errors without a stack trace; leave other errors as they were."""
    before = sys.excepthook
    if not hasattr(sys, "ps1") or getattr(before, "of_p4dp", False):
        return

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, P4DPError):
            print("\n".join(error._render_traceback_()), file=sys.stderr)
        else:
            before(kind, error, trace)

    hook.of_p4dp = True  # type: ignore[attr-defined]
    sys.excepthook = hook
