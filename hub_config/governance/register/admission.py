"""What the register knows that decides whether a workspace opens: who accepted the charter, who left, and
whether a project that was asked for was agreed to. Read at every request."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub_config.governance.facts import ProjectFacts
from hub_config.governance.register.charter import signed_by
from hub_config.governance.register.facts import Kind, State
from hub_config.governance.register.models import Dossier, Leaver


def of(session: Session, facts: ProjectFacts) -> ProjectFacts:
    """The facts with who signed and who left: of the members, or of everybody where all belong."""
    asked = None if facts.open_to_all else facts.members
    gone = select(Leaver.username)
    left = session.scalars(gone if asked is None else gone.where(Leaver.username.in_(asked)))
    return replace(facts, signed=signed_by(session, asked), left=frozenset(left))


def undecided(session: Session, slug: str) -> bool:
    """Whether the project was asked for in the register, and not all three offices agreed."""
    query = select(Dossier.state).where(Dossier.project == slug, Dossier.kind == Kind.CREATION.value)
    states = set(session.scalars(query))
    return bool(states) and State.APPROVED.value not in states
