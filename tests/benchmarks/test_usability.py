"""The honest intern: at least 80 % of what could be shown is shown, at every one of thirty edits.

The whole of it on snapshot A is a benchmark (`make bench` prints it); a shorter one on a fifth of the
snapshot is an ordinary test.
"""

from __future__ import annotations

import pytest

from hub_config.warehouse.synthesis.presets import Preset
from hub_config.warehouse.synthesis.run import synthesise
from tests.attacks.arena import arena
from tests.benchmarks.usability import Cohort, afternoon, edits, publication, truth_of

KEPT = 0.8


@pytest.fixture(scope="module")
def snapshot_a(tmp_path_factory):
    return synthesise(tmp_path_factory.mktemp("warehouse"), preset=Preset.A)


@pytest.fixture(scope="module")
def fifth(tmp_path_factory):
    return synthesise(tmp_path_factory.mktemp("warehouse"), preset=Preset.A, scale=0.2)


@pytest.mark.bench
def test_thirty_edits_of_one_cohort(snapshot_a, tmp_path):
    with arena(snapshot_a.directory.parent, tmp_path) as a, truth_of(snapshot_a) as truth:
        diary, published = edits(a, truth), publication(a, truth)
    print("\n" + diary.report("thirty edits of one cohort, snapshot A"))
    print("\n" + published.report("its Table 1, published"))
    assert diary.kept().min() >= KEPT
    assert published.kept().min() >= KEPT
    assert not diary.refused and not published.refused


@pytest.mark.bench
def test_ten_dashboards_in_one_afternoon(snapshot_a, tmp_path):
    with arena(snapshot_a.directory.parent, tmp_path) as a, truth_of(snapshot_a) as truth:
        diary = afternoon(a, truth)
    print("\n" + diary.report("ten dashboards in one afternoon, snapshot A"))
    assert diary.kept().min() >= KEPT
    assert not diary.refused


def test_a_shorter_afternoon(fifth, tmp_path):
    """Ten edits of those with high blood pressure, on a fifth of the snapshot."""
    with arena(fifth.directory.parent, tmp_path) as a, truth_of(fifth) as truth:
        diary = edits(a, truth, Cohort("K86"), steps=10)
    print("\n" + diary.report("ten edits of one cohort, a fifth of snapshot A"))
    assert diary.kept().min() >= KEPT
