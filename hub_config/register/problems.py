"""What the register refuses, as exceptions that the pages put into words."""

from __future__ import annotations

from hub_config.register.form import Problems
from hub_config.register.rules import Denial


class RegisterProblem(Exception):
    """Nothing was changed."""


class Denied(RegisterProblem):
    """A rule says no, and which."""

    def __init__(self, denial: Denial) -> None:
        super().__init__(denial.value)
        self.denial = denial


class NoSuch(RegisterProblem):
    """There is no such dossier or project, or none this person may know of."""


class Stale(RegisterProblem):
    """Somebody, perhaps the same person in another tab, changed it since this page was read."""


class Unfit(RegisterProblem):
    """What was sent has flaws: one a field."""

    def __init__(self, problems: Problems) -> None:
        super().__init__(", ".join(sorted(problems)))
        self.problems = problems
