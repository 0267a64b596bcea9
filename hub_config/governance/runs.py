"""One run of a report, as the desk of reports gives it to the spawner: all of it checked before. A value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Run:
    """`notebook` is the template's own bytes, whose hash is on record: what was hashed is what runs.
    `registration`: the number of a registered notebook, where it is one."""

    id: str
    template: str
    notebook: bytes = field(repr=False)
    parameters: Mapping[str, object]
    language: Literal["fr", "en"]
    seconds: int
    registration: str = ""

    def told(self, token: str) -> str:
        """What the first program of the box reads: the job, and the token for the kernel alone."""
        return json.dumps(
            {
                "template": self.template,
                "notebook": self.notebook.decode(),
                "parameters": dict(self.parameters),
                "token": token,
            }
        )
