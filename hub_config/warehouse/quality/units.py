"""Conversions between units of measures, worked out from their UCUM codes: nobody writes a factor by hand.

`ucumvert` and `pint` know the units; what laboratories write instead of UCUM ("G/L", "mmHg", "µmol/l") is
read by `p4dp_sdk/catalogue/reference/unit_synonyms.csv`. A mass and an amount of substance are converted
through the analyte's molar mass (`molar_masses.csv` there, from its formula and the IUPAC atomic weights of
1997, C 12.0107); HbA1c by the NGSP-IFCC master equation. What can't be converted is a `UnitProblem`, never
a guess.
Pure but for reading package data; the library is imported at the first use (0.7 s).
"""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from hub_config.warehouse.problems import WarehouseProblem

_NGSP: Final = (0.09148, 2.152)  # % = 0.09148 x mmol/mol + 2.152 (Weykamp et al., Clin Chem 2008;54:240-8)


class UnitProblem(WarehouseProblem):
    """A unit that is no UCUM code, or that can't become the one asked for."""


@dataclass(frozen=True)
class Conversion:
    """`value * factor + shift` is the value in the unit asked for. Only temperatures and HbA1c shift."""

    factor: float
    shift: float = 0.0

    @property
    def changes(self) -> bool:
        return self != IDENTITY


IDENTITY: Final = Conversion(1.0)


@cache
def conversion(unit_raw: str, unit: str, kind: str | None = None) -> Conversion:
    """How a value in `unit_raw` becomes one in `unit`, both UCUM. `kind` is the measure or analyte, for its
    molar mass. Raises UnitProblem, which names the units and never a value."""
    unit_raw = _synonyms().get(unit_raw.strip(), unit_raw.strip())
    if unit_raw == unit:
        return IDENTITY
    if kind == "hba1c" and {unit_raw, unit} == {"%", "mmol/mol"}:
        return _hba1c(to_percent=unit == "%")
    source, target = _quantity(unit_raw), _quantity(unit)
    for bridge in _bridges(kind):
        if found := _linear(source, target, bridge):
            return found
    about = (
        f" for {kind!r} (no molar mass of it is known)" if kind not in molar_masses() else f" for {kind!r}"
    )
    raise UnitProblem(
        f"Unit {unit_raw!r} can't be converted to {unit!r}{about}. Correct the unit in the mapping, or leave "
        "the quantity out of it."
    )


def is_unit(unit: str) -> bool:
    """Whether it is a UCUM code without annotation: `{…}` may hold any word."""
    if "{" in unit or len(unit) > 32 or any(len(digits) > 3 for digits in re.findall(r"\d+", unit)):
        return False
    try:
        _quantity(unit)
    except UnitProblem:
        return False
    return True


@cache
def molar_masses() -> Mapping[str, float]:
    """Grams per mole, by analyte."""
    path = files("p4dp_sdk.catalogue.reference") / "molar_masses.csv"
    with path.open(encoding="utf-8") as file:
        return MappingProxyType({r["analyte"]: float(r["molar_mass"]) for r in csv.DictReader(file)})


@cache
def _synonyms() -> Mapping[str, str]:
    path = files("p4dp_sdk.catalogue.reference") / "unit_synonyms.csv"
    with path.open(encoding="utf-8") as file:
        return MappingProxyType({r["written"]: r["ucum"] for r in csv.DictReader(file)})


def _hba1c(*, to_percent: bool) -> Conversion:
    slope, level = _NGSP
    return Conversion(slope, level) if to_percent else Conversion(1 / slope, -level / slope)


@cache
def _registry() -> Any:
    with warnings.catch_warnings():  # its grammar library warns of its own age
        warnings.simplefilter("ignore", DeprecationWarning)
        from ucumvert import PintUcumRegistry  # type: ignore[import-untyped]

        return PintUcumRegistry()


def _quantity(unit: str) -> Any:
    """`unit` as a pint quantity. Whatever goes wrong in the reading means: no UCUM code."""
    registry = _registry()
    try:
        read = registry.from_ucum(unit)
    except Exception:
        raise UnitProblem(
            f"Unit {unit!r} is no UCUM code. Write it in UCUM (https://ucum.org): mm[Hg], 10*9/L, m[IU]/L…"
        ) from None
    is_quantity = hasattr(read, "to")
    return read if is_quantity else registry.Quantity(1.0, "dimensionless")  # a bare annotation, as {INR}


def _bridges(kind: str | None) -> tuple[Any, ...]:
    """What a quantity may be multiplied with: nothing, the molar mass, or its inverse."""
    mass = molar_masses().get(kind or "")
    if mass is None:
        return (1.0,)
    molar = _registry().Quantity(mass, "gram / mole")
    return (1.0, molar, 1.0 / molar)


def _linear(source: Any, target: Any, bridge: Any) -> Conversion | None:
    from pint.errors import PintError

    registry = _registry()
    try:
        at = [_at(registry, source, target, bridge, value) for value in (0.0, 1.0)]
    except PintError:
        return None
    return Conversion(factor=float(f"{at[1] - at[0]:.12g}"), shift=float(f"{at[0]:.12g}"))


def _at(registry: Any, source: Any, target: Any, bridge: Any, value: float) -> float:
    quantity = registry.Quantity(value * source.magnitude, source.units)
    moved = quantity if bridge == 1.0 else quantity * bridge
    return float(moved.to(target.units).magnitude / target.magnitude)
