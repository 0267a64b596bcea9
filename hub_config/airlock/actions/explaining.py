"""The requester's answers to findings: why what a check stops is no risk. `rules.recourse` says which
findings may be answered."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from hub_config.airlock.actions.holding import file_row, hold, reopen
from hub_config.airlock.rules.permission import Act, Someone
from hub_config.airlock.rules.recourse import LEAST_EXPLANATION, MOST_EXPLANATION, grouped, is_enough
from hub_config.airlock.texts import AirlockProblem, Problem
from hub_config.governance.recorder import Recorder
from hub_config.governance.releases.facts import FileFacts
from hub_config.governance.releases.stored import file_of


def explain(
    session: Session,
    person: Someone,
    request: str,
    file: int,
    finding: int,
    text: str,
    *,
    at: datetime,
    audit: Recorder,
) -> FileFacts:
    """Answer a blocking finding of a file, by its number: why it is no risk. Without text, take the answer
    back. What was submitted is a draft again; two physicians will read it. Raises AirlockProblem for what no
    explanation lets out."""
    held = hold(session, person, Act.EDIT, request, at=at, audit=audit)
    row = file_row(held, file)
    found = next((one for one in grouped(file_of(row).findings) if one.number == finding), None)
    if found is None:
        raise AirlockProblem(Problem.UNKNOWN_FINDING)
    if not found.contestable:
        raise AirlockProblem(Problem.NOT_CONTESTABLE)
    said = _explanation(text)
    reopen(held, at)
    kept = {number: words for number, words in row.explanations.items() if number != str(finding)}
    row.explanations = kept | ({str(finding): said} if said else {})
    audit.record(
        session,
        "release.explain",
        held.row.project,
        request=request,
        number=file,
        finding=finding,
        rule=found.rule.value,
    )
    return file_of(row)


def _explanation(text: str) -> str:
    said = text.strip()
    if said and not is_enough(said):
        raise AirlockProblem(Problem.EXPLANATION_TOO_SHORT, least=LEAST_EXPLANATION)
    if len(said) > MOST_EXPLANATION:
        raise AirlockProblem(Problem.WORDS_TOO_LONG, field="explanation", most=MOST_EXPLANATION)
    return said
