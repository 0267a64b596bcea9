"""A vote as its form sends it, read with a closed vocabulary."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from starlette.datastructures import FormData

from hub_config.airlock.rules.voting import Ballot
from hub_config.governance.releases.facts import Verdict

_FILE: Final = re.compile(r"file-([1-9][0-9]{0,3})")
_CHOSEN: Final = re.compile(r"(d-[a-z0-9]{4,14}):([0-9a-f]{64})")


class BadBallot(ValueError):
    """No verdict, or one that there is not."""


def ballot(form: FormData) -> Ballot:
    """Raises BadBallot."""
    return Ballot(
        verdict=_verdict(form.get("verdict")),
        seal=field(form, "seal"),
        files=dict(_files(form)),
        reasons=tuple(dict.fromkeys(one for one in form.getlist("reason") if isinstance(one, str))),
        comment=field(form, "comment"),
        to_requester=field(form, "to_requester"),
    )


def batch(form: FormData) -> dict[str, str]:
    """The seal that was shown of each request that was chosen."""
    chosen = (_CHOSEN.fullmatch(one) for one in form.getlist("request") if isinstance(one, str))
    return {found[1]: found[2] for found in chosen if found}


def field(form: FormData, name: str) -> str:
    """What was written in a field; line ends as everybody writes them."""
    value = form.get(name, "")
    return value.replace("\r\n", "\n") if isinstance(value, str) else ""


def _files(form: FormData) -> Mapping[int, Verdict]:
    found = ((_FILE.fullmatch(name), value) for name, value in form.multi_items())
    return {int(match[1]): _verdict(value) for match, value in found if match}


def _verdict(value: object) -> Verdict:
    try:
        return Verdict(str(value))
    except ValueError:
        raise BadBallot from None
