"""What a grant of centres reaches in a snapshot where small centres are merged. Pure.

A grant names centres as they are on record, never a merged one: who lies in that changes from snapshot to
snapshot. Merged centres are reached by whoever was granted every one of them. Who was granted some of them
only is denied: showing all would be more than was granted, and showing none would be a wrong answer unsaid.
What has no centre is reached by a grant of all centres alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from hub_config.warehouse.centres import LEAST_PHYSICIANS, NOWHERE

Merged = Mapping[str, tuple[str, ...]]  # the members by their code, as a manifest has them


@dataclass(frozen=True)
class Denied:
    """`centre` was granted, but in the snapshot it is one with `others`, which were not."""

    centre: str
    others: tuple[str, ...]


def reached(granted: frozenset[str] | None, merged: Merged) -> frozenset[str] | None:
    """The codes whose rows a grant shows; None: all, and those without a centre."""
    if granted is None:
        return None
    whole = {code for code, members in merged.items() if code != NOWHERE and granted.issuperset(members)}
    return granted.difference(merged) | whole


def denied(granted: frozenset[str] | None, merged: Merged) -> Iterator[Denied]:
    """Of the centres granted, those that are not reached."""
    for code, members in sorted(merged.items()) if granted is not None else ():
        held = [member for member in members if granted and member in granted]
        others = () if code == NOWHERE else tuple(member for member in members if member not in held)
        if others or code == NOWHERE:
            yield from (Denied(centre, others) for centre in held)


def too_small(each: Denied) -> str:
    """The end of a sentence, and what to do."""
    few = f"centre {each.centre!r} has fewer than {LEAST_PHYSICIANS} active GPs"
    if not each.others:
        return f"{few} and stands in no centre. Leave it out, or grant all centres."
    others = ", ".join(repr(other) for other in each.others)
    return f"{few} and is one with {others}. Grant all of these, or leave it out."


def shown(centres: Collection[str], merged: Merged) -> frozenset[str]:
    """Of the centres on record, how a snapshot calls them."""
    members = {member for group in merged.values() for member in group}
    return (frozenset(centres) - members) | (frozenset(merged) - {NOWHERE})


def differing(one: Merged, other: Merged) -> tuple[str, ...]:
    """The codes that don't stand for the same centres in two snapshots: their rows can't be compared."""
    codes = {*one, *other, *(member for each in (one, other) for group in each.values() for member in group)}
    return tuple(sorted(code for code in codes if code and _behind(code, one) != _behind(code, other)))


def _behind(code: str, merged: Merged) -> frozenset[str]:
    """The centres on record that bear `code`: none where it is a member of others."""
    if code in merged:
        return frozenset(merged[code])
    return frozenset() if any(code in group for group in merged.values()) else frozenset({code})
