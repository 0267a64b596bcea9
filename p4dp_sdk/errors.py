"""What a person sees when the enclave says no: what, why and what to do next, in their language, without a
stack trace.

Notebooks and IPython use `_render_traceback_`; plain interactive Python uses the hook that `connect()`
installs. Set `P4DP_TRACEBACK=1` to see ordinary tracebacks. Texts are made when shown, from a code and names:
never from data.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import TracebackType

from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.explained import P4DPError, UnknownColumnError, UnknownNameError
from p4dp_sdk.wire.messages import Explanation
from p4dp_sdk.wire.refusals import explain

__all__ = [
    "BadClassesError",
    "BadQuantilesError",
    "EnclaveError",
    "NotGenuineError",
    "NotInWorkspaceError",
    "P4DPError",
    "UnknownBoundsError",
    "UnknownColumnError",
    "UnknownNameError",
    "WithheldWarning",
    "show_errors_plainly",
]


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


class UnknownCodeWarning(UserWarning):
    """A column was compared with a code that its code list does not have: nobody is found by it."""


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
