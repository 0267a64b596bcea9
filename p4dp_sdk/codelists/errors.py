"""What can go wrong with code lists, for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches

from p4dp_sdk.catalogue.code_lists import BadCodeList, explain_flaw
from p4dp_sdk.errors import P4DPError
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.messages import Explanation


class CodeListError(P4DPError, ValueError):
    """A list, or a file of one, that can't be used. `bad.flaw` says how, out of a closed list."""

    def __init__(self, bad: BadCodeList) -> None:
        super().__init__(bad.flaw.value)
        self.bad = bad

    @property
    def explanation(self) -> Explanation:
        return explain_flaw(self.bad, _)


class UnknownCodeListError(P4DPError, KeyError):
    """No list has this name or label; or several have, and `known` are their names."""

    def __init__(self, asked: str, known: Iterable[str], *, several: bool = False) -> None:
        super().__init__(asked)
        self.asked = asked
        self.known = sorted(known)
        self.several = several

    @property
    def explanation(self) -> Explanation:
        if self.several:
            return Explanation(
                _("Several code lists are called “{name}”.").format(name=self.asked),
                _("A result must say which list it rests on."),
                _("Take one by its name: {names}.").format(names=", ".join(self.known)),
            )
        near = get_close_matches(self.asked, self.known, n=1, cutoff=0.5)
        hint = _("Did you mean “{name}”?").format(name=near[0]) + " " if near else ""
        return Explanation(
            _("There is no code list “{name}”.").format(name=self.asked),
            _("Lists are found by their name, or by their label in French or English."),
            hint + _("Search with p4dp.codes.search(“a word”), or write your own: p4dp.CodeList(…)."),
        )


class ComparedCodeListError(P4DPError, TypeError):
    """A column was compared with a list by `==`, which would quietly find nobody."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.label = label

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("A column can't be compared with the code list “{name}” by == or !=.").format(name=self.label),
            _("A list holds many codes; a row has one of them."),
            _("Write list.matches(column), or table.where(codes=list)."),
        )


class CodeListWarning(UserWarning):
    """A list names codes that this enclave does not know: nobody can be found by them here."""


@contextmanager
def in_words() -> Iterator[None]:
    """Faults of floor 0, as errors for people."""
    try:
        yield
    except BadCodeList as bad:
        raise CodeListError(bad) from None
