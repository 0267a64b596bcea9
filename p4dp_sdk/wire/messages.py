"""Every refusal in words: for each `ErrorCode` what happened, why, and what to do next.

Pure text (floor 0): English templates, which are the gettext ids; French lives in `p4dp_sdk.locale`. A
`{blank}` is filled from a refusal's params and always stands in a `[bracketed part]`, which is left out when
a blank of it is not given: a message always reads well. Nothing but params is ever inserted, so no data value
can be.
"""

# ruff: noqa: E501 - one sentence a line

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

from p4dp_sdk.wire.errors import ErrorCode

Params = Mapping[str, str | int]
Translate = Callable[[str], str]

_OPTIONAL = re.compile(r"\[([^\[\]]*\{[^\[\]]*)\]")
_BLANK = re.compile(r"\{(\w+)\}")


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for "to be translated later"
    return text


@dataclass(frozen=True)
class Message:
    """Three sentences for people, with blanks."""

    what: str
    why: str
    next: str

    @property
    def blanks(self) -> frozenset[str]:
        return frozenset(name for field in fields(self) for name in _BLANK.findall(getattr(self, field.name)))


@dataclass(frozen=True)
class Explanation:
    """A message with its blanks filled, in one language."""

    what: str
    why: str
    next: str

    def __str__(self) -> str:
        return " ".join((self.what, self.why, self.next))


def explain(code: ErrorCode, params: Params, translate: Translate = str) -> Explanation:
    """The refusal `code` in words. `translate` maps an English template to the reader's language."""
    message = MESSAGES[code]
    if "grant" in params:
        grant = str(params["grant"])
        params = {**params, "grant": translate(_GRANTS.get(grant, grant))}
    return Explanation(
        what=_with_reason(fill(translate(message.what), params), params, translate),
        why=fill(translate(message.why), params),
        next=fill(translate(message.next), params),
    )


def _with_reason(what: str, params: Params, translate: Translate) -> str:
    """`what`, with the rule's own reason in brackets where the refusal gives one (`why`)."""
    return f"{what.removesuffix('.')} ({translate(str(params['why']))})." if "why" in params else what


def fill(template: str, params: Params) -> str:
    """`template` with its blanks filled; a bracketed part with a blank that is not given is left out."""
    return _OPTIONAL.sub(lambda part: _fill_part(part[1], params), template)


def _fill_part(part: str, params: Params) -> str:
    if not all(name in params for name in _BLANK.findall(part)):
        return ""
    return _BLANK.sub(lambda blank: str(params[blank[1]]), part)


_GRANTS = {
    "microdata": N_("individual data (microdata)"),
    "snds": N_("linked SNDS data"),
    "recontact": N_("re-contact of patients"),
}
_GRANT_GIVER = N_(
    "The scientific and ethics committee (CSE) gives it, on a request made to the DIM physician of your centre."
)
_ASK_OPERATOR = N_(
    "Try again in a minute; if it goes on, tell the platform's administrator the request number below."
)

# What the rules say in brackets (`why` of a refusal); one that is missing here is shown in English.
REASONS = (
    N_("1 group at least"),
    N_("1 to 1000 groups"),
    N_("a base above 1"),
    N_("a bound of 0 or more"),
    N_("a column of another type than text, numbers and dates"),
    N_("a condition on a number that may be withheld"),
    N_("a quantile from 0 to 1"),
    N_("a share in steps of 0.05"),
    N_("a title is one line of 1 to 120 characters"),
    N_("an argument must be a literal"),
    N_("an identifier of the optional side of a join"),
    N_("an offset of 0 or more"),
    N_("coded column"),
    N_("decimals: cast to float64"),
    N_("divide by a literal that is not about zero"),
    N_("each measure needs a reduction and a name"),
    N_("isin"),
    N_("it overlaps with a table published before"),
    N_("isin another table of persons: on the patient only"),
    N_("groups whose list is not known beforehand"),
    N_("more than five groups"),
    N_("name the columns to fill"),
    N_("no default value: use fill_null after it"),
    N_("no groups: use group_by"),
    N_("no protected numbers in it"),
    N_("no patient here"),
    N_("not on rows about somebody"),
    N_("of another relation"),
    N_("of the patient only"),
    N_("one occurrence of a table, twice"),
    N_("one record stands in several rows"),
    N_("only choosing, ordering and arithmetic after agg"),
    N_("overflow"),
    N_("patterns without an escape character"),
    N_("persons with physicians"),
    N_("positions from 0 to 1000"),
    N_("quantiles are shown in drafts only"),
    N_("several grouped tables: publish them one by one"),
    N_("size"),
    N_("start from the table of persons"),
    N_("the directives %Y, %m and %d"),
    N_("two tables of persons are joined on patient_id"),
    N_("a formula that comes back to the same value too often"),
    N_("a name or label with characters that are not seen"),
    N_("a public table is joined on one coded column"),
    N_("a table of your own is joined as it is"),
    N_("too many steps"),
    N_("unique keys"),
    N_("name patients by one column, patient_id"),
    N_("a protocol has 1 to 4000 readable characters"),
    N_("too few patients, or too few practices"),
    N_("too many patients for one list"),
    N_("the GPs of these data are invented"),
    N_("three requests of the project are open already"),
    N_("twelve requests of the project within a year"),
)

MESSAGES: Mapping[ErrorCode, Message] = {
    # the request
    ErrorCode.MALFORMED: Message(
        N_("The question can't be read[ ({problem})]."),
        N_("It does not have the form that this version of the SDK writes."),
        N_("Write it again with Ibis on ws.tables; if it goes on, restart the kernel."),
    ),
    ErrorCode.PROTOCOL_VERSION: Message(
        N_(
            "The SDK of this workspace and the gateway don't speak the same version[ (the gateway: {supported})]."
        ),
        N_("The enclave was updated while the workspace was running."),
        N_("Save your notebook, stop the workspace from the home page and start it again."),
    ),
    ErrorCode.TOO_LARGE: Message(
        N_("The question is too large[ (limit: {limit} bytes)]."),
        N_("A table of your own travels inside the question, and only a small one fits."),
        N_("Send a shorter list, or join on a code list that the catalogue already has."),
    ),
    ErrorCode.TOO_DEEP: Message(
        N_("The question is nested too deeply[ (limit: {limit} levels)]."),
        N_("Each step on top of another adds a level, and a loop adds many."),
        N_("Use one isin([...]) or one ibis.cases(...) instead of a chain of steps."),
    ),
    ErrorCode.TOO_MANY_NODES: Message(
        N_("The question has too many operations[ (limit: {limit})]."),
        N_("A question of this size is usually made by a loop."),
        N_("Replace the loop by group_by, or ask several smaller questions."),
    ),
    ErrorCode.UNKNOWN_OPERATION: Message(
        N_("The operation[ “{operation}”] is not available here."),
        N_(
            "The gateway runs a closed list of operations: no raw SQL, no functions of your own, no randomness."
        ),
        N_("Do this step in pandas on the result, or write it with another Ibis operation."),
    ),
    ErrorCode.UNKNOWN_TABLE: Message(
        N_("There is no table[ “{table}”] in this project."),
        N_("Its name is misspelt, or the project was not granted it."),
        N_("See the tables you have with ws.tables."),
    ),
    ErrorCode.UNKNOWN_COLUMN: Message(
        N_("There is no column[ “{column}”][ in the table “{table}”]."),
        N_("Its name is misspelt, or the project was not granted it."),
        N_('See the columns with ws.catalogue["table name"].'),
    ),
    ErrorCode.ILL_TYPED: Message(
        N_("An operation does not fit the type of what it is applied to[: {operation}]."),
        N_("For example a text compared with a number, or a date added to a code."),
        N_('Check the types of the columns with ws.catalogue["table name"].'),
    ),
    # who, and for which project
    ErrorCode.NOT_AUTHENTICATED: Message(
        N_("The gateway does not know who is asking."),
        N_("The workspace's session has ended, or its token was withdrawn."),
        N_("Save your notebook, stop the workspace from the home page and start it again."),
    ),
    ErrorCode.WRONG_WORKSPACE: Message(
        N_("This workspace may not use this gateway socket."),
        N_("A workspace's token opens the data of its own project only."),
        N_("Open the workspace of the project you want from the home page."),
    ),
    ErrorCode.NOT_A_MEMBER: Message(
        N_("You are not a member of the project[ “{project}”]."),
        N_("Membership is read again at each question, and yours has ended or was never recorded."),
        N_("Ask the person responsible for the project to have you added by the DIM physician."),
    ),
    ErrorCode.PROJECT_NOT_ACTIVE: Message(
        N_("The project[ “{project}”] is not active[ (state: {status})]."),
        N_("Only an approved project gives access to data."),
        N_("Ask the DIM physician of your centre what is missing; your files are kept."),
    ),
    ErrorCode.GRANT_EXPIRED: Message(
        N_("The project's right of access has expired[ on {expired_on}]."),
        N_("Every right of access has an end date, set by the scientific and ethics committee (CSE)."),
        N_("Ask the DIM physician of your centre for an extension; your files are kept."),
    ),
    ErrorCode.GRANT_MISSING: Message(
        N_(
            "The right of access[ “{grant}”] is missing for this question[ (table “{table}”)][ (column “{column}”)]."
        ),
        N_("The project's grant names what it may read, and this is not in it."),
        _GRANT_GIVER,
    ),
    ErrorCode.CHARTER_NOT_ACCEPTED: Message(
        N_("You have not accepted the charter that is in force."),
        N_("Whoever works with the data accepts it once, and again when it changes."),
        N_("Read and accept it in the register, from the home page, then ask again; your files are kept."),
    ),
    # disclosure rules
    ErrorCode.ROW_LEVEL: Message(
        N_("This question asks for rows about single patients: the right of access[ “{grant}”] is missing."),
        N_("This project may see counts of patients, never rows."),
        N_(
            'Group and count: t.group_by("cisp2").agg(patients=t.patient_id.nunique()). If the study really needs rows, the '
            "scientific and ethics committee (CSE) gives this right, on a request made to the DIM physician of your centre."
        ),
    ),
    ErrorCode.MEASURE_NOT_RELEASABLE: Message(
        N_("The measure[ “{operation}”] can't leave the enclave."),
        N_(
            "A minimum, a first value or a list shows one person's value; distinct counts are of patients only."
        ),
        N_("Use count(), patient_id.nunique(), sum(), mean(), median() or quantile(0.9)."),
    ),
    ErrorCode.VALUE_RULE: Message(
        N_("What is summed or averaged is not a plain column of the catalogue[: {operation}]."),
        N_("A condition or a number inside the value can single out one person among thousands."),
        N_("Put the condition in filter(...) or in where=, or make it a group of group_by."),
    ),
    ErrorCode.KEY_RULE: Message(
        N_("This result can't be grouped by[ “{column}”][ ({operation})]."),
        N_("Group labels are shown: they must be codes of the catalogue, or classes whose labels you wrote."),
        N_(
            "Group by a coded column, by a year or month, or by classes: p4dp.age_bands(p.age, [18, 40, 65])."
        ),
    ),
    ErrorCode.FLOWS_BACK: Message(
        N_("A protected result can't be joined back to patients[ ({operation})]."),
        N_("It would select patients by what was just released about them."),
        N_(
            "Compute the selection in one go from the patient tables, or combine protected results with each other."
        ),
    ),
    ErrorCode.JOIN_RULE: Message(
        N_("This join is not possible[: {operation}]."),
        N_("Tables about patients are joined on the patient, so that every row stays about one person."),
        N_('Add "patient_id" to the join: d.join(p, "patient_id").'),
    ),
    ErrorCode.WINDOW_RULE: Message(
        N_("This window mixes several patients[: {operation}]."),
        N_("Before counting, a window must stay within one patient."),
        N_('Write it by patient: ibis.window(group_by="patient_id", order_by="date").'),
    ),
    ErrorCode.ROW_PICK: Message(
        N_("Rows can't be picked one by one before counting[: {operation}]."),
        N_("A limit, a sample or a first row chosen among patients points at one of them."),
        N_("Count first, then use order_by and limit on the counts."),
    ),
    ErrorCode.SET_RULE: Message(
        N_("This combination of tables is not possible before counting[: {operation}]."),
        N_("Removing duplicates or subtracting rows can show who is in one table and not in the other."),
        N_("Use union(..., distinct=False), or select patients with patient_id.isin(...)."),
    ),
    ErrorCode.USER_TABLE_RULE: Message(
        N_("A table of your own can't be used in this way[ (limit: {rows} rows, {columns} columns)]."),
        N_("Your tables may add labels or groups to codes; they may not point at patients."),
        N_("Join it on one coded column whose values are all different in your table."),
    ),
    ErrorCode.OPAQUE_IDENTIFIER: Message(
        N_("The identifier[ “{column}”] can't be used in this way[: {operation}]."),
        N_("An identifier links tables and counts patients; its value is never compared, computed or shown."),
        N_("Use it in a join, in group_by, in nunique() or in isin(another selection of patients)."),
    ),
    ErrorCode.NOT_PUBLISHABLE: Message(
        N_(
            "This result can't become a publication table[: “{operation}” may choose people one by one][: it describes people too finely, by {said} descriptions; {limit} at most]."
        ),
        N_(
            "Its numbers would be exact: its cells and all their totals must be protected together, and its definition may point at nobody."
        ),
        N_(
            "Publish the grouped table itself: one to five columns of the catalogue in group_by, counts, sums or means in agg. Sort it and compute shares afterwards. Describe people by codes, lists of neighbouring codes, age bands and calendar years; or keep a draft."
        ),
    ),
    ErrorCode.RECONTACT_REFUSED: Message(
        N_("This request of re-contact was not put on record."),
        N_("Each one tells practices of people: it names them by a rule, says why, and stays rare."),
        N_(
            "Give ws.request_recontact() a table with the one column patient_id, a title and the text for the GPs; close an old request with the AQD where too many are open."
        ),
    ),
    ErrorCode.SUPPRESSION_FAILED: Message(
        N_("This table could not be protected[ within {seconds} seconds]."),
        N_("A table that is not proved safe is never shown."),
        N_("Use wider groups or one group_by column less, then publish again."),
    ),
    ErrorCode.BUDGET_EXHAUSTED: Message(
        N_("The privacy budget is used up[: {left} left, {asked} asked]."),
        N_(
            "Each answer with noise spends a part of it, for the project and for each of its members; nothing gives it back."
        ),
        N_("Ask for less precision (a smaller epsilon), or use ws.publish, which spends nothing."),
    ),
    ErrorCode.NOT_LINKED: Message(
        N_("The enclave does not know which rows are yours[ in “{source}”]."),
        N_("Your login is not in the register of persons for this data, so that nothing in it is your own."),
        N_(
            "Ask the platform's administrators to link it (p4dp-enclave person link): to your number as an intern, as a GP, or as a supervisor of interns."
        ),
    ),
    ErrorCode.OWN_UNAVAILABLE: Message(
        N_("Your own rows can't be told from the others[ in snapshot {snapshot}]."),
        N_("This snapshot was made before the training log named its intern."),
        N_("Ask the platform's administrators to move the project to a newer snapshot."),
    ),
    ErrorCode.OWN_SCOPE: Message(
        N_("Your own rows are for your own eyes: they can be neither published nor answered with noise."),
        N_("Tables of one's own leave out the rule on GPs, so that they may name a practice to others."),
        N_("Look at them as drafts (.execute()). What is to leave is asked of ws.tables, with every rule."),
    ),
    ErrorCode.MIXED_SCOPES: Message(
        N_("One question mixes your own rows (ws.me.tables) with everybody's (ws.tables)."),
        N_("A question is about the one or the other: their rules differ."),
        N_("Ask two questions, and put the two results side by side (pandas: merge, concat)."),
    ),
    ErrorCode.TOO_MANY_CELLS: Message(
        N_("The result would have too many cells[: {cells}][ (limit: {limit})]."),
        N_("Each group of group_by multiplies the size of the table."),
        N_("Use fewer or wider groups."),
    ),
    # running it
    ErrorCode.BUSY: Message(
        N_("The gateway is already answering another question of yours[ (limit: {limit} at a time)]."),
        N_("Each workspace has its share of the machine."),
        N_("Wait for the other answer, or interrupt the other notebook, and run the cell again."),
    ),
    ErrorCode.TIMED_OUT: Message(
        N_("The question took too long and was stopped[ (limit: {limit} s)]."),
        N_("The time of one question is bounded so that everybody gets an answer."),
        N_("Filter on a shorter period or fewer codes, or ask in several parts."),
    ),
    ErrorCode.OUT_OF_MEMORY: Message(
        N_("The question needs more memory than one question may use[ (limit: {limit})]."),
        N_("Large joins and many groups are what costs most."),
        N_("Filter before joining, and group by fewer columns."),
    ),
    ErrorCode.DISK_FULL: Message(
        N_("The server's disk is full."),
        N_("The answer could not be computed or recorded; nothing was lost."),
        N_("Tell the platform's administrator; your files are kept."),
    ),
    ErrorCode.SNAPSHOT_MISSING: Message(
        N_("The data of this project[ (snapshot {snapshot})] are not on this server."),
        N_("The project is pinned to a version of the warehouse that was moved or removed."),
        N_("Tell the platform's administrator."),
    ),
    ErrorCode.SNAPSHOT_CORRUPT: Message(
        N_("The data of this project[ (snapshot {snapshot})] are damaged and were not read."),
        N_("Their checksum differs from the one recorded when they were made."),
        N_("Tell the platform's administrator."),
    ),
    ErrorCode.ENGINE_FAILED: Message(
        N_("The engine could not compute this question[: {operation}]."),
        N_("Its own message is not shown, since it may hold a value of the data."),
        _ASK_OPERATOR,
    ),
    ErrorCode.WAREHOUSE_UNREACHABLE: Message(
        N_("The database that holds the data can't be reached."),
        N_("The connection to it failed or was lost; nothing was answered."),
        N_("Run the cell again in a minute; if it goes on, tell the platform's administrator."),
    ),
    ErrorCode.LEDGER_FAILED: Message(
        N_("The answer could not be compared with earlier answers, so it was not given."),
        N_("Every number is written to the memory of answers before it is shown; this could not be done."),
        N_("Run the cell again in a minute; if it goes on, tell the platform's administrator."),
    ),
    ErrorCode.AUDIT_FAILED: Message(
        N_("The question could not be recorded, so it was not answered."),
        N_("No answer leaves the enclave without its line in the audit log."),
        N_("Tell the platform's administrator."),
    ),
    ErrorCode.IDENTITY_UNAVAILABLE: Message(
        N_("The gateway can't check who is asking."),
        N_("The hub, which knows the sessions, does not answer it; without that check nothing is answered."),
        N_("Run the cell again in a minute; if it goes on, tell the platform's administrator."),
    ),
    ErrorCode.GATEWAY_UNREACHABLE: Message(
        N_("The data gateway does not answer."),
        N_("It is stopped or restarting, or the connection was cut; your notebook and files are safe."),
        N_("Run the cell again in a minute; if it goes on, tell the platform's administrator."),
    ),
    ErrorCode.INTERNAL: Message(
        N_("The gateway met an unexpected problem."),
        N_("It is recorded with the request number below; nothing was shown."),
        _ASK_OPERATOR,
    ),
}
