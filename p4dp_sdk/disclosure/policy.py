"""What a cell needs before it is shown, and how it is shown. A frozen value, passed explicitly; the place's
floors can't be undercut, and what a document says must be known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, Final

FLOOR_PATIENTS = 11
FLOOR_PHYSICIANS = 3


class Method(StrEnum):
    """How a number of an exploration answer is blurred. One method per ledger: two would average out."""

    CELL_KEY = "cell-key"  # noise that sticks to the record set
    ROUNDING = "rounding"  # to a multiple of `rounding_base`


class BadPolicy(ValueError):
    """A policy that is unknown in part, contradicts itself or undercuts the floors. The message says which
    key."""


@dataclass(frozen=True)
class Policy:
    """Thresholds and methods of one project. Stricter than the floors is fine; looser raises BadPolicy.

    `max_physician_share`: of a magnitude, the most that one GP may make up. `min_outside`: of a count, the
    fewest patients outside the GP who has most of them. `dominance_n`, `dominance_k`: the n largest
    contributors may make up at most the share k (the (n,k) rule). `p_percent`: the total less the two largest
    must be at least this share of the largest (the p% rule). Both: Hundepool et al., Statistical Disclosure
    Control (Wiley 2012), § 4.2. `max_cells` caps one released table, `max_published_cells` a publication
    table; `max_descriptions`, how many descriptions may choose whom a publication table counts (ADR 0015).

    `noise_bound` and `noise_variance` shape the perturbation table of counts; `magnitude_scale` is the
    standard deviation of a sum's noise, and of that of a count of rows, in units of its largest contribution.
    `threshold_deviations`: in exploration a limit on people is met by their blurred number only, and with so
    many standard deviations of the noise to spare, so that a threshold is no oracle. `snap_radius` plus a
    keyed 0 to `snap_jitter` patients is "few" for the ledger; a difference within `snap_physicians` GPs is
    withheld.
    """

    min_patients: int = FLOOR_PATIENTS
    min_physicians: int = FLOOR_PHYSICIANS
    min_outside: int = FLOOR_PATIENTS
    max_physician_share: float = 0.85
    dominance_n: int = 2
    dominance_k: float = 0.85
    p_percent: float = 0.10
    max_cells: int = 100_000
    max_published_cells: int = 2_000
    max_descriptions: int = 24
    method: Method = Method.CELL_KEY
    noise_bound: int = 5
    noise_variance: float = 4.0
    magnitude_scale: float = 2.0
    threshold_deviations: float = 1.5
    rounding_base: int = 5
    snap_radius: int = 10
    snap_jitter: int = 5
    snap_physicians: int = 2

    def __post_init__(self) -> None:
        for name, (floor, ceiling) in RANGES.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not floor <= value <= ceiling:
                raise BadPolicy(f"{name} must lie between {floor:g} and {ceiling:g}; it is {value!r}")
        if not isinstance(self.method, Method):
            raise BadPolicy(f"method must be one of {', '.join(Method)}; it is {self.method!r}")
        if self.noise_variance > (most := self.noise_bound * (self.noise_bound + 1) / 3):
            raise BadPolicy(f"noise_variance can't exceed {most:g} where noise_bound is {self.noise_bound}")

    @property
    def margin(self) -> int:
        """By how many people a blurred number must be over its limit."""
        return math.ceil(self.threshold_deviations * math.sqrt(self.noise_variance))

    def certain(self) -> Policy:
        """This policy with limits so high that who meets them meets those of exploration, whatever the
        noise."""
        over = self.margin + self.noise_bound
        return replace(self, min_patients=self.min_patients + over, min_outside=self.min_outside + over)

    @classmethod
    def from_mapping(cls, document: Mapping[str, Any]) -> Policy:
        """A policy from its keys in a document. Raises BadPolicy on an unknown one."""
        return cls().tightened(document)

    def tightened(self, document: Mapping[str, Any]) -> Policy:
        """This policy with the stricter values of `document`. Raises BadPolicy where one is unknown, or
        looser."""
        typed = _typed(document)
        for name, value in typed.items():
            if _is_looser(name, value, getattr(self, name)):
                raise BadPolicy(
                    f"{name} {value!r} is looser than the site's {getattr(self, name)!r}; "
                    "it may only be stricter"
                )
        return replace(self, **typed)

    def strictest(self, document: Mapping[str, Any]) -> Policy:
        """This policy, with the values of `document` that are stricter: of a project that was founded before
        the site became stricter than it. Raises BadPolicy where a key is unknown."""
        typed = _typed(document)
        looser = {name for name, value in typed.items() if _is_looser(name, value, getattr(self, name))}
        return replace(self, **{name: typed[name] for name in typed.keys() - looser})


def _typed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a document, known ones only, with the method as a Method."""
    known = {field.name for field in fields(Policy)}
    if unknown := sorted(set(document) - known):
        raise BadPolicy(f"unknown policy key {unknown[0]!r}. Known: {', '.join(sorted(known))}")
    return {name: _method(value) if name == "method" else value for name, value in document.items()}


def _is_looser(name: str, value: Any, than: Any) -> bool:
    return name in _DIRECTION and isinstance(value, int | float) and _DIRECTION[name] * (value - than) < 0


def _method(name: object) -> Method:
    if name not in tuple(Method):
        raise BadPolicy(f"method must be one of {', '.join(Method)}; it is {name!r}")
    return Method(str(name))


RANGES: Final[Mapping[str, tuple[float, float]]] = {  # what each key may be: from, to
    "min_patients": (FLOOR_PATIENTS, 10**6),
    "min_physicians": (FLOOR_PHYSICIANS, 10**4),
    "min_outside": (FLOOR_PATIENTS, 10**6),
    "max_physician_share": (0.0, 0.85),
    "dominance_n": (2, 2),
    "dominance_k": (0.0, 0.85),
    "p_percent": (0.10, 1.0),
    "max_cells": (1, 10**6),
    "max_published_cells": (1, 6_000),
    "max_descriptions": (1, 24),  # at three a person, fewer people than `min_patients`
    "noise_bound": (5, 100),
    "noise_variance": (4.0, 2_500.0),
    "magnitude_scale": (1.0, 100.0),
    "threshold_deviations": (1.5, 10.0),
    "rounding_base": (5, 100),
    "snap_radius": (10, 30),  # sketches have 64 buckets: beyond, everything would be near to everything
    "snap_jitter": (5, 15),
    "snap_physicians": (2, 10),
}

_DIRECTION: Final[Mapping[str, int]] = {  # +1: stricter is more; -1: stricter is less
    **dict.fromkeys(
        (
            "min_patients", "min_physicians", "min_outside", "p_percent", "noise_bound", "noise_variance",
            "magnitude_scale", "threshold_deviations", "rounding_base", "snap_radius", "snap_jitter",
            "snap_physicians", "dominance_n",
        ),
        1,
    ),
    **dict.fromkeys(
            ("max_physician_share", "dominance_k", "max_cells", "max_published_cells", "max_descriptions"), -1
        ),
}  # fmt: skip
