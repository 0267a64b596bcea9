"""What can be wrong with a Table 1 or a life table that is asked for: what, why, what to do, in French.

Raised before any question leaves the notebook. Texts are English gettext ids; blanks hold names that the
person wrote, never data.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from p4dp_sdk.errors import P4DPError
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.messages import N_, Explanation


class ResultError(P4DPError, ValueError):
    """A result that can't be made as asked. The three texts are gettext ids with blanks."""

    def __init__(self, what: str, why: str, step: str, **blanks: object) -> None:
        super().__init__(what)
        self._texts, self._blanks = (what, why, step), blanks

    @property
    def explanation(self) -> Explanation:
        return Explanation(*(_(text).format(**self._blanks) for text in self._texts))


def unknown_column(name: str, known: Iterable[str]) -> ResultError:
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    step = N_("Did you mean “{near}”? There are: {names}.") if near else N_("There are: {names}.")
    return ResultError(
        N_("This cohort has no column “{name}”."),
        N_("A result is made of the columns of the cohort's relation."),
        step,
        name=name,
        near=near[0] if near else "",
        names=", ".join(names),
    )


def unknown_classes(name: str) -> ResultError:
    return ResultError(
        N_("The classes of “{name}” can't be known beforehand."),
        N_("A class that is not on a list of the catalogue is not asked for: its label could be somebody's."),
        N_('Name them: bands={{"{name}": ["first class", "second class"]}}.'),
        name=name,
    )


def no_description(name: str, kind: str) -> ResultError:
    return ResultError(
        N_("“{name}” ({kind}) can't stand in a Table 1."),
        N_("A line of the table is a yes/no column, a coded column or a number; a date is none of them."),
        N_(
            "Make a variable of it: an age or a delay in years, a calendar year as class, a yes/no condition."
        ),
        name=name,
        kind=kind,
    )


def bad_bands(name: str) -> ResultError:
    return ResultError(
        N_("The classes given for “{name}” can't be used."),
        N_("A number has limits, each larger than the one before; a coded column has a list of its codes."),
        N_('For example: bands={{"age": [40, 65], "centre_id": ["C1", "C2"]}}.'),
        name=name,
    )


def not_summed(name: str) -> ResultError:
    return ResultError(
        N_("The mean of “{name}” can't be released."),
        N_("It is computed (a slope, a formula): one person could weigh more than thousands in it."),
        N_('Give limits and it is counted by class: bands={{"{name}": [first limit, second limit]}}.'),
        name=name,
    )
