"""The desk of reports in the hub: starts a run for whoever holds the operators' token, and ends it with them.

`POST /hub/p4dp/reports/runs` answers JSON lines for as long as the run lasts: `started`, then `beat` twice a
second, then `ended`. The connection is the run's life: an operator who hangs up, is killed or loses the
network ends it, as does the time limit, the loss of the project's approval, the end of the hub and, of a
registered notebook, that it stands no more. The token may do this and nothing else at the hub.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from jupyterhub.apihandlers.base import APIHandler
from tornado import web
from tornado.iostream import StreamClosedError

from hub_config.governance.audit import AuditFailure, Decision
from hub_config.governance.journal import Journal, Step
from hub_config.governance.problems import StoreProblem
from hub_config.governance.report_runs.facts import Outcome
from hub_config.governance.report_runs.templates import Template, read_template
from hub_config.governance.report_runs.texts import ReportProblem
from hub_config.governance.runs import Run
from hub_config.governance.services import service_of
from hub_config.reports.collecting import remove, run_folder
from hub_config.reports.protocol import PATH, SCOPE, Ended, Event, Request, Started, TemplateChanged
from hub_config.reports.registered import registered_now, stands_now

BEAT_SECONDS: Final = 0.5  # also how soon the command shows the next cell
LOOK_SECONDS: Final = 2.0  # how soon a run ends whose notebook stands no more
_UNKNOWN_LOOKS: Final = 3  # in a row, after which a record that can't be read is one that is gone


@dataclass(frozen=True)
class Desk:
    """What the desk stands on. `longest`: seconds of the site's setting; `homes`: where runs have theirs;
    `templates`: the folder of approved notebooks, None: the checkout's; `registered`: the notebook of a
    project's own by its number, if it stands; `stands`: whether it still does; `under_way`: projects with
    a run."""

    journal: Journal
    longest: int
    homes: Path
    templates: Path | None = None
    registered: Callable[[str, str], Template] = registered_now
    stands: Callable[[str, str], bool] = stands_now
    under_way: set[str] = field(default_factory=set)


class RunsHandler(APIHandler):  # type: ignore[misc]  # untyped upstream
    def initialize(self, desk: Desk) -> None:
        self.desk = desk
        self._gone = asyncio.Event()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self._gone.set()

    async def prepare(self) -> None:
        await super().prepare()
        if SCOPE not in self.expanded_scopes:
            raise web.HTTPError(403)

    def get(self) -> None:
        """Which projects have a run under way."""
        self.finish(json.dumps(sorted(self.desk.under_way)))

    async def post(self) -> None:
        try:
            request = Request.from_json(self.get_json_body())
            run = await asyncio.to_thread(self._run, request)
        except (ReportProblem, StoreProblem, TemplateChanged, ValueError, TypeError, KeyError) as problem:
            raise web.HTTPError(400, str(problem)) from None
        if request.project in self.desk.under_way:
            raise web.HTTPError(409, "another run of this project is under way")
        self.desk.under_way.add(request.project)
        try:
            await self._run_to_its_end(request, run)
        finally:
            self.desk.under_way.discard(request.project)

    async def _run_to_its_end(self, request: Request, run: Run) -> None:
        user = self.user_from_username(service_of(request.project))
        user.spawners.pop(request.project, None)  # one that failed would be replaced, and forget its run
        spawner = user.get_or_create_spawner(request.project, request.project)
        spawner.run = run
        try:
            await self._note_start(request, run)
            outcome = await self._carried_out(user, request.project, run)
        finally:
            spawner.run = None
        await self._say(outcome)

    def _run(self, request: Request) -> Run:
        """The template or notebook is read here: what is on record by its hash is what runs."""
        template = self._template(request)
        if template.sha256 != request.sha256:
            raise TemplateChanged(request.template)
        return Run(
            id=secrets.token_hex(6),
            template=template.name,
            notebook=template.content,
            parameters=request.parameters,
            language=request.language,
            seconds=min(request.seconds, self.desk.longest),
            registration=request.registration,
        )

    def _template(self, request: Request) -> Template:
        if request.registration:
            return self.desk.registered(request.project, request.registration)
        return read_template(request.template, self.desk.templates)

    async def _note_start(self, request: Request, run: Run) -> None:
        self._who = request.operator
        details: Mapping[str, Any] = {
            "run": run.id,
            "template": run.template,
            "sha256": request.sha256,
            "registration": run.registration,
            "parameters": json.dumps(dict(run.parameters), sort_keys=True, ensure_ascii=False),
        }
        try:
            await self.desk.journal.note(
                self._who, Step.REPORT_START, Decision.ALLOWED, project=request.project, **details
            )
        except AuditFailure:
            raise web.HTTPError(503, "the start can't be recorded") from None

    async def _carried_out(self, user: Any, project: str, run: Run) -> Ended:
        outcome = Ended(Outcome.NOT_STARTED)
        await self._say(Started(run.id))
        try:
            outcome = await self._started(user, project, run)
        finally:
            await self._stopped(user, project)
            if outcome.outcome in _NOTHING_KEPT:  # nobody will come for it
                await asyncio.to_thread(remove, run_folder(self.desk.homes, project, run.id))
            decision = Decision.ALLOWED if outcome.outcome is Outcome.DONE else Decision.FAILED
            await self.desk.journal.note_if_possible(
                self._who,
                Step.REPORT_END,
                decision,
                project=project,
                run=run.id,
                outcome=outcome.outcome.value,
            )
        return outcome

    async def _started(self, user: Any, project: str, run: Run) -> Ended:
        try:
            await self.spawn_single_user(user, project)
            spawner = user.spawners[project]
            while spawner.pending:  # slow to start
                await asyncio.sleep(0.1)
        except Exception as problem:  # whatever a start may raise: told by its name, and logged
            reason = getattr(problem, "reason", None) or type(problem).__name__
            self.log.error("Run %s of %s not started: %s", run.id, project, reason)
            return Ended(Outcome.NOT_STARTED, str(reason)[:100])
        return await self._watched(spawner, project, run)

    async def _watched(self, spawner: Any, project: str, run: Run) -> Ended:
        ended = asyncio.ensure_future(spawner.ended())
        gone = asyncio.ensure_future(self._gone.wait())
        fallen = asyncio.ensure_future(self._fallen(project, run.registration))
        deadline = asyncio.get_running_loop().time() + run.seconds
        try:
            while not (ended.done() or gone.done() or fallen.done()):
                left = deadline - asyncio.get_running_loop().time()
                if left <= 0:
                    return Ended(Outcome.TIMED_OUT)
                await asyncio.wait(
                    {ended, gone, fallen}, timeout=min(left, BEAT_SECONDS),
                    return_when=asyncio.FIRST_COMPLETED,
                )  # fmt: skip
                await self._say(None)
            if fallen.done():
                return Ended(Outcome.WITHDRAWN)
            if spawner.lost_right is not None:  # whatever its box made of being stopped
                return Ended(Outcome.CLOSED)
            return _by_code(ended.result()) if ended.done() else Ended(Outcome.GIVEN_UP)
        finally:
            for each in (ended, gone, fallen):
                each.cancel()

    async def _fallen(self, project: str, registration: str) -> None:
        """Returns once what runs is no more a notebook that stands; of a template, never."""
        unknown = 0
        while unknown < _UNKNOWN_LOOKS:
            await asyncio.sleep(LOOK_SECONDS)
            stands = await self._stands(project, registration)
            if stands is False:
                return
            unknown = unknown + 1 if stands is None else 0

    async def _stands(self, project: str, registration: str) -> bool | None:
        """None where the record can't be read."""
        if not registration:
            return True
        try:
            return await asyncio.to_thread(self.desk.stands, project, registration)
        except (StoreProblem, ReportProblem, OSError) as problem:
            self.log.error("Run of %s: its registration can't be read: %s", project, type(problem).__name__)
            return None

    async def _stopped(self, user: Any, project: str) -> None:
        """Nothing of the run is left when this returns: box, token, socket, route."""
        spawner = user.spawners[project]
        while spawner.pending:
            await asyncio.sleep(0.1)
        if spawner.ready:
            await (await self.stop_single_user(user, project))

    async def _say(self, event: Event | None) -> None:
        """None: that we are still here."""
        try:
            self.write(json.dumps({"event": "beat"} if event is None else event.to_json()) + "\n")
            await self.flush()
        except StreamClosedError:
            self._gone.set()


_NOTHING_KEPT: Final = (Outcome.GIVEN_UP, Outcome.NOT_STARTED, Outcome.WITHDRAWN)


def _by_code(code: int) -> Ended:
    match code:
        case 0:
            return Ended(Outcome.DONE)
        case 1:
            return Ended(Outcome.CELL_FAILED)
        case _:
            return Ended(Outcome.BROKE, f"exit code {code}")


def handlers(desk: Desk) -> list[Any]:
    return [(PATH.removeprefix("/hub"), RunsHandler, {"desk": desk})]
