"""What a figure can't be drawn of, said so that a physician can go on. Names columns; never a value."""

from __future__ import annotations

from collections.abc import Sequence

from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.explained import P4DPError
from p4dp_sdk.wire.messages import Explanation


class NotOneRowEachError(P4DPError, ValueError):
    """Several rows of a frame would be drawn at one place."""

    def __init__(self, columns: Sequence[str]) -> None:
        super().__init__(", ".join(columns))
        self.columns = tuple(columns)

    @property
    def explanation(self) -> Explanation:
        names = ", ".join(self.columns)
        return Explanation(
            _("This figure can't be drawn: several rows have the same {columns}.").format(columns=names),
            _("It shows one number for each; the table is also split by something else."),
            _("Group by {columns} only, or keep one of the other groups with filter.").format(columns=names),
        )


class TwoSidesError(P4DPError, ValueError):
    """A pyramid of anything but two groups."""

    def __init__(self, column: str, groups: int) -> None:
        super().__init__(column)
        self.column = column
        self.groups = groups

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("A pyramid has two sides; column “{column}” has {groups} groups.").format(
                column=self.column, groups=self.groups
            ),
            _("The first stands to the left of the axis, the second to the right."),
            _("Keep two groups, or draw them as bars: p4dp.plots.bar."),
        )


class TooFewGroupsError(P4DPError, ValueError):
    """A figure of two groups was asked of a table that has one, or none."""

    def __init__(self, groups: Sequence[str]) -> None:
        super().__init__(", ".join(groups))
        self.groups = tuple(groups)

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("This figure crosses two groups; the table has: {groups}.").format(
                groups=", ".join(self.groups) or "—"
            ),
            _("A pyramid needs an age and a sex, a heat map rows and columns."),
            _("Publish the table by two groups, or draw bars: table.plot.bar()."),
        )


class NotAboveZeroError(P4DPError, ValueError):
    """A logarithmic axis of numbers that are not all above 0."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("Column “{column}” has numbers that are not above 0.").format(column=self.column),
            _("A logarithmic axis shows ratios (odds ratios, hazard ratios), which always are."),
            _("Draw differences on an ordinary axis: log=False."),
        )


class UnknownFormatError(P4DPError, ValueError):
    """A figure was to be saved in a format that there is not."""

    def __init__(self, suffix: str, known: Sequence[str]) -> None:
        super().__init__(suffix)
        self.suffix = suffix
        self.known = tuple(known)

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("Figures are not saved as “{suffix}”.").format(suffix=self.suffix or "—"),
            _("A journal takes drawings (SVG, PDF); a slide or a text takes an image (PNG)."),
            _("End the file's name with one of: {names}.").format(names=", ".join(self.known)),
        )


class NotBornSafeError(P4DPError, ValueError):
    """A figure of a publication table was to have what does not come from the table."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("This figure would not be born safe: {problem}.").format(problem=_(self.problem)),
            _("All of it comes from the signed table: title, labels, colours, limits."),
            _("Leave that out; or go on with figure.axes, and have the figure looked at as one of your own."),
        )


class OnAxesError(P4DPError, AttributeError):
    """A figure was asked for what matplotlib's Axes have."""

    def __init__(self, asked: str) -> None:
        super().__init__(asked)
        self.asked = asked

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("A figure of a publication table has no “{name}”.").format(name=self.asked),
            _("It shows the signed table and nothing else, so it leaves the enclave after one look."),
            _(
                "To go on with matplotlib: figure.axes.{name}. What comes of it is a figure of your own."
            ).format(name=self.asked),
        )
