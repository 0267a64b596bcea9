"""What a cell needs before it is shown. A frozen value, passed explicitly; the place's floors can't be
undercut."""

from __future__ import annotations

from dataclasses import dataclass

FLOOR_PATIENTS = 11
FLOOR_PHYSICIANS = 3


@dataclass(frozen=True)
class Policy:
    """Thresholds of one project. Stricter than the floors is fine; looser raises ValueError.

    `max_cells` caps the cells of one released table, shown or not.
    """

    min_patients: int = FLOOR_PATIENTS
    min_physicians: int = FLOOR_PHYSICIANS
    max_cells: int = 100_000

    def __post_init__(self) -> None:
        if self.min_patients < FLOOR_PATIENTS or self.min_physicians < FLOOR_PHYSICIANS:
            raise ValueError(
                f"a policy needs ≥ {FLOOR_PATIENTS} patients and ≥ {FLOOR_PHYSICIANS} physicians a cell"
            )
        if self.max_cells < 1:
            raise ValueError("a policy needs room for at least one cell")
