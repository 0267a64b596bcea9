"""When a file is what the enclave's own run left: by its bytes, its project, its run, its template."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hub_config.airlock.proofs.reproduced import Doubt, doubt, of_runs
from hub_config.airlock.proofs.standing import Standing
from hub_config.governance.facts import AccessLevel
from hub_config.governance.releases.facts import OutputClass
from hub_config.governance.releases.findings import Rule
from hub_config.governance.report_runs.facts import KeptFile, Outcome, RunFacts
from p4dp_sdk.disclosure.policy import Policy

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEMPLATES = {"essai": "a" * 64}
STANDING = Standing("these-ines", 3, Policy(), holders=False)
RUN = RunFacts(
    id="0a1b2c3d4e5f",
    project="these-ines",
    template="essai",
    sha256="a" * 64,
    approved=True,
    parameters='{"code":"K86","figer":false}',
    asked_by="operator:root",
    access=AccessLevel.AGGREGATE,
    snapshot=3,
    began=NOON,
    ended=NOON,
    outcome=Outcome.DONE,
    requests=("r-1",),
    files=(KeptFile("essai.html", "b" * 64, 10),),
)
NOT_GOOD = [
    (replace(RUN, project="modeles-rachid"), Doubt.OTHER_PROJECT),
    *((replace(RUN, outcome=each), Doubt.NOT_DONE) for each in Outcome if each is not Outcome.DONE),
    (replace(RUN, approved=False), Doubt.NOT_DONE),
    (replace(RUN, access=AccessLevel.MICRODATA), Doubt.NOT_DONE),
    (replace(RUN, access=AccessLevel.SANDBOX), Doubt.NOT_DONE),
    (replace(RUN, sha256="c" * 64), Doubt.NOT_APPROVED),
    (replace(RUN, template="retiré"), Doubt.NOT_APPROVED),
]


def test_a_file_of_a_good_run_is_reproduced_and_says_where_it_comes_from() -> None:
    found = of_runs([RUN], STANDING, TEMPLATES)
    assert found is not None and found.output_class is OutputClass.REPRODUCED
    assert found.rendering is None and found.findings == (), "its bytes are left as they are"
    assert found.proof["parameters"] == {"code": "K86", "figer": False}
    assert found.proof["requests"] == ["r-1"] and found.proof["run"] == RUN.id
    assert of_runs([], STANDING, TEMPLATES) is None


@pytest.mark.parametrize(("run", "why"), NOT_GOOD)
def test_no_other_run_vouches_for_anything(run: RunFacts, why: Doubt) -> None:
    assert doubt(run, STANDING.project, TEMPLATES) is why
    found = of_runs([run], STANDING, TEMPLATES)
    assert found is not None and found.output_class is OutputClass.UNVERIFIED
    assert found.proof == {"reasons": [why.value]} and len(found.findings) == 1
    both = of_runs([run, RUN], STANDING, TEMPLATES)
    assert both is not None and both.output_class is OutputClass.REPRODUCED, "a good run left the same bytes"


def test_another_snapshot_is_told() -> None:
    found = of_runs([replace(RUN, snapshot=2)], STANDING, TEMPLATES)
    assert found is not None and found.output_class is OutputClass.REPRODUCED
    assert [each.rule for each in found.findings] == [Rule.RUN_ON_OTHER_SNAPSHOT]
