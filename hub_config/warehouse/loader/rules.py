"""Every reason a source row is set aside, and every doubt a kept value carries. Closed lists; no other word
is written."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Rule(StrEnum):
    """Why a row is set aside. The listing says file, line, rule and column; never the value."""

    FIELDS = "wrong-number-of-fields"
    NOT_MAPPED = "not-mapped"
    MISSING = "missing"
    BAD_NUMBER = "bad-number"
    BAD_DATE = "bad-date"
    IMPOSSIBLE_DATE = "impossible-date"
    BEFORE_BIRTH = "before-birth"
    AFTER_DEATH = "after-death"
    UNKNOWN_CODE = "unknown-code"
    OUT_OF_BOUNDS = "out-of-bounds"
    DUPLICATE_ID = "duplicate-id"
    CONTRADICTION = "contradiction"
    NO_PERSON = "no-person"
    UNKNOWN_PSEUDONYM = "unknown-pseudonym"


MEANING: Final = {
    Rule.FIELDS: "more or fewer fields than the header",
    Rule.NOT_MAPPED: "no part of the mapping takes this row (an unknown test or event)",
    Rule.MISSING: "an empty cell where a value is needed",
    Rule.BAD_NUMBER: "not a number",
    Rule.BAD_DATE: "not a date, or not a whole number of days",
    Rule.IMPOSSIBLE_DATE: "a date outside the first and last possible ones, `dates` in [source]: newer "
    "exports outgrow them",
    Rule.BEFORE_BIRTH: "an event before its person's birth",
    Rule.AFTER_DEATH: "an event after its person's death",
    Rule.UNKNOWN_CODE: "a text or code that neither mapping nor catalogue knows",
    Rule.OUT_OF_BOUNDS: "a number outside the column's bounds",
    Rule.DUPLICATE_ID: "a second row of one person or record (the first one is kept), or of a record of two "
    "persons (none of them is kept)",
    Rule.CONTRADICTION: "a record of which files of this load say different things, and nothing says which "
    "is newer: load them one after the other, or say when they were made (`made` in [files])",
    Rule.NO_PERSON: "a person who is not in the persons' file, or was set aside there",
    Rule.UNKNOWN_PSEUDONYM: "a pseudonym of nobody in this population",
}


class Doubt(StrEnum):
    """Quality codes of measurements (catalogue system `dq_code`). The row is kept, with its raw text."""

    NONE = "ok"
    OUT_OF_RANGE = "out_of_range"  # value set to null: no mean, no sum can be spoilt by it
    COPIED = "copied_value"  # two quantities that differ in a body have one value on one day
    CONVERTED = "unit_converted"
    UNIT_UNKNOWN = "unit_unknown"  # value set to null
