"""Why a step with a registered notebook is refused; the page has the words."""

from __future__ import annotations

from enum import StrEnum

from hub_config.governance.problems import GovernanceProblem


class Why(StrEnum):
    NOT_A_NOTEBOOK = "not-a-notebook"
    TOO_LONG = "too-long"
    RAW_CELL = "raw-cell"
    HIDDEN = "hidden-characters"
    DATA_ADDRESS = "data-address"
    PARAMETERS = "parameters"
    NAME = "name"
    NAME_TAKEN = "name-taken"
    PURPOSE = "purpose"
    OUTPUTS = "outputs"
    NO_ROWS = "no-rows"
    ROWS_WITHOUT_OUTPUTS = "rows-without-outputs"
    TOO_MANY = "too-many"
    REASON = "reason"
    STEP = "step"
    OWN = "own"


class BadNotebook(GovernanceProblem):
    """`line`: which line of the declared outputs, or cell of the notebook, it is about; 0 for none."""

    def __init__(self, why: Why, line: int = 0) -> None:
        super().__init__(f"Refused: {why.value}.")
        self.why, self.line = why, line
