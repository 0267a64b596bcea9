"""What the gateway, the hub and the spawner need to know about a project, as frozen values. No I/O, no
clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any


class AccessLevel(StrEnum):
    AGGREGATE = "aggregate"  # protected aggregates only
    MICRODATA = "microdata"  # individual data inside the workspace
    SANDBOX = "sandbox"  # bac à sable: synthetic data, no protection, shows what protection would do


class ProjectStatus(StrEnum):
    DRAFT = "draft"
    APPROVED = "approved"
    SUSPENDED = "suspended"
    CLOSED = "closed"


@dataclass(frozen=True)
class Grant:
    """What one project may see. `tables` maps a table to its granted columns; None is every visible column.
    `centres` None is every centre; dates bound events, inclusive."""

    access: AccessLevel
    tables: Mapping[str, frozenset[str] | None]
    centres: frozenset[str] | None = None
    date_from: date | None = None
    date_to: date | None = None
    expires_on: date | None = None
    legal_basis: str = ""
    snds: bool = False
    recontact: bool = False  # may ask practices to tell their patients of a study


@dataclass(frozen=True)
class ProjectFacts:
    slug: str
    title: str
    purpose: str
    status: ProjectStatus
    snapshot: int
    grant: Grant
    members: frozenset[str]
    open_to_all: bool = False  # the bac à sable
    policy: Mapping[str, Any] = field(default_factory=dict)  # keys of Policy, stricter than the site's
    physicians_dim: frozenset[str] = frozenset()  # members who look at everything anyway
    signed: frozenset[str] | None = None  # who accepted the charter in force; None: none is asked
    left: frozenset[str] = frozenset()  # who left the enclave, though the project may be open to all
    rolling: str | None = None  # the population it follows; `snapshot` is then the newest of it
    founded_on: int | None = None  # where `snapshot` is the newest: the one it was founded on
    related: frozenset[str] = frozenset()  # where a compared member belongs, or ever did, as well, by slug

    @property
    def anchor(self) -> int:
        """The snapshot that what may be spent only once is counted by."""
        return self.founded_on or self.snapshot

    @property
    def compared(self) -> frozenset[str]:
        """The members whose other projects the ledger compares an answer with: all but DIM physicians, who
        would tie every project to every other."""
        return self.members - self.physicians_dim


@dataclass(frozen=True)
class Objectors:
    """Patients and physicians, by their dense numbers in one numbering, whose rows no query sees; and those
    of whom it sees none dated after a day."""

    patients: frozenset[int] = field(default_factory=frozenset)
    physicians: frozenset[int] = field(default_factory=frozenset)
    patients_until: Mapping[int, date] = field(default_factory=dict)
    physicians_until: Mapping[int, date] = field(default_factory=dict)
