"""A session on a Spark cluster ends whatever its connection makes of it, and only where it is ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from pyspark.sql.connect.client.reattach import ExecutePlanResponseReattachableIterator
from pyspark.sql.connect.session import SparkSession

from hub_config.warehouse.engines.spark import SparkPlace, close, connected


@dataclass
class Gone:
    """The client of a session that somebody closed already, who stopped its question."""

    called: list[str] = field(default_factory=list)

    @property
    def _channel(self) -> Gone:
        return self

    def release_session(self) -> None:
        self.called.append("release")
        raise ValueError("closed")

    def close(self) -> None:
        self.called.append("close")
        raise ValueError("closed")


@pytest.fixture
def session() -> SparkSession:
    return connected(SparkPlace("sc://127.0.0.1:1", "/srv/warehouse", ""))


def test_what_is_closed_already_is_closed() -> None:
    client = Gone()
    close(SimpleNamespace(client=client))  # type: ignore[arg-type]
    assert client.called == ["release", "close"]


def test_a_forgotten_session_closes_nothing_where_it_is_collected(
    session: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection's lock may be held by the call that started the collecting thread, and waits for it."""
    closed = list[bool]()
    monkeypatch.setattr(session.client._channel, "close", lambda: closed.append(True))
    session.__del__()
    assert not closed
    close(session)
    assert closed == [True]


def test_a_session_that_ends_takes_nothing_of_the_others_along(session: SparkSession) -> None:
    """pyspark's own closing would, also when a forgotten session is collected: the second half shows it."""
    pool = ExecutePlanResponseReattachableIterator._get_or_create_release_thread_pool()
    close(session)
    session.__del__()
    assert pool.submit(int).result() == 0
    type(session.client).close(session.client)
    with pytest.raises(RuntimeError):
        pool.submit(int)
