"""Every refusal in words: for each `ErrorCode` what happened, why, and what to do next.

Pure text (floor 0), a module a subject. Nothing but a refusal's params is ever inserted, so no data value
can be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from p4dp_sdk.wire.errors import ErrorCode
from p4dp_sdk.wire.messages import N_, Explanation, Message, Params, Translate, fill
from p4dp_sdk.wire.refusals.access import ACCESS
from p4dp_sdk.wire.refusals.disclosure import DISCLOSURE
from p4dp_sdk.wire.refusals.question import QUESTION
from p4dp_sdk.wire.refusals.running import RUNNING

MESSAGES: Final[Mapping[ErrorCode, Message]] = {**QUESTION, **ACCESS, **DISCLOSURE, **RUNNING}

_GRANTS = {
    "microdata": N_("individual data (microdata)"),
    "snds": N_("linked SNDS data"),
    "recontact": N_("re-contact of patients"),
}


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
