"""Who is asking, for which project, with which rights: the gateway's `whoami` as values, with words for
people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, assert_never

from p4dp_sdk.errors import EnclaveError
from p4dp_sdk.locale import Language, language
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.errors import ErrorCode


class Access(StrEnum):
    """What a project's grant lets come back."""

    AGGREGATE = "aggregate"
    MICRODATA = "microdata"
    SANDBOX = "sandbox"

    @property
    def words(self) -> str:
        match self:
            case Access.AGGREGATE:
                return _("protected aggregates: counts of patients, never rows")
            case Access.MICRODATA:
                return _("individual data, inside the workspace only")
            case Access.SANDBOX:
                return _("sandbox: synthetic data, no protection; says what protection would do")
            case _:
                assert_never(self)


@dataclass(frozen=True)
class Identity:
    """The person and the project that this workspace's socket and token stand for."""

    user: str
    project: str
    title: str
    purpose: str
    access: Access
    snapshot: int
    source: str
    synthetic: bool
    reference_date: str
    first_date: str
    last_date: str
    expires_on: str | None
    min_patients: int
    min_physicians: int

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Identity:
        """From the gateway's answer. Raises EnclaveError when it is not of the form this SDK knows."""
        snapshot, policy = answer.get("snapshot", {}), answer.get("policy", {})
        try:
            return cls(
                **{name: answer[name] for name in ("user", "project", "title", "purpose", "expires_on")},
                **{
                    name: snapshot[name]
                    for name in ("source", "synthetic", "reference_date", "first_date", "last_date")
                },
                **{name: policy[name] for name in ("min_patients", "min_physicians")},
                access=Access(answer["access"]),
                snapshot=snapshot["number"],
            )
        except (KeyError, TypeError, ValueError):
            raise EnclaveError(ErrorCode.PROTOCOL_VERSION) from None

    def lines(self) -> list[tuple[str, str]]:
        """What to show: (name, value) pairs in the person's language."""
        data = _("snapshot {number} ({source}), from {first} to {last}").format(
            number=self.snapshot, source=self.source, first=day(self.first_date), last=day(self.last_date)
        )
        return [
            (_("Person"), self.user),
            (_("Project"), f"{self.title} ({self.project})"),
            (_("Purpose"), self.purpose),
            (_("Right of access"), self.access.words),
            (_("Valid until"), day(self.expires_on) if self.expires_on else _("no end date")),
            (_("Data"), data + (" — " + _("synthetic") if self.synthetic else "")),
            (_("Smallest number shown"), self._floor()),
        ]

    def _floor(self) -> str:
        return _("{patients} patients, seen by {physicians} physicians at least").format(
            patients=self.min_patients, physicians=self.min_physicians
        )


def day(iso: str) -> str:
    """A date as the person's language writes it."""
    if language() is Language.ENGLISH:
        return iso
    return "/".join(reversed(iso.split("-")))
