"""The JSON documents the gateway answers with: who is asking, what the project may see. Shapes only, no
decisions.

Nothing here is computed from patients: names, labels, limits, dates of the snapshot.
"""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict

from hub_config.governance.facts import AccessLevel
from hub_config.governance.persons.facts import Standing
from p4dp_sdk.catalogue.model import Role, Unit


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SnapshotDocument(_Document):
    number: int
    source: str
    synthetic: bool
    reference_date: date
    first_date: date
    last_date: date


class PolicyDocument(_Document):
    min_patients: int
    min_physicians: int


class LimitsDocument(_Document):
    request_bytes: int
    depth: int
    nodes: int
    cells: int
    seconds: float


class WhoamiDocument(_Document):
    """The person and the project this workspace's socket and token stand for."""

    protocol: int
    user: str
    project: str
    title: str
    purpose: str
    access: AccessLevel
    legal_basis: str
    expires_on: date | None
    snds: bool
    snapshot: SnapshotDocument
    policy: PolicyDocument
    limits: LimitsDocument
    request_id: str


class ColumnDocument(_Document):
    name: str
    dtype: str
    role: Role
    label_fr: str
    label_en: str
    codes: str | None
    unit: str | None
    bounds: tuple[float, float] | None


class TableDocument(_Document):
    name: str
    unit: Unit
    label_fr: str
    label_en: str
    description_fr: str
    description_en: str
    date: str | None
    snds: bool
    columns: tuple[ColumnDocument, ...]


class CodeDocument(_Document):
    code: str
    label_fr: str
    label_en: str
    parent: str | None


class CodeSystemDocument(_Document):
    name: str
    label_fr: str
    label_en: str
    site: bool
    parents: str | None
    codes: tuple[CodeDocument, ...]


class CatalogueDocument(_Document):
    """The granted tables with their visible columns, and the code systems these columns use; site systems
    are filled.
    """

    protocol: int
    project: str
    snapshot: SnapshotDocument
    tables: tuple[TableDocument, ...]
    code_systems: tuple[CodeSystemDocument, ...]
    request_id: str


class MeDocument(_Document):
    """As what the person is known in the snapshot's source (null: not at all), whether the snapshot tells
    their rows from others', and which tables hold any.
    """

    protocol: int
    standing: Standing | None
    available: bool
    source: str
    snapshot: int
    tables: tuple[str, ...]
    request_id: str


class PreviousDocument(_Document):
    """The version before the project's own: the columns it has of each granted table, and the centres that
    don't stand for the same in both.
    """

    protocol: int
    snapshot: SnapshotDocument
    tables: dict[str, tuple[str, ...]]
    apart: tuple[str, ...]
    request_id: str


class NoiseBudgetDocument(_Document):
    """The privacy budget of noisy answers on one snapshot: of the project, and of each of its members."""

    left: float
    total: float
    each: float
    snapshot: int
    request_id: str
