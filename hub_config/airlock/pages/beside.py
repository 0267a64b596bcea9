"""What left before that can be laid beside a file: looked for in all of it, however long ago it left.

Which columns a file shows is settled by its bytes and by the version of the checks that read them: it is
remembered, and what has other columns is not read again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Final

from hub_config.airlock.checks import Preview, TableBlock
from hub_config.airlock.pages.files import Left, Material, Released
from hub_config.airlock.pages.provenance import definition_of
from hub_config.governance.releases.facts import FileFacts, RequestFacts

MOST: Final = 200  # files compared with those of one request: the newest
_REMEMBERED: Final = 20_000  # files whose columns are remembered

Columns = frozenset[tuple[str, ...]]


@dataclass(frozen=True)
class Past:
    """`read`: the preview of a file on the shelf."""

    read: Callable[[FileFacts], Preview]
    remembered: MutableMapping[tuple[str, str], Columns] = field(default_factory=dict)

    def left(self, asked: Collection[Material], earlier: Iterable[RequestFacts]) -> Left:
        """Of `earlier`, newest first, the files that could be subtracted from one that is asked for: of the
        same bytes, definition or columns."""
        sums = {material.facts.sha256 for material in asked}
        definitions = {definition_of(material.facts) for material in asked} - {""}
        columns = {header for material in asked for header in _columns(material.preview)}
        near = [
            (other, file)
            for other in earlier
            for file in other.files
            if file.sha256 in sums or definition_of(file) in definitions or self._columns(file) & columns
        ]
        files = (
            Released(other.id, file, other.released_at, self.read(file))
            for other, file in near[:MOST]
            if other.released_at is not None
        )
        return Left(tuple(files), older=len(near[MOST:]))

    def _columns(self, file: FileFacts) -> Columns:
        key = (file.sha256, file.checker)
        if key not in self.remembered:
            if len(self.remembered) >= _REMEMBERED:
                self.remembered.clear()
            self.remembered[key] = _columns(self.read(file))
        return self.remembered[key]


def _columns(preview: Preview) -> Columns:
    return frozenset(block.header for block in preview.blocks if isinstance(block, TableBlock))
