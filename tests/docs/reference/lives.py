"""`airlock-states.md` and `states.md`: what can become of a request, a dossier, a practice, a file that comes
in, each drawn from the dict that its actions obey."""

from __future__ import annotations

from hub_config.airlock import diagram
from hub_config.governance.register import facts as register
from hub_config.governance.rights import facts as rights
from hub_config.register.diagram import state_diagram

from .page import HEAD, page

HOW = """
What moves something that the offices keep. Nothing else does: a step that does not stand here is refused, and
each that is taken is an event of the audit log. The [request of release](airlock-states.md) and the [status
of a project](project-status.md) have pages of their own.
"""
LIVES = (
    ("A dossier: asking for a project, another grant, more time", register.TRANSITIONS, register.State.DRAFT),
    ("A practice", rights.PRACTICE_TRANSITIONS, rights.PracticeState.ACTIVE),
    ("A request under the GDPR", rights.RIGHT_TRANSITIONS, rights.RightState.RECEIVED),
    ("A file that comes in", rights.ENTRY_TRANSITIONS, rights.EntryState.SUBMITTED),
)


def airlock() -> str:
    return diagram.reference().replace("\n\n", f"\n\n{HEAD}\n\n", 1)


def others() -> str:
    drawn = (
        f"## {title}\n\n```mermaid\n{state_diagram(transitions, begin)}\n```"
        for title, transitions, begin in LIVES
    )
    return page("States of what the offices keep", HOW, *drawn)
