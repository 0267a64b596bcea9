"""`CodeList`: codes by system, under a name, in a version, with its source. A frozen value.

Patterns are kept as they are written (`codes`), for they are what a methods section quotes; `of(system)`
works them out in the code systems in force. `include`, `exclude` and `|` make new lists; what they hold is
what sets would hold: `(a | b).of(s)` is `a.of(s)` with `b.of(s)`, whatever either excludes.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from p4dp_sdk import markup
from p4dp_sdk.catalogue.code_lists import (
    BadCodeList,
    Flaw,
    ListDocument,
    Patterns,
    checked,
    parse_document,
    resolved,
)
from p4dp_sdk.catalogue.code_lists.document import (
    check_day,
    check_id,
    check_text,
    check_version,
    write_document,
)
from p4dp_sdk.catalogue.code_lists.patterns import normal
from p4dp_sdk.codelists.difference import Difference
from p4dp_sdk.codelists.errors import CodeListWarning, ComparedCodeListError, in_words
from p4dp_sdk.codelists.systems import books_in_force, label_of, system_of_column
from p4dp_sdk.locale import Language, language
from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

_TEXTS = ("label_fr", "label_en", "source", "author", "reviewed_by", "license", "note_fr", "note_en")


@dataclass(frozen=True, repr=False)
class CodeList:
    """Codes of one or more systems that mean one thing.

    `codes` and `exclude` map a system (`cisp2`, `atc`, `cim10`, `analyte`…) to codes: a code brings what
    stands below it in its classification, and T9* is all that begins with T9. `version` is numbers with
    points, `reviewed_on` a day. Raises CodeListError for codes without system and for codes that do not
    exist; warns (CodeListWarning) of those that this enclave has not loaded.
    """

    id: str = ""
    label_fr: str = ""
    label_en: str = ""
    codes: Patterns = field(default_factory=dict)
    version: str = "1"
    source: str = ""
    author: str = ""
    reviewed_by: str = ""
    reviewed_on: date | None = None
    license: str = ""
    note_fr: str = ""
    note_en: str = ""
    synonyms: tuple[str, ...] = ()
    exclusions: Patterns = field(default_factory=dict)
    comments: Mapping[str, Mapping[str, str]] = field(default_factory=dict, compare=False)
    unresolved: Patterns = field(init=False, compare=False, default_factory=dict)
    """What names nothing here, since only a part of its system, or none of it, is loaded."""
    trusted: InitVar[bool] = False  # checked elsewhere: what this site lacks is let be without a word

    def __post_init__(self, trusted: bool) -> None:
        with in_words():
            self._check_texts()
            codes, missing = checked(_by_system(self.codes), books_in_force(), trusted=trusted)
            exclusions, more = checked(_by_system(self.exclusions), books_in_force(), trusted=trusted)
        self._set(
            codes=MappingProxyType(dict(codes)),
            exclusions=MappingProxyType(dict(exclusions)),
            synonyms=tuple(self.synonyms),
            unresolved=MappingProxyType(_added(missing, more)),
        )
        if self.unresolved and not trusted:
            self._warn()

    @classmethod
    def of_document(cls, document: ListDocument, *, trusted: bool = False) -> CodeList:
        """A file's list. Raises CodeListError."""
        given = {name: getattr(document, name) for name in document.__dataclass_fields__}
        return cls(exclusions=given.pop("exclude"), **given, trusted=trusted)

    def __eq__(self, other: object) -> bool:
        """Another list with the same content. Raises ComparedCodeListError for a column."""
        if callable(getattr(other, "op", None)):
            raise ComparedCodeListError(self.label)
        if not isinstance(other, CodeList):
            return NotImplemented
        return all(
            getattr(self, each.name) == getattr(other, each.name) for each in fields(self) if each.compare
        )

    def _check_texts(self) -> None:
        if not self.codes:
            raise BadCodeList(Flaw.NO_CODES)
        if self.id:
            check_id(self.id)
        check_version(self.version)
        for name in _TEXTS:
            check_text(getattr(self, name), name)
        self._set(reviewed_on=check_day(self.reviewed_on))

    def _set(self, **values: object) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    # -- what it holds --------------------------------------------------------------------------------------

    @property
    def label(self) -> str:
        """In the person's language; the name where there is none."""
        one, other = self.label_fr, self.label_en
        if language() is Language.ENGLISH:
            one, other = other, one
        return one or other or self.id or _("own list")

    @property
    def note(self) -> str:
        return self.note_en if language() is Language.ENGLISH else self.note_fr

    @property
    def patterns(self) -> Patterns:
        """The codes as they are written, by system; `exclusions` are taken off."""
        return self.codes

    @property
    def systems(self) -> tuple[str, ...]:
        return tuple(sorted(self.codes))

    def of(self, system: str) -> tuple[str, ...]:
        """The codes of `system` themselves, in order: asterisks and groups worked out, exclusions taken off.

        Raises CodeListError where the list has none of this system, or all of them are excluded.
        """
        with in_words():
            if system not in self.codes:
                known = ", ".join(self.systems)
                raise BadCodeList(Flaw.OTHER_SYSTEM, name=self.label, system=system, systems=known)
            found = self._worked_out(system)
            if not found:
                raise BadCodeList(Flaw.EMPTY, name=self.label, system=system)
        return found

    def _worked_out(self, system: str) -> tuple[str, ...]:
        excluded = self.exclusions.get(system, ())
        return resolved(system, self.codes.get(system, ()), excluded, books_in_force())

    def matches(self, column: ir.StringColumn, system: str | None = None) -> ir.BooleanColumn:
        """Whether `column` holds one of the codes, as an Ibis expression.

        The system is that of the catalogue's column of this name; `system` says it where a column was
        renamed. Raises CodeListError where the list has no codes of it.
        """
        recorded = system_of_column(column.get_name())
        if recorded and system and recorded != system:
            with in_words():
                raise BadCodeList(Flaw.OTHER_SYSTEM, name=self.label, system=recorded, systems=system)
        return column.isin(list(self.of(system or recorded or self._only_system())))

    def _only_system(self) -> str:
        if len(self.systems) == 1:
            return self.systems[0]
        with in_words():
            raise BadCodeList(Flaw.WHICH_SYSTEM, name=self.label, systems=", ".join(self.systems))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what the list names (systems, codes, exclusions as written, in order): the same for
        equal lists whatever they are called and in whatever order they were written."""
        content = {
            kind: {system: sorted(set(given)) for system, given in sorted(patterns.items()) if given}
            for kind, patterns in (("codes", self.codes), ("exclude", self.exclusions))
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def __hash__(self) -> int:
        return hash((self.id, self.version, self.fingerprint))

    # -- new lists ------------------------------------------------------------------------------------------

    def include(self, *, system: str, codes: Iterable[str] | str) -> CodeList:
        """With these codes of `system` too."""
        return self | CodeList(codes={system: _several(codes)})

    def exclude(self, *, system: str, codes: Iterable[str] | str) -> CodeList:
        """Without these codes of `system` and what stands below them."""
        without = CodeList(codes={system: _several(codes)}).codes[system]
        before = self.exclusions.get(system, ())
        exclusions = {**self.exclusions, system: tuple(dict.fromkeys((*before, *without)))}
        return replace(self, exclusions=exclusions, trusted=True)

    def __or__(self, other: CodeList) -> CodeList:
        """Codes of either. The name and the source stay this list's."""
        if not isinstance(other, CodeList):
            return NotImplemented
        both = {system: _united(self, other, system) for system in sorted({*self.codes, *other.codes})}
        return replace(
            self,
            codes={system: codes for system, (codes, _without) in both.items()},
            exclusions={system: without for system, (_codes, without) in both.items() if without},
            comments={**other.comments, **self.comments},
            trusted=True,
        )

    def diff(self, other: CodeList) -> Difference:
        """What `other` (the newer version) holds that this list does not, and the other way round."""
        systems = sorted({*self.codes, *other.codes})
        held = {system: (set(self._worked_out(system)), set(other._worked_out(system))) for system in systems}
        return Difference(
            added={system: tuple(sorted(new - old)) for system, (old, new) in held.items() if new - old},
            removed={system: tuple(sorted(old - new)) for system, (old, new) in held.items() if old - new},
        )

    # -- for people and files -------------------------------------------------------------------------------

    def listing(self) -> pd.DataFrame:
        """One row a code: system, code, label."""
        from p4dp_sdk.listing import Listing

        rows = [(s, code, label_of(s, code)) for s in self.systems for code in self._worked_out(s)]
        return Listing(rows, columns=["system", "code", "label"])

    def write(self, path: str | Path) -> None:
        """Write the list's file, which `p4dp.codes.read` reads and operators share. Never over another.

        Raises CodeListError where a field that a file needs is missing: name, label, source, author.
        """
        with in_words():
            parse_document(self.to_toml().encode())
        with Path(path).open("x", encoding="utf-8") as file:
            file.write(self.to_toml())

    def to_toml(self) -> str:
        given = {name: getattr(self, name) for name in ListDocument.__dataclass_fields__ if name != "exclude"}
        return write_document(ListDocument(**given, exclude=self.exclusions))

    def _warn(self) -> None:
        codes = "; ".join(f"{system}: {', '.join(given)}" for system, given in self.unresolved.items())
        warnings.warn(
            _(
                "This enclave does not know these codes, and nobody can be found by them here: {codes}. "
                "Check their spelling, or ask the operators to load the whole table."
            ).format(codes=codes),
            CodeListWarning,
            stacklevel=4,
        )

    def _lines(self) -> list[tuple[str, str]]:
        rows = [(system, self._written(system)) for system in self.systems]
        about = [(_("source"), self.source), (_("author"), self.author), (_("review"), self._review())]
        return [*rows, *((name, text) for name, text in [*about, (_("note"), self.note)] if text)]

    def _written(self, system: str) -> str:
        without = ", ".join(self.exclusions.get(system, ()))
        said = ", ".join(self.codes[system])
        return _("{codes} without {excluded}").format(codes=said, excluded=without) if without else said

    def _review(self) -> str:
        return ", ".join(str(part) for part in (self.reviewed_by, self.reviewed_on) if part)

    def _title(self) -> str:
        if not self.id:
            return self.label
        return _("{label} ({name}, version {version})").format(
            label=self.label, name=self.id, version=self.version
        )

    def __repr__(self) -> str:
        return "\n".join([self._title(), *(f"  {name}: {text}" for name, text in self._lines())])

    def _repr_html_(self) -> str:
        return markup.heading(self._title()) + markup.table(["", ""], self._lines())


def _added(one: Patterns, other: Patterns) -> dict[str, tuple[str, ...]]:
    return {system: one.get(system, ()) + other.get(system, ()) for system in sorted({*one, *other})}


def _by_system(given: Any) -> dict[str, tuple[str, ...]]:
    if isinstance(given, Mapping):
        return {system: _several(codes) for system, codes in given.items()}
    first = next(iter(_several(given)), "")
    code = normal("cisp2", str(first))
    holding = books_in_force().holding(code) or ["cisp2", "atc"]
    raise BadCodeList(Flaw.BARE_CODE, code=code, system=holding[0], systems=", ".join(holding))


def _several(codes: Iterable[str] | str) -> tuple[str, ...]:
    return (codes,) if isinstance(codes, str) else tuple(codes)


def _united(one: CodeList, other: CodeList, system: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Codes and exclusions that name what either list names. As written where the exclusions of neither
    touch the other; else code by code."""
    codes = tuple(dict.fromkeys((*one.codes.get(system, ()), *other.codes.get(system, ()))))
    without = tuple(dict.fromkeys((*one.exclusions.get(system, ()), *other.exclusions.get(system, ()))))
    if not without or _apart(one, other, system):
        return codes, without
    with in_words():
        either = {*one._worked_out(system), *other._worked_out(system)}
    return tuple(sorted(either)), ()


def _apart(one: CodeList, other: CodeList, system: str) -> bool:
    return _untouched(one, other, system) and _untouched(other, one, system)


def _untouched(codes: CodeList, excluding: CodeList, system: str) -> bool:
    """Whether what `excluding` takes off is none of what `codes` names: by the codes in force, and by their
    beginnings, for codes may be loaded later."""
    without, given = excluding.exclusions.get(system, ()), codes.codes.get(system, ())
    if not without or not given or set(without) <= set(codes.exclusions.get(system, ())):
        return True
    stems = [(a.rstrip("*"), b.rstrip("*")) for a in without for b in given]
    if any(a.startswith(b) or b.startswith(a) for a, b in stems):
        return False
    taken = resolved(system, without, (), books_in_force())
    return not set(taken) & set(codes._worked_out(system))
