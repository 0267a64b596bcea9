"""What is in a file that somebody wants to take out: found in a box, told as closed words and inert data.

    inspection = inspect(path, "table.csv", bounds=Bounds(), context=Context(min_patients=11))

`inside` runs in the box and is all that ever parses a file; what it answers is read as a stranger's words.
`texts` says each finding in French and English: what, why, remedy.
"""

from __future__ import annotations

from hub_config.airlock.checks.bounds import Bounds
from hub_config.airlock.checks.inside.found import Context, Sizes
from hub_config.airlock.checks.inside.preview import (
    Block,
    Highlight,
    ImageBlock,
    NoteBlock,
    Preview,
    TableBlock,
    TextBlock,
)
from hub_config.airlock.checks.inside.protocol import (
    BadAnswer,
    finding_document,
    preview_document,
    read_finding,
    read_preview,
)
from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.airlock.checks.inspecting import VERSION, Inspection, Quarantine, inspect, inspect_bytes

__all__ = [
    "VERSION",
    "BadAnswer",
    "Block",
    "Bounds",
    "Context",
    "Highlight",
    "ImageBlock",
    "Inspection",
    "NoteBlock",
    "Preview",
    "Quarantine",
    "Reason",
    "Sizes",
    "TableBlock",
    "TextBlock",
    "finding_document",
    "inspect",
    "inspect_bytes",
    "preview_document",
    "read_finding",
    "read_preview",
]
