"""The shelf keeps bytes under their hash, follows no link, and tells when they are no longer the same."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from hub_config.airlock.shelf import Shelf, ShelfBroken
from hub_config.airlock.texts import AirlockProblem, Problem

CONTENT = b"sexe,patients\nF,120\n"
SHA = hashlib.sha256(CONTENT).hexdigest()
LIMIT = 1024 * 1024


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "releases")


def test_bytes_lie_under_their_hash_closed_to_others(shelf: Shelf) -> None:
    shelved = shelf.put((CONTENT[:5], CONTENT[5:]), limit=LIMIT)
    assert (shelved.sha256, shelved.size) == (SHA, len(CONTENT))
    assert shelf.path(SHA) == shelf.directory / SHA[:2] / SHA
    assert shelf.path(SHA).stat().st_mode & 0o777 == 0o600
    assert shelf.directory.stat().st_mode & 0o777 == 0o700
    assert shelf.read(SHA) == CONTENT
    assert list(shelf.held()) == [SHA]


def test_what_is_too_big_leaves_nothing(shelf: Shelf) -> None:
    with pytest.raises(AirlockProblem) as caught:
        shelf.put((b"x" * 600 for _ in range(10)), limit=1024)
    assert caught.value.problem is Problem.FILE_TOO_BIG
    assert list(shelf.directory.rglob("*")) == []


def test_what_breaks_on_the_way_leaves_nothing(shelf: Shelf) -> None:
    def broken() -> object:
        yield b"x"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        shelf.put(broken(), limit=LIMIT)  # type: ignore[arg-type]
    assert list(shelf.directory.rglob("*")) == []


def test_a_change_of_one_byte_is_told(shelf: Shelf) -> None:
    shelf.put(CONTENT, limit=LIMIT)
    shelf.path(SHA).write_bytes(CONTENT.replace(b"120", b"121"))
    for look in (shelf.read, shelf.verify):
        with pytest.raises(ShelfBroken):
            look(SHA)


def test_putting_the_same_bytes_again_mends_it(shelf: Shelf) -> None:
    shelf.put(CONTENT, limit=LIMIT)
    shelf.path(SHA).write_bytes(b"other")
    shelf.put(CONTENT, limit=LIMIT)
    shelf.verify(SHA)


def test_a_link_is_not_followed(shelf: Shelf, tmp_path: Path) -> None:
    """Not even to the very bytes: they could change between two looks."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(CONTENT)
    shelf.path(SHA).parent.mkdir(parents=True)
    shelf.path(SHA).symlink_to(elsewhere)
    with pytest.raises(ShelfBroken):
        shelf.read(SHA)


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", SHA.upper(), SHA + "/x", SHA[:-1], "é" * 64])
def test_only_a_hash_names_a_file(shelf: Shelf, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        shelf.read(name)


def test_previews_lie_beside_by_version(shelf: Shelf) -> None:
    shelf.put(CONTENT, limit=LIMIT)
    assert shelf.get_preview(SHA, "v1") is None
    shelf.put_preview(SHA, "v1", {"blocks": ["é"]})
    shelf.put_preview(SHA, "v2", {"blocks": []})
    assert shelf.get_preview(SHA, "v1") == {"blocks": ["é"]}
    assert list(shelf.held()) == [SHA]
    with pytest.raises(ValueError, match="version"):
        shelf.put_preview(SHA, "../v", {})
    shelf.discard(SHA)
    assert [path for path in shelf.directory.rglob("*") if path.is_file()] == []


def test_what_a_dead_process_was_writing_is_cleared(shelf: Shelf) -> None:
    shelf.put(CONTENT, limit=LIMIT)
    draft = shelf.directory / ".0011223344556677.draft"
    draft.write_bytes(b"half")
    shelf.clear_drafts(time.time(), 60)
    assert draft.exists()
    os.utime(draft, (0, 0))
    shelf.clear_drafts(time.time(), 60)
    assert not draft.exists()
    shelf.verify(SHA)
