"""What is said where a question was in order and could not be answered."""

from __future__ import annotations

from collections.abc import Mapping

from p4dp_sdk.wire.errors import ErrorCode
from p4dp_sdk.wire.messages import N_, Message

_ASK_OPERATOR = N_(
    "Try again in a minute; if it goes on, tell the platform's administrator the request number below."
)

RUNNING: Mapping[ErrorCode, Message] = {
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
