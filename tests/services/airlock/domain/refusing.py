"""What the airlock answers to an act that it refuses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hub_config.airlock.texts import AirlockProblem, Problem


def problem(act: Callable[[], object]) -> Problem:
    with pytest.raises(AirlockProblem) as caught:
        act()
    return caught.value.problem
