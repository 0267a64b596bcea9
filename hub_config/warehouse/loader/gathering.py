"""Files as batches: rows of several files of one kind together, and every kind of one nested file in one
pass.

What is done stays done: of each file and kind it is noted, in the transaction of the batch, up to which
record it was taken. Begun again, reading passes over those, and over files that are done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hub_config.warehouse.loader.plan import Input
from hub_config.warehouse.loader.readers import RECORD, Kind, Part, one_pass, open_kinds

if TYPE_CHECKING:
    from hub_config.warehouse.loader.staging import Staging


@dataclass(frozen=True)
class Gathered:
    """Some rows of one file: (line, record) of those left out among them; `through` is the last record,
    `ends` says that the file has no more."""

    input: Input
    batch: Any
    misfits: Sequence[tuple[int, int]]
    through: int
    ends: bool = False


@dataclass(frozen=True)
class Progress:
    """Of one file in one pass: the last record that was taken or left out, and how many rows that were."""

    passed: int = 0
    rows: int = 0
    done: bool = False


@dataclass
class Gathering:
    """One pass over files. `most` rows of `most_bytes` are held at once, of all kinds together, or one larger
    piece of a file."""

    staging: Staging
    part: str
    judge: Callable[[str], None]
    most: int
    most_bytes: int
    _held: dict[str, list[Gathered]] = field(default_factory=dict)
    _progress: dict[int, Progress] = field(default_factory=dict)

    def run(self, inputs: Sequence[Input]) -> None:
        self._progress = self.staging.progress(self.part)
        groups = grouped(inputs)
        for number, group in enumerate(groups):
            self._read(group)
            later = {each.name for rest in groups[number + 1 :] for each in rest}
            for name in [name for name in self._held if name not in later]:
                self._flush(name)

    def _read(self, group: Sequence[Input]) -> None:
        todo = {each.name: each for each in group if not self._of(each).done}
        if not todo:
            return
        kinds = [
            Kind(name, each.file, self.staging.mapping.source_columns(name)) for name, each in todo.items()
        ]
        with open_kinds(self.staging.plan.directory, kinds) as parts:
            for part in parts:
                for piece in self._pieces(todo[part.kind], part):
                    self._hold(piece)
                    self.staging.tell(self.part, piece.input, part.position)
        group[0].require_unchanged(self.staging.plan.directory)
        for each in todo.values():
            self._held.setdefault(each.name, []).append(Gathered(each, None, (), 0, ends=True))

    def _of(self, input_: Input) -> Progress:
        return self._progress.get(input_.index, Progress())

    def _pieces(self, input_: Input, part: Part) -> Iterator[Gathered]:
        """The rows that were not taken before, no piece larger than a batch."""
        passed = self._of(input_).passed
        records = part.batch.column(RECORD).to_numpy()
        batch = part.batch.slice(int(records.searchsorted(passed, side="right")))
        misfits = [misfit for misfit in part.misfits if misfit[1] > passed]
        while batch.num_rows > self.most:
            last = batch.column(RECORD)[self.most - 1].as_py()
            among = [misfit for misfit in misfits if misfit[1] < last]
            yield Gathered(input_, batch.slice(0, self.most), among, last)
            batch, misfits = batch.slice(self.most), misfits[len(among) :]
        last = batch.column(RECORD)[-1].as_py() if batch.num_rows else 0
        yield Gathered(input_, batch, misfits, max([last, *(record for _, record in misfits)]))

    def _hold(self, piece: Gathered) -> None:
        full = (
            self._rows() + piece.batch.num_rows > self.most
            or self._bytes + piece.batch.nbytes > self.most_bytes
        )
        if full and self._rows():
            self._flush(max(self._held, key=self._rows))
        self._held.setdefault(piece.input.name, []).append(piece)

    def _rows(self, name: str | None = None) -> int:
        held = self._held.values() if name is None else [self._held[name]]
        return sum(each.batch.num_rows for pieces in held for each in pieces if each.batch is not None)

    @property
    def _bytes(self) -> int:
        pieces = (each for held in self._held.values() for each in held if each.batch is not None)
        return sum(each.batch.nbytes for each in pieces)

    def _flush(self, name: str) -> None:
        gathered = self._held.pop(name)
        with self.staging.transaction():
            counts = self.staging.take(name, gathered, self.judge)
            for file in dict.fromkeys(each.input.index for each in gathered):
                self._note(file, [each for each in gathered if each.input.index == file], counts)
        self.staging.end_batch()  # not before: what a transaction drops, it holds to its end

    def _note(self, file: int, pieces: Sequence[Gathered], counts: Mapping[int, int]) -> None:
        before = self._progress.get(file, Progress())
        now = replace(
            before,
            passed=max([before.passed, *(each.through for each in pieces)]),
            rows=before.rows + counts.get(file, 0),
            done=any(each.ends for each in pieces),
        )
        self._progress[file] = now
        self.staging.note(self.part, file, now)


def grouped(inputs: Sequence[Input]) -> list[list[Input]]:
    """Inputs that one pass over one file reads, in the order of the first of them."""
    groups: dict[str | int, list[Input]] = {}
    for each in inputs:
        groups.setdefault(one_pass(each.file) or each.index, []).append(each)
    return list(groups.values())
