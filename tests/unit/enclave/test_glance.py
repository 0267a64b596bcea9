"""`status`, first lines: the engine, the protection, the current snapshot of each population and for whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from hub_config.governance.facts import AccessLevel, Grant, ProjectFacts, ProjectStatus
from hub_config.sections import WarehouseSettings
from hub_config.up.glance import age, current_line, engine_line, protection_line, stands, without_snapshot
from hub_config.warehouse.manifest import Manifest
from hub_config.warehouse.shelf import Snapshot
from p4dp_sdk.disclosure.policy import Method, Policy

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)
DAY = date(2023, 12, 31)


def snapshot(number: int, population: str) -> Snapshot:
    manifest = Manifest(
        number=number,
        source=f"mapping {population}",
        created_at=(NOW - timedelta(days=10 - number)).isoformat(timespec="seconds"),
        reference_date=DAY,
        first_date=DAY,
        last_date=DAY,
        synthetic=False,
        public=True,
        patients=1,
        physicians=1,
        rows={},
        sha256={},
        bytes={},
        population=population,
    )
    return Snapshot(Path(str(number)), manifest)


def project(slug: str, number: int, rolling: str | None = None) -> ProjectFacts:
    grant = Grant(AccessLevel.AGGREGATE, {"patients": None})
    facts = ProjectFacts(slug, slug, "p", ProjectStatus.APPROVED, number, grant, frozenset())
    return replace(facts, rolling=rolling)


SNAPSHOTS = [snapshot(1, "north"), snapshot(2, "south"), snapshot(3, "north")]


def test_the_newest_of_each_population_is_current_and_who_follows_it_is_named() -> None:
    pinned, follows, elsewhere = project("thesis", 1), project("watch", 1, "north"), project("other", 2)
    found = stands(SNAPSHOTS, [pinned, follows, elsewhere])
    assert [(each.snapshot.number, each.current) for each in found] == [(1, False), (2, True), (3, True)]
    assert [each.projects for each in found] == ["thesis", "other", "watch (follows)"]
    assert current_line(found[2], NOW) == (
        "Current snapshot of north: 3, made 7 days ago, data to 2023-12-31; followed by watch."
    )
    assert current_line(found[1], NOW).endswith("no project follows it, 1 pinned to it.")


def test_a_closed_project_stands_on_nothing_and_one_without_snapshot_is_named() -> None:
    closed = replace(project("over", 3), status=ProjectStatus.CLOSED)
    lost, stray = project("lost", 9), project("stray", 1, "west")
    assert not any(each.projects for each in stands(SNAPSHOTS, [closed, lost, stray]))
    assert without_snapshot(SNAPSHOTS, [closed, lost, stray, project("thesis", 1)]) == ["lost", "stray"]


@pytest.mark.parametrize(
    ("engine", "address", "said"),
    [
        ("duckdb", "", "Engine: duckdb, within the gateway"),
        (
            "postgresql",
            "postgresql://db:5432/p4dp",
            "postgresql at postgresql://db:5432/p4dp; it reads the copy",
        ),
        ("spark", "sc://one:15002", "spark at sc://one:15002; it reads what `warehouse publish` named"),
        ("trino", "trino://one:8443/c", "trino at trino://one:8443/c; it reads what the site gave it"),
    ],
)
def test_the_engine_that_answers_is_named_with_what_it_reads(engine: str, address: str, said: str) -> None:
    assert said in engine_line(WarehouseSettings.model_validate({"engine": engine, "address": address}))


def test_how_drafts_and_publication_tables_come_out() -> None:
    assert "from 11 patients and 3 GPs on" in protection_line(Policy())
    assert "blurred by up to 5 (cell-key)" in protection_line(Policy())
    assert "multiples of 5 (rounding)" in protection_line(Policy(method=Method.ROUNDING))
    assert "at most 2,000 cells" in protection_line(Policy())


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(minutes=-5), "within the hour"),
        (timedelta(minutes=59), "within the hour"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=47), "47 hours ago"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(days=1200), "1,200 days ago"),
    ],
)
def test_age(passed: timedelta, said: str) -> None:
    assert age((NOW - passed).isoformat(timespec="seconds"), NOW) == said
