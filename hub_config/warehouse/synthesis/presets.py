"""What each preset counts: the published totals, scaled, and cut into blocks of patients that fit in memory.

Pure arithmetic. Totals are reached exactly, whatever the scale and the number of blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from hub_config.warehouse.centres import LEAST_PHYSICIANS
from hub_config.warehouse.problems import WarehouseProblem

BLOCK: Final = 65_536  # patients generated at a time: bounds memory at any scale
MAX_SCALE: Final = 100.0


class Preset(StrEnum):
    """The published snapshots, by the letters of the project's documents."""

    A = "A"  # one region, the dashboards
    B = "B"  # the overweight dashboard
    C = "C"  # PRIMEGE, two regions
    D = "D"  # the national target


class PresetUnavailable(WarehouseProblem):
    """The preset or its scale can't be synthesised; the message says what can."""


class Kind(StrEnum):
    """What is counted apart."""

    CONSULTATIONS = "consultations"
    BIOMETRICS = "biometrics"
    LAB_RESULTS = "lab_results"
    ANTECEDENTS = "antecedents"
    HISTORIQUE = "historique"
    REASONS = "reasons"
    VACCINATIONS = "vaccinations"
    PROCEDURES = "procedures"
    TRAINING_LOG = "training_log"
    DIAGNOSES = "diagnoses"
    PRESCRIPTIONS = "prescriptions"


@dataclass(frozen=True)
class Plan:
    """How many of everything. A kind that `rows` doesn't name follows from the others: diagnoses are preset
    A's times `volume`, prescriptions what people take. `intern` is the published intern's log in preset A's;
    `measured` are the patients with a biometry, where that is fixed."""

    source: str
    first_date: date
    last_date: date
    patients: int
    physicians: Mapping[str, int]  # by centre
    rows: Mapping[Kind, int]
    volume: Fraction
    intern: Fraction
    measured: int | None = None

    @property
    def blocks(self) -> int:
        return -(-self.patients // BLOCK)


@dataclass(frozen=True)
class Block:
    """Patients `first` to `last` (excluded) and their exact part of every total."""

    number: int
    first: int
    last: int
    patients: int  # of the whole plan

    @property
    def size(self) -> int:
        return self.last - self.first

    def part(self, total: int) -> int:
        """This block's part of `total`: the parts of all blocks add up to it."""
        return total * self.last // self.patients - total * self.first // self.patients


_A_ROWS: Final = MappingProxyType(
    {
        Kind.CONSULTATIONS: 1_306_535,
        Kind.BIOMETRICS: 501_023,
        Kind.LAB_RESULTS: 2_355_464,
        Kind.ANTECEDENTS: 13_566,
        Kind.HISTORIQUE: 101_850,
        Kind.REASONS: 262_352,
        Kind.VACCINATIONS: 12_268,
        Kind.PROCEDURES: 64_000,
        Kind.TRAINING_LOG: 9_000,
    }
)
_A: Final = Plan(
    source="preset A",
    first_date=date(2000, 1, 1),
    last_date=date(2022, 12, 31),
    patients=26_125,
    physicians=MappingProxyType({"CLF": 11, "GRE": 11, "LYE": 10, "LYS": 9, "STE": 10}),
    rows=_A_ROWS,
    volume=Fraction(1),
    intern=Fraction(1),
)


def _in_proportion(consultations: int, **published: int) -> Mapping[Kind, int]:
    """Preset A's rows in proportion to the consultations, but for what is published."""
    volume = Fraction(consultations, _A_ROWS[Kind.CONSULTATIONS])
    rows = {kind: round(rows * volume) for kind, rows in _A_ROWS.items()}
    return MappingProxyType(rows | {Kind(kind): rows for kind, rows in published.items()})


_B_CONSULTATIONS: Final = 3_437_656
# How many GPs, in which centres and years, is not published: our guess.
_B: Final = Plan(
    source="preset B",
    first_date=date(2006, 1, 1),
    last_date=date(2022, 12, 31),
    patients=103_618,
    physicians=MappingProxyType({"CAE": 16, "ROU": 17, "REN": 14, "NTE": 15, "TRS": 12, "ANG": 11}),
    rows=_in_proportion(_B_CONSULTATIONS, biometrics=1_323_146),
    volume=Fraction(_B_CONSULTATIONS, _A_ROWS[Kind.CONSULTATIONS]),
    intern=Fraction(1),
    measured=71_719,
)
_C_CONSULTATIONS: Final = 3_500_000
_C_VOLUME: Final = Fraction(_C_CONSULTATIONS, _A_ROWS[Kind.CONSULTATIONS])
_C: Final = Plan(
    source="preset C",
    first_date=date(2012, 1, 1),
    last_date=date(2022, 12, 31),
    patients=180_000,
    physicians=MappingProxyType({"CAE": 19, "ROU": 20, "MAR": 16, "NCE": 15}),
    rows=_in_proportion(_C_CONSULTATIONS),
    volume=_C_VOLUME,
    intern=_C_VOLUME,
)
_CENTRES: Final = (
    *("AMI", "ANG", "ANT", "BES", "BOB", "BOR", "BRE", "CAE", "CLF", "CRE", "DIJ", "GRE", "LIL", "LIM"),
    *("LYE", "LYS", "MAR", "MON", "NCY", "NTE", "NCE", "ORL", "PAR", "PSA", "PSU", "POI", "REI", "REN"),
    *("REU", "ROU", "STE", "STR", "TLS", "TRS", "VER"),
)
# A hundred million diagnoses and consultations each, and two hundred million rows of all else: the parts are
# our guess.
_D: Final = Plan(
    source="preset D",
    first_date=date(2012, 1, 1),
    last_date=date(2022, 12, 31),
    patients=5_000_000,
    physicians=MappingProxyType({c: 58 if place < 5 else 57 for place, c in enumerate(_CENTRES)}),
    rows=MappingProxyType(
        {
            Kind.CONSULTATIONS: 100_000_000,
            Kind.DIAGNOSES: 100_000_000,
            Kind.LAB_RESULTS: 84_000_000,
            Kind.PRESCRIPTIONS: 62_000_000,
            Kind.BIOMETRICS: 28_000_000,
            Kind.REASONS: 14_000_000,
            Kind.HISTORIQUE: 6_500_000,
            Kind.PROCEDURES: 3_500_000,
            Kind.ANTECEDENTS: 1_000_000,
            Kind.VACCINATIONS: 800_000,
            Kind.TRAINING_LOG: 200_000,
        }
    ),
    volume=Fraction(100_000_000, _A_ROWS[Kind.CONSULTATIONS]),
    intern=Fraction(1),
)
_PLANS: Final = MappingProxyType({Preset.A: _A, Preset.B: _B, Preset.C: _C, Preset.D: _D})


def plan_of(preset: Preset, scale: float = 1.0) -> Plan:
    """The totals of `preset` times `scale`. Raises PresetUnavailable for one that can't be made."""
    if not 0 < scale <= MAX_SCALE:
        raise PresetUnavailable(f"Scale {scale:g} can't be made: choose one above 0, up to {MAX_SCALE:g}.")
    return _scaled(_PLANS[preset], Fraction(str(scale)))


def blocks_of(plan: Plan) -> Iterator[Block]:
    for number in range(plan.blocks):
        first, last = (plan.patients * n // plan.blocks for n in (number, number + 1))
        yield Block(number, first, last, plan.patients)


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """`total` cut in proportion to `weights`, by largest remainder: the parts add up to it."""
    exact = [total * weight / sum(weights) for weight in weights]
    parts = [int(part) for part in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: (parts[i] - exact[i], i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts


def _scaled(plan: Plan, scale: Fraction) -> Plan:
    if scale == 1:
        return plan
    return Plan(
        source=f"{plan.source} × {float(scale):g}",
        first_date=plan.first_date,
        last_date=plan.last_date,
        patients=max(1, round(plan.patients * scale)),
        physicians={
            centre: max(min(n, LEAST_PHYSICIANS), round(n * scale)) for centre, n in plan.physicians.items()
        },
        rows={kind: max(1, round(rows * scale)) for kind, rows in plan.rows.items()},
        volume=plan.volume * scale,
        intern=plan.intern * scale,
        measured=None if plan.measured is None else round(plan.measured * scale),
    )
