"""The entries of the demonstration's projects: made once, for projects that are there, never overwritten."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy.orm import Session

from hub_config.governance import actions
from hub_config.governance.demo import demo_entries
from hub_config.governance.recorder import Recorder
from hub_config.governance.register.models import Entry


def ensure_demo_entries(session: Session, *, audit: Recorder) -> list[str]:
    """The names of the projects that got an entry now."""
    there = {project.slug for project in actions.all_projects(session)}
    made = [
        entry
        for entry in demo_entries()
        if entry.project in there and session.get(Entry, entry.project) is None
    ]
    for entry in made:
        session.add(
            Entry(**{**asdict(entry), "scope": entry.scope.value, "legal_basis": entry.legal_basis.value})
        )
        audit.record(session, "register.entry", entry.project, demo=True)
    return [entry.project for entry in made]
