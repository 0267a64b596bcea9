"""What moved between two versions, out of protected counts of both: frames in, frames out.

Counts of rows are blurred in units of what one of the heaviest patients adds, which nobody is told. Reckoned
here is with ln n times what n patients have in the mean, as if numbers of rows were spread like waiting times
(David & Nagaraja, Order Statistics, Wiley 2003, § 4.6). Less than three standard deviations of that blur is
no move. A number that is withheld beside a group's rows that are not is one of few, and counts as none.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pandas as pd

ROWS, FILLED, RULE = "rows", "filled", "rule"
MISSING: Final = "missing_"
_FINE: Final = "ok"
_DEVIATIONS: Final = 3
_LEAST_PATIENTS: Final = 100  # of a group that is missed when it is not there
_RULES: Final = 10  # they fire on few rows: a tenth of the points is much
_WHAT: Final = ["what", "name"]


@dataclass(frozen=True)
class Counts:
    """`groups`: by the keys their `rows` and `patients`; `parts`: by the keys, `what` (FILLED, RULE) and
    `name`, how many rows are empty there, or bear the rule."""

    groups: pd.DataFrame
    parts: pd.DataFrame

    @classmethod
    def of(cls, keys: Sequence[str], missing: pd.DataFrame, fired: pd.DataFrame | None) -> Counts:
        """From the answers of `Asked.missing` and `Asked.fired`."""
        import pandas as pd

        columns = [name for name in missing.columns if name.startswith(MISSING)]
        nothing = _parts(missing.head(0), keys, FILLED, "", "rows")
        parts = [_parts(missing, keys, FILLED, name.removeprefix(MISSING), name) for name in columns]
        if fired is not None:
            marked = fired[fired["dq_code"] != _FINE]
            parts.append(_parts(marked, keys, RULE, marked["dq_code"], "n"))
        return cls(missing[[*keys, "rows", "patients"]], pd.concat(parts or [nothing], ignore_index=True))

    def without(self, key: str, labels: Collection[str]) -> Counts:
        """The same without the groups of these `labels` of `key`."""
        groups, parts = (each[~each[key].isin(list(labels))] for each in (self.groups, self.parts))
        return Counts(groups, parts)


def moves(now: Counts, before: Counts, keys: Sequence[str], points: float, blur: float) -> pd.DataFrame:
    """What moved by more than `points`, the largest first: `keys`, what, name, before, after, moved. Of rows
    `before` and `after` are numbers and `moved` is in % of them; else shares in %, and points. Last come the
    groups whose rows are withheld now, or gone. `blur` is the standard deviation of a count of patients."""
    import pandas as pd

    groups = _beside(now.groups, before.groups, [*keys])
    found = pd.concat(
        [_lost(groups, points, blur), _shifted(_shares(now, before, keys, groups), points, blur)]
    )
    return in_order(found[[*keys, *_WHAT, "before", "after", "moved"]].reset_index(drop=True))


def in_order(found: pd.DataFrame) -> pd.DataFrame:
    """The largest first, those not known last."""
    order = found["moved"].abs().sort_values(ascending=False, kind="stable", na_position="last").index
    return found.loc[order].reset_index(drop=True)


def filled(now: Counts, before: Counts, keys: Sequence[str], blur: float) -> pd.DataFrame:
    """By the keys and column `name`, how many points more of the rows are filled; 0 where it may be blur."""
    shares = _shares(now, before, keys, _beside(now.groups, before.groups, [*keys]))
    found = shares[shares["what"] == FILLED]
    moved = found["moved"].where(found["moved"].abs() > _DEVIATIONS * _deviation(found, blur), 0.0)
    chosen: pd.DataFrame = found.assign(moved=moved.where(found["moved"].notna()))[[*keys, "name", "moved"]]
    return chosen.reset_index(drop=True)


def _parts(frame: pd.DataFrame, keys: Sequence[str], what: str, name: Any, part: str) -> pd.DataFrame:
    return frame[[*keys]].assign(what=what, name=name, part=frame[part].astype("Float64"))


def _beside(now: pd.DataFrame, before: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Both numbers of each group, `_after` and `_before`."""
    suffixes = ("_after", "_before")
    if keys:
        return now.merge(before, on=keys, how="outer", suffixes=suffixes)
    return now.merge(before, how="cross", suffixes=suffixes)


def _shares(now: Counts, before: Counts, keys: Sequence[str], groups: pd.DataFrame) -> pd.DataFrame:
    """Shares in % of both, where both are known, and by how many points they moved."""
    parts = _beside(now.parts, before.parts, [*keys, *_WHAT])
    found = parts.merge(groups, on=[*keys]) if keys else parts.merge(groups, how="cross")
    sign = found["what"].map({FILLED: -1.0, RULE: 1.0}).astype("Float64")
    base = found["what"].map({FILLED: 100.0, RULE: 0.0}).astype("Float64")
    moved = sign * (_share(found, "after").fillna(0.0) - _share(found, "before").fillna(0.0))
    known = found["rows_before"].notna() & found["rows_after"].notna()
    told = {side: (base + sign * _share(found, side)).round(1) for side in ("before", "after")}
    return found.assign(**told, moved=(moved.where(known).round(1) + 0.0))


def _share(found: pd.DataFrame, side: str) -> pd.Series[Any]:
    return 100 * found[f"part_{side}"] / found[f"rows_{side}"].astype("Float64")


def _shifted(shares: pd.DataFrame, points: float, blur: float) -> pd.DataFrame:
    """Those that moved by more than `points`, and by more than their blur."""
    least = points / shares["what"].map({FILLED: 1, RULE: _RULES}).astype("Float64")
    size = shares["moved"].abs()
    told = (size > least) & (size > _DEVIATIONS * _deviation(shares, blur))
    return shares[told.fillna(False).astype(bool)]


def _deviation(shares: pd.DataFrame, blur: float) -> pd.Series[Any]:
    """The standard deviation of the difference of two blurred shares, in points: of a ratio to first order
    (Cochran, Sampling Techniques, Wiley 1977, § 6.3)."""
    variance: Any = 0.0
    for side in ("before", "after"):
        rows, share = shares[f"rows_{side}"].astype("Float64"), _share(shares, side).fillna(0.0)
        part, whole = (_blur(shares, side, name, blur) / rows for name in ("part", "rows"))
        variance = variance + (100 * part) ** 2 + (share * whole) ** 2
    deviation: pd.Series[Any] = variance**0.5
    return deviation


def _blur(found: pd.DataFrame, side: str, name: str, blur: float) -> pd.Series[Any]:
    """Of a number of rows: in units of what one of the heaviest patients adds to it."""
    import numpy as np

    patients = found[f"patients_{side}"].astype("Float64").fillna(1.0).clip(lower=1.0)
    each = found[f"{name}_{side}"].astype("Float64").fillna(0.0) / patients
    heaviest: pd.Series[Any] = each * np.log(patients)
    return blur * heaviest.clip(lower=1.0)


def _lost(groups: pd.DataFrame, points: float, blur: float) -> pd.DataFrame:
    """Groups of fewer rows than before. Of those that are withheld now, or gone, `moved` is not known."""
    before, after = (groups[f"rows_{side}"].astype("Float64") for side in ("before", "after"))
    lost = 100 * (before - after) / before
    one, other = (_blur(groups, side, "rows", blur) for side in ("before", "after"))
    fewer = (lost > points) & (before - after > _DEVIATIONS * (one**2 + other**2) ** 0.5)
    missed = after.isna() & (groups["patients_before"] >= _LEAST_PATIENTS)
    found = groups.assign(what=ROWS, name="", before=before, after=after, moved=-lost.round(1))
    return found[(fewer.fillna(False) | missed.fillna(False)).astype(bool)]
