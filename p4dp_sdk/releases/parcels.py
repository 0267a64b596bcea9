"""What is put into a request: of a publication table or figure its proof, from which the airlock makes the
file itself; of anything else the bytes of a file.

What can't be taken out by itself (a frame, a draft, a figure drawn by hand) is refused with what to do.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from p4dp_sdk.errors import NotGenuineError
from p4dp_sdk.figures.proof import Proof
from p4dp_sdk.releases import errors
from p4dp_sdk.tables.figure import SafeFigure
from p4dp_sdk.tables.safe import SafeTable
from p4dp_sdk.wire.publication import NotGenuine

MOST_BYTES = 16 * 1024**2
_RECORD_SUFFIX = ".json"
_PLACES = 60  # letters of a name made of a title

_OF_RESULTS = ("p4dp_sdk.indicators.", "p4dp_sdk.cohorts.")

Thing = SafeTable | SafeFigure | str | Path
Things = Thing | Sequence[Any] | Mapping[str, Any]


@dataclass(frozen=True)
class Parcel:
    """A file of a request: its name says in which form it leaves."""

    name: str
    content: bytes


def parcels(things: Things) -> list[Parcel]:
    """Each thing as a file of its own name. Raises NotReleasableError."""
    asked = [(name, part) for name, thing in _named(things) for part in _parts(thing)]
    return list(_different(_parcel(name, part) for name, part in asked))


def _named(things: Things) -> Iterable[tuple[str, Any]]:
    if isinstance(things, Mapping):
        return list(things.items())
    if isinstance(things, list | tuple | set):
        return [("", thing) for thing in things]
    return [("", things)]


def _parts(thing: Any) -> Sequence[Any]:
    """The publication tables that a result (an indicator, a flow chart, a Table 1) was made of; of anything
    else itself. Raises NotReleasableError for a result that was not published."""
    if not type(thing).__module__.startswith(_OF_RESULTS):
        return [thing]
    tables = getattr(thing, "tables", ()) or getattr(thing, "table", None) or ()
    found = [tables] if isinstance(tables, SafeTable) else list(tables)
    if not all(isinstance(each, SafeTable) for each in found):
        return [thing]
    if not found:
        raise errors.draft_answer()
    return found


def _parcel(name: str, thing: Any) -> Parcel:
    match thing:
        case SafeTable():
            return Parcel(name or f"{_slug(thing.title)}.csv", Proof(thing.document).to_json())
        case SafeFigure():
            return Parcel(name or f"{_slug(thing.table.title)}.png", thing.proof.to_json())
        case str() | Path():
            return _of_file(Path(thing), name)
        case _:
            raise _not_releasable(thing)


def _of_file(path: Path, name: str) -> Parcel:
    if not path.is_file():
        raise errors.no_file(str(path))
    if path.stat().st_size > MOST_BYTES:
        raise errors.too_large(path.name, MOST_BYTES // 1024**2)
    return Parcel(name or path.name, _record_of(path) or path.read_bytes())


def _record_of(path: Path) -> bytes | None:
    """The proof beside the file, where the file is still what was saved with it."""
    record = path.with_name(path.name + _RECORD_SUFFIX)
    if not record.is_file() or record.stat().st_size > MOST_BYTES:
        return None
    content = record.read_bytes()
    try:
        if path.suffix.lower() == ".csv":
            SafeTable.read(path)
        return content if Proof.from_json(content) else None
    except (NotGenuine, NotGenuineError, ValueError):
        return None


def _not_releasable(thing: Any) -> errors.NotReleasableError:
    """Why this is not taken out by itself. Told by where its class stands: no library is loaded for it."""
    whole = type(thing).__module__.partition(".")[0]
    if whole == "pandas":
        return errors.draft_answer() if "p4dp" in getattr(thing, "attrs", {}) else errors.plain_frame()
    if whole == "matplotlib":
        return errors.own_figure()
    if whole == "ibis" or hasattr(thing, "to_pyarrow"):
        return errors.question()
    return errors.unknown_thing(type(thing).__name__)


def _slug(title: str) -> str:
    """A title as a file's name: plain letters, digits, hyphens."""
    spelled = unicodedata.normalize("NFKD", title.lower().replace("œ", "oe"))
    plain = "".join(letter for letter in spelled if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_PLACES].rstrip("-") or "tableau"


def _different(made: Iterable[Parcel]) -> Iterator[Parcel]:
    """No two of one name: further ones are numbered."""
    taken: set[str] = set()
    for parcel in made:
        name, number = parcel.name, 1
        while name.casefold() in taken:
            number += 1
            path = Path(parcel.name)
            name = f"{path.stem}-{number}{path.suffix}"
        taken.add(name.casefold())
        yield Parcel(name, parcel.content)
