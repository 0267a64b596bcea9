"""What the rules take and give: an authorised query in, a plan of execution out. Frozen values; no I/O.

The service runs a plan; it never looks inside an expression. Names of hidden columns start with `__`, which
no query may use.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import ibis
import pyarrow as pa

from hub_config.governance.facts import AccessLevel
from p4dp_sdk.catalogue.model import Table
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.wire.protocol import MeasureSummary

PATIENT = "__patient"
PHYSICIAN = "__physician"


@dataclass(frozen=True)
class BoundTable:
    """One granted table on the engine: visible columns plus the hidden ids, already filtered by grant and
    objections.

    A PERSON relation carries `__patient` (int64) and `__physician` (int32, may be NULL), a PHYSICIAN one
    `__physician`.
    """

    table: Table
    relation: ibis.Table


@dataclass(frozen=True)
class AuthorisedQuery:
    """An expression over unbound tables, with all it may touch.

    `domains` gives every code system's codes, site systems filled; `calendar` the first and last date of the
    snapshot.
    """

    expression: ibis.Expr
    tables: Mapping[str, BoundTable]
    domains: Mapping[str, tuple[str, ...]]
    calendar: tuple[date, date]
    access: AccessLevel
    policy: Policy


@dataclass(frozen=True)
class Domain:
    """What a group of closed keys may hold: `labels` are the possible combinations, one value a key of
    `keys`."""

    keys: tuple[str, ...]
    labels: tuple[tuple[object, ...], ...]


def margins_of(keys: tuple[str, ...], domains: tuple[Domain, ...]) -> tuple[tuple[str, ...], ...]:
    """What each margin leaves out: every key, and the keys of one variable together. Alone, each of these is
    fixed by the others (a code by its label), and could have put nobody elsewhere."""
    together = (domain.keys for domain in domains if len(domain.keys) > 1)
    return (*((key,) for key in keys), *together)


class MeasureKind(StrEnum):
    """How a released number is protected."""

    PATIENTS = "patients"  # distinct patients, or rows of which each patient has one
    ROWS = "rows"  # rows, several a patient
    SUM = "sum"  # of one catalogue numeric, or a per-patient count, duration or summary
    QUANTILE = "quantile"  # from protected counts


@dataclass(frozen=True)
class Measure:
    """One released column. `conditional`: a condition of the query chooses its contributors.

    `family` names what the ledger may compare it with: "count" for every count, else the kind and the lineage
    of the value. `bounds`: what one row may add, from the catalogue (sums), or the range that a quantile's
    bins divide; a sum without them has no public bound. `weight` names the column of
    `Release.rows` that holds what each row adds, NULL where it does not contribute; None: every row adds 1.
    """

    name: str
    conditional: bool
    kind: MeasureKind = MeasureKind.ROWS
    family: str = "count"
    bounds: tuple[float, float] | None = None
    weight: str | None = None
    quantile: float | None = None  # between 0 and 1
    step: float | None = None  # of a quantile: the width of the finest bin


@dataclass(frozen=True)
class Release:
    """One table at the release frontier.

    Evidence is read from `rows`: one a record, with the keys, the hidden ids and the weights. `schema` are
    the keys and measures as `post` wants them. `domains` say what is known of closed keys; when all keys are
    (`closed`) every cell comes back, otherwise failing rows are dropped.
    """

    name: str
    rows: ibis.Table
    schema: ibis.Schema
    keys: tuple[str, ...]
    measures: tuple[Measure, ...]
    domains: tuple[Domain, ...] = ()
    closed: bool = False
    unit: str = PATIENT  # the hidden column that names the protected unit
    physicians: tuple[str, ...] = ()  # the hidden columns that name GPs; none in tables about GPs
    patient_keys: frozenset[str] = frozenset()  # keys that are the same in all rows of a patient
    evident: frozenset[str] = frozenset()  # keys that say of nobody what who knows them did not know

    @property
    def margins(self) -> tuple[tuple[str, ...], ...]:
        """Along which a group may be unanimous. That all of them are women tells nobody anything of them, and
        of the men what their own cell tells."""
        margins = margins_of(self.keys, self.domains)
        return tuple(left_out for left_out in margins if not self.evident.issuperset(left_out))

    @property
    def cells(self) -> int:
        """How many rows come back whatever the data; 0 where keys are open."""
        return math.prod(len(domain.labels) for domain in self.domains) if self.closed else 0


@dataclass(frozen=True)
class PublicTable:
    """Reference data or a user's own table that joins above the frontier: run on the engine, registered as
    it is."""

    name: str
    expression: ibis.Table


@dataclass(frozen=True)
class PublicPlan:
    """Nobody is in it: run on the engine and send."""

    expression: ibis.Table


@dataclass(frozen=True)
class ReleasePlan:
    """Measure each release on the engine, protect it, register protected frames and public tables by name in
    an empty database, run `post` there."""

    post: ibis.Table
    releases: tuple[Release, ...]
    publics: tuple[PublicTable, ...] = ()


@dataclass(frozen=True)
class RowsPlan:
    """Run on the engine, unprotected: microdata grant or synthetic sandbox. `rehearsal` is what protection
    would have run, for the sandbox, when the query could be released."""

    expression: ibis.Table
    rehearsal: ReleasePlan | None = None


Plan = PublicPlan | RowsPlan | ReleasePlan


@dataclass(frozen=True)
class ProtectedTable:
    """What may be shown of one release: keys and measures only. NULL is the mark of a withheld measure."""

    frame: pa.Table
    measures: Mapping[str, MeasureSummary]
    reasons: tuple[str, ...]
    rows_may_be_missing: bool
