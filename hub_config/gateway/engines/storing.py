"""Fetched rows in a database of the gateway's own. A column that came as a list of texts and who has which
stays that: the numbers stand with the rows, the list in a table beside them, and whoever reads the column
joins both.

Numbers are put there, compressed and counted in a fraction of the time that texts are. NULL is one of the
texts, so that the join keeps every row: the engine joins far sooner what must have a partner.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from typing import Final

import pyarrow as pa

from p4dp_sdk.wire.errors import ErrorCode, Refusal

_ROWS: Final = "rows"
_DATABASES: Final = count()


@dataclass(frozen=True)
class Stored:
    """A database with rows, and those of their columns that are numbers of texts."""

    database: str
    lists: frozenset[str] = frozenset()

    @property
    def rows(self) -> str:
        return f"{self.database}.main.{_ROWS}"

    def list_of(self, column: str) -> str:
        return f"{self.database}.main.{_quoted(f'list of {column}')}"

    def sql(self, columns: Iterable[str]) -> str:
        """These columns of all rows."""
        shown, joins = [], []
        for number, column in enumerate(columns):
            name = _quoted(column)
            if column in self.lists:
                joins.append(f"JOIN {self.list_of(column)} t{number} ON t{number}.number = r.{name}")
                shown.append(f"t{number}.text AS {name}")
            else:
                shown.append(f"r.{name}")
        return " ".join((f"SELECT {', '.join(shown)} FROM {self.rows} r", *joins))  # noqa: S608


@dataclass(frozen=True)
class Lists:
    """The texts of the columns that came as numbers of them, and the type of these, by column."""

    texts: dict[str, pa.Array]
    numbers: dict[str, pa.DataType]

    @classmethod
    def of(cls, batch: pa.RecordBatch) -> Lists:
        columns = zip(batch.schema.names, batch.columns, strict=True)
        lists = {name: each for name, each in columns if pa.types.is_dictionary(each.type)}
        return cls(
            {name: each.dictionary for name, each in lists.items()},
            {name: each.type.index_type for name, each in lists.items()},
        )

    def numbered(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """With numbers instead of texts. Raises Refusal where the batch is of other lists."""
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        if {name for name, each in columns.items() if pa.types.is_dictionary(each.type)} != set(self.texts):
            raise Refusal(ErrorCode.ENGINE_FAILED)
        for name, texts in self.texts.items():
            if columns[name].null_count or not columns[name].dictionary.equals(texts):
                raise Refusal(ErrorCode.ENGINE_FAILED)
            columns[name] = columns[name].indices
        return pa.record_batch(columns)

    def tables(self) -> Iterable[tuple[str, pa.Table]]:
        """Number and text, by column."""
        for name, texts in self.texts.items():
            yield name, pa.table({"number": pa.array(range(len(texts)), self.numbers[name]), "text": texts})


def new_database() -> str:
    return f"kept_{next(_DATABASES)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
