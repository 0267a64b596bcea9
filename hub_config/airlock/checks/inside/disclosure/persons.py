"""Rows that are persons: identifiers, traits that single somebody out, exact dates. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Final

from hub_config.airlock.checks.inside.disclosure import vocabulary as said
from hub_config.airlock.checks.inside.disclosure.cells import Cell
from hub_config.airlock.checks.inside.disclosure.grid import Grid
from hub_config.airlock.checks.inside.disclosure.marks import Marks
from hub_config.airlock.checks.inside.disclosure.roles import Role, Roles
from hub_config.governance.releases.findings import Rule, Severity

_BLOCKING, _WARNING = Severity.BLOCKING, Severity.WARNING
_UNIQUE: Final = 0.9
_MOSTLY_UNIQUE: Final = 0.5
_OPAQUE: Final = re.compile(
    r"(?=.*\d)[0-9a-f]{12,64}|[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}|[A-Z]{1,4}[-_]?\d{5,}|\d{7,}(\.0)?"
)
_ISO: Final = re.compile(r"((?:18|19|20)\d\d)[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?")
_FRENCH: Final = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.]((?:18|19|20)\d\d)(?:[T ].*)?")
_DIRECT: Final = (
    (
        re.compile(
            r"(patient|nom)?_?(nom|nom_(de_famille|naissance|usuel|patient|prenom|medecin)|surname|last_?name|"
            r"family_?name|full_?name|patient_?name)|name"
        ),
        "name",
    ),
    (re.compile(r"prenoms?|first_?name|given_?name|prenom_patient"), "first name"),
    (re.compile(r"(no_|num_|numero_)?(nir|nss|ssn|securite_sociale|num_secu)"), "social-security number"),
    (re.compile(r"(adresse|address|rue|street)(_.*)?"), "address"),
    (re.compile(r"(numero_(de_)?)?(tel|telephone|phone|mobile|portable|gsm)(_.*)?"), "telephone number"),
    (re.compile(r"(adresse_)?(e_?mail|courriel|mail|adresse_mail)(_.*)?"), "e-mail address"),
    (
        re.compile(r"ddn|dob|(date|jour)_(de_)?naissance|birth_?date|date_of_birth|naissance|birthday"),
        "date of birth",
    ),
    (re.compile(r"(num_|no_|numero_)?(rpps|adeli)(_.*)?"), "physician number"),
)
_FEW_ROWS: Final = 5


def check_persons(grid: Grid, roles: Roles, marks: Marks) -> None:
    _check_names(grid, marks)
    ids = _id_columns(grid, roles)
    for at in ids:
        marks.add(Rule.ID_COLUMN, _BLOCKING, -1, at)
    dates = [at for at in range(grid.width) if _holds_exact_dates(grid.column(at))]
    for at in dates:
        if not _regular(grid.column(at)):
            marks.add(Rule.EXACT_DATES, _WARNING, -1, at)
    if roles.counts_something and not ids:
        return
    traits = _traits(grid, roles, dates)
    if (ids and _rows_are_persons(grid, ids)) or _look_individual(grid, roles, traits, dates):
        marks.add(Rule.ROW_LEVEL, _BLOCKING, None, None, rows=len(grid.rows))
    elif len(traits) >= 3 and len(grid.rows) >= marks.least and _uniqueness(grid, traits) > _MOSTLY_UNIQUE:
        marks.add(Rule.QUASI_IDENTIFIERS, _WARNING, None, None, columns=len(traits))


def _check_names(grid: Grid, marks: Marks) -> None:
    for at, name in enumerate(grid.header):
        folded = re.sub(r"[^a-z0-9]+", "_", said.plain(name)).strip("_")
        word = next((word for pattern, word in _DIRECT if pattern.fullmatch(folded)), None)
        if word is None or (folded in ("nom", "name") and not _look_like_names(grid.column(at))):
            continue
        if any(cell.text for cell in grid.column(at)):
            marks.add(Rule.DIRECT_IDENTIFIER, _BLOCKING, -1, at, word=word)


_NAME: Final = re.compile(r"[A-ZÉÈÀÂÊÎÔÛÇ][\w'’-]+( [A-ZÉÈÀÂÊÎÔÛÇ][\w'’-]+){0,2}")


def _look_like_names(cells: Sequence[Cell]) -> bool:
    filled = [cell.text for cell in cells if cell.text]
    return bool(filled) and sum(bool(_NAME.fullmatch(text)) for text in filled) > 0.8 * len(filled)


def _id_columns(grid: Grid, roles: Roles) -> list[int]:
    """By the name, unless a few values repeat (a class number); or by opaque values that hardly repeat."""
    found = []
    for at, role in enumerate(roles.columns):
        texts = [cell.text for cell in grid.column(at) if not cell.empty]
        distinct = len(set(texts)) / max(len(texts), 1)
        opaque = sum(bool(_OPAQUE.fullmatch(text)) for text in texts) if texts else 0
        person = said.words(grid.header[at]) & (said.PERSON | _PERSONAL_IDS)
        if (
            role is Role.IDENTIFIER and texts and (person or (distinct > _UNIQUE and len(texts) > _FEW_ROWS))
        ) or (
            role in _OPAQUE_ROLES
            and len(texts) > 2
            and opaque > 0.8 * len(texts)
            and distinct > _MOSTLY_UNIQUE
        ):
            found.append(at)
    return found


_PERSONAL_IDS: Final = frozenset(
    [
        "ipp",
        "iep",
        "nip",
        "pseudo",
        "pseudonym",
        "pseudonyme",
        "patientid",
        "idpatient",
        "numpatient",
        "dossier",
    ]
)
_OPAQUE_ROLES: Final = frozenset({Role.IDENTIFIER, Role.LABEL, Role.OTHER, Role.AXIS})


def _rows_are_persons(grid: Grid, ids: Sequence[int]) -> bool:
    return any(len({cell.text for cell in grid.column(at)}) > _MOSTLY_UNIQUE * len(grid.rows) for at in ids)


def _traits(grid: Grid, roles: Roles, dates: Sequence[int]) -> list[int]:
    """Columns that say something of a person: age, sex, place, dates, measures."""
    personal = said.QUASI | said.MEASURE
    return [
        at
        for at, name in enumerate(grid.header)
        if (at in dates and not _regular(grid.column(at)))
        or (
            said.words(name) & personal
            and not said.words(name) & _SUMMED
            and roles.columns[at] is not Role.SHARE
        )
    ]


_SUMMED: Final = frozenset(
    [
        "mean",
        "moyenne",
        "moy",
        "median",
        "mediane",
        "sd",
        "std",
        "ecart",
        "q1",
        "q3",
        "p25",
        "p75",
        "p5",
        "p95",
        "iqr",
        "se",
        "ci",
        "ic",
        "or",
        "hr",
        "rr",
        "lower",
        "upper",
        "coef",
        "estimate",
        "tranche",
        "classe",
        "band",
        "group",
        "groupe",
    ]
)


def _look_individual(grid: Grid, roles: Roles, traits: Sequence[int], dates: Sequence[int]) -> bool:
    """No column counts anything, and the rows vary in several traits of one person as only persons do."""
    if not traits:
        return False
    ages = any(_exact_ages(grid, at) for at in traits)
    irregular = any(at in dates for at in traits)
    measured = [at for at in traits if said.words(grid.header[at]) & said.MEASURE]
    sexed = any(said.words(grid.header[at]) & {"sexe", "sex", "gender", "genre"} for at in traits)
    signs = ages + irregular + sexed + bool(measured)
    if len(grid.rows) < _FEW_ROWS:
        return signs >= 4
    return signs >= 3 or (signs >= 2 and len(grid.rows) >= 11 and _uniqueness(grid, traits) > _MOSTLY_UNIQUE)


def _exact_ages(grid: Grid, at: int) -> bool:
    told = said.words(grid.header[at])
    whole = [cell.number for cell in grid.column(at) if cell.number is not None]
    return bool(told & {"age", "ages"}) and len(whole) > 0.7 * len(grid.rows) and not _increasing(whole)


def _increasing(numbers: Sequence[float]) -> bool:
    return all(before <= after for before, after in pairwise(numbers))


def _uniqueness(grid: Grid, columns: Sequence[int]) -> float:
    combinations = [tuple(row[at].text for at in columns) for row in grid.rows]
    return len(set(combinations)) / max(len(combinations), 1)


def day_of(text: str) -> date | None:
    """A date to the day, in ISO or French writing."""
    try:
        if match := _ISO.fullmatch(text):
            return date(int(match[1]), int(match[2]), int(match[3]))
        if match := _FRENCH.fullmatch(text):
            return date(int(match[3]), int(match[2]), int(match[1]))
    except ValueError:
        return None
    return None


def _holds_exact_dates(cells: Sequence[Cell]) -> bool:
    filled = [cell.text for cell in cells if not cell.empty]
    if len(filled) < 2 or not any(day_of(text) for text in filled[:5]):
        return False
    days = [day for text in filled if (day := day_of(text)) is not None]
    return len(days) >= 0.8 * len(filled)


def _regular(cells: Sequence[Cell]) -> bool:
    """Starts of weeks, months or years, or days in a row: periods, not somebody's dates."""
    days = sorted({day for cell in cells if (day := day_of(cell.text)) is not None})
    if all(day.day == 1 for day in days):
        return True
    steps = {(after - before).days for before, after in pairwise(days)}
    return len(days) > 2 and (len(steps) == 1 or all(step % 7 == 0 for step in steps) or _month_ends(days))


def _month_ends(days: Sequence[date]) -> bool:
    return all(date.fromordinal(day.toordinal() + 1).day == 1 for day in days)
