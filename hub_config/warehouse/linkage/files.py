"""The three files that a linkage comes in, and what of them must be so. Data, no I/O.

`link.csv` says of each person that was sent whether they were found; `claims.csv` and `stays.csv` hold what
was found. All three name persons by one project's pseudonym.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from hub_config.warehouse.loader.mapping import SourceFile, Value

PSEUDONYM: Final = "pseudonym"
FIRST_DAY: Final = date(2000, 1, 1)  # nothing of a person is older in the SNDS


def _read(column: str, kind: str = "text", *, optional: bool = False) -> Value:
    return Value.model_validate({"column": column, "as": kind, "optional": optional})


@dataclass(frozen=True)
class LinkedFile:
    """A file, the table it becomes, and where its columns come from."""

    table: str
    file: SourceFile
    values: Mapping[str, Value]

    @property
    def columns(self) -> dict[str, str]:
        named = {value.column: name for name, value in self.values.items() if value.column}
        return {PSEUDONYM: PSEUDONYM, **named}


FILES: Final = (
    LinkedFile(
        "snds_link",
        SourceFile(path="link.csv"),
        {
            "status": _read("status"),
            "linked_on": _read("linked_on", "date"),
            "death_month": _read("death_date", "date", optional=True),
        },
    ),
    LinkedFile(
        "snds_claims",
        SourceFile(path="claims.csv"),
        {
            "date": _read("date", "date"),
            "act": _read("act"),
            "atc": _read("atc", optional=True),
            "quantity": _read("quantity", "number"),
        },
    ),
    LinkedFile(
        "snds_stays",
        SourceFile(path="stays.csv"),
        {
            "date": _read("entry_date", "date"),
            "exit_date": _read("exit_date", "date"),
            "cim10": _read("cim10"),
        },
    ),
)
