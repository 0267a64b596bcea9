"""`test_before_and_after`'s story where a Spark cluster reads the snapshots: the same tests, told again here
since what stands on Spark shares one cluster.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hub_config.gateway.engine import Opener
from hub_config.gateway.engines.spark import Spark
from hub_config.warehouse.engines.description import describe
from hub_config.warehouse.snapshot import open_snapshot
from p4dp_sdk.catalogue.load import load_catalogue
from tests.services.gateway import test_before_and_after as story
from tests.spark_cluster import Cluster
from tests.spark_snapshots import place

warehouse, enclave = story.warehouse, story.enclave


@pytest.fixture(scope="module")
def opener(cluster: Cluster, warehouse: Path) -> Opener:
    where, catalogue = place(cluster, warehouse), load_catalogue()
    wanted = {
        number: describe(open_snapshot(warehouse, number), catalogue) for number in (story.OLD, story.NEW)
    }
    for number, each in wanted.items():
        assert (
            Spark(where, number, each).description is each
        )  # a cold cluster takes its time, no question has
    return lambda number, database: Spark(where, number, wanted[number])


@pytest.fixture(scope="module")
def asked() -> list[str]:
    """Plain rows are asked by the others, and in `test_engines_on_spark`."""
    return ["cohort", "features", "own"]


test_nothing_shows_them_at_the_next_question = story.test_nothing_shows_them_at_the_next_question
test_what_is_later_is_gone_and_what_is_earlier_stays = (
    story.test_what_is_later_is_gone_and_what_is_earlier_stays
)
test_an_objection_that_is_lifted_hides_nobody = story.test_an_objection_that_is_lifted_hides_nobody
test_new_aggregates_count_without_them = story.test_new_aggregates_count_without_them
