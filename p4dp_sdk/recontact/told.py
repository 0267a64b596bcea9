"""What the enclave says of a request: its number, how many patients about, and how far it has come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from p4dp_sdk import markup
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.messages import N_

_STATES = {
    "requested": N_("decision pending"),
    "approved": N_("approved"),
    "announced": N_("announced to practices"),
    "refused": N_("refused"),
    "closed": N_("closed"),
}
_WITHHELD = "•"


def _state(state: str) -> str:
    return _(_STATES.get(state, state))


@dataclass(frozen=True)
class Recontact:
    """A request just made. `patients` and `centres` (None: withheld) are protected as every count is."""

    request: str
    state: str
    patients: int
    centres: Mapping[str, int | None]

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Recontact:
        """As the gateway gives it. Keys that this version does not know are left alone."""
        centres = {str(each["centre_id"] or "—"): each["patients"] for each in document["centres"]}
        return cls(document["request"], document["state"], document["patients"], centres)

    def __str__(self) -> str:
        first = _("Request {request}: about {patients} patients")
        return "\n".join((first.format(request=self.request, patients=self.patients), _note()))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        first = _("Request {request}: about {patients} patients")
        counts = (
            (centre, _WITHHELD if count is None else str(count)) for centre, count in self.centres.items()
        )
        return (
            markup.heading(first.format(request=self.request, patients=self.patients))
            + markup.table([_("Centre"), _("Patients")], counts)
            + markup.notes([_note()])
        )


def _note() -> str:
    return _(
        "No list is shown here. A DIM physician or the committee (CSE) decides; then each practice gets a "
        "sealed list that it alone opens."
    )


@dataclass(frozen=True)
class Standing:
    """One request, as it stands."""

    request: str
    title: str
    state: str
    requested_at: str
    patients: int


@dataclass(frozen=True)
class Recontacts(Sequence[Standing]):
    """The project's requests, the newest first."""

    requests: tuple[Standing, ...]

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Recontacts:
        names = Standing.__dataclass_fields__
        return cls(tuple(Standing(**{name: each[name] for name in names}) for each in document["requests"]))

    def __getitem__(self, place: Any) -> Any:
        return self.requests[place]

    def __iter__(self) -> Iterator[Standing]:
        return iter(self.requests)

    def __len__(self) -> int:
        return len(self.requests)

    def _lines(self) -> list[tuple[str, ...]]:
        return [
            (each.request, each.title, _state(each.state), each.requested_at[:10], str(each.patients))
            for each in self.requests
        ]

    def __repr__(self) -> str:
        return "\n".join([_("Requests of re-contact"), *("  ".join(line) for line in self._lines())])

    def _repr_html_(self) -> str:
        headers = [_("Number"), _("Title"), _("State"), _("Asked on"), _("Patients")]
        return markup.table(headers, self._lines())
