"""The files of somebody's own home in a project, as the airlock lists and reads them for the browser.

The home is its workspace's: a program there writes it while we read, and may lay links, pipes and folders of
a hundred thousand names. So nothing in it is followed or believed: every folder on the way is opened from the
one before (`openat` with O_NOFOLLOW), what is read is an ordinary file of the home's owner on the home's own
file system, opened without waiting for anybody, and no more than a limit is read of it. A listing only offers
names; what a name means is decided when it is opened.
"""

from __future__ import annotations

import io
import os
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hub_config.airlock.texts import AirlockProblem, Problem

LOOKED_AT: Final = 5_000  # entries of a folder; a longer one is not read to its end
SHOWN: Final = 200  # files, and folders, on one page
DEEPEST: Final = 12
KINDS: Final = frozenset(
    {
        *(".csv", ".tsv", ".xlsx", ".parquet", ".arrow", ".feather", ".json"),
        *(".txt", ".md", ".html", ".htm", ".tex", ".pdf"),
        *(".ipynb", ".png", ".jpg", ".jpeg", ".svg"),
    }
)
_RECORD: Final = ".json"
_LONGEST: Final = 255
_MEGABYTE: Final = 1024**2
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class NotThere(AirlockProblem):
    """No ordinary file or folder of that name, or no longer: all that is told."""

    def __init__(self) -> None:
        super().__init__(Problem.HOME_FILE)


@dataclass(frozen=True)
class Home:
    """`homes`/`project`/`user`, which its workspace is given as its home."""

    homes: Path
    project: str
    user: str


@dataclass(frozen=True)
class HomeFile:
    name: str
    size: int
    changed: datetime


@dataclass(frozen=True)
class Listing:
    """`unshown`: entries that can't leave (other kinds, links, names that hide something). `cut`: there are
    more than were looked at, or than are shown."""

    folders: tuple[str, ...] = ()
    files: tuple[HomeFile, ...] = ()
    unshown: int = 0
    cut: bool = False


def is_name(name: str) -> bool:
    """Whether one component of a path may be taken from a form, and shown: no dot in front, nothing that
    leads elsewhere, hides, or turns text around."""
    plain = bool(name) and name[0] not in ". " and "/" not in name
    return plain and len(os.fsencode(name)) <= _LONGEST and all(map(_shows, name))


def listing(home: Home, folder: Sequence[str] = ()) -> Listing:
    """One folder: its folders, and its files that could leave, the latest first. Empty where no workspace was
    ever opened. Raises NotThere."""
    try:
        with _opened(home, folder) as (handle, owner):
            return _listed(handle, owner)
    except NotThere:
        if folder:
            raise
        return Listing()


def read(home: Home, folder: Sequence[str], name: str, *, limit: int) -> bytes:
    """The file's bytes. Raises NotThere, or AirlockProblem for one of more than `limit`, of which no more is
    read."""
    with _opened(home, folder) as (handle, owner):
        return _read(handle, name, owner, limit)


def record_beside(home: Home, folder: Sequence[str], name: str, *, limit: int) -> bytes | None:
    """What stands beside the file as its signed record (`table.csv.json`), if anything does."""
    if Path(name).suffix.lower() not in (".csv", ".png", ".svg", ".pdf"):
        return None
    try:
        return read(home, folder, name + _RECORD, limit=limit)
    except AirlockProblem:
        return None


# --- folders -----------------------------------------------------------------------------------------------


@contextmanager
def _opened(home: Home, folder: Sequence[str]) -> Iterator[tuple[int, os.stat_result]]:
    """The folder, reached one component after the other, and whose home it is."""
    if len(folder) > DEEPEST or not all(map(is_name, (home.project, home.user, *folder))):
        raise NotThere
    with ExitStack() as stack:
        handle = _kept(stack, home.homes, None)
        for name in (home.project, home.user):
            handle = _kept(stack, name, handle)
        owner = os.fstat(handle)
        for name in folder:
            handle = _kept(stack, name, handle)
            if not _is_of(os.fstat(handle), owner):
                raise NotThere
        yield handle, owner


def _kept(stack: ExitStack, name: str | Path, parent: int | None) -> int:
    try:
        handle = os.open(name, _FOLDER, dir_fd=parent)
    except OSError:
        raise NotThere from None
    stack.callback(os.close, handle)
    return handle


def _is_of(found: os.stat_result, owner: os.stat_result) -> bool:
    return (found.st_uid, found.st_dev) == (owner.st_uid, owner.st_dev)


def _listed(handle: int, owner: os.stat_result) -> Listing:
    folders: list[str] = []
    files: list[HomeFile] = []
    looked = unshown = 0
    with os.scandir(handle) as entries:
        for entry in entries:
            if looked == LOOKED_AT:
                break
            looked += 1
            match _seen(entry, owner):
                case HomeFile() as file:
                    files.append(file)
                case str(name):
                    folders.append(name)
                case None:
                    unshown += not entry.name.startswith(".")
        more = looked == LOOKED_AT
    names = {file.name for file in files}
    own = [file for file in files if file.name.removesuffix(_RECORD) not in names - {file.name}]
    ordered = sorted(own, key=lambda file: (-file.changed.timestamp(), file.name))
    cut = more or len(own) > SHOWN or len(folders) > SHOWN
    return Listing(tuple(sorted(folders)[:SHOWN]), tuple(ordered[:SHOWN]), unshown, cut)


def _seen(entry: os.DirEntry[str], owner: os.stat_result) -> HomeFile | str | None:
    """What is offered of it: a file, a folder's name, or nothing."""
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        return None
    if not is_name(entry.name) or not _is_of(found, owner):
        return None
    if stat.S_ISDIR(found.st_mode):
        return entry.name
    if not stat.S_ISREG(found.st_mode) or Path(entry.name).suffix.lower() not in KINDS:
        return None
    return HomeFile(entry.name, found.st_size, _moment(found.st_mtime))


def _moment(seconds: float) -> datetime:
    """Anybody may set a file's time, to one that no calendar has."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, UTC)


# --- files -------------------------------------------------------------------------------------------------


def _read(folder: int, name: str, owner: os.stat_result, limit: int) -> bytes:
    if not is_name(name):
        raise NotThere
    try:
        handle = os.open(name, _FILE, dir_fd=folder)
    except OSError:
        raise NotThere from None
    with os.fdopen(handle, "rb", buffering=0) as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or not _is_of(found, owner):
            raise NotThere
        return _bounded(file, limit)


def _bounded(file: io.FileIO, limit: int) -> bytes:
    """Read until the end, or a byte too many: what `fstat` said of the size may have changed since."""
    content = bytearray()
    while piece := file.read(min(_MEGABYTE, limit + 1 - len(content))):
        content += piece
        if len(content) > limit:
            raise AirlockProblem(Problem.FILE_TOO_BIG, megabytes=limit // _MEGABYTE)
    return bytes(content)


def _shows(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] != "C" and category not in ("Zl", "Zp")
