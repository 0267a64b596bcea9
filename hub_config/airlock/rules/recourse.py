"""What a requester can do about what was found in their file: mend it, or say why it is no risk. Pure.

A blocking finding keeps its file in, until it is mended or, where that is `EXPLAIN`, answered in writing: the
check may be wrong about what it takes for an effectif, and two physicians can judge by eye. `NEVER` is what
no explanation makes safe, or what a physician can't see on the page. Every rule stands in the table: a new
one without its place is an error, not a way out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from hub_config.governance.releases.facts import FileFacts
from hub_config.governance.releases.findings import Finding, Rule, Severity

LEAST_EXPLANATION: Final = 20
MOST_EXPLANATION: Final = 2_000
_ORDER: Final = tuple(Severity)


class Recourse(StrEnum):
    EXPLAIN = "explain"
    NEVER = "never"


_NEVER: Final = frozenset(
    {
        # people by name or number, or that could not be looked for
        Rule.PSEUDONYM,
        Rule.PSEUDONYMS_NOT_SEARCHED,
        Rule.TOO_MANY_LONG_INTEGERS,
        Rule.PERSONAL_PATTERN,
        # what acts, or leads elsewhere
        Rule.MACRO,
        Rule.ACTIVE_CONTENT,
        Rule.EXTERNAL_LINK,
        Rule.EMBEDDED_OBJECT,
        Rule.FORMULA,
        # archives, pickles, and what pretends to be something else
        Rule.REFUSED_KIND,
        Rule.NAME_DISAGREES,
        Rule.DECEPTIVE_NAME,
        Rule.TRAILING_BYTES,
        Rule.DISGUISED_CHARACTERS,
        Rule.ENCODING,
        # what nobody sees on the page
        Rule.HIDDEN_CONTENT,
        Rule.COMMENT,
        Rule.DEFINED_NAME,
        Rule.DOCUMENT_METADATA,
        Rule.TRACKED_CHANGES,
        Rule.UNREAD_OUTPUT,
        Rule.TOO_LARGE,
        Rule.TOO_MANY_ROWS,
        Rule.TOO_MANY_COLUMNS,
        Rule.GIANT_CELL,
        # proofs of something else
        Rule.NOT_GENUINE,
        Rule.OTHER_PROJECT,
        Rule.RUN_OF_ANOTHER_PROJECT,
    }
)
_EXPLAIN: Final = frozenset(
    {
        # runs on record that vouch for nothing
        Rule.RUN_NOT_DONE,
        Rule.RUN_ON_OTHER_SNAPSHOT,
        Rule.RUNS_DIFFER,
        Rule.TEMPLATE_NOT_APPROVED,
        # small groups
        Rule.SMALL_COUNT,
        Rule.SMALL_COMPLEMENT,
        Rule.COUNT_BEHIND_PERCENTAGE,
        Rule.RECOMPUTABLE_CELL,
        Rule.UNANIMOUS,
        Rule.ZERO_COUNT,
        Rule.UNROUNDED_COUNT,
        Rule.NO_DENOMINATOR,
        Rule.EXTREME_VALUE,
        Rule.NARROW_MASK,
        Rule.UNREAD_CELL,
        # what looks like rows of people; a column's name alone may mislead (« nom » of a table)
        Rule.DIRECT_IDENTIFIER,
        Rule.ROW_LEVEL,
        Rule.ID_COLUMN,
        Rule.QUASI_IDENTIFIERS,
        Rule.EXACT_DATES,
        Rule.POINTS,
        Rule.TRAINING_ROWS,
        # models
        Rule.RESIDUALS,
        Rule.FEW_DEGREES_OF_FREEDOM,
        Rule.SATURATED_MODEL,
        Rule.MODEL_WITHOUT_COUNTS,
        Rule.ONE_PERSON_TERM,
        Rule.SMALL_LEAF,
        # form, all of it before the physician's eyes
        Rule.EMPTY,
        Rule.RAGGED_ROWS,
        Rule.PRECISION_LOST,
        Rule.NOT_ALL_SHOWN,
        Rule.CELL_READ_AS_FORMULA,
        Rule.PICTURE,
        Rule.UNSEEN_DRAWING,
        Rule.ERROR_OUTPUT,
        # where it comes from
        Rule.OTHER_SNAPSHOT,
        Rule.OTHER_POLICY,
        Rule.OWN_WORDS,
        Rule.ROWS_HELD,
        Rule.SYNTHETIC,
        Rule.MADE_ANEW,
        Rule.WRITTEN_ANEW,
        Rule.NOT_DRAWN,
        Rule.UNPROVEN_OUTPUTS,
    }
)
RECOURSE: Final[Mapping[Rule, Recourse]] = MappingProxyType(
    dict.fromkeys(_NEVER, Recourse.NEVER) | dict.fromkeys(_EXPLAIN, Recourse.EXPLAIN)
)


@dataclass(frozen=True)
class Found:
    """What is found in a file of one rule, severity and wording, at all its places; `number` from 1."""

    number: int
    findings: tuple[Finding, ...]

    @property
    def rule(self) -> Rule:
        return self.findings[0].rule

    @property
    def severity(self) -> Severity:
        return self.findings[0].severity

    @property
    def blocks(self) -> bool:
        return self.severity is Severity.BLOCKING

    @property
    def contestable(self) -> bool:
        """Whether its requester may answer it. KeyError for a rule that has no place in the table."""
        return self.blocks and RECOURSE[self.rule] is Recourse.EXPLAIN


def grouped(findings: Iterable[Finding]) -> tuple[Found, ...]:
    """The heaviest first; each is told once, with all its places, under its number."""
    groups: dict[tuple[object, ...], list[Finding]] = defaultdict(list)
    for finding in sorted(findings, key=lambda one: _ORDER.index(one.severity)):
        said = tuple(sorted((k, v) for k, v in finding.params.items() if k != "more"))
        groups[finding.severity, finding.rule, said].append(finding)
    return tuple(Found(number, tuple(found)) for number, found in enumerate(groups.values(), start=1))


def unanswered(file: FileFacts) -> tuple[Found, ...]:
    """What keeps the file in: blocking, and not answered, or with no answer that would do."""
    return tuple(
        found
        for found in grouped(file.findings)
        if found.blocks and not (found.contestable and is_enough(file.explanations.get(found.number, "")))
    )


def contested(file: FileFacts) -> tuple[Found, ...]:
    """Blocking findings that the requester has answered: two physicians judge them, whatever the class."""
    return tuple(
        found
        for found in grouped(file.findings)
        if found.contestable and is_enough(file.explanations.get(found.number, ""))
    )


def is_enough(explanation: str) -> bool:
    return len(explanation.strip()) >= LEAST_EXPLANATION
