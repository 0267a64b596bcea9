"""The form *Demande de projet*: from what was typed to a complete request, or what is wrong, field by field.

Pure: facts in, decision out. What was typed is kept as it is, whatever is wrong with it; only `read` makes
the `Answers` that may be submitted. Texts are bounded, and free of what is neither printed nor a line's end.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final, TypeVar

from hub_config.governance.facts import AccessLevel
from hub_config.governance.register.facts import (
    ASKED,
    Answers,
    KnownPerson,
    LegalBasis,
    RawAnswers,
    Scope,
    asks_recontact,
    members_of,
)
from hub_config.governance.roles import Role
from hub_config.register.rules import ASKERS
from p4dp_sdk.catalogue.model import Catalogue, Table, Unit

ALL_CENTRES: Final = "*"
LONGEST_YEARS: Final = 5
LINE, PARAGRAPHS = 200, 4_000
WORTH_SAYING: Final = 10  # characters of a reason: less says nothing
LAY_SUMMARY: Final = 40
SEVERAL: Final = frozenset({"centres", "tables"})
TEXTS: Final[Mapping[str, int]] = {
    "title": LINE,
    "director": LINE,
    "director_login": 64,
    "protocol": PARAGRAPHS,
    "purpose": PARAGRAPHS,
    "legal_basis": 32,
    "legal_reference": LINE,
    "access": 16,
    "date_from": 10,
    "date_to": 10,
    "defence_on": 10,
    "expires_on": 10,
    "members": 2_000,
    "recontact": 8,
    "recontact_why": PARAGRAPHS,
    "lay_fr": PARAGRAPHS,
    "lay_en": PARAGRAPHS,
}
_Word = TypeVar("_Word", bound=StrEnum)
NEED = "need_"  # need_diagnoses: why that table


class Flaw(StrEnum):
    """What is wrong with a field; `texts.FLAWS` says it, and what to write instead."""

    MISSING = "missing"
    TOO_LONG = "too-long"
    TOO_SHORT = "too-short"
    NOT_ON_LIST = "not-on-list"
    NOT_A_DATE = "not-a-date"
    PAST = "past"
    TOO_FAR = "too-far"
    BEFORE_DEFENCE = "before-defence"
    ORDER = "order"
    NO_REFERENCE = "no-reference"
    NOT_YOUR_CENTRE = "not-your-centre"
    UNKNOWN_PERSON = "unknown-person"
    NOT_A_MEMBER_ROLE = "not-a-member-role"
    NO_PATIENTS = "no-patients"
    NO_REASON = "no-reason"
    MORE_THAN_ASKED = "more-than-asked"
    DECIDED_ON_IT = "decided-on-it"
    NOT_YOURSELF = "not-yourself"


@dataclass(frozen=True)
class Problem:
    """One field's flaw. `blanks` fill the message: limits, dates and logins the person typed."""

    flaw: Flaw
    blanks: Mapping[str, str | int] = field(default_factory=dict)


Problems = Mapping[str, Problem]


@dataclass(frozen=True)
class Offer:
    """What can be asked for: by whom, from which catalogue, in which centres, on what day. `led` None: the
    person leads no region, and asks for all centres or some of them."""

    requester: str
    today: date
    catalogue: Catalogue
    centres: frozenset[str]
    led: frozenset[str] | None
    people: Mapping[str, KnownPerson]

    @property
    def scope(self) -> Scope:
        return Scope.NATIONAL if self.led is None else Scope.REGIONAL

    @property
    def tables(self) -> tuple[Table, ...]:
        """What a grant may name, in the catalogue's order: patients first, the SNDS last."""
        found = [each for each in self.catalogue.tables.values() if each.unit in (Unit.PERSON, Unit.PUBLIC)]
        return tuple(sorted(found, key=lambda table: (table.snds, table.unit is Unit.PUBLIC)))


def typed(form: Mapping[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    """The form's fields and no others, as text. `form` maps a name to a text or a list of texts."""
    answers: dict[str, Any] = {
        name: clean(_one(form.get(name)))[: 2 * limit] for name, limit in TEXTS.items()
    }
    for name in SEVERAL:
        answers[name] = sorted({clean(text)[:64] for text in _many(form.get(name))})[:500]
    needs = {table: clean(_one(form.get(NEED + table)))[: 2 * PARAGRAPHS] for table in catalogue.tables}
    return {**answers, "needs": {table: text for table, text in needs.items() if text}}


def clean(text: str) -> str:
    """Without control characters, bidirectional overrides and the like; lines end as in Unix."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (sign for sign in lines if sign in "\n\t" or unicodedata.category(sign)[0] != "C")
    return unicodedata.normalize("NFC", "".join(kept)).strip()


def read(answers: RawAnswers, offer: Offer) -> Answers | Problems:
    """A complete request, or every flaw, one a field: nothing is reported twice."""
    reader = _Reader(answers, offer)
    found = Answers(
        title=reader.text("title", least=WORTH_SAYING),
        protocol=reader.text("protocol", least=LAY_SUMMARY),
        purpose=reader.text("purpose", least=LAY_SUMMARY),
        director=reader.text("director"),
        director_login=reader.person("director_login"),
        scope=offer.scope,
        legal_basis=reader.one_of("legal_basis", LegalBasis, LegalBasis.MR_004),
        legal_reference=reader.reference(),
        centres=reader.centres(),
        access=reader.access(),
        tables=reader.tables(),
        date_from=reader.day("date_from"),
        date_to=reader.day("date_to"),
        defence_on=reader.day("defence_on"),
        expires_on=reader.day("expires_on", required=True) or offer.today,
        recontact=reader.recontact(),
        members=reader.members(),
        lay_fr=reader.text("lay_fr", least=LAY_SUMMARY),
        lay_en=reader.text("lay_en", required=False),
    )
    reader.compare(found)
    return reader.problems or found


class _Reader:
    """Reads one field after the other and notes the first flaw of each."""

    def __init__(self, answers: RawAnswers, offer: Offer) -> None:
        self.answers, self.offer = answers, offer
        self.problems: dict[str, Problem] = {}

    def flaw(self, name: str, flaw: Flaw, **blanks: str | int) -> None:
        self.problems.setdefault(name, Problem(flaw, blanks))

    def text(self, name: str, *, required: bool = True, least: int = 1) -> str:
        said = str(self.answers.get(name) or "").strip()
        if not said:
            if required:
                self.flaw(name, Flaw.MISSING)
        elif len(said) > TEXTS[name]:
            self.flaw(name, Flaw.TOO_LONG, most=TEXTS[name])
        elif len(said) < least:
            self.flaw(name, Flaw.TOO_SHORT, least=least)
        return said

    def one_of(self, name: str, vocabulary: type[_Word], otherwise: _Word) -> _Word:
        said = self.text(name)
        if said in set(vocabulary):
            return vocabulary(said)
        if said:
            self.flaw(name, Flaw.NOT_ON_LIST)
        return otherwise

    def reference(self) -> str:
        basis = str(self.answers.get("legal_basis") or "")
        needed = basis in set(LegalBasis) and LegalBasis(basis).needs_reference
        said = self.text("legal_reference", required=False)
        if needed and not said:
            self.flaw("legal_reference", Flaw.NO_REFERENCE)
        return said

    def access(self) -> AccessLevel:
        found = self.one_of("access", AccessLevel, AccessLevel.AGGREGATE)
        if found is AccessLevel.SANDBOX:
            self.flaw("access", Flaw.NOT_ON_LIST)
        return found

    def day(self, name: str, *, required: bool = False) -> date | None:
        said = self.text(name, required=required)
        if not said:
            return None
        found = parse_day(said)
        if found is None:
            self.flaw(name, Flaw.NOT_A_DATE)
        return found

    def centres(self) -> frozenset[str] | None:
        wanted = frozenset(_many(self.answers.get("centres")))
        if not wanted:
            self.flaw("centres", Flaw.MISSING)
        elif self.offer.led is not None and not wanted <= self.offer.led:
            self.flaw("centres", Flaw.NOT_YOUR_CENTRE)
        elif ALL_CENTRES in wanted:
            return None
        elif not wanted <= self.offer.centres:
            self.flaw("centres", Flaw.NOT_ON_LIST)
        return wanted

    def tables(self) -> dict[str, str]:
        wanted, needs = _many(self.answers.get("tables")), self.answers.get("needs") or {}
        offered = {table.name: table for table in self.offer.tables}
        if not wanted:
            self.flaw("tables", Flaw.MISSING)
        elif not set(wanted) <= set(offered):
            self.flaw("tables", Flaw.NOT_ON_LIST)
        elif not any(offered[name].unit is Unit.PERSON for name in wanted):
            self.flaw("tables", Flaw.NO_PATIENTS)
        for name in (each for each in wanted if each in offered):
            if len(str(needs.get(name, ""))) < WORTH_SAYING:
                self.flaw(NEED + name, Flaw.TOO_SHORT, least=WORTH_SAYING)
            elif len(str(needs[name])) > PARAGRAPHS:
                self.flaw(NEED + name, Flaw.TOO_LONG, most=PARAGRAPHS)
        return {name: str(needs.get(name, "")) for name in wanted}

    def recontact(self) -> str:
        if self.answers.get("recontact") not in (None, "", ASKED):
            self.flaw("recontact", Flaw.NOT_ON_LIST)
        return self.text("recontact_why", least=LAY_SUMMARY) if asks_recontact(self.answers) else ""

    def person(self, name: str) -> str:
        said = self.text(name, required=False).lower()
        if said and said not in self.offer.people:
            self.flaw(name, Flaw.UNKNOWN_PERSON, who=said)
        return said

    def members(self) -> tuple[str, ...]:
        found = members_of(self.answers)
        for user in found:
            known = self.offer.people.get(user)
            if known is None:
                self.flaw("members", Flaw.UNKNOWN_PERSON, who=user)
            elif not may_belong(known):
                self.flaw("members", Flaw.NOT_A_MEMBER_ROLE, who=user)
        return tuple(dict.fromkeys((self.offer.requester, *found)))

    def compare(self, found: Answers) -> None:
        """What can only be judged between fields."""
        today = self.offer.today
        if found.date_from and found.date_to and found.date_from > found.date_to:
            self.flaw("date_to", Flaw.ORDER)
        if found.defence_on and found.defence_on < today:
            self.flaw("defence_on", Flaw.PAST)
        if found.expires_on < today:
            self.flaw("expires_on", Flaw.PAST)
        elif found.expires_on.year > today.year + LONGEST_YEARS:
            self.flaw("expires_on", Flaw.TOO_FAR, years=LONGEST_YEARS)
        elif found.defence_on and found.expires_on < found.defence_on:
            self.flaw("expires_on", Flaw.BEFORE_DEFENCE)


def may_belong(person: KnownPerson) -> bool:
    """Whether a responsible may add them: they do research, or lead those who do."""
    return bool(person.roles & {role.value for role in ASKERS})


def parse_day(text: str) -> date | None:
    """As browsers send it (2027-06-30) or as the French write it (30/06/2027)."""
    if french := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text):
        text = f"{french[3]}-{int(french[2]):02}-{int(french[1]):02}"
    try:
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else None
    except ValueError:
        return None


def proposed_slug(title: str, taken: Iterable[str]) -> str:
    """A project's name from its title: words without accents, cut at a word's end, numbered if taken."""
    plain = unicodedata.normalize("NFKD", title.replace("œ", "oe").replace("Œ", "oe").lower())
    words = re.findall(r"[a-z0-9]+", "".join(sign for sign in plain if not unicodedata.combining(sign)))
    said = [word for word in words if word not in _SMALL_WORDS] or ["projet"]
    slug = said[0][:_SLUG_LENGTH]
    for word in said[1:]:
        if len(slug) + 1 + len(word) > _SLUG_LENGTH:
            break
        slug = f"{slug}-{word}"
    slug = slug if slug[0].isalpha() and len(slug) >= 3 and not slug.startswith("svc") else f"projet-{slug}"
    used = set(taken)
    numbered = (f"{slug}-{number}" for number in range(2, 1_000_000))
    return slug if slug not in used else next(name for name in numbered if name not in used)


_SLUG_LENGTH: Final = 19  # of 30, less what may be put before and after it
_SMALL_WORDS = frozenset(
    {
        "a", "au", "aux", "avec", "chez", "d", "dans", "de", "des", "du", "elle", "en", "et", "etude", "l",
        "la", "le", "les", "leur", "leurs", "ou", "par", "pour", "qu", "que", "qui", "s", "sa", "ses", "son",
        "sur", "these", "un", "une", "y",
    }
)  # fmt: skip


def member_role(roles: Iterable[str]) -> Role | None:
    """As what somebody of these roles belongs to a project; the most telling one."""
    order = (Role.INTERNE, Role.CHERCHEUR, Role.DMG, Role.MEDECIN_REFERENT)
    held = set(roles)
    return next((role for role in order if role.value in held), None)


def _one(value: object) -> str:
    match value:
        case str():
            return value
        case [str() as first, *_]:
            return first
        case _:
            return ""


def _many(value: object) -> list[str]:
    match value:
        case str():
            return [value] if value else []
        case list() | tuple():
            return [text for text in value if isinstance(text, str) and text]
        case _:
            return []
