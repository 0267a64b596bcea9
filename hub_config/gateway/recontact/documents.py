"""What a project is told of its requests of re-contact: numbers that any question would have told, and how
far each request has come. Never a list, a practice, or how many there are."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from hub_config.governance.recontact.facts import RequestState


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CentreCountDocument(_Document):
    """`patients` null: withheld."""

    centre_id: str | None
    patients: int | None


class RecontactDocument(_Document):
    request: str
    title: str
    state: RequestState
    requested_at: datetime
    patients: int


class RecontactsDocument(_Document):
    requests: tuple[RecontactDocument, ...]
    request_id: str


class RequestedDocument(_Document):
    """A request just made."""

    request: str
    state: RequestState
    patients: int
    centres: tuple[CentreCountDocument, ...]
    request_id: str
