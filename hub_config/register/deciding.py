"""The offices' forms: from what was typed to a decision, or what is wrong with it, field by field. Pure.

The administrator grants what was asked or less, and nothing that does not exist.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Final, TypeVar

from starlette.datastructures import FormData

from hub_config.governance.facts import AccessLevel
from hub_config.governance.register.facts import ASKED, LegalBasis, RawAnswers, Verdict, asks_recontact
from hub_config.register.actions.decisions import Judgement, TechnicalGrant
from hub_config.register.form import ALL_CENTRES, LINE, PARAGRAPHS, Flaw, Problem, clean, parse_day
from hub_config.register.problems import Unfit

LEVELS: Final = (AccessLevel.AGGREGATE, AccessLevel.MICRODATA)
_REFERENCE: Final = 190  # with the ground's own name it fits the grant's line
_Word = TypeVar("_Word", bound=StrEnum)
_Made = TypeVar("_Made")


class Reader:
    """Reads one field after the other and notes the first flaw of each."""

    def __init__(self, form: FormData) -> None:
        self._form = form
        self.problems: dict[str, Problem] = {}

    def flaw(self, name: str, flaw: Flaw, **blanks: str | int) -> None:
        self.problems.setdefault(name, Problem(flaw, blanks))

    def text(self, name: str, *, most: int = PARAGRAPHS) -> str:
        value = self._form.get(name)
        said = clean(value) if isinstance(value, str) else ""
        if len(said) > most:
            self.flaw(name, Flaw.TOO_LONG, most=most)
        return said[:most]

    def reason(self) -> str:
        said = self.text("reason")
        if not said:
            self.flaw("reason", Flaw.NO_REASON)
        return said

    def word(self, name: str, vocabulary: type[_Word], otherwise: _Word) -> _Word:
        said = self.text(name, most=40)
        if said in set(vocabulary):
            return vocabulary(said)
        self.flaw(name, Flaw.NOT_ON_LIST)
        return otherwise

    def several(self, name: str) -> tuple[str, ...]:
        said = [clean(text)[:64] for text in self._form.getlist(name)[:500] if isinstance(text, str)]
        return tuple(dict.fromkeys(said))

    def complete(self, made: _Made) -> _Made:
        """`made`, unless something is wrong. Raises Unfit with every flaw."""
        if self.problems:
            raise Unfit(self.problems)
        return made


def judged(form: FormData) -> Judgement:
    """The DPO's opinion. Raises Unfit: a favourable one says how long, and on which decision."""
    reader = Reader(form)
    verdict = reader.word("verdict", Verdict, Verdict.RETURN)
    basis = reader.word("legal_basis", LegalBasis, LegalBasis.MR_004)
    reference = reader.text("legal_reference", most=_REFERENCE)
    retention, dpia = reader.text("retention"), reader.text("dpia", most=LINE)
    if verdict is Verdict.FAVOURABLE and not retention:
        reader.flaw("retention", Flaw.MISSING)
    if verdict is Verdict.FAVOURABLE and basis.needs_reference and not reference:
        reader.flaw("legal_reference", Flaw.NO_REFERENCE)
    return reader.complete(Judgement(verdict, reader.reason(), basis, reference, retention, dpia))


def granted(form: FormData, answers: RawAnswers, snapshots: Collection[int]) -> TechnicalGrant:
    """What the form grants. Raises Unfit for more than was asked, or for what does not exist."""
    reader = Reader(form)
    verdict, why = reader.word("verdict", Verdict, Verdict.RETURN), reader.reason()
    access = reader.word("access", AccessLevel, AccessLevel.AGGREGATE)
    if access not in levels(answers):
        reader.flaw("access", Flaw.MORE_THAN_ASKED)
    asked_until = parse_day(str(answers.get("expires_on", "")))
    until = parse_day(reader.text("expires_on", most=10))
    if until is None:
        reader.flaw("expires_on", Flaw.NOT_A_DATE)
    elif asked_until is None or until > asked_until:
        reader.flaw("expires_on", Flaw.MORE_THAN_ASKED)
    number = reader.text("snapshot", most=9)
    if not number.isdecimal() or int(number) not in snapshots:
        reader.flaw("snapshot", Flaw.NOT_ON_LIST)
    tables, centres = reader.several("tables"), reader.several("centres")
    asked_centres = set(answers.get("centres") or ())
    everywhere = ALL_CENTRES in asked_centres and ALL_CENTRES in centres
    if not tables or not set(tables) <= set(answers.get("tables") or ()):
        reader.flaw("tables", Flaw.MORE_THAN_ASKED)
    recontact = reader.text("recontact", most=8) == ASKED
    if recontact and not asks_recontact(answers):
        reader.flaw("recontact", Flaw.MORE_THAN_ASKED)
    if not everywhere and (not centres or not set(centres) <= asked_centres):
        reader.flaw("centres", Flaw.MORE_THAN_ASKED)
    if reader.problems or until is None:
        raise Unfit(reader.problems)
    narrowed = None if everywhere else centres
    return TechnicalGrant(verdict, why, int(number), access, tables, narrowed, until, recontact)


def levels(answers: RawAnswers) -> list[AccessLevel]:
    """The level asked for, and those below it."""
    asked = str(answers.get("access", ""))
    return [level for level in LEVELS if level is AccessLevel.AGGREGATE or level.value == asked]
