"""What a definition must be, checked while it is written; each refusal says what to write instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

import ibis.expr.types as ir

from p4dp_sdk.cohorts.compile import preview_of
from p4dp_sdk.cohorts.definition import Definition, Index, Outcome, Summary, Test, Variable
from p4dp_sdk.cohorts.errors import CohortError
from p4dp_sdk.cohorts.events import DATE, Events, EventTable
from p4dp_sdk.cohorts.sources import events_of_codes
from p4dp_sdk.cohorts.windows import Ever, Reach, Span, Window, reach
from p4dp_sdk.errors import UnknownColumnError
from p4dp_sdk.identity import Access, Identity
from p4dp_sdk.wire.messages import N_

_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "patients": ("patient_id",),
    "observation_periods": ("patient_id", "start_date", "end_date", "end_reason"),
}
_VALUED: Final = (Summary.MEAN, Summary.SLOPE, Summary.STATUS)
_COUNTED: Final = (Summary.COUNT, Summary.ANY)


def only_one(given: Mapping[Any, Any], method: str, *ways: str) -> tuple[Any, Any]:
    """The one argument that was given."""
    found = [(way, events) for way, events in given.items() if events is not None]
    if len(found) != 1:
        raise CohortError(
            N_("“{method}” takes exactly one of: {ways}."),
            N_("It was given none of them, or several."),
            N_("For example: .index(first=ws.tables.diagnoses.where(codes=…))."),
            method=method,
            ways=", ".join(ways),
        )
    return found[0]


def events(given: Any, site: Any) -> Events:
    """What was given as events: events, a whole table of them, or a code list."""
    if isinstance(given, Events):
        return given
    if isinstance(given, EventTable):
        return given.where()
    if hasattr(given, "matches") and hasattr(given, "systems"):
        return events_of_codes(site.tables, given)
    raise CohortError(
        N_("These are no events."),
        N_("An event is a dated row; a filter or a column of a table has lost its date."),
        N_("Write ws.tables.diagnoses.where(codes=…), or give a code list: p4dp.codes(…)."),
    )


def day(value: str | date) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise CohortError(
            N_("“{value}” is no date."),
            N_("Dates are written year-month-day."),
            N_('For example: .between("2015-01-01", "2019-12-31").'),
            value=value,
        ) from None


def period(start: str | date, end: str | date, reference: str) -> tuple[date, date]:
    first, last = day(start), day(end)
    if first > last:
        raise CohortError(
            N_("This period ends before it starts: {start} to {end}."),
            N_("No index date can lie in it."),
            N_('Swap the two dates: .between("{end}", "{start}").'),
            start=first,
            end=last,
        )
    if last > date.fromisoformat(reference):
        raise CohortError(
            N_("This period ends in the future of the data: {end}."),
            N_("The snapshot's reference date is {reference}; nothing is known of later days."),
            N_("End the period on {reference} at the latest."),
            end=last,
            reference=reference,
        )
    return first, last


def length(method: str, unitless: tuple[int, ...], given: Mapping[str, int | None]) -> Span:
    """One length of time, from the one argument that was given with its unit."""
    from p4dp_sdk.cohorts import windows

    made = {"months": windows.months, "years": windows.years, "days": windows.days}
    found = [(unit, count) for unit, count in given.items() if count is not None]
    if unitless or len(found) != 1:
        raise CohortError(
            N_("“{method}” needs one length of time."),
            N_("It was given none, one without its unit, or several that could not be added without a rule."),
            N_("For example: .{method}(months=12)."),
            method=method,
        )
    unit, count = found[0]
    return made[unit](count)


def name(chosen: str, taken: Iterable[str]) -> None:
    """Names of criteria: a text for the flow chart, used once."""
    if not isinstance(chosen, str) or not chosen.strip() or chosen in set(taken):
        raise CohortError(
            N_("The criterion's name can't be used: “{name}”."),
            N_("Each criterion is a line of the flow chart and needs a name of its own."),
            N_('For example: .include("40-84 ans", lambda s: s.age.between(40, 84)).'),
            name=chosen if isinstance(chosen, str) else "—",
        )


def column_name(chosen: str, taken: Iterable[str]) -> None:
    """Names of columns: engines that ignore case must tell them apart."""
    known = {column.casefold() for column in taken}
    if (
        not isinstance(chosen, str)
        or not chosen.isidentifier()
        or chosen.startswith(("_", "step_", "criterion_"))
        or chosen.casefold() in known
    ):
        raise CohortError(
            N_("The name “{name}” can't be used for a column."),
            N_("It is taken already, or is not a word of letters, digits and _ that starts with a letter."),
            N_("Choose another, for example hba1c_initiale."),
            name=chosen,
        )


def row_test(test: Test, definition: Definition, tables: Mapping[str, ir.Table]) -> None:
    """Tries a condition on a row without data: does it name columns that there are, and say yes or no?"""
    preview = preview_of(definition, tables)
    try:
        condition = test(preview)
    except AttributeError as error:
        raise UnknownColumnError(str(error.name), preview.columns) from None
    if not isinstance(condition, ir.BooleanValue):
        raise CohortError(
            N_("This criterion gives no yes or no."),
            N_("A criterion is a condition on a row of the cohort."),
            N_("For example: lambda s: s.age >= 18; join several by & and |, each between brackets."),
        )


def event_window(given: Any, before: Any, after: Any, within: Any, look_ahead: bool) -> tuple[Window, Any]:
    """The window of a criterion on events, and the events. The index day itself lies in none of them."""
    if (before is None) == (after is None):
        raise CohortError(
            N_("This criterion has no window."),
            N_("Without one it would also count events after the index date, which nobody could know then."),
            N_("Write before= (the events before the index date), with within=months(24) if only recently."),
        )
    if given is not None:
        raise CohortError(
            N_("This criterion is told twice."),
            N_("A criterion is a condition on a row, or events before or after the index date."),
            N_("Write two criteria, each with its name."),
        )
    span = None if within is None else reach(within, "within")
    if before is not None:
        return Window(before=span or Ever.EVER, with_index=False), before
    asked_ahead(look_ahead)
    return Window(after=span or Ever.EVER), after


def asked_ahead(look_ahead: bool) -> None:
    if not look_ahead:
        raise CohortError(
            N_("This looks past the index date."),
            N_("What happens later was not known on that day: who is chosen by it can't have died before."),
            N_("Use .outcome(…) for what is to be predicted; if you mean it, add look_ahead=True."),
        )


def variable(
    chosen: str,
    site: Any,
    of: str | None,
    before: Any,
    after: Any,
    look_ahead: bool,
    summary: Mapping[str, Any],
) -> Variable:
    unknown = set(summary) - set(Summary)
    if unknown:
        raise UnknownColumnError(sorted(unknown)[0], [*Summary, "of", "before", "after", "look_ahead"])
    ways = [f"{way.value}=" for way in Summary]
    which, given = only_one({Summary(key): value for key, value in summary.items()}, "variable", *ways)
    found = events(given, site)
    if before is None and after is None:
        raise CohortError(
            N_("The variable “{name}” has no window."),
            N_("Without one it would also count what came after the index date."),
            N_("Write before=months(12), or before=True for the whole record before it."),
            name=chosen,
        )
    window = Window(
        before=None if before is None else reach(before, "before"),
        after=None if after is None else reach(after, "after"),
    )
    if window.looks_ahead:
        asked_ahead(look_ahead)
    return Variable(chosen, which, found, window, _summarised(chosen, which, found, of))


def _summarised(chosen: str, which: Summary, found: Events, of: str | None) -> str | None:
    """The column that is summarised."""
    if which in _COUNTED:
        return None
    if which is Summary.STATUS and of is None:
        of = "status"
    if which in (Summary.MEAN, Summary.SLOPE) and of is None:
        of = "value"
    if of is None:
        of = "value" if found.has("value") else DATE
    if of != DATE and not found.has(of):
        raise UnknownColumnError(of, found.columns)
    if which in (Summary.MEAN, Summary.SLOPE) and not _is_number(found, of):
        raise CohortError(
            N_("“{column}” is no number."),
            N_("A mean or a slope is worked out on measured values."),
            N_("Choose a numeric column with of=, or last= instead."),
            column=of,
        )
    return of


def _is_number(found: Events, of: str) -> bool:
    return of != DATE and all(source.rows[of].type().is_numeric() for source in found.sources)


def windows_fit(variables: Iterable[Variable], follow_up: Reach | None) -> None:
    """No variable past the end of the follow-up."""
    if not isinstance(follow_up, Span):
        return
    for each in variables:
        after = each.window.after
        if isinstance(after, Span) and after.longest_days > follow_up.longest_days:
            raise CohortError(
                N_("The variable “{name}” reaches past the end of the follow-up."),
                N_("Nobody is followed that long in this cohort."),
                N_("Shorten its window (after=), or lengthen .follow_up(…)."),
                name=each.name,
            )


def known_columns(asked: Iterable[str], known: Iterable[str]) -> None:
    known = list(known)
    for column in asked:
        if column not in known:
            raise UnknownColumnError(column, known)


def complete(definition: Definition, tables: Mapping[str, ir.Table]) -> Index:
    """The index of a definition that can be worked out."""
    if definition.index is None:
        raise CohortError(
            N_("The cohort “{name}” has no index date."),
            N_("Every window, the age and the follow-up are counted from it."),
            N_("Add .index(first=ws.tables.diagnoses.where(codes=…)), for example."),
            name=definition.name,
        )
    for table, columns in _NEEDED.items():
        lacking = columns if table not in tables else [c for c in columns if c not in tables[table].columns]
        if lacking:
            raise CohortError(
                N_("This project lacks {table}.{column}, which every cohort needs."),
                N_("Cohorts end at death and at the end of observation; the project's grant leaves it out."),
                N_("Ask whoever approved the project to add it to the grant."),
                table=table,
                column=lacking[0],
            )
    return definition.index


def last_day(whoami: Identity) -> date:
    """The end of the data."""
    return date.fromisoformat(whoami.last_date)


def one_row_each(definition: Definition) -> None:
    """Tables of patients count each once."""
    if definition.repeats:
        raise CohortError(
            N_("This cohort has several index dates a patient."),
            N_("A table of patients would count somebody once for each of them."),
            N_("Use index(first=…) or index(last=…), or group cohort.relation yourself."),
        )


def known_outcome(asked: str, definition: Definition) -> Outcome:
    found = {outcome.name: outcome for outcome in definition.outcomes}
    if asked not in found:
        raise UnknownColumnError(asked, found)
    return found[asked]


def rows_allowed(whoami: Identity) -> None:
    if whoami.access is Access.AGGREGATE:
        raise CohortError(
            N_("This project gives no rows: individual data need the microdata grant."),
            N_("Its right of access is protected aggregates."),
            N_("Ask questions of cohort.relation (group_by, agg), or ask the CSE and the DPO for the grant."),
        )


def matching_allowed(whoami: Identity) -> None:
    if whoami.access is Access.AGGREGATE:
        raise CohortError(
            N_("Patients can't be matched one by one in this project."),
            N_("Matching joins persons to other persons, which is never done for protected aggregates."),
            N_(
                "Compare by strata (group_by sex and p4dp.age_bands) and standardise, or ask the CSE for the"
                " microdata grant."
            ),
        )
