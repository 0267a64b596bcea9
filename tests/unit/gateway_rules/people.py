"""Cells as sets of people, and the sketches that the engine would measure of them: the naive reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hub_config.gateway.rules.cells import SAMPLE_SIZE, Vectors
from hub_config.gateway.rules.earlier.anchors import Anchors
from hub_config.gateway.rules.earlier.definitions import PRIME, Words, words
from hub_config.gateway.rules.earlier.rivals import Draw, Flags, Reach, within_few_physicians
from hub_config.gateway.rules.earlier.snapping import Decided, settle
from hub_config.gateway.rules.memory import Batch, Proposal
from hub_config.governance.ledger.group import Group
from p4dp_sdk.disclosure.policy import Policy

Cell = Mapping[int, int]  # weight (rows) of each person in it
POLICY = Policy()
PHYSICIANS = 40


@dataclass(frozen=True)
class People:
    """A population with its secrets. Person p is with GP p modulo PHYSICIANS, unless said otherwise."""

    size: int = 20_000
    seed: int = 1

    @property
    def secrets(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        words = np.random.default_rng(self.seed).integers(0, 2**64, self.size, dtype=np.uint64)
        ranks = (words >> np.uint64(32)).astype(np.uint32)
        return (words >> np.uint64(58)).astype(int), ranks, words.astype(np.uint32) | np.uint32(1)

    def vectors(self, cells: Sequence[Cell], physician: Mapping[int, int] | None = None) -> Vectors:
        buckets, ranks, keys = self.secrets
        by_patient = np.zeros((len(cells), 64), np.uint32)
        by_physician, counts = (np.zeros((len(cells), 32), np.uint32) for _ in range(2))
        threshold, samples, records = np.zeros(len(cells), np.uint64), [], []
        for number, cell in enumerate(cells):
            who = np.fromiter(cell, int, len(cell))
            weights = keys[who] * np.fromiter(cell.values(), np.uint32, len(cell))
            gps = np.array([(physician or {}).get(p, p % PHYSICIANS) * 7 % 32 for p in cell], int)
            np.add.at(by_patient[number], buckets[who], weights)
            np.add.at(by_physician[number], gps, weights)
            np.add.at(counts[number], gps, np.fromiter(cell.values(), np.uint32, len(cell)))
            sample = np.sort(ranks[who])
            threshold[number] = 2**32 if len(sample) <= SAMPLE_SIZE else sample[SAMPLE_SIZE]
            samples.append(sample[:SAMPLE_SIZE])
            records.append(hash(frozenset(cell.items())) & (2**63 - 1))
        return Vectors(
            by_patient=by_patient,
            by_physician=by_physician,
            physician_counts=counts,
            threshold=threshold,
            offsets=np.concatenate([[0], np.cumsum([len(sample) for sample in samples])]).astype(np.int64),
            ranks=np.concatenate([*samples, np.zeros(0, np.uint32)]).astype(np.uint32),
            records=np.array(records, np.uint64),
        )

    def defined(self, *cells: Iterable[int]) -> Words:
        """Of each cell of people, one row each, a definition that says who is in it: it adds up as they
        do."""
        keys = self.secrets[2].astype(object) ** 3
        return words([int(sum(keys[list(cell)])) % PRIME for cell in cells])

    def batch(
        self, *cells: Iterable[int] | Cell, keys: Sequence[Sequence[int]] = (), **changes: object
    ) -> Batch:
        """A count of the rows of these cells, blurred by the people in them: two patients or fewer."""
        made = [cell if isinstance(cell, Mapping) else dict.fromkeys(cell, 1) for cell in cells]
        vectors = self.vectors(made, changes.pop("physician", None))  # type: ignore[arg-type]
        patients = np.array([len(cell) for cell in made], np.int64)
        rows = np.array([sum(cell.values()) for cell in made], float)
        fails = patients < POLICY.min_patients
        noise = (vectors.records % 5).astype(float) - 2 + vectors.records % 97 / 1000  # tells values apart
        said: dict[str, object] = {
            "release": "r",
            "measure": "n",
            "family": "count",
            "patients": patients,
            "values": np.where(fails, np.nan, rows + noise),
            "proposals": np.where(fails, Proposal.WITHHOLD, Proposal.SHOW).astype(np.int8),
            "vectors": vectors,
            "keys": tuple(np.array(key) for key in keys),
        }
        return Batch(**{**said, **changes})  # type: ignore[arg-type]


def steady(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """A draw that is no secret: a hash of the pair."""
    mixed = one * np.uint64(0x9E3779B97F4A7C15) ^ other * np.uint64(0xD6E8FEB86659FD93)
    return (mixed ^ mixed >> np.uint64(29)) * np.uint64(0xFF51AFD7ED558CCD)


def far(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The draw that makes every radius as wide as it gets: 5 of 0 to 5, three times."""
    return np.full(len(one), 0x0001_0005_0005_0005, np.uint64)


def close(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The draw that makes every radius as narrow as it gets."""
    return np.zeros(len(one), np.uint64)


def narrow_of_all(anchors: Anchors, scope: Flags, first: int, _: Flags, reach: Reach) -> Flags:
    """`within_few_physicians` as if nothing was known already: of every cell that passes."""
    passes = anchors["patients"][first:] >= POLICY.min_patients
    return within_few_physicians(anchors, scope, first, passes, reach)


class Ledger:
    """The rules with a memory of their own, without a disk."""

    def __init__(self, policy: Policy = POLICY, draw: Draw = steady) -> None:
        self.policy, self.draw = policy, draw
        self.history, self.groups = dict[str, Anchors](), list[Group]()

    def ask(self, *batches: Batch) -> tuple[Decided, ...]:
        """Settle, and remember."""
        decided = self.would(*batches)
        for each in decided:
            self.remember(each.group)
        return decided

    def would(self, *batches: Batch) -> tuple[Decided, ...]:
        return settle(self.history, np.ones(len(self.groups), bool), batches, self.policy, self.draw)

    def value(self, people: Iterable[int] | Cell, population: People) -> tuple[float, int]:
        """Ask one cell: its value and how it came about."""
        (decided,) = self.ask(population.batch(people))
        return float(decided.settled.values[0]), int(decided.settled.settlements[0])

    def remember(self, group: Group) -> None:
        self.history.setdefault(group.family, Anchors()).append(group, len(self.groups))
        self.groups.append(group)
