"""`ws.releases`: one's requests of this project, newest first, by their number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from p4dp_sdk import markup
from p4dp_sdk.locale import translate as _
from p4dp_sdk.releases import words
from p4dp_sdk.releases.airlock import Airlock
from p4dp_sdk.releases.errors import unknown_request
from p4dp_sdk.releases.request import ReleaseRequest


class Releases(Mapping[str, ReleaseRequest]):
    """As they stood when they were listed: ask `ws.releases` again for how they stand."""

    def __init__(self, airlock: Airlock) -> None:
        self._airlock = airlock

    @cached_property
    def _listed(self) -> dict[str, dict[str, Any]]:
        return {str(each["id"]): each for each in self._airlock.requests()}

    def __getitem__(self, number: str) -> ReleaseRequest:
        if number not in self._listed:
            raise unknown_request(", ".join(self._listed))
        return ReleaseRequest(self._airlock, self._airlock.request(number))

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def rows(self) -> list[tuple[str, str, str, str, str]]:
        return [
            (
                number,
                str(each["title"]),
                words.state(str(each["state"])),
                str(each["files"]),
                words.day(each["submitted_at"] or each["created_at"]),
            )
            for number, each in self._listed.items()
        ]

    def __repr__(self) -> str:
        lines = [f"{number}  {state}  {title} ({day})" for number, title, state, _files, day in self.rows()]
        return "\n".join(lines) or _("No request of release in this project yet.")

    def _repr_html_(self) -> str:
        if not self._listed:
            return markup.paragraph(repr(self))
        return markup.table([_("Number"), _("Title"), _("State"), _("Files"), _("Date")], self.rows())
