"""One run from the operator's side: everything is checked, then the hub is asked, followed, and what the box
left is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, assert_never

import click

from hub_config.governance import actions
from hub_config.governance.console import operator
from hub_config.governance.facts import ProjectFacts
from hub_config.governance.notebooks.facts import Output
from hub_config.governance.report_runs.facts import Outcome, folder_name
from hub_config.governance.report_runs.parameters import (
    Value,
    asks_for_centres,
    check,
    given_values,
    with_centres,
)
from hub_config.governance.report_runs.templates import Template, read_template
from hub_config.governance.report_runs.texts import Language, ReportProblem, Text
from hub_config.governance.rolling import as_of_now
from hub_config.governance.services import service_of
from hub_config.governance.store import open_store
from hub_config.reports.client import Line, asked, is_under_way, not_running
from hub_config.reports.collecting import (
    HTML,
    NOTEBOOK,
    Left,
    declared,
    failure,
    opened,
    parsed,
    progress,
    read_file,
    remove,
    run_folder,
)
from hub_config.reports.concluding import (
    KEPT_ELSEWHERE,
    NOT_ON_RECORD,
    TO_RELEASE,
    WITHDRAWN,
    concluded,
    of_outputs,
)
from hub_config.reports.keeping import (
    Done,
    Leaving,
    answered_on,
    keep,
    place_for,
    refuse_taken,
    requests_of,
)
from hub_config.reports.opening import require_open
from hub_config.reports.plain import plain
from hub_config.reports.protocol import Ended, Request, Started
from hub_config.reports.recording import put_on_record
from hub_config.reports.registered import read_registered
from hub_config.reports.screen import Screen, screen_for
from hub_config.settings import Settings, load_settings
from hub_config.up import house

_ENDING_SECONDS: Final = 20.0
OVER_TIME, BROKEN_OFF = 4, 5
Centres = Callable[[Settings, ProjectFacts], tuple[str, ...]]


class BrokenOff(ReportProblem):
    exit_code = BROKEN_OFF


@dataclass(frozen=True)
class Wanted:
    """As typed."""

    template: str
    project: str
    parameters: tuple[str, ...]
    output: Path | None
    seconds: int | None
    notebook: str = ""  # in place of a template: a registered notebook of the project's


@dataclass(frozen=True)
class Checked:
    """What may be run: nothing was started yet."""

    settings: Settings
    template: Template
    facts: ProjectFacts
    values: dict[str, Value]
    language: Language
    seconds: int
    output: Path | None


def carry_out(wanted: Wanted, language: Language, centres: Centres) -> int:
    """The exit code. Raises ReportProblem, KeyboardInterrupt."""
    checked = checked_before(wanted, language, centres)
    began = datetime.now(UTC)
    with screen_for(checked.template.steps, language) as screen:
        run, ended = _followed(checked, screen)
    folder = run_folder(checked.settings.homes_dir, checked.facts.slug, run)
    try:
        return _kept(checked, run, ended, began, folder)
    finally:
        remove(folder)


def checked_before(wanted: Wanted, language: Language, centres: Centres) -> Checked:
    """Everything that can be wrong before a run. Raises ReportProblem, GovernanceProblem, BadSettings."""
    settings = load_settings()
    template = _template(settings, wanted)
    given = given_values(wanted.parameters)
    parameters = template.parameters
    if house.holder(settings) is None and not settings.home.exists():
        raise not_running()
    facts = _project(settings, wanted.project)
    if asks_for_centres(parameters):
        parameters = with_centres(parameters, centres(settings, facts))
    values = check(parameters, given)
    output = None if wanted.output is None else wanted.output.absolute()
    if output is not None:
        refuse_taken(output)
    if house.holder(settings) is None:
        raise not_running()
    seconds = min(wanted.seconds or settings.reports.seconds, settings.reports.seconds)
    return Checked(settings, template, facts, values, language, seconds, output)


def _template(settings: Settings, wanted: Wanted) -> Template:
    if not wanted.notebook:
        return read_template(wanted.template)
    if not settings.home.exists():
        raise not_running()
    return read_registered(settings, wanted.project, wanted.notebook)


def _project(settings: Settings, slug: str) -> ProjectFacts:
    store = open_store(settings)
    try:
        with store.session() as session:
            facts = as_of_now(actions.project_facts(session, slug), settings.warehouse_dir)
    finally:
        store.close()
    require_open(facts, date.today())
    return facts


@dataclass
class _Following:
    """A run under way: its number, and how many lines of its progress were shown."""

    checked: Checked
    screen: Screen
    run: str = ""
    seen: int = 0

    @property
    def folder(self) -> Path:
        return run_folder(self.checked.settings.homes_dir, self.checked.facts.slug, self.run)

    def until_ended(self, line: Line) -> Ended:
        """Box, token and socket are gone by then. Raises Lost, NotStarted."""
        for event in line:
            match event:
                case Started(run):
                    self.run = run
                case None:
                    self.look()
                case Ended(Outcome.NOT_STARTED, reason):
                    raise _not_started(reason)
                case Ended():
                    self.look()
                    return event
                case _:
                    assert_never(event)
        raise _not_started("")  # never: a line ends with Ended, or raises

    def look(self) -> None:
        if not self.run:
            return
        with suppress(OSError), opened(self.folder) as handle:
            steps, self.seen = progress(handle, self.seen, len(self.checked.template.steps))
            for step in steps:
                self.screen.show(step)

    def wait_until_gone(self) -> None:
        """The desk ends what it started once we have hung up."""
        deadline = time.monotonic() + _ENDING_SECONDS
        while is_under_way(self.checked.settings, self.checked.facts.slug) and time.monotonic() < deadline:
            time.sleep(0.1)


def _followed(checked: Checked, screen: Screen) -> tuple[str, Ended]:
    following = _Following(checked, screen)
    try:
        with asked(checked.settings, _request(checked)) as line:
            ended = following.until_ended(line)
            return following.run, ended
    except KeyboardInterrupt:
        following.wait_until_gone()
        raise


def _request(checked: Checked) -> Request:
    return Request(
        project=checked.facts.slug,
        template=checked.template.name,
        sha256=checked.template.sha256,
        parameters=checked.values,
        language=checked.language,
        seconds=checked.seconds,
        operator=operator(),
        registration="" if checked.template.registration is None else checked.template.registration.id,
    )


# --- afterwards --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Found:
    """What the box left, and the first cell that failed, if any, with what it said."""

    leaving: Leaving
    failed: tuple[int, str] | None


def _kept(checked: Checked, run: str, ended: Ended, began: datetime, folder: Path) -> int:
    if ended.outcome is Outcome.WITHDRAWN:
        raise BrokenOff(WITHDRAWN.fill(name=checked.template.name))
    found = _found(checked, ended, folder)
    outcome = _outcome(ended, found)
    service = service_of(checked.facts.slug)
    done = Done(
        run=run,
        template=checked.template,
        facts=_as_answered(checked, began),
        parameters=checked.values,
        began=began,
        ended=datetime.now(UTC),
        outcome=outcome.value,
        requests=requests_of(checked.settings, service, began),
    )
    name = folder_name(began, checked.template.name, run)
    output = checked.output or place_for(checked.settings, checked.facts.slug, name)
    files = keep(output, done, found.leaving, checked.language)
    dropped = found.leaving.left.dropped
    on_record = put_on_record(checked.settings, done, outcome, files, operator(), undeclared=dropped)
    click.echo(
        concluded(checked.template, outcome, found.failed, checked.seconds).say(checked.language),
        err=outcome is not Outcome.DONE,
    )
    click.echo(str(output))
    for said in (*of_outputs(found.leaving.left), *_what_next(checked, run, outcome, on_record)):
        click.echo(said.say(checked.language), err=True)
    return _EXIT_CODES[outcome]


def _outcome(ended: Ended, found: _Found) -> Outcome:
    """A run that came to its end has done what was asked for if no cell failed and no declared file lacks."""
    if ended.outcome is not Outcome.DONE:
        return ended.outcome
    if found.failed is not None:
        return Outcome.CELL_FAILED
    return Outcome.INCOMPLETE if found.leaving.left.lacking else Outcome.DONE


def _what_next(checked: Checked, run: str, outcome: Outcome, on_record: bool) -> tuple[Text, ...]:
    """How a member of the project asks for it to leave."""
    if outcome is not Outcome.DONE:
        return ()
    if not on_record:
        return (NOT_ON_RECORD,)
    if checked.output is not None:
        return (KEPT_ELSEWHERE,)
    pages = checked.settings.service_url("airlock")
    return (TO_RELEASE.fill(url=f"{pages}/rapports/{run}", project=checked.facts.slug),)


def _as_answered(checked: Checked, began: datetime) -> ProjectFacts:
    """The project on the snapshot that the run was answered on, which one that appeared meanwhile is not."""
    facts = checked.facts
    number = answered_on(checked.settings, service_of(facts.slug), began) if facts.rolling else None
    return facts if number is None else replace(facts, snapshot=number)


def _found(checked: Checked, ended: Ended, folder: Path) -> _Found:
    """Raises NotUsable; BrokenOff where there is no notebook at all."""
    limit = checked.settings.reports.output_bytes
    left, outputs = Left(), _declared_by(checked.template)
    try:
        with opened(folder) as handle:
            notebook, html = read_file(handle, NOTEBOOK, limit), read_file(handle, HTML, limit)
            if outputs and ended.outcome is Outcome.DONE:
                left = declared(handle, outputs, limit)
    except OSError:
        notebook, html = None, None
    if notebook is None:
        raise _broken_off(ended)
    executed = parsed(notebook)
    alone = checked.template.sees_rows
    fragment = None if html is None else html.decode(errors="replace")
    return _Found(Leaving(plain(executed), fragment, left, alone), _told_failure(executed, alone))


def _declared_by(template: Template) -> tuple[Output, ...]:
    return () if template.registration is None else template.registration.outputs


def _told_failure(executed: Mapping[str, Any], alone: bool) -> tuple[int, str] | None:
    failed = failure(executed)
    return (failed[0], "…") if failed is not None and alone else failed


_EXIT_CODES: Final = {
    Outcome.DONE: 0,
    Outcome.CELL_FAILED: 1,
    Outcome.INCOMPLETE: 1,
    Outcome.TIMED_OUT: OVER_TIME,
    Outcome.GIVEN_UP: BROKEN_OFF,
    Outcome.BROKE: BROKEN_OFF,
    Outcome.NOT_STARTED: BROKEN_OFF,
    Outcome.CLOSED: BROKEN_OFF,
    Outcome.WITHDRAWN: BROKEN_OFF,
}


def _not_started(reason: str) -> BrokenOff:
    return BrokenOff(
        Text(
            "Le bac à sable n'a pas pu être ouvert ({reason}) : rien n'a été exécuté. logs/hub.log en "
            "dit la cause.",
            "The sandbox could not be opened ({reason}): nothing was run. logs/hub.log says why.",
        ).fill(reason=reason or "?")
    )


def _broken_off(ended: Ended) -> BrokenOff:
    return BrokenOff(
        Text(
            "L'exécution n'a laissé aucun notebook ({outcome}) : rien n'est conservé. logs/hub.log en "
            "dit la cause.",
            "The run left no notebook ({outcome}): nothing is kept. logs/hub.log says why.",
        ).fill(outcome=ended.outcome.value)
    )
