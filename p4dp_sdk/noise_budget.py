"""The privacy budget of noisy answers, as a person sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from p4dp_sdk.locale import translate as _


@dataclass(frozen=True)
class NoiseBudget:
    """`left` of `total` may still be spent on snapshot `snapshot`, at most `each` a question. It is the least
    of what the project and each of its members have left."""

    left: float
    total: float
    each: float
    snapshot: int

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> NoiseBudget:
        """As the gateway gives it. Keys that this version does not know are left alone."""
        return cls(**{name: document[name] for name in ("left", "total", "each", "snapshot")})

    def __str__(self) -> str:
        text = _("{left:g} of {total:g} left on snapshot {snapshot}, at most {each:g} a question")
        return text.format(left=self.left, total=self.total, each=self.each, snapshot=self.snapshot)

    def _repr_html_(self) -> str:
        return str(self)
