"""Every way the enclave says no: a closed list of codes, and the one exception that carries them.

A refusal names things of the query (a table, a column, an operation) and never a value of the data or a
secret: `params` are names and limits only. Texts for people are made from code and params in `messages`,
in French or English.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class ErrorCode(StrEnum):
    # the request
    MALFORMED = "malformed"
    PROTOCOL_VERSION = "protocol-version"
    TOO_LARGE = "too-large"
    TOO_DEEP = "too-deep"
    TOO_MANY_NODES = "too-many-nodes"
    UNKNOWN_OPERATION = "unknown-operation"
    UNKNOWN_TABLE = "unknown-table"
    UNKNOWN_COLUMN = "unknown-column"
    ILL_TYPED = "ill-typed"
    # who, and for which project
    NOT_AUTHENTICATED = "not-authenticated"
    WRONG_WORKSPACE = "wrong-workspace"
    NOT_A_MEMBER = "not-a-member"
    PROJECT_NOT_ACTIVE = "project-not-active"
    GRANT_EXPIRED = "grant-expired"
    GRANT_MISSING = "grant-missing"
    CENTRES_MERGED = "centres-merged"
    CHARTER_NOT_ACCEPTED = "charter-not-accepted"
    # disclosure rules
    ROW_LEVEL = "row-level"
    MEASURE_NOT_RELEASABLE = "measure-not-releasable"
    VALUE_RULE = "value-rule"
    KEY_RULE = "key-rule"
    FLOWS_BACK = "flows-back"
    JOIN_RULE = "join-rule"
    WINDOW_RULE = "window-rule"
    ROW_PICK = "row-pick"
    SET_RULE = "set-rule"
    USER_TABLE_RULE = "user-table-rule"
    OPAQUE_IDENTIFIER = "opaque-identifier"
    TOO_MANY_CELLS = "too-many-cells"
    NOT_PUBLISHABLE = "not-publishable"
    SUPPRESSION_FAILED = "suppression-failed"
    BUDGET_EXHAUSTED = "budget-exhausted"
    RECONTACT_REFUSED = "recontact-refused"
    FIRST_VERSION = "first-version"
    PREVIOUS_VERSION = "previous-version"
    # one's own rows
    NOT_LINKED = "not-linked"
    OWN_UNAVAILABLE = "own-unavailable"
    OWN_SCOPE = "own-scope"
    MIXED_SCOPES = "mixed-scopes"
    # running it
    BUSY = "busy"
    TIMED_OUT = "timed-out"
    OUT_OF_MEMORY = "out-of-memory"
    DISK_FULL = "disk-full"
    SNAPSHOT_MISSING = "snapshot-missing"
    SNAPSHOT_CORRUPT = "snapshot-corrupt"
    ENGINE_FAILED = "engine-failed"
    WAREHOUSE_UNREACHABLE = "warehouse-unreachable"
    AUDIT_FAILED = "audit-failed"
    LEDGER_FAILED = "ledger-failed"
    IDENTITY_UNAVAILABLE = "identity-unavailable"
    GATEWAY_UNREACHABLE = "gateway-unreachable"
    INTERNAL = "internal"


HTTP_STATUS: Mapping[ErrorCode, int] = {
    ErrorCode.TOO_LARGE: 413,
    ErrorCode.UNKNOWN_TABLE: 404,
    ErrorCode.UNKNOWN_COLUMN: 404,
    ErrorCode.FIRST_VERSION: 404,
    ErrorCode.NOT_AUTHENTICATED: 401,
    ErrorCode.WRONG_WORKSPACE: 403,
    ErrorCode.NOT_A_MEMBER: 403,
    ErrorCode.PROJECT_NOT_ACTIVE: 403,
    ErrorCode.GRANT_EXPIRED: 403,
    ErrorCode.GRANT_MISSING: 403,
    ErrorCode.CENTRES_MERGED: 403,
    ErrorCode.CHARTER_NOT_ACCEPTED: 403,
    ErrorCode.NOT_LINKED: 403,
    ErrorCode.BUSY: 429,
    ErrorCode.TIMED_OUT: 504,
    ErrorCode.OUT_OF_MEMORY: 507,
    ErrorCode.DISK_FULL: 507,
    ErrorCode.SNAPSHOT_MISSING: 503,
    ErrorCode.SNAPSHOT_CORRUPT: 503,
    ErrorCode.ENGINE_FAILED: 500,
    ErrorCode.WAREHOUSE_UNREACHABLE: 503,
    ErrorCode.AUDIT_FAILED: 503,
    ErrorCode.LEDGER_FAILED: 503,
    ErrorCode.IDENTITY_UNAVAILABLE: 503,
    ErrorCode.GATEWAY_UNREACHABLE: 503,
    ErrorCode.INTERNAL: 500,
}


class Refusal(Exception):
    """The enclave says no. `params` fill the message's blanks: names and limits, never data."""

    def __init__(self, code: ErrorCode, **params: str | int) -> None:
        super().__init__(code.value, params)
        self.code = code
        self.params = params

    @property
    def status(self) -> int:
        return HTTP_STATUS.get(self.code, 422)
