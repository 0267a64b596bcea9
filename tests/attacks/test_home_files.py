"""A workspace lays traps in its own home, to have the airlock, which reads as the enclave does, take what is
not its requester's or hang: links, pipes, endless files, folders of a hundred thousand names, a file that
turns into a link between the listing and the reading.

Each trap first catches a reader that opens what the form names.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from hub_config.airlock.intake import home as rooms
from hub_config.airlock.intake.home import LOOKED_AT, SHOWN, Home, NotThere, is_name, listing, read
from hub_config.airlock.texts import AirlockProblem, Problem

LIMIT = 100_000
SECRET = b"root:x:0:0"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "homes", "these-ines", "ines")
    folder(made).mkdir(parents=True)
    (tmp_path / "passwd").write_bytes(SECRET)
    theirs = made.homes / "modeles-rachid" / "rachid"
    theirs.mkdir(parents=True)
    (theirs / "secret.csv").write_bytes(SECRET)
    (folder(made) / "table.csv").write_bytes(b"a,b\n")
    return made


def folder(home: Home) -> Path:
    return home.homes / home.project / home.user


def trusting(home: Home, on_the_way: tuple[str, ...], name: str) -> bytes:
    """The reader with the defence taken out."""
    return folder(home).joinpath(*on_the_way, name).read_bytes()


def link_to_a_file(home: Home) -> tuple[tuple[str, ...], str]:
    (folder(home) / "x.csv").symlink_to(home.homes.parent / "passwd")
    return (), "x.csv"


def link_to_a_neighbour(home: Home) -> tuple[tuple[str, ...], str]:
    (folder(home) / "voisin").symlink_to(home.homes / "modeles-rachid" / "rachid")
    return ("voisin",), "secret.csv"


def link_on_the_way(home: Home) -> tuple[tuple[str, ...], str]:
    (folder(home) / "a").mkdir()
    (folder(home) / "a" / "b").symlink_to(home.homes.parent)
    return ("a", "b"), "passwd"


def steps_up(home: Home) -> tuple[tuple[str, ...], str]:
    return ("..", "..", "modeles-rachid", "rachid"), "secret.csv"


def one_name_of_several(home: Home) -> tuple[tuple[str, ...], str]:
    return (), "../../modeles-rachid/rachid/secret.csv"


def from_the_root(home: Home) -> tuple[tuple[str, ...], str]:
    return (), str(home.homes.parent / "passwd")


@pytest.mark.parametrize(
    "lay",
    [link_to_a_file, link_to_a_neighbour, link_on_the_way, steps_up, one_name_of_several, from_the_root],
)
def test_nothing_leads_out_of_the_home(
    home: Home, lay: Callable[[Home], tuple[tuple[str, ...], str]]
) -> None:
    on_the_way, name = lay(home)
    assert trusting(home, on_the_way, name) == SECRET
    with pytest.raises(NotThere):
        read(home, on_the_way, name, limit=LIMIT)
    shown = listing(home)
    assert [file.name for file in shown.files] == ["table.csv"]
    assert shown.folders in ((), ("a",))


def test_the_home_itself_is_no_link(home: Home) -> None:
    folder(home).rename(home.homes / "kept")
    folder(home).symlink_to(home.homes / "modeles-rachid" / "rachid")
    assert trusting(home, (), "secret.csv") == SECRET
    with pytest.raises(NotThere):
        read(home, (), "secret.csv", limit=LIMIT)
    assert listing(home).files == ()


def test_a_pipe_keeps_nobody_waiting(home: Home) -> None:
    os.mkfifo(folder(home) / "tube.csv")
    waits = threading.Thread(target=lambda: trusting(home, (), "tube.csv"), daemon=True)
    waits.start()
    with pytest.raises(NotThere):
        read(home, (), "tube.csv", limit=LIMIT)
    assert waits.is_alive()
    os.close(os.open(folder(home) / "tube.csv", os.O_RDWR))  # lets the trusting one go
    assert "tube.csv" not in {file.name for file in listing(home).files}


def test_an_endless_file_is_read_to_the_limit(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with (folder(home) / "grand.csv").open("wb") as file:
        file.truncate(10**12)
    taken: list[int] = []
    monkeypatch.setattr(rooms, "_bounded", _counting(rooms._bounded, taken))
    with pytest.raises(AirlockProblem) as refused:
        read(home, (), "grand.csv", limit=LIMIT)
    assert refused.value.problem is Problem.FILE_TOO_BIG
    assert taken == [LIMIT + 1]


def test_a_file_that_turns_into_a_link_after_the_listing_is_not_followed(home: Home) -> None:
    """Whatever the moment: a program swaps the file for a link all the time while it is read."""
    target, other = folder(home) / "table.csv", folder(home) / "autre.csv"
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            other.symlink_to(home.homes.parent / "passwd")
            other.rename(target)
            other.write_bytes(b"a,b\n")
            other.rename(target)

    program = threading.Thread(target=swap)
    program.start()
    try:
        caught = _attempts(lambda: _if_offered(home, lambda: trusting(home, (), "table.csv")), until=SECRET)
        assert caught == SECRET  # looking first and opening after is caught
        assert {_attempt(home) for _ in range(2_000)} <= {b"a,b\n", b"", None}
    finally:
        stop.set()
        program.join()


def test_names_that_mislead_or_break_lines_are_not_shown(home: Home) -> None:
    names = ["a\nb.csv", "exe\u202egpj.csv", "\x1b[31m.csv", ".caché.csv", os.fsdecode(b"\xff.csv"), " .csv"]
    for name in names:
        (folder(home) / name).write_bytes(b"x")
        assert not is_name(name)
    assert not {file.name for file in listing(home).files} & set(names)
    assert is_name("Éà – tableau (2).csv")


def test_a_folder_of_a_hundred_thousand_names_is_not_read_to_its_end(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    monkeypatch.setattr(rooms.os, "scandir", lambda _handle: _Endless(looked, folder(home) / "table.csv"))
    shown = listing(home)
    assert shown.cut and len(shown.files) == SHOWN
    assert len(looked) <= LOOKED_AT + 1


def test_a_file_of_somebody_else_is_not_taken(home: Home) -> None:
    if os.geteuid() == 0:  # only then can there be one
        os.chown(folder(home) / "table.csv", 12345, 12345)
        assert trusting(home, (), "table.csv") == b"a,b\n"
        with pytest.raises(NotThere):
            read(home, (), "table.csv", limit=LIMIT)
    assert rooms._is_of(folder(home).stat(), folder(home).stat())
    other = SimpleNamespace(st_uid=folder(home).stat().st_uid + 1, st_dev=folder(home).stat().st_dev)
    assert not rooms._is_of(other, folder(home).stat())  # type: ignore[arg-type]


class _Endless:
    """A folder of a hundred thousand files; `looked`: those that were asked for."""

    def __init__(self, looked: list[str], real: Path) -> None:
        self.looked, self.status = looked, real.stat()

    def __enter__(self) -> Iterator[SimpleNamespace]:
        for number in range(100_000):
            self.looked.append(str(number))
            yield SimpleNamespace(name=f"f{number}.csv", stat=lambda follow_symlinks: self.status)

    def __exit__(self, *_: object) -> None: ...


def _counting(bounded: Callable[..., bytes], taken: list[int]) -> Callable[..., bytes]:
    def counted(file: object, limit: int) -> bytes:
        seen = 0

        def some(most: int) -> bytes:
            nonlocal seen
            piece: bytes = file.read(most)  # type: ignore[attr-defined]
            seen += len(piece)
            return piece

        try:
            return bounded(SimpleNamespace(read=some), limit)
        finally:
            taken.append(seen)

    return counted


def _if_offered(home: Home, then: Callable[[], bytes]) -> bytes | None:
    return then() if "table.csv" in {file.name for file in listing(home).files} else None


def _attempts(attempt: Callable[[], bytes | None], *, until: bytes) -> bytes | None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if (found := attempt()) == until:
                return found
        except OSError:
            continue
    return None


def _attempt(home: Home) -> bytes | None:
    try:
        return read(home, (), "table.csv", limit=LIMIT)
    except NotThere:
        return None
