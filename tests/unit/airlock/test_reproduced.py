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
from hub_config.governance.report_runs.facts import Approvals, KeptFile, Outcome, RunFacts
from p4dp_sdk.disclosure.policy import Policy

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEMPLATES = Approvals({"essai": "a" * 64}, {"n-1": "d" * 64}, rows=True)
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
    (replace(RUN, registration="n-1"), Doubt.NOT_APPROVED),
    (replace(RUN, registration="n-2", sha256="d" * 64), Doubt.NOT_APPROVED),
    (replace(RUN, registration="essai"), Doubt.NOT_APPROVED),
    (replace(RUN, registration="n-1", sha256="d" * 64, access=AccessLevel.SANDBOX), Doubt.NOT_DONE),
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


@pytest.mark.parametrize("access", [AccessLevel.AGGREGATE, AccessLevel.MICRODATA])
def test_a_registered_notebook_vouches_for_its_runs_and_no_template_does(access: AccessLevel) -> None:
    """Though a template of its name is approved at another hash."""
    run = replace(RUN, registration="n-1", sha256="d" * 64, access=access)
    assert doubt(run, STANDING.project, TEMPLATES) is None
    found = of_runs([run], STANDING, TEMPLATES)
    assert found is not None and found.proof["registration"] == "n-1"


def test_a_run_on_rows_vouches_while_the_project_may_see_rows() -> None:
    narrow = replace(TEMPLATES, rows=False)
    run = replace(RUN, registration="n-1", sha256="d" * 64)
    assert doubt(run, STANDING.project, narrow) is None
    assert doubt(replace(run, access=AccessLevel.MICRODATA), STANDING.project, narrow) is Doubt.NOT_APPROVED


def test_two_runs_on_rows_that_differ_are_told() -> None:
    """By one who objected in between, perhaps."""
    one = replace(RUN, registration="n-1", sha256="d" * 64, access=AccessLevel.MICRODATA)
    other = replace(one, id="1a1b2c3d4e5f", files=(KeptFile("essai.html", "c" * 64, 10),))

    def rules(*others: RunFacts, of: RunFacts = one) -> list[Rule]:
        found = of_runs([of], STANDING, TEMPLATES, others)
        assert found is not None and found.output_class is OutputClass.REPRODUCED
        return [each.rule for each in found.findings]

    assert rules(one, other) == [Rule.RUNS_DIFFER]
    assert rules() == rules(one) == rules(replace(other, files=one.files)) == []
    assert rules(replace(other, parameters="{}")) == rules(replace(other, project="x")) == []
    assert rules(replace(other, access=AccessLevel.AGGREGATE)) == [], "the gateway sees to that"
    aggregates = replace(one, access=AccessLevel.AGGREGATE)
    assert rules(replace(other, access=AccessLevel.AGGREGATE), of=aggregates) == []


def test_another_snapshot_is_told() -> None:
    found = of_runs([replace(RUN, snapshot=2)], STANDING, TEMPLATES)
    assert found is not None and found.output_class is OutputClass.REPRODUCED
    assert [each.rule for each in found.findings] == [Rule.RUN_ON_OTHER_SNAPSHOT]
