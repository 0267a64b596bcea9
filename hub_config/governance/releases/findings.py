"""What a check of a file says: which rule, how severe, where. Never a value of the file.

The vocabulary is closed: a checker that meets what it can't name quarantines the file. The words that people
read (what, why, remedy; French and English) are in `hub_config.airlock.checks.texts`. The checkers' sandbox
holds this module and nothing else of the governance: it imports the standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

LONGEST_WORD: Final = 120
"""Characters of `Place.what` and of a text among the params."""


class Severity(StrEnum):
    """How a finding weighs, from the heaviest."""

    BLOCKING = "blocking"
    WARNING = "warning"
    NOTE = "note"


class Rule(StrEnum):
    """What can be found in a file. Checkers add members; nobody renames one, since records keep them."""

    # small groups
    SMALL_COUNT = "small-count"
    SMALL_COMPLEMENT = "small-complement"
    COUNT_BEHIND_PERCENTAGE = "count-behind-percentage"
    RECOMPUTABLE_CELL = "recomputable-cell"
    UNANIMOUS = "unanimous"
    ZERO_COUNT = "zero-count"
    UNROUNDED_COUNT = "unrounded-count"
    NO_DENOMINATOR = "no-denominator"
    EXTREME_VALUE = "extreme-value"
    NARROW_MASK = "narrow-mask"
    UNREAD_CELL = "unread-cell"
    # people
    ROW_LEVEL = "row-level"
    ID_COLUMN = "id-column"
    QUASI_IDENTIFIERS = "quasi-identifiers"
    EXACT_DATES = "exact-dates"
    DIRECT_IDENTIFIER = "direct-identifier"
    PERSONAL_PATTERN = "personal-pattern"
    PSEUDONYM = "pseudonym"
    TOO_MANY_LONG_INTEGERS = "too-many-long-integers"
    # models
    RESIDUALS = "residuals"
    FEW_DEGREES_OF_FREEDOM = "few-degrees-of-freedom"
    SATURATED_MODEL = "saturated-model"
    # size and form
    TOO_LARGE = "too-large"
    TOO_MANY_ROWS = "too-many-rows"
    TOO_MANY_COLUMNS = "too-many-columns"
    GIANT_CELL = "giant-cell"
    EMPTY = "empty"
    RAGGED_ROWS = "ragged-rows"
    PRECISION_LOST = "precision-lost"
    NOT_ALL_SHOWN = "not-all-shown"
    # what does not meet the eye
    FORMULA = "formula"
    CELL_READ_AS_FORMULA = "cell-read-as-formula"
    HIDDEN_CONTENT = "hidden-content"
    COMMENT = "comment"
    EXTERNAL_LINK = "external-link"
    MACRO = "macro"
    DEFINED_NAME = "defined-name"
    EMBEDDED_OBJECT = "embedded-object"
    DOCUMENT_METADATA = "document-metadata"
    DISGUISED_CHARACTERS = "disguised-characters"
    ENCODING = "encoding"
    # names and kinds
    NAME_DISAGREES = "name-disagrees"
    DECEPTIVE_NAME = "deceptive-name"
    TRAILING_BYTES = "trailing-bytes"
    REFUSED_KIND = "refused-kind"
    # where it comes from
    NOT_GENUINE = "not-genuine"
    OTHER_PROJECT = "other-project"
    OTHER_SNAPSHOT = "other-snapshot"
    OTHER_POLICY = "other-policy"
    OWN_WORDS = "own-words"
    ROWS_HELD = "rows-held"
    SYNTHETIC = "synthetic"
    MADE_ANEW = "made-anew"
    WRITTEN_ANEW = "written-anew"
    NOT_DRAWN = "not-drawn"
    UNPROVEN_OUTPUTS = "unproven-outputs"
    RUN_OF_ANOTHER_PROJECT = "run-of-another-project"
    RUN_NOT_DONE = "run-not-done"
    RUN_ON_OTHER_SNAPSHOT = "run-on-other-snapshot"
    RUNS_DIFFER = "runs-differ"
    TEMPLATE_NOT_APPROVED = "template-not-approved"
    # documents, images, models
    ACTIVE_CONTENT = "active-content"
    TRACKED_CHANGES = "tracked-changes"
    PICTURE = "picture"
    UNSEEN_DRAWING = "unseen-drawing"
    POINTS = "points"
    ERROR_OUTPUT = "error-output"
    UNREAD_OUTPUT = "unread-output"
    MODEL_WITHOUT_COUNTS = "model-without-counts"
    ONE_PERSON_TERM = "one-person-term"
    TRAINING_ROWS = "training-rows"
    SMALL_LEAF = "small-leaf"
    PSEUDONYMS_NOT_SEARCHED = "pseudonyms-not-searched"


@dataclass(frozen=True)
class Place:
    """Where in a file, counted from 1 as people count. `what` is a word of ours or a header, never a cell."""

    sheet: int | None = None
    row: int | None = None
    column: int | None = None
    page: int | None = None
    line: int | None = None
    cell: int | None = None  # of a notebook
    what: str = ""


@dataclass(frozen=True)
class Finding:
    rule: Rule
    severity: Severity
    place: Place | None = None
    params: Mapping[str, str | int] = field(default_factory=dict)
