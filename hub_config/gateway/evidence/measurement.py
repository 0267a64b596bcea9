"""Measuring a release: exact values, who stands behind them, and what the ledger compares.

`measure` reads little data whole, and certifies much data from a part of the patients (`large`); `cross`
gives several roll-ups of one release, for a publication. Nothing of what they return may leave the enclave
before it was protected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, assert_never

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hub_config.gateway.engine import Session
from hub_config.gateway.evidence.contributions import Contributions
from hub_config.gateway.evidence.fanout import largest_table
from hub_config.gateway.evidence.large import large
from hub_config.gateway.evidence.layout import groups, labels, layout, rolled_up
from hub_config.gateway.evidence.quantile import flattened_quantiles
from hub_config.gateway.evidence.sketch import Secrets, records, unremembered, vectors
from hub_config.gateway.evidence.source import CELL, Source, source
from hub_config.gateway.evidence.tally import backing, selected
from hub_config.gateway.keyring import Keyring
from hub_config.gateway.rules.cells import Backing, Cells, Column, Floats, Ints, Vectors
from hub_config.gateway.rules.flattening import cut
from hub_config.gateway.rules.plan import Measure, MeasureKind, Release
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.wire.errors import ErrorCode, Refusal

WHOLE: Final = 300_000  # rows of the largest table, or about of the release
_KEPT: Final = 8_000_000  # rows that several roll-ups are made of, kept instead of looked for each time
_MANY: Final = 50_000  # cells; a publication never has so many
_LEAST_REMEMBERED: Final = 3  # patients; the ledger compares with cells from here on


@dataclass(frozen=True)
class _Exact:
    """All contributions of a release, its cells numbered by the rows of `keys` and in the table `cells`."""

    source: Source
    cells: str
    keys: pa.Table
    contributions: Contributions


def measure(
    session: Session,
    release: Release,
    policy: Policy,
    keyring: Keyring,
    *,
    project: str = "",
    remember: bool = True,
    whole_up_to: int = WHOLE,
) -> Cells:
    """Every cell of `release` in which anybody is, measured. Without `remember`, vectors hold fingerprints
    only. `whole_up_to` rows are read whole; more are measured by sums and samples. Quantiles are blurred
    here, by the draws of `project`.
    """
    rows, secrets = source(session, release), Secrets.of(keyring, release, project)
    return _measured(rows, policy, secrets, remember=remember, whole_up_to=whole_up_to)


def _measured(rows: Source, policy: Policy, secrets: Secrets, *, remember: bool, whole_up_to: int) -> Cells:
    if largest_table(rows) > whole_up_to:
        much = large(rows, policy, secrets)
        if much.rows > whole_up_to:
            return much.cells(remember=remember)
    return _cells(_read(rows), policy, secrets, remember=remember)


def cross(
    session: Session,
    release: Release,
    policy: Policy,
    keyring: Keyring,
    kept: Sequence[tuple[str, ...]],
    *,
    remember: bool = True,
    whole_up_to: int = WHOLE,
) -> Mapping[tuple[str, ...], Cells]:
    """`release` rolled up to each of the tuples of keys in `kept`, each measured as if it had been asked."""
    rows, secrets = source(session, release), Secrets.of(keyring, release)
    if largest_table(rows) > whole_up_to and (much := large(rows, policy, secrets)).rows > whole_up_to:
        many = rows if much.rows > _KEPT else rows.kept()
        asked = {keys: rolled_up(release, keys) for keys in kept}
        return {
            keys: large(many.rolled_up(one), policy, secrets).cells(remember=remember)
            for keys, one in asked.items()
        }
    whole = _read(rows)
    return {
        keys: _cells(_rolled(whole, keys, number), policy, secrets, remember=remember)
        for number, keys in enumerate(kept)
    }


def _read(rows: Source) -> _Exact:
    rows.store_contributions(stored := rows.table("contributions"), thousandths=True)
    keys = rows.number_cells(cells := rows.table("cells"), stored)
    return _Exact(rows, cells, keys, rows.fetch_contributions(stored, cells, thousandths=True))


def _rolled(whole: _Exact, kept: tuple[str, ...], number: int) -> _Exact:
    rows = whole.source.rolled_up(rolled_up(whole.source.release, kept))
    new, keys = groups(whole.keys, rows.release.keys)
    numbered = keys.append_column(CELL, pa.array(np.arange(keys.num_rows, dtype=np.int64)))
    cells = rows.store(f"rolled_{number}", numbered)
    return _Exact(rows, cells, keys, whole.contributions.relabelled(new))


def _cells(read: _Exact, policy: Policy, secrets: Secrets, *, remember: bool) -> Cells:
    release = read.source.release
    laid = layout(release, read.keys)
    kept = _remembered(read, laid.cells)
    near = replace(
        read,
        keys=read.keys.take(kept),
        contributions=read.contributions.relabelled(_renumbered(kept, laid.cells)),
    )
    columns = []
    for measure in release.measures:
        evidence = backing([read.contributions], laid, measure, policy.min_physicians - 1)
        value = _value(read, laid.cells, measure, evidence, policy, secrets)
        sketched = _sketched(near, len(kept), measure, secrets, remember=remember)
        columns.append(Column(measure, value[kept], selected(evidence, kept), sketched))
    return Cells(release, labels(release, near.keys), tuple(columns))


def _remembered(read: _Exact, cells: int) -> Ints:
    """The cells that are worth an entry: of very many, those of at least three patients."""
    if cells <= _MANY:
        return np.arange(cells, dtype=np.int64)
    patients = np.bincount(read.contributions.units.cell, minlength=cells)
    return np.flatnonzero(patients >= _LEAST_REMEMBERED)


def _renumbered(kept: Ints, cells: int) -> Ints:
    numbers = np.full(cells, -1, dtype=np.int64)
    numbers[kept] = np.arange(len(kept))
    return numbers


def _sketched(read: _Exact, cells: int, measure: Measure, secrets: Secrets, *, remember: bool) -> Vectors:
    given = read.contributions
    if remember:
        return vectors(given, cells, measure, secrets)
    return unremembered(cells, records(given.units, cells, measure, secrets))


def _value(
    read: _Exact, cells: int, measure: Measure, evidence: Backing, policy: Policy, secrets: Secrets
) -> NDArray[Any]:
    units = read.contributions.units
    added = units.added[measure.weight]
    match measure.kind:
        case MeasureKind.PATIENTS:
            return np.bincount(units.cell[added.present], minlength=cells).astype(np.int64)
        case MeasureKind.ROWS:
            return np.bincount(units.cell, weights=added.rows, minlength=cells).astype(np.int64)
        case MeasureKind.SUM:
            return _sum(units, added.total, cells)
        case MeasureKind.QUANTILE:
            drawn = secrets.supports(records(units, cells, measure, secrets))
            caps = cut(evidence, drawn.cut).cap
            return flattened_quantiles(read.source, read.cells, measure, policy, caps, drawn)
        case _:
            assert_never(measure.kind)


def _sum(units: Contributions, total: Floats | None, cells: int) -> Floats:
    if total is None:
        raise Refusal(ErrorCode.ENGINE_FAILED)
    return np.bincount(units.cell, weights=total, minlength=cells).astype(np.float64)
