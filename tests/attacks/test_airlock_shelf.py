"""What lies on the shelf is exchanged for something else: a link, a folder, a pipe that never answers. A link
is followed with the defence taken out; with it nothing but the file itself leaves, and one broken request
keeps no other from leaving.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from hub_config.airlock import shelf
from hub_config.airlock.actions.releasing import Broken, Handed
from hub_config.airlock.actions.tending import tend
from hub_config.governance.releases.facts import State
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from tests.services.airlock.domain.house import DENIS, DIANE, TABLE, House, furnished

OTHER = b"sexe,patients\nF,240\nH,192\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    settings = Settings(home=tmp_path / "home")
    store = open_store(settings)
    yield furnished(House(store, settings))
    store.close()


def place(house: House) -> Path:
    return house.shelf.path(hashlib.sha256(TABLE).hexdigest())


def linked(house: House) -> Handed | Broken:
    """The very bytes, but behind a link whose end somebody else can write: good today."""
    house.shelf.put(TABLE, limit=1_000)
    request = house.released()
    elsewhere = house.settings.home / "elsewhere"
    elsewhere.write_bytes(TABLE)
    place(house).unlink()
    place(house).symlink_to(elsewhere)
    return house.download(request)


def test_a_link_on_the_shelf_is_not_followed(house: House) -> None:
    with patch.object(shelf, "_READ", os.O_RDONLY):
        assert isinstance(linked(house), Handed)
    assert isinstance(linked(house), Broken)


def approved(house: House, content: bytes) -> str:
    request = house.draft()
    house.add(request, content=content, replacing=True)
    house.submit(request)
    for reviewer in (DIANE, DENIS):
        house.vote(request, reviewer)
    return request


@pytest.mark.parametrize("made", [Path.mkdir, os.mkfifo], ids=["a folder", "a pipe"])
def test_what_is_no_file_goes_back_and_holds_nothing_up(house: House, made: Callable[[Path], None]) -> None:
    broken, sound = approved(house, TABLE), approved(house, OTHER)
    place(house).unlink()
    made(place(house))
    tend(house.store, house.shelf, house.settings, house.now)
    assert house.facts(broken).state is State.RETURNED
    assert house.facts(sound).state is State.RELEASED


def test_without_that_a_folder_holds_up_all_releases(house: House) -> None:
    approved(house, TABLE)
    place(house).unlink()
    place(house).mkdir()
    with patch("hub_config.airlock.shelf.stat.S_ISREG", lambda mode: True), pytest.raises(OSError):
        tend(house.store, house.shelf, house.settings, house.now)


def test_the_same_bytes_again_mend_the_shelf(house: House) -> None:
    """A writer replaces what stands in its place, and never writes through a link."""
    house.shelf.put(TABLE, limit=1_000)
    victim = house.settings.home / "victim"
    victim.write_bytes(b"untouched")
    place(house).unlink()
    place(house).symlink_to(victim)
    house.shelf.put(TABLE, limit=1_000)
    assert victim.read_bytes() == b"untouched"
    assert not place(house).is_symlink() and house.shelf.read(hashlib.sha256(TABLE).hexdigest()) == TABLE
