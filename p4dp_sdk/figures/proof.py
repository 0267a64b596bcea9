"""What a table or a figure carries so that anybody can tell where it comes from: the signed document, and for
a figure the specification it was drawn by. In a file of its own, or in the output of a notebook's cell.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, Self

from p4dp_sdk.figures.spec import BadSpec, Spec
from p4dp_sdk.wire.messages import N_
from p4dp_sdk.wire.publication import Document, NotGenuine, canonical

MIME: Final = "application/vnd.p4dp.publication+json"


@dataclass(frozen=True)
class Proof:
    """Not verified yet: `p4dp_sdk.wire.publication.verify` does, with a key had from the enclave."""

    document: Document
    spec: Spec | None = None

    @property
    def content(self) -> dict[str, Any]:
        table: dict[str, Any] = json.loads(self.document.to_json())
        return table if self.spec is None else {"spec": self.spec.content, "document": table}

    def to_json(self) -> bytes:
        return canonical(self.content)

    @classmethod
    def from_json(cls, document: bytes | str) -> Self:
        """Raises NotGenuine for anything that is neither a table nor a figure of one."""
        try:
            return cls.from_content(json.loads(document))
        except (ValueError, RecursionError) as problem:
            raise problem if isinstance(problem, NotGenuine) else NotGenuine(_NONE) from None

    @classmethod
    def from_content(cls, content: Any) -> Self:
        """Raises NotGenuine."""
        if not isinstance(content, dict):
            raise NotGenuine(_NONE)
        if set(content) != {"spec", "document"}:
            return cls(Document.from_json(json.dumps(content)))
        try:
            spec = Spec.from_content(content["spec"])
        except BadSpec as problem:
            raise NotGenuine(str(problem)) from None
        return cls(Document.from_json(json.dumps(content["document"])), spec)


_NONE: Final = N_("this is not a publication table of the enclave")
