"""A sum of cells that an earlier table told: an equation for whoever reads this one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hub_config.gateway.suppression import codec
from p4dp_sdk.disclosure.hypercube import Kind, Known, Limits, Quantity, Status, TableProblem, Tree
from p4dp_sdk.disclosure.secondary import suppress

VALUES = np.array([220, 5, 50, 55, 55, 55])  # the total, and five classes


def problem(*sums: Known) -> TableProblem:
    status = np.where(VALUES < 11, Status.PRIMARY, Status.SAFE).astype(np.int8)
    counts = Quantity("n", Kind.COUNT, VALUES.astype(float), status, VALUES)
    codes = np.arange(6)[:, None]
    return TableProblem((Tree("class", (-1, 0, 0, 0, 0, 0)),), codes, (counts,), sums=sums)


def withheld(*sums: Known) -> set[int]:
    return set(np.flatnonzero(suppress(problem(*sums), Limits()).withheld["n"]).tolist())


def test_one_more_of_what_is_known_together_is_withheld() -> None:
    """The first two were 55 in an earlier table: were 50 shown, so would be the 5."""
    for together in ((1, 2), (1, 3), (1, 4, 5)):
        hidden = withheld(Known("n", together))
        assert 1 in hidden and len(hidden & set(together)) > 1


def test_several_sums_hold_together() -> None:
    hidden = withheld(Known("n", (1, 2)), Known("n", (3, 4)))
    assert ({1, 2} <= hidden and 0 not in hidden) or hidden >= {0, 1, 2}


@pytest.mark.parametrize("sums", [(), (Known("n", (1, 2)),)])
def test_the_worker_is_told(sums: tuple[Known, ...]) -> None:
    head, arrays = codec.of_problem(problem(*sums), Limits())
    again, _ = codec.to_problem(*codec.unpack(codec.pack(head, arrays)))
    assert again.sums == sums
    assert replace(again, sums=()).dims == problem().dims
