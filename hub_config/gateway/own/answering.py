"""Drafts of one's own rows: `protection.explored`, with the two memories of `rules.own`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hub_config.gateway.engine import Session
from hub_config.gateway.evidence import measure
from hub_config.gateway.protection import Guard, proposed, shown_of, tabled
from hub_config.gateway.rules.cells import Cells
from hub_config.gateway.rules.draws import Prf
from hub_config.gateway.rules.memory import Asker, Batch, Settled
from hub_config.gateway.rules.own import in_own_memory, places_of, settled_of_own, without_physicians
from hub_config.gateway.rules.plan import ProtectedTable, Release
from p4dp_sdk.disclosure.policy import Policy


@dataclass(frozen=True)
class _Asked:
    """One release, measured with GPs behind it and without, and what both memories are asked."""

    common_cells: Cells
    common: list[Batch]
    cells: Cells
    own: list[Batch]


def explored_own(
    session: Session, releases: Sequence[Release], policy: Policy, guard: Guard, asker: Asker
) -> dict[str, ProtectedTable]:
    """Each release by its name, as a draft may show it to the person whose rows it is of. Raises Refusal;
    then nothing was shown."""
    draws = guard.draws(asker.project)
    asked = [_asked(session, release, policy, guard, asker, draws) for release in releases]
    batches = [batch for each in asked for batch in (*each.common, *each.own)]
    settled = iter(guard.memory.settle(asker, tuple(batches), policy))
    return {each.cells.release.name: _answered(each, settled) for each in asked}


def _asked(
    session: Session, release: Release, policy: Policy, guard: Guard, asker: Asker, draws: Prf
) -> _Asked:
    def measured(one: Release) -> Cells:
        return measure(session, one, policy, guard.keyring, project=asker.project, remember=guard.sketches)

    common, own = measured(release), measured(without_physicians(release))
    return _Asked(
        common_cells=common,
        common=proposed(common, policy, guard, draws),
        cells=own,
        own=[in_own_memory(batch, asker.user) for batch in proposed(own, policy, guard, draws)],
    )


def _answered(asked: _Asked, settled: Iterator[Settled]) -> ProtectedTable:
    common = [next(settled) for _ in asked.common]
    own = [next(settled) for _ in asked.own]
    places = places_of(asked.cells.labels, asked.common_cells.labels)
    shown = {
        batch.measure: shown_of(settled_of_own(mine, theirs, batch, places))
        for batch, mine, theirs in zip(asked.common, own, common, strict=True)
    }
    return tabled(asked.cells, shown)
