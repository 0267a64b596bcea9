"""What changed between two lists, code by code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from p4dp_sdk import markup
from p4dp_sdk.codelists.systems import label_of
from p4dp_sdk.locale import translate as _


@dataclass(frozen=True, repr=False)
class Difference:
    """Codes by system. False where there is none."""

    added: Mapping[str, tuple[str, ...]]
    removed: Mapping[str, tuple[str, ...]]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)

    def _rows(self) -> Iterator[tuple[str, str, str, str]]:
        for sign, codes in (("+", self.added), ("−", self.removed)):
            for system, given in codes.items():
                yield from ((sign, system, code, label_of(system, code)) for code in given)

    def __repr__(self) -> str:
        return "\n".join(" ".join(row).rstrip() for row in self._rows()) or _("No difference.")

    def _repr_html_(self) -> str:
        if not self:
            return markup.paragraph(_("No difference."))
        return markup.table(["", _("system"), _("code"), _("label")], list(self._rows()))
