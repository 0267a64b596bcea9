"""The primary rules over arrays, as plain tables; and what must hold of any cells."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.disclosure.primary import Reason, applicable, failures, withheld

NOBODY_ELSEWHERE = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Cell:
    """One cell that passes; each test changes what it is about."""

    patients: int = 50
    physicians: int | None = 5
    outside: int | None = 30
    left_out: int = NOBODY_ELSEWHERE
    largest: float = 1.0
    second: float = 1.0
    total: float = 50.0
    physician_share: float = 0.3


class Arrays:
    """Cells as arrays."""

    def __init__(self, *cells: Cell) -> None:
        for name in Cell.__dataclass_fields__:
            values = [getattr(cell, name) for cell in cells]
            dtype = np.float64 if isinstance(getattr(Cell, name), float) else np.int64
            setattr(self, name, None if None in values else np.array(values, dtype=dtype))


FEW, GPS, TOP, ALL = Reason.FREQUENCY, Reason.PHYSICIANS, Reason.DOMINANCE, Reason.UNANIMITY


@pytest.mark.parametrize(
    ("cell", "magnitude", "reasons"),
    [
        (Cell(), False, set()),
        (Cell(), True, set()),
        (Cell(patients=11, total=11), False, set()),
        (Cell(patients=10, total=10), False, {FEW}),
        (Cell(patients=0, physicians=0, outside=0, largest=0, second=0, total=0), False, {FEW, GPS, TOP}),
        (Cell(physicians=2), False, {GPS}),
        (Cell(physicians=None, outside=None), False, set()),  # physicians are the unit
        (Cell(outside=10), False, {GPS}),
        (Cell(outside=11), False, set()),
        (Cell(outside=0), True, set()),  # of a magnitude, the share says it
        (Cell(physician_share=0.851), True, {TOP}),
        (Cell(physician_share=0.85), True, set()),
        (Cell(physician_share=1.0), False, set()),
        (Cell(left_out=10), False, {ALL}),
        (Cell(left_out=11), False, set()),
        (Cell(largest=1_000, second=1, total=1_049), False, {TOP}),  # one patient with 1,000 rows
        (Cell(largest=500, second=500, total=1_048), False, {TOP}),  # or two
        (Cell(largest=10, second=7.5, total=50), True, set()),
        (Cell(largest=np.nan, total=np.nan), True, {TOP}),
        (Cell(largest=np.inf, total=np.inf), True, {TOP}),
        (Cell(total=0.0, largest=0.0, second=0.0), True, {TOP}),
    ],
)
def test_one_rule_after_the_other(cell, magnitude, reasons):
    mask, found = withheld(Arrays(Cell(), cell), Policy(), magnitude=magnitude)
    assert found == reasons and mask.tolist() == [False, bool(reasons)]


def test_the_p_percent_rule_stands_beside_the_n_k_rule():
    """84 % in two hands pass (n,k); what is left must still blur the largest by a tenth."""
    cell = Cell(largest=60, second=24, total=100)
    assert not withheld(Arrays(cell), Policy(), magnitude=True)[0].any()
    assert withheld(Arrays(cell), Policy(p_percent=0.3), magnitude=True)[0].all()
    assert withheld(Arrays(cell), Policy(dominance_k=0.8), magnitude=True)[0].all()


COUNT = st.integers(0, 40)
CELL = st.builds(
    Cell, patients=COUNT, physicians=st.integers(0, 6), outside=COUNT, left_out=COUNT,
    largest=st.floats(0, 30), second=st.floats(0, 30), total=st.floats(0, 100),
    physician_share=st.floats(0, 1),
)  # fmt: skip


@settings(max_examples=200)
@given(CELL, st.booleans())
def test_weaker_evidence_never_shows_more(cell, magnitude):
    """Bounds that are looser on the side that withholds: samples and catalogue bounds rest on this."""
    weaker = [
        replace(cell, **{name: value})
        for name, value in {
            "patients": cell.patients - 1,
            "physicians": (cell.physicians or 0) - 1,
            "outside": (cell.outside or 0) - 1,
            "left_out": cell.left_out - 1,
            "largest": cell.largest * 1.5 + 1,
            "second": cell.second * 1.5 + 1,
            "physician_share": min(cell.physician_share + 0.1, 1.0),
        }.items()
    ]
    mask, _ = withheld(Arrays(cell, *weaker), Policy(), magnitude=magnitude)
    assert not mask[0] or mask.all()


@settings(max_examples=100)
@given(CELL, st.booleans())
def test_a_tighter_policy_never_shows_more(cell, magnitude):
    tight = Policy(
        min_patients=15,
        min_physicians=4,
        min_outside=14,
        max_physician_share=0.7,
        dominance_k=0.7,
        p_percent=0.2,
    )
    loose = failures(Arrays(cell), Policy(), magnitude=magnitude)
    strict = failures(Arrays(cell), tight, magnitude=magnitude)
    assert all((strict[reason] >= loose[reason]).all() for reason in Reason)


def test_the_rules_of_a_table_do_not_depend_on_its_cells():
    assert applicable(physicians=True, elsewhere=True) == tuple(Reason)
    assert applicable(physicians=False, elsewhere=False) == (FEW, TOP)
