"""What sums of earlier numbers say of cells that are to be published: part of `precedents`. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Ints
from hub_config.gateway.rules.earlier.anchors import Anchors
from hub_config.gateway.rules.earlier.definitions import number_of, summed
from hub_config.gateway.rules.earlier.practices import Between
from hub_config.gateway.rules.earlier.rivals import Reach
from hub_config.gateway.rules.earlier.sketches import Samples, fingerprints
from hub_config.gateway.rules.earlier.subsets import LARGEST_BATCH, Found, subsets
from hub_config.gateway.rules.earlier.triples import Cells, Triples, triples
from hub_config.gateway.rules.memory import Batch, Known
from hub_config.governance.ledger.group import Kind

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Told:
    """Of each cell, filled by one rule after the other: it is `public`; its like was withheld, and it `stays`
    so; `nobody` or a `few` (or patients of few GPs) tell it apart from something it is not by its
    definition."""

    public: Flags
    stays: Flags
    nobody: Flags
    few: Flags

    @classmethod
    def nothing(cls, cells: int) -> Told:
        return cls(*(np.zeros(cells, dtype=bool) for _ in range(4)))

    @property
    def open(self) -> Flags:
        return ~(self.public | self.stays | self.nobody | self.few)

    def known(self, *, people: bool) -> NDArray[np.int8]:
        """A public number is public whatever lies near. Of public `people` another number is asked, which
        what lies near would give away."""
        known = np.where(self.stays | self.nobody | self.few, Known.WITHHELD, Known.NEW)
        known = np.where(self.public, Known.SHOWN, known)
        if people:
            known = np.where(self.public, np.where(self.few, Known.WITHHELD, Known.NEW), known)
        return known.astype(np.int8)


# --- cells of one table, and one number -------------------------------------------------------------------


def of_sums(batch: Batch, anchors: Anchors, earlier: Ints, first: int, reach: Reach, told: Told) -> None:
    """Cells of one earlier table that make up a cell; cells that make up an earlier number."""
    if len(batch.values) <= LARGEST_BATCH:
        _made_of(anchors, earlier, first, reach, told)
        _making(batch, anchors, earlier, first, reach, told)


def _made_of(anchors: Anchors, earlier: Ints, first: int, reach: Reach, told: Told) -> None:
    kind = anchors["kind"]
    parts = earlier[np.isin(kind[earlier], (Kind.ANCHOR, Kind.WITHHELD))]
    cells = first + np.flatnonzero(told.open)

    def of_few(found: Found) -> bool:
        rows = parts[found.parts]
        return _of_few_physicians(anchors, int(cells[found.whole]), rows[kind[rows] == Kind.ANCHOR], reach)

    for each in subsets(anchors.side(cells), anchors.side(parts), reach.most_few, of_few):
        row = int(cells[each.whole])
        if reach.covers_sum(anchors, row, each):
            shown = not np.any(kind[parts[each.parts]] == Kind.WITHHELD)
            follows = _follows(anchors, row, parts[each.parts], each)
            (told.public if follows and shown else told.few)[row - first] = True
        elif of_few(each):
            told.few[row - first] = True


def _making(batch: Batch, anchors: Anchors, earlier: Ints, first: int, reach: Reach, told: Told) -> None:
    """The largest of those cells that make up an earlier number is withheld: where few are left, or nobody
    and the definitions don't say so, or who is of few GPs; or where the number is withheld itself."""
    kind = anchors["kind"]
    whole = (kind == Kind.ANCHOR) | (
        (kind == Kind.WITHHELD) & (anchors["patients"] >= reach.policy.min_patients)
    )
    wholes = earlier[whole[earlier]]
    parts = first + np.arange(len(told.open))

    def of_few(found: Found) -> bool:
        row = int(wholes[found.whole])
        return bool(kind[row] == Kind.ANCHOR) and _of_few_physicians(anchors, row, parts[found.parts], reach)

    for each in subsets(anchors.side(wholes), anchors.side(parts), reach.most_few, of_few):
        row = int(wholes[each.whole])
        if not (reach.covers_sum(anchors, row, each) or of_few(each)):
            continue
        follows = _follows(anchors, row, parts[each.parts], each)
        if kind[row] == Kind.WITHHELD or not follows:
            hidden = told.stays | told.nobody | told.few
            open_ = each.parts[~told.public[each.parts]]
            if len(open_) and not (kind[row] == Kind.WITHHELD and np.any(hidden[each.parts])):
                told.few[open_[np.argmax(batch.patients[open_])]] = True


def _of_few_physicians(anchors: Anchors, row: int, parts: Ints, reach: Reach) -> bool:
    """Whether what tells the cell in `row` from the sum of `parts` is of few GPs, or nearly all of one."""
    if not len(parts):
        return False
    between = Between.of(anchors.practices(np.array([row])), anchors.practices(parts).summed())
    total = anchors["by_patient"][parts].sum(axis=0, dtype=np.uint32)
    words = reach.words(anchors["fingerprint"][row : row + 1], fingerprints(total[None, :]))
    return bool(reach.is_narrow(words, between)[0])


def told_sums(anchors: Anchors, earlier: Ints, first: int, reach: Reach) -> list[Ints]:
    """Cells from row `first` on that make up a number that was shown, by their definitions and in people."""
    wholes = earlier[anchors["kind"][earlier] == Kind.ANCHOR]
    parts = np.arange(first, len(anchors))
    if len(parts) > LARGEST_BATCH:
        return []
    found = subsets(anchors.side(wholes), anchors.side(parts), reach.most_few)
    rows = ((each, int(wholes[each.whole])) for each in found)
    return [each.parts for each, row in rows if _follows(anchors, row, parts[each.parts], each)]


def _follows(anchors: Anchors, row: int, parts: Ints, found: Found) -> bool:
    """Whether the definitions of the parts make up that of the whole, and so do the people."""
    definitions = anchors["definition"]
    whole = number_of(definitions[row])
    return found.distance == 0 and whole != 0 and summed(definitions[parts]) == whole


# --- three numbers -----------------------------------------------------------------------------------------


def of_three(batch: Batch, anchors: Anchors, earlier: Ints, first: int, reach: Reach, told: Told) -> None:
    """A cell that is two earlier ones together, or what one leaves of another."""
    kind, enough = anchors["kind"], anchors["patients"] >= reach.policy.min_patients
    known = earlier[np.isin(kind[earlier], (Kind.ANCHOR, Kind.WITHHELD)) & enough[earlier]]
    known = known[_first_of_each(anchors, known)]
    cells = np.flatnonzero(told.open & (batch.patients >= reach.policy.min_patients))
    if not len(cells) or len(known) < 2:
        return
    _three_of_few_physicians(anchors, cells, known[kind[known] == Kind.ANCHOR], first, reach, told)
    found = triples(_cells(anchors, first + cells), _cells(anchors, known), reach.most_few)
    one, other = known[found.one], known[found.other]
    near = _near(anchors, first + cells[found.cell], one, other, found, reach)
    near &= (anchors["fingerprint"][one] != anchors["fingerprint"][other]) | (found.sign > 0)  # else nobody
    for at in np.flatnonzero(near):
        cell = int(cells[found.cell[at]])
        rows = np.array([one[at], other[at]])
        whole = number_of(anchors["definition"][first + cell])
        signs = [1, int(found.sign[at])]
        follows = found.distance[at] == 0 and whole and summed(anchors["definition"][rows], signs) == whole
        shown = bool(np.all(kind[rows] == Kind.ANCHOR))
        (told.public if follows and shown else told.few)[cell] = True


def _three_of_few_physicians(
    anchors: Anchors, cells: Ints, known: Ints, first: int, reach: Reach, told: Told
) -> None:
    """The same but for patients of few GPs, or nearly all of one: most GPs have no part in that."""
    new, old = (_cells(anchors, rows, "by_physician") for rows in (first + cells, known))
    found = triples(new, old, reach.most_outside)
    cell, one, other = first + cells[found.cell], known[found.one], known[found.other]
    sign = found.sign[:, None].astype(np.uint32)
    sums = anchors.practices(one).plus(anchors.practices(other), found.sign)
    total = anchors["by_patient"][one] + anchors["by_patient"][other] * sign
    words = reach.words(anchors["fingerprint"][cell], fingerprints(total))
    narrow = reach.is_narrow(words, Between.of(anchors.practices(cell), sums))
    told.few[cell[narrow & (one != other)] - first] = True


def _near(anchors: Anchors, cells: Ints, one: Ints, other: Ints, found: Triples, reach: Reach) -> Flags:
    sketch = anchors["by_patient"]
    total = sketch[one] + sketch[other] * found.sign[:, None].astype(np.uint32)
    words = reach.words(anchors["fingerprint"][cells], fingerprints(total))
    return np.asarray(found.distance <= reach.few(words))


def _cells(anchors: Anchors, rows: Ints, sketch: str = "by_patient") -> Cells:
    all_ = anchors.samples
    samples = Samples(all_.threshold[rows], all_.starts[rows], all_.stops[rows], all_.ranks)
    return Cells(anchors[sketch][rows], samples)


def _first_of_each(anchors: Anchors, rows: Ints) -> Ints:
    """Places of the rows that differ in people, in definition or in what became of them."""
    columns = [anchors["fingerprint"][rows], *anchors["definition"][rows].T, anchors["kind"][rows]]
    table = np.stack([column.astype(np.uint64) for column in columns], axis=1)
    return np.sort(np.unique(table, axis=0, return_index=True)[1])
