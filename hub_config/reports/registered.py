"""A project's own notebook, as a physician read it: found by number, name or hash among those that stand.

The bytes come from the record, never from a folder or a home, and only while they have the hash that is on
record beside them. Of a project that is suspended, closed or expired nothing runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import date

from sqlalchemy.orm import Session

from hub_config.governance.actions import project_facts
from hub_config.governance.notebooks.facts import Registration
from hub_config.governance.notebooks.reading import content_of, standing, standing_one
from hub_config.governance.problems import UnknownProject
from hub_config.governance.report_runs.templates import Template
from hub_config.governance.report_runs.texts import ReportProblem, Text
from hub_config.governance.store import open_store
from hub_config.reports.opening import require_open
from hub_config.settings import Settings, load_settings


class UnknownNotebook(ReportProblem):
    """The project has no registered notebook of this name that stands."""


class SeveralNotebooks(ReportProblem):
    """More than one registered notebook of the project is meant: the enclave does not guess which."""


class NotebookBroken(ReportProblem):
    """What is on record is no longer what was hashed."""


def registered_now(project: str, number: str) -> Template:
    """By its number alone. Raises NotOpen, UnknownNotebook, NotebookBroken, StoreProblem."""
    store = open_store(load_settings())
    try:
        with store.session() as session:
            _require_open(session, project)
            found = standing_one(session, project, number)
            if found is None:
                raise UnknownNotebook(_unknown(project, number, ()))
            return _template(session, found)
    finally:
        store.close()


def stands_now(project: str, number: str) -> bool:
    """Whether a run of it may go on. Raises StoreProblem."""
    store = open_store(load_settings())
    try:
        with store.session() as session:
            return standing_one(session, project, number) is not None
    finally:
        store.close()


def read_registered(settings: Settings, project: str, which: str) -> Template:
    """By number, name or SHA-256. Raises NotOpen, UnknownNotebook, SeveralNotebooks, NotebookBroken,
    StoreProblem."""
    store = open_store(settings)
    try:
        with store.session() as session:
            _require_open(session, project)
            return _template(session, _named(standing(session, project), project, which))
    finally:
        store.close()


def registered(settings: Settings, project: str) -> tuple[Registration, ...]:
    """Those that may run. Raises StoreProblem."""
    store = open_store(settings)
    try:
        with store.session() as session:
            return tuple(standing(session, project))
    finally:
        store.close()


def _require_open(session: Session, project: str) -> None:
    """A project that is unknown has no notebook either: that is said."""
    with suppress(UnknownProject):
        require_open(project_facts(session, project), date.today())


def _named(known: Sequence[Registration], project: str, which: str) -> Registration:
    """A number is its own notebook's, whatever another is called."""
    for ways in ([each.id for each in known], [each.name for each in known], [each.sha256 for each in known]):
        found = [each for each, way in zip(known, ways, strict=True) if way == which]
        if len(found) > 1:
            raise SeveralNotebooks(_several(project, found))
        if found:
            return found[0]
    raise UnknownNotebook(_unknown(project, which, tuple(each.name for each in known)))


def _template(session: Session, found: Registration) -> Template:
    content = content_of(session, found)
    if content is None:
        raise NotebookBroken(
            Text(
                "Le notebook « {name} » n'est plus celui qui a été relu : rien n'est exécuté. Prévenez le "
                "délégué à la protection des données.",
                "Notebook {name!r} is no longer the one that was read: nothing is run. Tell the data "
                "protection officer.",
            ).fill(name=found.name)
        )
    return Template(found.name, content, found)


def _unknown(project: str, which: str, known: tuple[str, ...]) -> Text:
    shown = "".join(sign if sign.isprintable() else "·" for sign in which)[:80]
    return Text(
        "Le projet {project} n'a pas de notebook enregistré « {which} » qui soit accepté. Un membre le "
        "demande dans le sas (Notebooks), un médecin le lit. Acceptés : {known}.",
        "Project {project} has no registered notebook {which!r} that is approved. A member asks for it in "
        "the airlock (Notebooks), and a physician reads it. Approved: {known}.",
    ).fill(project=project, which=shown, known=", ".join(known) or "—")


def _several(project: str, found: Sequence[Registration]) -> Text:
    return Text(
        "Plusieurs notebooks enregistrés du projet {project} répondent à ce nom ou à cette empreinte : "
        "donnez le numéro de celui à exécuter ({numbers}).",
        "Several registered notebooks of project {project} have this name or hash: give the number of "
        "the one to run ({numbers}).",
    ).fill(project=project, numbers=", ".join(sorted(each.id for each in found)))
