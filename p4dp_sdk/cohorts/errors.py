"""What is wrong with a cohort's definition, in words that a physician understands: what, why, what to do.

Raised while the cohort is written, before any question leaves the notebook. Texts are English templates
(gettext ids), translated when shown; blanks hold names that the person wrote, never data.
"""

from __future__ import annotations

from p4dp_sdk.errors import P4DPError
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.messages import Explanation


class CohortError(P4DPError, ValueError):
    """A definition that can't be understood, or that would mislead."""

    def __init__(self, what: str, why: str, step: str, **names: object) -> None:
        super().__init__(what.format(**names))
        self._texts = (what, why, step)
        self.names = names

    @property
    def explanation(self) -> Explanation:
        return Explanation(*(_(text).format(**self.names) for text in self._texts))
