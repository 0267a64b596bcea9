"""A snapshot that the site gave a Trino cluster, as the schema `snapshot_<n>` of the catalogue that the
settings name. Nothing is written to it from here; `check` says what of the snapshot is not there.

The driver is installed apart. What it says of an error goes no further: it may quote a statement.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from hub_config.warehouse.engines.address import Address
from hub_config.warehouse.engines.description import Description
from hub_config.warehouse.problems import WarehouseProblem

_HERE: Final = ("localhost", "127.0.0.1", "::1")
_SECONDS: Final = 120.0  # that one request of the driver may take
_COUNT: Final = 'SELECT count(*) FROM "{}"'
_COLUMNS: Final = (
    "SELECT table_name, column_name, data_type FROM information_schema.columns"
    " WHERE table_schema = 'snapshot_{}'"
)
_TYPES: Final = {"FLOAT": "real"}  # DuckDB's names that Trino has another for
_NAMED: Final = 5  # of what is wrong, at most


def driver() -> Any:
    """Trino's own. Raises WarehouseProblem where it is not installed."""
    try:
        import trino  # type: ignore[import-not-found]
    except ModuleNotFoundError:
        raise WarehouseProblem(
            "Trino's driver is not installed: it is no part of the enclave. Install it with "
            f"`.venv/bootstrap/bin/uv pip install --python {sys.executable} trino`, or name another engine."
        ) from None
    return trino


def connected(address: Address, number: int) -> Any:
    """A connection to the schema of snapshot `number`. Over a network it is encrypted. Raises
    WarehouseProblem where there is no driver."""
    trino = driver()
    parts = urlsplit(address.url)
    far = parts.hostname not in _HERE
    login = trino.auth.BasicAuthentication(address.user, address.password) if address.password else None
    return trino.dbapi.connect(
        host=parts.hostname,
        port=parts.port or (8443 if far else 8080),
        http_scheme="https" if far else "http",
        user=address.user,
        auth=login,
        catalog=parts.path.strip("/"),
        schema=f"snapshot_{number}",
        timezone="UTC",
        source="p4dp",
        request_timeout=_SECONDS,
    )


def counted(connection: Any, tables: Iterable[str]) -> Mapping[str, int]:
    """The rows of each."""
    return {table: _asked(connection, _COUNT.format(table))[0][0] for table in tables}


def check(address: Address, number: int, wanted: Description) -> None:
    """Raises WarehouseProblem unless every table of the snapshot is there, with its columns, their types and
    as many rows."""
    with _explained(address), closing(connected(address, number)) as connection:
        found: dict[str, dict[str, str]] = {}
        for table, column, dtype in _asked(connection, _COLUMNS.format(number)):
            found.setdefault(table, {})[column] = dtype
        _refuse("lacks", number, (table for table in wanted.tables if table not in found))
        _refuse("has another type, or none, for", number, _mistyped(wanted, found))
        rows = counted(connection, wanted.tables)
    others = (table for table, stored in wanted.tables.items() if rows[table] != stored.rows)
    _refuse("has other rows than the snapshot in", number, others)


def _asked(connection: Any, sql: str) -> list[Any]:
    cursor = connection.cursor()
    cursor.execute(sql)
    return list(cursor.fetchall())


def _mistyped(wanted: Description, found: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for table, stored in wanted.tables.items():
        for column, dtype in stored.columns.items():
            there = found[table].get(column, "").partition("(")[0]
            if there != _TYPES.get(dtype, dtype.lower()):
                yield f"{table}.{column} ({_TYPES.get(dtype, dtype.lower())})"


def _refuse(why: str, number: int, what: Iterable[str]) -> None:
    names = list(what)
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        raise WarehouseProblem(
            f"Trino's schema snapshot_{number} {why} {', '.join(names[:_NAMED])}{more}. Give it a table for "
            "each file of the snapshot, of the types of the data model, as docs/how-to/spark says."
        )


@contextmanager
def _explained(address: Address) -> Iterator[None]:
    try:
        yield
    except WarehouseProblem:
        raise
    except Exception as error:
        name = getattr(error, "error_name", None)
        place = urlsplit(address.url).netloc
        why = (
            f"Trino at {place} does not answer, or doesn't let {address.user} in: look at its service, at "
            "`address` and `user` in enclave.toml, and at keys/warehouse-password"
            if name is None
            else f"Trino at {place} refused to say what it holds ({name}): let {address.user} read the "
            "catalogue that `address` ends with"
        )
        raise WarehouseProblem(f"{why}.") from None
