"""`warehouse publish` as an operator types it, of loaded data, on a Spark cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub_config.warehouse.engines.spark import SparkPlace, close, connected
from tests.services.warehouse.loaded import Home, loaded
from tests.spark_cluster import Cluster

KEPT = "warehouse-password"


@pytest.fixture
def home(tmp_path: Path, cluster: Cluster) -> Home:
    made = loaded(tmp_path)
    made.engine("spark", cluster.address)
    return made


def test_loaded_data_get_a_name_on_the_cluster_and_lose_it(home: Home, cluster: Cluster) -> None:
    done = home.command("warehouse", "publish", "1")
    told = done.stdout + done.stderr
    assert done.returncode == 2 and "Traceback" not in told, told  # no token, no name
    home.password(KEPT, cluster.token)
    for _ in range(2):  # again: the same
        done = home.command("warehouse", "publish", "1")
        assert done.returncode == 0 and "snapshot_1 on the cluster" in done.stdout, done.stdout + done.stderr
        assert f"{sum(home.rows.values()):,} rows" in done.stdout
    session = connected(SparkPlace(cluster.address, str(home.path / "warehouse"), cluster.token))
    assert session.table("snapshot_1.diagnoses").count() == home.rows["diagnoses"]
    done = home.command("warehouse", "unpublish", "1", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not session.catalog.databaseExists("snapshot_1")
    close(session)
    assert cluster.token not in told + done.stdout + done.stderr
