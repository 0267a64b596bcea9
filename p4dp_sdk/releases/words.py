"""The words of a request: its states, the classes of its files, what is missing. English ids, French by
gettext."""

from __future__ import annotations

from collections.abc import Mapping

from p4dp_sdk.locale import Language, language
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.messages import N_

_STATES: Mapping[str, str] = {
    "draft": N_("draft, not sent"),
    "submitted": N_("sent"),
    "in-review": N_("in review"),
    "approved": N_("approved"),
    "released": N_("released"),
    "returned": N_("to be mended"),
    "rejected": N_("rejected"),
    "withdrawn": N_("withdrawn"),
}
_NEXT: Mapping[str, str] = {
    "draft": N_("Nobody has seen it yet. To hand it to the reviewers: request.send()."),
    "submitted": N_("Physicians will read it. request.refresh() tells how it goes."),
    "in-review": N_("Physicians are reading it. request.refresh() tells how it goes."),
    "approved": N_("It is about to be released: see its page."),
    "released": N_("Download the files from its page."),
    "returned": N_("Something is to be mended: its page says what. Then ask again."),
    "rejected": N_("These files can't leave: its page says why."),
    "withdrawn": N_("It was taken back: nothing of it leaves."),
}
_CLASSES: Mapping[str, str] = {
    "born-safe": N_("born safe"),
    "reproduced": N_("reproduced"),
    "unverified": N_("to be verified"),
}
_WHY: Mapping[str, str] = {
    "born-safe": N_("made by the airlock from the signed table; one physician's look at most"),
    "reproduced": N_("computed by a run of the enclave's own; one physician looks"),
    "unverified": N_("two physicians look, blind to each other"),
}
_MISSING: Mapping[str, str] = {
    "title": N_("a title"),
    "purpose": N_("purpose: what the results are for"),
    "context": N_("context: who is counted, where, when"),
    "controls": N_("controls: how you made sure that nobody can be recognised"),
    "files": N_("at least one file"),
}
_SEVERITIES: Mapping[str, str] = {
    "blocking": N_("blocking"),
    "warning": N_("warning"),
    "note": N_("note"),
}


def state(code: str) -> str:
    return _(_STATES.get(code, code))


def next_step(code: str) -> str:
    return _(_NEXT.get(code, ""))


def output_class(code: str) -> str:
    return _(_CLASSES.get(code, code))


def why(code: str) -> str:
    return _(_WHY.get(code, ""))


def severity(code: str) -> str:
    return _(_SEVERITIES.get(code, code))


def missing(code: str) -> str:
    if code.startswith("file-"):
        return _("file {number} can't leave as it is").format(number=code.removeprefix("file-"))
    return _(_MISSING.get(code, code))


def day(moment: str | None) -> str:
    """A day as the person's language writes it; empty where there is none."""
    text = (moment or "")[:10]
    return text if language() is Language.ENGLISH else "/".join(reversed(text.split("-")))


def size(octets: int) -> str:
    kilobytes = max(1, round(octets / 1024))
    unit = "kB" if language() is Language.ENGLISH else "ko"
    return f"{kilobytes} {unit}"
