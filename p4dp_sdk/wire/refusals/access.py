"""What is said to who may not ask this: unknown, no member, or without the right."""

# ruff: noqa: E501 - one sentence a line

from __future__ import annotations

from collections.abc import Mapping

from p4dp_sdk.wire.errors import ErrorCode
from p4dp_sdk.wire.messages import N_, Message

_GRANT_GIVER = N_(
    "The scientific and ethics committee (CSE) gives it, on a request made to the DIM physician of your centre."
)

ACCESS: Mapping[ErrorCode, Message] = {
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
    ErrorCode.CENTRES_MERGED: Message(
        N_(
            "The data of this project[ (snapshot {snapshot})] no longer hold the centre[ “{centre}”] by itself[: "
            "it is one with {others}]."
        ),
        N_(
            "A centre with fewer than five active GPs is merged with others, and the project's grant does not name "
            "all of these."
        ),
        _GRANT_GIVER,
    ),
    ErrorCode.CHARTER_NOT_ACCEPTED: Message(
        N_("You have not accepted the charter that is in force."),
        N_("Whoever works with the data accepts it once, and again when it changes."),
        N_("Read and accept it in the register, from the home page, then ask again; your files are kept."),
    ),
}
