"""What a stage of a load or a freeze leaves behind in memory goes back to the system before the next one.

DuckDB keeps pages up to its limit, Arrow's pool what its arrays had, and the C library what was freed between
what is in use. The longer a stage was, the more of it: a peak would grow with the file, with nothing in it.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress
from typing import Final

import duckdb
import pyarrow as pa

from hub_config.warehouse.budget import Budget

KEPT: Final = "32MB"  # of a database's pages, from one stage to the next


def give_back(connection: duckdb.DuckDBPyConnection, budget: Budget) -> None:
    """Most of what was read or written meanwhile; then the connection has `budget` as before."""
    with suppress(duckdb.OutOfMemoryException):  # what may not be on the disk stays
        connection.execute(f"SET memory_limit = '{KEPT}'")
    connection.execute(f"SET memory_limit = '{budget.memory}'")
    release()


def release() -> None:
    """What the allocators of this process hold and nobody uses."""
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc alone
    if trim:
        trim(0)
