"""The JSON documents of publication, for the published reference. Shapes only."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class PublicationKeyDocument(BaseModel):
    """The public key (PEM) and its fingerprint, which signatures name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    algorithm: str
    key: str
    public_key: str
    request_id: str
