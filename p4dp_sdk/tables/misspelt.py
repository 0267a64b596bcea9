"""What newcomers write and Ibis or Python refuses in words of its own, told to a person: a column that a
table does not have; `and`, `or`, `not` between conditions; a cohort that is used as a table.

These are ordinary errors, which a notebook shows with a page of source. In a notebook such an error is shown
like those of the enclave; to a program it stays what it is. Every other error is shown as ever.
"""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from types import TracebackType
from typing import Any

from p4dp_sdk.errors import P4DPError, UnknownColumnError
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.messages import Explanation

_TRUTH = "The truth value of an Ibis expression is not defined"
_OF_IBIS = re.compile(r"Column '(?P<asked>.+)' is not found in table\. Existing columns: (?P<known>.+)\.")


class YesOrNoError(P4DPError):
    """Conditions were joined by Python's own words."""

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("“and”, “or” and “not” don't join conditions on a table."),
            _("Python would decide at once; the condition is answered in the enclave, for each patient."),
            _("Write & for and, | for or, ~ for not, each condition between brackets: (a) & ~(b)."),
        )


class CohortIsNoTableError(P4DPError):
    """A cohort was asked for what its relation offers."""

    def __init__(self, asked: str) -> None:
        super().__init__(asked)
        self.asked = asked

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("A cohort is a definition, and has no “{name}”.").format(name=self.asked),
            _("Its patients are a table of their own, made when it is asked for."),
            _("Write cohort.relation.{name}, or take cohort.attrition(), cohort.table_one(…).").format(
                name=self.asked
            ),
        )


def explain_mistakes(shell: Any) -> None:
    """Have `shell` (IPython's) explain these; not where it has a handler of errors already."""
    if not shell.custom_exceptions:
        shell.set_custom_exc((AttributeError, TypeError, ValueError), _show)


def explained(error: BaseException) -> P4DPError | None:
    """What to say instead of `error`; None where it is about something else."""
    if isinstance(error, ValueError) and str(error) == _TRUTH:
        return YesOrNoError()
    return _of_cohort(error) or unknown_column(error)


def _of_cohort(error: BaseException) -> P4DPError | None:
    from p4dp_sdk.cohorts import Cohort  # here, since what shows tables must not load Ibis

    if not isinstance(error, AttributeError) or not isinstance(error.obj, Cohort):
        return None
    asked = str(error.name)
    offered = asked in error.obj.columns or hasattr(error.obj.relation, asked)
    return CohortIsNoTableError(asked) if offered else None


def unknown_column(error: BaseException) -> UnknownColumnError | None:
    """What to say instead of `error`; None where it is about something else."""
    if isinstance(error, AttributeError) and (known := _columns(error.obj)):
        asked = str(error.name)
        is_method = not get_close_matches(asked, known) and get_close_matches(asked, dir(error.obj))
        return None if is_method else UnknownColumnError(asked, known)
    told = _OF_IBIS.fullmatch(str(error)) if type(error).__name__ == "IbisTypeError" else None
    return UnknownColumnError(told["asked"], re.findall(r"'([^']+)'", told["known"])) if told else None


def _columns(asked: object) -> tuple[str, ...]:
    """Those of an Ibis table, or of a table of the project, which is one; of anything else none."""
    is_ibis = any(kind.__module__.startswith("ibis.") for kind in type(asked).__mro__)
    return tuple(getattr(asked, "columns", ())) if is_ibis and hasattr(type(asked), "columns") else ()


def _show(
    shell: Any,
    kind: type[BaseException],
    error: Any,
    trace: TracebackType | None,
    tb_offset: int | None = None,
) -> None:
    told = None if os.environ.get("P4DP_TRACEBACK") else explained(error)
    if told is not None:
        error._render_traceback_ = told._render_traceback_
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset, running_compiled_code=True)
