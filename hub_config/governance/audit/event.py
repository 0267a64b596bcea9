"""What one audit event may say: who, what, in which project, from where, how it ended, and a few bounded
scalars. Pure, but for the place, which is that of the door where it is made.

Names of tables and columns, counts of rows, codes of refusals, the text of a query: yes. A value of the
data: never, and nothing here could tell one, so callers pass only what they computed themselves.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hub_config.governance.audit.place import current_place, printable

Scalar = str | int | bool | None

MAX_DETAILS = 32
MAX_NAME = 200
MAX_TEXT = 8_192
_WHAT = re.compile(r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*")
_DETAIL = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Decision(StrEnum):
    ALLOWED = "allowed"
    REFUSED = "refused"  # by a rule
    FAILED = "failed"  # by an error


@dataclass(frozen=True)
class AuditEvent:
    """One thing that happened. `what` is a dotted name such as `project.approve` or `query`.

    Details are text, whole numbers, truth values or None; a float is refused (its text is not canonical: use
    milliseconds). A text longer than MAX_TEXT is cut, with its length and SHA-256 in its place. Raises
    ValueError or TypeError.
    """

    who: str
    what: str
    project: str | None
    decision: Decision
    details: Mapping[str, Scalar] = field(default_factory=dict)
    where: str | None = field(default_factory=current_place)

    def __post_init__(self) -> None:
        if not _WHAT.fullmatch(self.what):
            raise ValueError(
                f"audit event {self.what!r}: a dotted lower-case name is expected, such as project.approve"
            )
        if not self.who or len(self.who) > MAX_NAME or len(self.project or "") > MAX_NAME:
            raise ValueError(f"audit event {self.what}: who and project take 1 to {MAX_NAME} characters")
        if len(self.details) > MAX_DETAILS:
            raise ValueError(f"audit event {self.what}: at most {MAX_DETAILS} details")
        object.__setattr__(self, "decision", Decision(self.decision))
        object.__setattr__(self, "where", printable(self.where))
        object.__setattr__(
            self, "details", {name: _scalar(name, value) for name, value in self.details.items()}
        )


def _scalar(name: str, value: object) -> Scalar:
    if not _DETAIL.fullmatch(name):
        raise ValueError("audit event: the name of a detail is a lower-case identifier")
    match value:
        case None | bool():
            return value
        case int() if abs(value) < 2**53:
            return int(value)
        case str():
            return _bounded(str(value))
        case _:
            raise TypeError(
                f"audit detail {name}: text, a whole number under 2^53, a truth value or None is expected"
            )


def _bounded(text: str) -> str:
    if len(text) <= MAX_TEXT:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{text[:MAX_TEXT]}… [cut: {len(text)} characters, sha256 {digest}]"
