"""What is said where an answer would tell too much of somebody, or is not proved to be safe."""

# ruff: noqa: E501 - one sentence a line

from __future__ import annotations

from collections.abc import Mapping

from p4dp_sdk.wire.errors import ErrorCode
from p4dp_sdk.wire.messages import N_, Message

DISCLOSURE: Mapping[ErrorCode, Message] = {
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
    ErrorCode.FIRST_VERSION: Message(
        N_("There is no version of these data before this one[ (snapshot {snapshot})] to compare with."),
        N_("It is the first of its population, or those before were purged or can't be read."),
        N_("Ask again after the next load; ws.quality.completeness() and .rules() tell of this version."),
    ),
    ErrorCode.PREVIOUS_VERSION: Message(
        N_("This can't be asked of the version before the project's own[ ({operation})]."),
        N_(
            "Of that version rows are counted, and those with nothing in a column, by codes and periods: no conditions, no "
            "single patients, no tables joined."
        ),
        N_("Use ws.quality.changes(); ask everything else of ws.tables."),
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
}
