"""The floors of a policy, and what a stricter one may say."""

from __future__ import annotations

import pytest

from p4dp_sdk.disclosure.policy import Policy


@pytest.mark.parametrize(
    ("patients", "physicians", "cells"), [(10, 3, 1), (0, 3, 1), (-1, 3, 1), (11, 2, 1), (11, 3, 0)]
)
def test_the_floors_can_not_be_undercut(patients, physicians, cells):
    with pytest.raises(ValueError, match="must lie"):
        Policy(min_patients=patients, min_physicians=physicians, max_cells=cells)


def test_a_project_may_be_stricter():
    assert Policy(min_patients=20, min_physicians=5).min_patients == 20
