"""What goes wrong with an indicator, said to a physician: what, why, what to do next. Never a value of the
data."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches

from p4dp_sdk.errors import P4DPError, UnknownNameError
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.messages import Explanation


class UnknownIndicatorError(UnknownNameError):
    """An indicator or dashboard that there is not; says which is nearest."""

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("There is no indicator “{name}”.").format(name=self.asked),
            _("Its name is misspelt, or it has not been written yet."),
            _hint(self.asked, self.known) + _("There are: {names}.").format(names=", ".join(self.known)),
        )


class UnknownGroupError(UnknownNameError):
    """`by=` names what this indicator can't be divided by."""

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("This indicator can't be divided by “{name}”.").format(name=self.asked),
            _("Its patients or rows carry no such column."),
            _hint(self.asked, self.known) + _("There are: {names}.").format(names=", ".join(self.known)),
        )


class UnknownNumeratorError(UnknownNameError):
    """`only` names no numerator of this indicator."""

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("This indicator has no numerator “{name}”.").format(name=self.asked),
            _("Its name is misspelt, or this indicator only counts."),
            _hint(self.asked, self.known) + _("There are: {names}.").format(names=", ".join(self.known)),
        )


class BadPeriodError(P4DPError, ValueError):
    """A date that is none, or a window whose end lies before its start."""

    def __init__(self, start: object, end: object = None) -> None:
        super().__init__(f"{start} {end}")
        self.start, self.end = start, end

    @property
    def explanation(self) -> Explanation:
        if self.end is None:
            what = _("“{start}” can't be used as a date or period here.").format(start=self.start)
        else:
            what = _("The period ends before it starts: {start}, {end}.").format(
                start=self.start, end=self.end
            )
        return Explanation(
            what,
            _("A period has a first and a last day, both included, in this order."),
            _('For example: between=("2022-01-01", "2022-12-31"), or at="2022-12-31".'),
        )


class OutsideDataError(P4DPError, ValueError):
    """A date after the snapshot's last day, or before its first."""

    def __init__(self, asked: date, first: date, last: date) -> None:
        super().__init__(f"{asked}")
        self.asked, self.first, self.last = asked, first, last

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("There are no data on {asked}.").format(asked=self.asked.isoformat()),
            _("The project's data run from {first} to {last}.").format(
                first=self.first.isoformat(), last=self.last.isoformat()
            ),
            _("Take a date inside of this period."),
        )


class BadSeriesError(P4DPError, ValueError):
    """A series that can't be made: no period in it, too many dates, or a step without a period."""

    def __init__(self, dates: int, most: int) -> None:
        super().__init__(f"{dates}")
        self.dates, self.most = dates, most

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("This series can't be made: it would have {dates} dates.").format(dates=self.dates),
            _("A patient is counted anew on each date, and one question takes {most} dates at most.").format(
                most=self.most
            ),
            _('Give the period with between=(…, …), and a longer step: every="year".'),
        )


class NotAShareError(P4DPError, ValueError):
    """A share was asked of a measure that only counts."""

    def __init__(self, measure: str) -> None:
        super().__init__(measure)
        self.measure = measure

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("“{measure}” counts; it has no share to compare.").format(measure=self.measure),
            _("A funnel and a standardised rate need a numerator and a denominator of patients."),
            _("Choose an indicator with a numerator: list(ws.indicators)."),
        )


class NoWorkspaceError(P4DPError, RuntimeError):
    """Publication of an indicator that was asked of tables outside of a workspace."""

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("This result has no workspace to publish it."),
            _("It was asked of tables that are no project's."),
            _('Ask it of a project: ws.indicators["motifs"].'),
        )


class TooLittleShownError(P4DPError, ValueError):
    """What is shown of a table is not enough to compute from."""

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("Too few numbers are shown to compute this."),
            _("Withheld cells can't be guessed, and leaving them out would bias the result."),
            _("Widen the age classes (ages=[40, 65]), take all centres together, or a longer period."),
        )


def _hint(asked: str, known: Iterable[str]) -> str:
    near = get_close_matches(asked, list(known), n=1)
    return _("Did you mean “{name}”?").format(name=near[0]) + " " if near else ""
