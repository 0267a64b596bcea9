"""How much memory and how many threads DuckDB has for each work on a warehouse. What needs more goes to disk.

A load and the snapshot at its end have the same few hundred megabytes, whatever was exported: an operator can
tell beforehand what a machine must have. Threads are bounded with them, since each keeps buffers of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class Budget:
    """`threads`: None for as many as there are cores."""

    memory: str
    threads: int | None = None

    def config(self, spill: Path | None = None) -> dict[str, str | bool | int | float | list[str]]:
        """Of a connection that spills to `spill`, else, where its database is a file, beside it."""
        return {
            "memory_limit": self.memory,
            **({"threads": self.threads} if self.threads else {}),
            **({"temp_directory": str(spill)} if spill else {}),
        }


# Of each connection of a load: what only large exports fill is less than what any batch of text needs. A
# second thread takes half as much processor again for the same rows: sources are loaded beside one another.
LANDING: Final = Budget("128MB", threads=1)
# While it holds a batch of source text, which is never spilled (`loader.staging`).
READING: Final = Budget("384MB", threads=1)
# What was landed, and any copy of a database. 40 million rows were sorted in it, and not in 128 MB.
FREEZING: Final = Budget("192MB", threads=2)
MAKING: Final = Budget("4GiB")  # what is synthesised
