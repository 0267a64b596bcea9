"""What the desk takes for the request of a run."""

from __future__ import annotations

import pytest

from hub_config.reports.protocol import Request

SAID = {
    "project": "these-ines",
    "template": "tableau-de-bord",
    "sha256": "0" * 64,
    "parameters": {},
    "language": "fr",
    "seconds": 60,
    "operator": "root",
}


def test_a_request_is_read():
    assert Request.from_json(SAID).project == "these-ines"


@pytest.mark.parametrize(
    "project",
    [
        *("../these-ines", "a/b/c", "these-ines/..", "..", "Thèse", "these ines", "these-ines\n"),
        *("x" * 41, "-abc", 7, None),
    ],
)
def test_what_can_not_name_a_project_goes_no_further(project):
    """It would become a folder, and a user of the hub."""
    with pytest.raises((ValueError, TypeError)):
        Request.from_json({**SAID, "project": project})


@pytest.mark.parametrize(
    "said", [{"seconds": 0}, {"seconds": True}, {"parameters": []}, {"language": "de"}, {"more": 1}]
)
def test_a_request_of_another_form_goes_no_further(said):
    with pytest.raises((ValueError, TypeError)):
        Request.from_json(SAID | said)
