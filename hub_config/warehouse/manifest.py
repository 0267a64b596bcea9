"""What a snapshot says of itself: `manifest.json`, sealed by a checksum so that a damaged one is never
believed.

The seal catches damage, not malice: whoever may write the warehouse may also seal. Nothing in it is a data
value.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError

FORMAT: Final = 1
REGISTERED: Final = "registered"  # the numbering that all loaded sources share


class ManifestError(ValueError):
    """The manifest can't be believed; the message says why."""


@dataclass(frozen=True)
class Manifest:
    """`rows` counts each table; `sha256` and `bytes` are by file, relative to the snapshot's directory.

    `source` is a phrase ("preset A", "mapping nafld"). `reference_date` is the date of every age in the
    snapshot; `first_date` and `last_date` bound the events. `public` means that the source is a public data
    set. What follows `format` came later, and is empty where it was not noted: `columns` are those stored, by
    table; `population` is what a rolling project follows; `quality` counts the rows each rule marked;
    `invented` means that its GPs were, for a loaded source that has none; `merged` are the small centres, by
    the code that they bear together (`warehouse.centres`).
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    number: int
    source: str
    created_at: str
    reference_date: date
    first_date: date
    last_date: date
    synthetic: bool
    public: bool
    patients: int
    physicians: int
    rows: Mapping[str, int]
    sha256: Mapping[str, str]
    bytes: Mapping[str, int]
    format: int = FORMAT
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    population: str = ""
    sources: tuple[str, ...] = ()
    quality: Mapping[str, int] = field(default_factory=dict)
    invented: bool = False
    merged: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def followed(self) -> str:
        """The population that a rolling project finds it by: its own source where none was noted."""
        return self.population or self.source

    @property
    def numbering(self) -> str:
        """Within which a patient's number is one person: all that is loaded, or one synthetic source."""
        return self.source if self.synthetic else REGISTERED

    @property
    def physician_numbering(self) -> str:
        """The same of a GP's number: invented GPs are nobody else's."""
        return self.source if self.synthetic or self.invented else REGISTERED


_MANIFEST: Final = TypeAdapter(Manifest)


def write_manifest(manifest: Manifest) -> str:
    """The sealed JSON text of `manifest`."""
    fields: dict[str, Any] = _MANIFEST.dump_python(manifest, mode="json")
    return json.dumps({**fields, "seal": _seal(fields)}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def read_manifest(text: str) -> Manifest:
    """The manifest in `text`. Raises ManifestError when it is none, is damaged, or of another format."""
    try:
        fields = json.loads(text)
    except json.JSONDecodeError:
        raise ManifestError("its manifest is not valid JSON") from None
    if not isinstance(fields, dict) or fields.pop("seal", None) != _seal(fields):
        raise ManifestError("its manifest does not match its own checksum")
    if fields.get("format") != FORMAT:
        raise ManifestError(
            f"its manifest has another format than {FORMAT}: it was written by another version"
        )
    return _validated(fields)


def _validated(fields: dict[str, Any]) -> Manifest:
    try:
        return _MANIFEST.validate_python(fields)
    except ValidationError as error:
        names = sorted({".".join(str(part) for part in item["loc"][:1]) for item in error.errors()})
        raise ManifestError(f"its manifest has unreadable fields: {', '.join(names)}") from None


def _seal(fields: Mapping[str, Any]) -> str:
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
