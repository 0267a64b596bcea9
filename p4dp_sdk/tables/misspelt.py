"""A column that a table does not have, told to a person: which there are, and which is nearest.

Ibis raises an ordinary error there, which a notebook shows with a page of its own source. In a notebook such
an error is shown like those of the enclave; to a program it stays what it is. Every other error is shown as
ever.
"""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from types import TracebackType
from typing import Any

from p4dp_sdk.errors import UnknownColumnError

_OF_IBIS = re.compile(r"Column '(?P<asked>.+)' is not found in table\. Existing columns: (?P<known>.+)\.")


def explain_unknown_columns(shell: Any) -> None:
    """Have `shell` (IPython's) say which columns there are; not where it has a handler of errors already."""
    if not shell.custom_exceptions:
        shell.set_custom_exc((AttributeError, TypeError), _show)


def unknown_column(error: BaseException) -> UnknownColumnError | None:
    """What to say instead of `error`; None where it is about something else."""
    if isinstance(error, AttributeError) and (known := _columns(error.obj)):
        asked = str(error.name)
        is_method = not get_close_matches(asked, known) and get_close_matches(asked, dir(error.obj))
        return None if is_method else UnknownColumnError(asked, known)
    told = _OF_IBIS.fullmatch(str(error)) if type(error).__name__ == "IbisTypeError" else None
    return UnknownColumnError(told["asked"], re.findall(r"'([^']+)'", told["known"])) if told else None


def _columns(asked: object) -> tuple[str, ...]:
    """Those of an Ibis table; of anything else none."""
    is_ibis = type(asked).__module__.startswith("ibis.")
    return tuple(getattr(asked, "columns", ())) if is_ibis and hasattr(type(asked), "columns") else ()


def _show(
    shell: Any,
    kind: type[BaseException],
    error: Any,
    trace: TracebackType | None,
    tb_offset: int | None = None,
) -> None:
    told = None if os.environ.get("P4DP_TRACEBACK") else unknown_column(error)
    if told is not None:
        error._render_traceback_ = told._render_traceback_
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset, running_compiled_code=True)
