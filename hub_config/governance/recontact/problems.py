"""Why a step of re-contact is refused; the page and the gateway have the words."""

from __future__ import annotations

from enum import StrEnum

from hub_config.governance.problems import GovernanceProblem


class Why(StrEnum):
    NO_KEY = "no-key"
    NO_REQUEST = "no-request"
    NO_PRACTICE = "no-practice"
    BAD_KEY = "bad-key"
    FINGERPRINT = "fingerprint"
    OTHERS_GP = "others-gp"
    OWN = "own"
    STEP = "step"
    REASON = "reason"
    TEXT = "text"
    NOT_GRANTED = "not-granted"
    TOO_MANY_OPEN = "too-many-open"
    TOO_MANY_A_YEAR = "too-many-a-year"
    OUTDATED = "outdated"


class BadRecontact(GovernanceProblem):
    def __init__(self, why: Why) -> None:
        super().__init__(f"Refused: {why.value}.")
        self.why = why
