"""Asking for a report of one's project to leave: which runs there are, and a draft with the files chosen.

A run is named by its number, and looked up in the record; where its files lie, what they are called and hash
to comes from there, never from a form.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub_config.airlock.actions import drafting
from hub_config.airlock.actions.drafting import Words
from hub_config.airlock.intake.receiving import Received, receive
from hub_config.airlock.intake.reports import is_kept, kept_bytes
from hub_config.airlock.pages.asking import Allowed, Asked
from hub_config.airlock.pages.ballots import field
from hub_config.airlock.texts import AirlockProblem
from hub_config.governance.releases.facts import RequestFacts
from hub_config.governance.report_runs.facts import KeptFile, RunFacts
from hub_config.governance.report_runs.reading import find_run, runs_of
from hub_config.web.answers import Told, see_other
from hub_config.web.forms import Form
from hub_config.web.pages import page
from hub_config.web.texts import N_

router = APIRouter(include_in_schema=False)
UNKNOWN: Final = N_("Ce rapport n’existe pas, ou vous n’y avez pas accès.")
GONE: Final = N_(
    "Ce rapport n’est plus là, ou n’est plus celui que l’enclave a gardé : demandez à l’opérateur de le "
    "relancer."
)
NOTHING_CHOSEN: Final = N_("Choisissez au moins un fichier du rapport.")
JOINED: Final = N_("Les fichiers du rapport sont joints. Relisez ce qui suit, puis envoyez la demande.")
_MOST: Final = 20
_FIELDS: Final = ("title", "purpose", "context", "controls")


@dataclass(frozen=True)
class RunRow:
    """`kept`: its files are where the enclave keeps reports."""

    facts: RunFacts
    project_title: str
    parameters: tuple[tuple[str, str], ...]
    kept: bool


def listed(asked: Asked) -> tuple[RunRow, ...]:
    """The last runs that ended well, of the projects this person may work in today."""
    titles = {one.slug: one.title for one in asked.desk.projects(asked.person, asked.today)}
    with asked.desk.store.session() as session:
        found = runs_of(session, titles, _MOST)
    return tuple(_row(asked, run, titles) for run in found if run.ended_well)


@router.get("/rapports/{run}")
def show(request: Request, run: str, asked: Allowed) -> Response:
    return _screen(request, asked, _found(asked, run), Words(""))


@router.post("/rapports/{run}")
def ask(request: Request, run: str, asked: Allowed, form: Form) -> Response:
    """Begin a draft with the chosen files, checked as any."""
    row, words = _found(asked, run), Words(**{name: field(form, name) for name in _FIELDS})
    chosen = [file for number, file in enumerate(row.facts.files, 1) if form.get(f"file-{number}")]
    if not chosen:
        return _screen(request, asked, row, words, NOTHING_CHOSEN)
    try:
        with asked.desk.turns.of(asked.person.username):
            made = _drafted(asked, row.facts, chosen, words)
    except AirlockProblem as problem:
        return _screen(request, asked, row, words, asked.told(request, problem))
    return see_other(request, f"/demandes/{made.id}", JOINED)


def _found(asked: Asked, run: str) -> RunRow:
    """The run, if it is of a project in which this person may work. Raises Told (404)."""
    with asked.desk.store.session() as session:
        found = find_run(session, run)
    titles = {one.slug: one.title for one in asked.desk.projects(asked.person, asked.today)}
    if found is None or found.project not in titles or not found.ended_well:
        raise Told(404, UNKNOWN)
    return _row(asked, found, titles)


def _drafted(asked: Asked, run: RunFacts, chosen: list[KeptFile], words: Words) -> RequestFacts:
    """All of it or nothing. Raises AirlockProblem, Told."""
    desk = asked.desk
    received = [_received(asked, run, file) for file in chosen]

    def act(do: Any) -> RequestFacts:
        made = drafting.open_draft(do.session, asked.person, run.project, words, at=do.at, audit=do.audit)
        for each in received:
            drafting.add_file(
                do.session, asked.person, made.id, each.name, each.shelved, each.checked,
                settings=desk.settings.airlock, at=do.at, audit=do.audit,
            )  # fmt: skip
        return made

    return desk.change(asked.person, act)


def _received(asked: Asked, run: RunFacts, file: KeptFile) -> Received:
    content = kept_bytes(asked.desk.settings.reports_dir, run, file)
    if content is None:
        raise Told(409, GONE)
    asked.desk.turns.note_bytes(asked.person.username, len(content))
    return receive(asked.desk, run.project, file.name, content, asked.desk.search)


def _row(asked: Asked, run: RunFacts, titles: Mapping[str, str]) -> RunRow:
    told = json.loads(run.parameters)
    parameters = tuple(
        (name, value if isinstance(value, str) else json.dumps(value)) for name, value in told.items()
    )
    return RunRow(run, titles[run.project], parameters, is_kept(asked.desk.settings.reports_dir, run))


def _screen(request: Request, asked: Asked, row: RunRow, words: Words, problem: str = "") -> Response:
    return page(
        request, "report.html", asked.person, status=409 if problem else 200,
        run=row, written=asdict(words), problem=problem,
    )  # fmt: skip
