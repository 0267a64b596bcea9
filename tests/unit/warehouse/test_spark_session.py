"""A session on a Spark cluster ends whatever its connection makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from pyspark.sql.connect.client.reattach import ExecutePlanResponseReattachableIterator

from hub_config.warehouse.engines.spark import SparkPlace, close, connected


@dataclass
class Gone:
    """The client of a session that somebody closed already, who stopped its question."""

    called: list[str] = field(default_factory=list)

    def release_session(self) -> None:
        self.called.append("release")
        raise ValueError("closed")

    def close(self) -> None:
        self.called.append("close")
        raise ValueError("closed")


def test_what_is_closed_already_is_closed() -> None:
    client = Gone()
    close(SimpleNamespace(client=client))  # type: ignore[arg-type]
    assert client.called == ["release", "close"]


def test_a_session_that_ends_takes_nothing_of_the_others_along() -> None:
    """pyspark's own closing would, also when a forgotten session is collected: the second half shows it."""
    pool = ExecutePlanResponseReattachableIterator._get_or_create_release_thread_pool()
    session = connected(SparkPlace("sc://127.0.0.1:1", "/srv/warehouse", ""))
    session.client.close()
    session.__del__()
    assert pool.submit(int).result() == 0
    type(session.client).close(session.client)
    with pytest.raises(RuntimeError):
        pool.submit(int)
