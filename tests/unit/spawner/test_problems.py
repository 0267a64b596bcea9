"""Every way a workspace does not start has its words, in both languages, and its cause leads to the right
ones.
"""

from __future__ import annotations

import errno

import pytest

from hub_config.spawner.gateway import GatewaySilent
from hub_config.spawner.problems import Problem, Refused, text_for
from hub_config.spawner.spawner import _problem_of


@pytest.mark.parametrize("problem", Problem)
def test_each_problem_is_told_in_french_and_in_english(problem: Problem) -> None:
    assert text_for(problem, "fr") != text_for(problem, "en")
    for language in ("fr", "en"):
        refused = Refused(problem, language)
        assert refused.message == text_for(problem, language)
        assert 400 <= refused.status_code < 600


@pytest.mark.parametrize(
    ("cause", "problem"),
    [
        (OSError(errno.ENOSPC, "full"), Problem.DISK_FULL),
        (OSError(errno.EDQUOT, "quota"), Problem.DISK_FULL),
        (PermissionError(errno.EACCES, "closed"), Problem.HOME_UNUSABLE),
        (GatewaySilent("no answer"), Problem.GATEWAY_SILENT),
    ],
)
def test_a_cause_has_its_problem(cause: Exception, problem: Problem) -> None:
    assert _problem_of(cause) is problem
