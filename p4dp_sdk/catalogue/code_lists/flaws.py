"""What can be wrong with a code list, in words: what, why, what to do next, and where in the file.

A closed list, as `wire.refusals` is for refusals: English templates are the gettext ids. What is filled in
is what the person wrote (a code, a field), cut short and without characters that don't print.
"""

# ruff: noqa: E501 - one sentence a line

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from p4dp_sdk.wire.messages import N_, Explanation, Message, Translate

_SHOWN = 400


class Flaw(StrEnum):
    """The kinds of faults."""

    BARE_CODE = "bare-code"
    UNKNOWN_SYSTEM = "unknown-system"
    UNKNOWN_CODE = "unknown-code"
    BAD_PATTERN = "bad-pattern"
    NOTHING_MATCHES = "nothing-matches"
    NOT_LOADED = "not-loaded"
    OTHER_SYSTEM = "other-system"
    WHICH_SYSTEM = "which-system"
    EMPTY = "empty"
    NO_CODES = "no-codes"
    MISSING_FIELD = "missing-field"
    UNKNOWN_FIELD = "unknown-field"
    BAD_VALUE = "bad-value"
    BAD_TEXT = "bad-text"
    BAD_ID = "bad-id"
    BAD_VERSION = "bad-version"
    NOT_TOML = "not-toml"
    UNREADABLE = "unreadable"
    NOT_UTF8 = "not-utf8"
    TOO_BIG = "too-big"


@dataclass(frozen=True)
class Place:
    """Where it stands, as far as is known."""

    file: str = ""
    line: int | None = None
    field: str = ""


class BadCodeList(ValueError):
    """A list, or a file of one, that can't be used. `near` is what may have been meant."""

    def __init__(self, flaw: Flaw, *, place: Place | None = None, near: str = "", **params: str) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw
        self.place = place or Place()
        self.near = near
        self.params: Mapping[str, str] = {name: shown(text) for name, text in params.items()}

    def at(self, place: Place) -> BadCodeList:
        """The same fault, with its place: what was known of it stays."""
        known = self.place
        merged = replace(
            place,
            line=known.line or place.line,
            field=known.field or place.field,
            file=known.file or place.file,
        )
        return BadCodeList(self.flaw, place=merged, near=self.near, **self.params)


def shown(text: str) -> str:
    """`text` fit for a message: short, on one line, nothing invisible and nothing that turns the writing."""
    plain = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return plain if len(plain) <= _SHOWN else plain[: _SHOWN - 1] + "…"


def explain_flaw(bad: BadCodeList, translate: Translate = str) -> Explanation:
    """`bad` in words, its place first."""
    message = MESSAGES[bad.flaw]
    params = {name: translate(text) if name == "wanted" else text for name, text in bad.params.items()}
    what, why, then = (translate(text).format(**params) for text in (message.what, message.why, message.next))
    if bad.near:
        then = translate(N_("Did you mean “{name}”?")).format(name=shown(bad.near)) + " " + then
    return Explanation(_place(bad.place, translate) + what, why, then)


def _place(place: Place, translate: Translate) -> str:
    parts = []
    if place.file:
        parts.append(shown(place.file))
    if place.line is not None:
        parts.append(translate(N_("line {line}")).format(line=place.line))
    if place.field:
        parts.append(translate(N_("field “{field}”")).format(field=shown(place.field)))
    return ", ".join(parts) + translate(N_(": ")) if parts else ""


MESSAGES: Mapping[Flaw, Message] = {
    Flaw.BARE_CODE: Message(
        N_("The code “{code}” is given without its code system."),
        N_("A bare code is ambiguous: A10 is bleeding in CISP-2 and antidiabetics in ATC. This one may be of: {systems}."),
        N_('Name the system: codes={{"{system}": ("{code}",)}}.'),
    ),
    Flaw.UNKNOWN_SYSTEM: Message(
        N_("“{system}” is no code system."),
        N_("The system says which column the codes are compared with."),
        N_("There are: {systems}."),
    ),
    Flaw.UNKNOWN_CODE: Message(
        N_("“{code}” is no code of {system}."),
        N_("A misspelt code would be found in nobody, without a word."),
        N_('Search the codes: ws.catalogue.search("words of its label").'),
    ),
    Flaw.BAD_PATTERN: Message(
        N_("“{code}” is no code of {system}, and no beginning of one."),
        N_("A code is written as the classification writes it; an asterisk stands at the end only: T9*."),
        N_("Write the codes one by one, or their common beginning with an asterisk."),
    ),
    Flaw.NOTHING_MATCHES: Message(
        N_("No code of {system} matches “{code}”."),
        N_("It would be found in nobody, without a word."),
        N_('Search the codes: ws.catalogue.search("words of its label").'),
    ),
    Flaw.NOT_LOADED: Message(
        N_("The codes of {system} are not loaded in this enclave."),
        N_("Without them “{code}” can't be worked out."),
        N_("Write the codes in full, or ask the operators to load the table: p4dp-enclave codes load {system} FILE."),
    ),
    Flaw.OTHER_SYSTEM: Message(
        N_("The list “{name}” has no codes of {system}."),
        N_("The same letters mean other things in another system; this list is of: {systems}."),
        N_("Take a column of these codes, or include codes of {system} in the list."),
    ),
    Flaw.WHICH_SYSTEM: Message(
        N_("The list “{name}” has codes of several systems, and the column does not say of which it is."),
        N_("The column does not have the catalogue's name any more."),
        N_("Say it: matches(column, system=…), with one of: {systems}."),
    ),
    Flaw.EMPTY: Message(
        N_("The list “{name}” holds no code of {system} that this enclave knows."),
        N_("Everything was excluded, or the codes are of a table that is not loaded. It would be found in nobody."),
        N_("Exclude less, or ask the operators to load the table: p4dp-enclave codes load {system} FILE."),
    ),
    Flaw.NO_CODES: Message(
        N_("The list holds no codes."),
        N_("A list of nothing is found in nobody, without a word."),
        N_('Give codes by system: codes={{"cisp2": ("T90",)}}.'),
    ),
    Flaw.MISSING_FIELD: Message(
        N_("The field “{name}” is missing."),
        N_("Whoever uses a list must know what it is, in which version, and where it comes from."),
        N_("Add it."),
    ),
    Flaw.UNKNOWN_FIELD: Message(
        N_("There is no field “{name}”."),
        N_("A misspelt field would be left out without a word."),
        N_("There are: {names}."),
    ),
    Flaw.BAD_VALUE: Message(
        N_("“{name}” can't be that."),
        N_("It must be {wanted}."),
        N_("Correct it."),
    ),
    Flaw.BAD_TEXT: Message(
        N_("The text holds a character that can't be seen, or that turns the direction of the writing."),
        N_("It would read otherwise than it is."),
        N_("Type the text anew, without copying it."),
    ),
    Flaw.BAD_ID: Message(
        N_("“{name}” can't be the name of a list."),
        N_("A name has up to 64 small letters without accents, digits and underscores, and begins with a letter."),
        N_("For example: diabete_type_2."),
    ),
    Flaw.BAD_VERSION: Message(
        N_("“{name}” can't be a version."),
        N_("Versions are ordered: numbers with points between them."),
        N_("For example: 1, 1.2 or 2026.1."),
    ),
    Flaw.NOT_TOML: Message(
        N_("This is no TOML: {detail}."),
        N_("A code list is a text file in TOML."),
        N_("Correct the line; p4dp.codes(…).write(path) writes an example."),
    ),
    Flaw.UNREADABLE: Message(
        N_("The file can't be read: {detail}."),
        N_("A list is read as a whole or not at all."),
        N_("Check its name and its folder."),
    ),
    Flaw.NOT_UTF8: Message(
        N_("This is no text in UTF-8."),
        N_("Accents would be read wrongly."),
        N_("Save the file as UTF-8."),
    ),
    Flaw.TOO_BIG: Message(
        N_("The file is larger than a code list can be."),
        N_("A list has up to {limit}."),
        N_("Use asterisks and groups instead of single codes, or split the list."),
    ),
}  # fmt: skip
