"""What the operator is told. One message a problem, no stack trace."""

from __future__ import annotations

from hub_config.governance.problems import GovernanceProblem
from p4dp_sdk.catalogue.code_lists import BadCodeList, explain_flaw


class CodeListProblem(GovernanceProblem):
    """A list or a table that can't be taken as it is. Nothing was kept."""

    @classmethod
    def of(cls, bad: BadCodeList) -> CodeListProblem:
        return cls(str(explain_flaw(bad)))
