"""The honest intern: at least 80 % of what could be shown is shown, at every one of thirty edits and in an
afternoon of dashboards.

The whole of it on snapshot A is a benchmark (`make bench` prints it and writes docs/reference/utility.md); a
shorter one on part of the snapshot is an ordinary test.
"""

from __future__ import annotations

import pytest

from hub_config.warehouse.synthesis.presets import Preset
from hub_config.warehouse.synthesis.run import synthesise
from p4dp_sdk.disclosure.policy import Policy
from tests.attacks.arena import arena
from tests.benchmarks.dashboards import dashboards
from tests.benchmarks.usability import Cohort, afternoon, edits, publication, table_one, truth_of
from tests.benchmarks.utility import report, write

KEPT = 0.8
RESERVE = 0.85  # of what is made to be published
POLICY = Policy()
OFF = POLICY.snap_radius + POLICY.snap_jitter + 2 * POLICY.noise_bound


@pytest.fixture(scope="module")
def snapshot_a(tmp_path_factory):
    return synthesise(tmp_path_factory.mktemp("warehouse"), preset=Preset.A)


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    return synthesise(tmp_path_factory.mktemp("warehouse"), preset=Preset.A, scale=0.4)


@pytest.mark.bench
def test_thirty_edits_of_one_cohort(snapshot_a, tmp_path):
    with arena(snapshot_a.directory.parent, tmp_path) as a, truth_of(snapshot_a) as truth:
        diary, published = edits(a, truth), publication(a, truth)
    with arena(snapshot_a.directory.parent, tmp_path / "another") as a, truth_of(snapshot_a) as truth:
        drafted = publication(a, truth, tables=table_one)
    write("Thirty edits of one cohort", report(diary, by="table", of="step"))
    write("Its Table 1, published", report(published, by="table", of="step"))
    write("Its five drafts, published one by one", report(drafted, by="table", of="step"))
    assert diary.kept().min() >= KEPT
    assert published.kept().min() >= RESERVE
    assert published.kept().min() > drafted.kept().min(), "as the how-to says"
    assert not diary.refused and not published.refused


@pytest.mark.bench
def test_the_dashboards_in_one_afternoon(snapshot_a, tmp_path):
    with arena(snapshot_a.directory.parent, tmp_path) as a, truth_of(snapshot_a) as truth:
        diary = afternoon(a, truth, dashboards())
    write("The dashboards in one afternoon", report(diary, by="step", of="step"))
    assert diary.kept().min() >= KEPT
    assert not diary.refused


def test_a_shorter_afternoon(part, tmp_path):
    """Six edits of those with high blood pressure and a publication, on part of the snapshot. Its seed and
    the arena's keys are fixed: the same cells every time."""
    with arena(part.directory.parent, tmp_path) as a, truth_of(part) as truth:
        diary = edits(a, truth, Cohort("K86"), steps=6)
        published = publication(a, truth, Cohort("K86"))
    print("\n" + "\n".join(report(diary, by="table", of="step")))
    print("\n" + "\n".join(report(published, by="table", of="step")))
    assert diary.kept().min() >= KEPT and published.kept().min() >= KEPT
    assert diary.errors()["most"].max() <= OFF
    assert published.errors()["most"].max() == 0
    assert not diary.refused and not published.refused
