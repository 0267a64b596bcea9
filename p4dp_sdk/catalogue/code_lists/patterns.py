"""Which codes of a system a list's patterns name.

A pattern is a code or the beginning of one with an asterisk: `T9*` is every code that starts with T9. A code
brings what stands below it in its classification: by `parent` in the catalogue (T is the whole chapter T of
CISP-2), and in ATC and CIM-10 by its beginning too (A10B is all of A10B; E11 is E11.0 to E11.9). The class
"no code" of the catalogue is no code: it is taken where it is named and nowhere else.

Systems of which only a part ships (ATC, CIM-10) may lack a code that the classification has: such a pattern
names nothing here, which `checked` tells and `resolved` lets be. In a complete system it is a mistake.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from p4dp_sdk.catalogue.code_lists.flaws import BadCodeList, Flaw
from p4dp_sdk.catalogue.model import CodeSystem

Patterns = Mapping[str, tuple[str, ...]]  # by system

WILDCARD = "*"
NO_CODE = "SC"  # of CISP-2: a class of its own, in no chapter
LOADABLE = ("cip", "cis", "loinc")  # systems that only a site's own tables bring
SHIPPED_IN_PART = frozenset({"atc", "cim10"})  # the codes in use only
_BY_BEGINNING = frozenset({"atc", "cim10"})
_CAPITALS = frozenset({"atc", "cim10", "cisp2"})
_WRITTEN = {
    "cisp2": re.compile(r"[A-Z]([0-9]{2})?|SC"),
    "atc": re.compile(r"[A-Z]([0-9]{2}([A-Z]([A-Z]([0-9]{2})?)?)?)?"),
    "cim10": re.compile(r"[A-Z][0-9]{2}(\.?[0-9A-Z+-]{1,5})?|[A-Z][0-9]{2}-[A-Z][0-9]{2}"),
}
_DIGITS = str.maketrans("OIL", "011")
_OTHERWISE = re.compile(r"[\w.:/+-]{1,32}")
_BEGINNING = re.compile(r"[\w.:/+-]{1,31}\*")


@dataclass(frozen=True)
class Codebook:
    """One code system, with its ways up and down."""

    system: CodeSystem

    @cached_property
    def codes(self) -> frozenset[str]:
        return frozenset(code.code for code in self.system.codes)

    @cached_property
    def _stems(self) -> tuple[list[str], list[str]]:
        pairs = sorted((self._stem(code), code) for code in self.codes if code != NO_CODE)
        return [stem for stem, _ in pairs], [code for _, code in pairs]

    @cached_property
    def _below(self) -> Mapping[str, list[str]]:
        below: dict[str, list[str]] = {}
        for code in self.system.codes:
            if code.parent:
                below.setdefault(code.parent, []).append(code.code)
        return below

    def named(self, pattern: str) -> frozenset[str]:
        """The codes that `pattern` names; none is an answer too."""
        if pattern.endswith(WILDCARD):
            return frozenset(self._beginning(pattern[:-1]))
        return frozenset(self._with_all_below(pattern))

    def near(self, pattern: str) -> str:
        """The code that may have been meant: letters typed for digits, a label typed for its code, or the
        likest of the same initial."""
        retyped = pattern[:1] + pattern[1:].translate(_DIGITS)
        if retyped in self.codes:
            return retyped
        said = pattern.casefold()
        for code in self.system.codes:
            if said and said in (code.label_fr.casefold(), code.label_en.casefold()):
                return code.code
        akin = sorted(code for code in {*self.codes, *self._below} if code[:1] == pattern[:1])
        return next(iter(get_close_matches(pattern, akin, n=1, cutoff=0.6)), "")

    def _stem(self, code: str) -> str:
        """CIM-10 is written with its point and without."""
        return code.replace(".", "") if self.system.name == "cim10" else code

    def _beginning(self, text: str) -> Iterator[str]:
        stems, codes = self._stems
        stem = self._stem(text)
        for at in range(bisect_left(stems, stem), len(stems)):
            if not stems[at].startswith(stem):
                return
            yield codes[at]

    def _with_all_below(self, code: str) -> Iterator[str]:
        if code in self.codes:
            yield code
        if self.system.name in _BY_BEGINNING:
            yield from self._beginning(code)
        seen, left = {code}, [code]
        while left:
            for child in self._below.get(left.pop(), ()):
                if child not in seen:
                    seen.add(child)
                    left.append(child)
                    yield child


@dataclass(frozen=True, eq=False)
class Codebooks:
    """The code systems in force, each indexed when it is first used. Of `partial` ones the place has not
    loaded the whole table."""

    systems: Mapping[str, CodeSystem]
    partial: frozenset[str] = SHIPPED_IN_PART

    @cached_property
    def _made(self) -> dict[str, Codebook]:
        return {}

    def of(self, system: str) -> Codebook | None:
        """None where the system is known by name only: its table was not loaded."""
        if system not in self.systems:
            return None
        if system not in self._made:
            self._made[system] = Codebook(self.systems[system])
        return self._made[system]

    @property
    def names(self) -> list[str]:
        """Every system that a list may name. Those of the place (centres, regions) are none."""
        return sorted({name for name, system in self.systems.items() if not system.site} | set(LOADABLE))

    def holding(self, code: str) -> list[str]:
        """The systems of medical codes that have `code`."""
        above = {system.parents for system in self.systems.values()}
        names = (name for name in self.names if name not in above)
        return [name for name in names if (book := self.of(name)) and book.named(normal(name, code))]


def normal(system: str, text: str) -> str:
    """`text` as the system writes its codes."""
    return text.strip().upper() if system in _CAPITALS else text.strip()


def checked(patterns: Patterns, books: Codebooks, *, trusted: bool = False) -> tuple[Patterns, Patterns]:
    """`patterns` as they are written, each once; and those of them that name nothing here because the system
    is not loaded, or only in part. Of a `trusted` list, which was checked elsewhere, a code that a complete
    system lacks is no mistake either: the site's table is of another year.

    Raises BadCodeList for what no such system can have.
    """
    clean: dict[str, tuple[str, ...]] = {}
    missing: dict[str, tuple[str, ...]] = {}
    for system, given in patterns.items():
        if system not in books.names:
            raise _unknown_system(system, books)
        clean[system] = tuple(dict.fromkeys(_written(system, text, books) for text in given))
        lacking = tuple(pattern for pattern in clean[system] if not _found(system, pattern, books, trusted))
        if lacking:
            missing[system] = lacking
    return {system: given for system, given in clean.items() if given}, missing


def resolved(
    system: str, include: Iterable[str], exclude: Iterable[str], books: Codebooks
) -> tuple[str, ...]:
    """The codes themselves, in order. Of a system that is not loaded: as written, if written in full.

    Raises BadCodeList(NOT_LOADED) where an asterisk would need the table.
    """
    return tuple(sorted(_all(system, include, books) - _all(system, exclude, books)))


def _all(system: str, patterns: Iterable[str], books: Codebooks) -> set[str]:
    book = books.of(system)
    if book is not None:
        return {code for pattern in patterns for code in book.named(pattern)}
    written = set(patterns)
    for pattern in sorted(written):
        if pattern.endswith(WILDCARD):
            raise BadCodeList(Flaw.NOT_LOADED, system=system, code=pattern)
    return written


def _written(system: str, text: object, books: Codebooks) -> str:
    if not isinstance(text, str):
        raise BadCodeList(Flaw.BAD_PATTERN, system=system, code=str(text))
    pattern = normal(system, text)
    right = _BEGINNING if pattern.endswith(WILDCARD) else _WRITTEN.get(system, _OTHERWISE)
    if not right.fullmatch(pattern):
        book = books.of(system)
        raise BadCodeList(Flaw.BAD_PATTERN, near=book.near(pattern) if book else "", system=system, code=text)
    return pattern


def _found(system: str, pattern: str, books: Codebooks, trusted: bool) -> bool:
    """Whether it names something here. Raises BadCodeList where that can only be a mistake."""
    book = books.of(system)
    if book is None:
        return False
    if book.named(pattern):
        return True
    if trusted or system in books.partial:
        return False
    flaw = Flaw.NOTHING_MATCHES if pattern.endswith(WILDCARD) else Flaw.UNKNOWN_CODE
    raise BadCodeList(flaw, near=book.near(pattern.rstrip(WILDCARD)), system=system, code=pattern)


def _unknown_system(system: str, books: Codebooks) -> BadCodeList:
    folded = str(system).replace("-", "").replace(" ", "").lower()
    alias = {"icpc2": "cisp2", "cisp": "cisp2", "icpc": "cisp2", "icd10": "cim10", "cim": "cim10"}
    near = get_close_matches(alias.get(folded, folded), books.names, n=1)
    return BadCodeList(
        Flaw.UNKNOWN_SYSTEM, near=near[0] if near else "", system=str(system), systems=", ".join(books.names)
    )
