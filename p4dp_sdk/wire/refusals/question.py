"""What is said where a question can't be read, or names what is not there."""

# ruff: noqa: E501 - one sentence a line

from __future__ import annotations

from collections.abc import Mapping

from p4dp_sdk.wire.errors import ErrorCode
from p4dp_sdk.wire.messages import N_, Message

QUESTION: Mapping[ErrorCode, Message] = {
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
}
