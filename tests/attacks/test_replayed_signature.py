"""A genuine table of one project is taken out by another, or by the same after what made it safe has changed.

A researcher of two projects hands the table of the one to the other: to a project with fewer rules, with
other reviewers, or whose readers may not see it. Or keeps a table made when thresholds were lower, or on a
version of the data that is no longer the project's. The signature is good each time: an airlock that looks no
further lets it pass.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub_config.airlock.proofs import Classification, Standing, classify
from hub_config.governance.releases.facts import OutputClass
from hub_config.governance.releases.findings import Rule, Severity
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.wire.publication import Document
from tests.attacks.test_forged_signature import KEYS, POLICY, STANDING
from tests.unit.sdk.signed_tables import signed

STRICTER = replace(STANDING, policy=Policy(min_patients=20))
REPLAYS: dict[str, tuple[Document, Standing, Rule]] = {
    "in another project": (signed(policy=POLICY, project="autre"), STANDING, Rule.OTHER_PROJECT),
    "on another snapshot": (signed(policy=POLICY, snapshot=2), STANDING, Rule.OTHER_SNAPSHOT),
    "under stricter rules": (signed(policy=POLICY), STRICTER, Rule.OTHER_POLICY),
}


def sent(document: Document, standing: Standing) -> Classification:
    return classify("table.csv", document.to_json(), standing, KEYS)


def as_the_table_says(document: Document) -> Standing:
    """An airlock that takes project, snapshot and thresholds from the table itself."""
    said = document.statement
    return Standing(said.project, said.snapshot, Policy(), holders=False)


@pytest.mark.parametrize("case", REPLAYS, ids=list(REPLAYS))
def test_a_replayed_table_is_born_safe_where_only_its_signature_is_looked_at(case: str) -> None:
    document, _standing, _rule = REPLAYS[case]
    assert sent(document, as_the_table_says(document)).output_class is OutputClass.BORN_SAFE


@pytest.mark.parametrize("case", REPLAYS, ids=list(REPLAYS))
def test_a_replayed_table_is_looked_at_by_two_physicians(case: str) -> None:
    document, standing, rule = REPLAYS[case]
    known = sent(document, standing)
    assert known.output_class is OutputClass.UNVERIFIED
    assert rule in {finding.rule for finding in known.findings}


def test_a_table_of_another_project_is_stopped_and_tells_nothing_of_itself() -> None:
    document, standing, _rule = REPLAYS["in another project"]
    known = sent(document, standing)
    assert [finding.severity for finding in known.findings] == [Severity.BLOCKING]
    assert known.rendering is None and known.proof == {"reasons": ["other-project"]}
