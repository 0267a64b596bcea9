"""Whoever touches the log is found: any byte, line, segment, seal or head, and any truncation.

The chain under attack has three closed segments and an open one. Each attack is a change of its files;
verification must name the first event that is no longer as written.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.governance.audit import AuditBroken, AuditChain, AuditEvent, Decision, read_records, verify
from hub_config.governance.audit.keys import load_key, save_key
from hub_config.governance.audit.record import GENESIS, Head, Record, Seal, _signed_bytes, sign
from hub_config.governance.audit.segment import digest_of

EVENTS = 14
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def query(number: int, who: str = "ines") -> AuditEvent:
    return AuditEvent(who, "query", "these-ines", Decision.ALLOWED, {"cells": number})


def chain(home: Path) -> AuditChain:
    return AuditChain(home / "audit", home / "keys", segment_bytes=1_000, clock=lambda: NOW)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("untouched")
    for number in range(EVENTS):
        chain(home).append(query(number))
    return home


@pytest.fixture
def home(untouched: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(untouched, tmp_path / "home"))


def broken_at(home: Path) -> int | None:
    outcome = verify(home / "audit", home / "keys")
    return outcome.broken.number if outcome.broken else None


def logged(home: Path) -> list[Path]:
    """Every file of the log that carries an event or vouches for one."""
    return sorted(path for path in (home / "audit").iterdir() if not path.name.startswith("."))


def lines_of(home: Path) -> list[tuple[Path, bytes]]:
    segments = sorted((home / "audit").glob("*.jsonl"))
    return [(path, line) for path in segments for line in path.read_bytes().splitlines(keepends=True)]


def rewrite(lines: list[tuple[Path, bytes]]) -> None:
    for path in {path for path, _ in lines}:
        path.write_bytes(b"".join(line for other, line in lines if other == path))


def test_the_untouched_log_is_intact(untouched: Path) -> None:
    outcome = verify(untouched / "audit", untouched / "keys")
    assert (outcome.intact, outcome.torn, outcome.events, outcome.segments) == (True, False, EVENTS, 4)
    assert {path.name for path in logged(untouched)} >= {"000001.seal", "000004.jsonl", "head.json"}
    numbers = [record.number for record in read_records(untouched / "audit", untouched / "keys")]
    assert numbers == list(range(1, EVENTS + 1))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_change_of_one_byte_is_found(untouched: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(logged(untouched)), label="file")
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1), label="place")
    content[place] ^= data.draw(st.integers(1, 255), label="flip")
    with TemporaryDirectory() as scratch:
        copy = Path(shutil.copytree(untouched, Path(scratch) / "home"))
        (copy / "audit" / path.name).write_bytes(content)
        found = broken_at(copy)
    assert found is not None
    if path.suffix == ".jsonl":
        before = sum(line.count(b"\n") for other, line in lines_of(untouched) if other.name < path.name)
        assert found == before + path.read_bytes()[:place].count(b"\n") + 1


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_deletion_or_truncation_is_found_or_loses_nothing(untouched: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(logged(untouched)), label="file")
    content = path.read_bytes()
    start = data.draw(st.integers(0, len(content) - 1), label="start")
    stop = data.draw(st.integers(start + 1, len(content)) | st.just(len(content)), label="stop")
    with TemporaryDirectory() as scratch:
        copy = Path(shutil.copytree(untouched, Path(scratch) / "home"))
        (copy / "audit" / path.name).write_bytes(content[:start] + content[stop:])
        outcome = verify(copy / "audit", copy / "keys")
    assert outcome.broken or (outcome.torn and outcome.events == EVENTS)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, EVENTS - 1), st.integers(0, EVENTS - 1))
def test_any_swap_of_two_events_is_found_at_the_first(untouched: Path, one: int, other: int) -> None:
    with TemporaryDirectory() as scratch:
        copy = Path(shutil.copytree(untouched, Path(scratch) / "home"))
        lines = lines_of(copy)
        lines[one], lines[other] = (lines[one][0], lines[other][1]), (lines[other][0], lines[one][1])
        rewrite(lines)
        assert broken_at(copy) == (None if one == other else min(one, other) + 1)


@pytest.mark.parametrize("gone", range(EVENTS - 1))
def test_a_deleted_event_is_found_at_its_number(home: Path, gone: int) -> None:
    lines = lines_of(home)
    rewrite([(path, b"" if place == gone else line) for place, (path, line) in enumerate(lines)])
    assert broken_at(home) == gone + 1


def test_a_repeated_event_is_found(home: Path) -> None:
    lines = lines_of(home)
    rewrite([*lines[:3], lines[2], *lines[3:]])
    assert broken_at(home) == 4


def _forged_line(home: Path) -> None:
    """A well-formed event after the newest one, chained to it."""
    path, last = lines_of(home)[-1]
    newest = Record.parse(last)
    forged = Record.of(query(99), number=newest.number + 1, at=newest.at, prev=newest.hash)
    path.write_bytes(path.read_bytes() + forged.line)


def _rehashed_event(home: Path) -> None:
    """An event of the open segment says otherwise, at the same length, with a hash that fits it."""
    lines = lines_of(home)
    path, line = lines[-2]
    assert path == lines[-1][0], "before the newest one, which the head holds"
    old = Record.parse(line)
    forged = Record.of(query(99, who="inez"), number=old.number, at=old.at, prev=old.prev)
    rewrite([*lines[:-2], (path, forged.line), lines[-1]])


def _segment_zero(home: Path) -> None:
    shutil.copy(home / "audit" / "000001.jsonl", home / "audit" / "000000.jsonl")


def _capital_signature(path: Path) -> None:
    before, mark, signature = path.read_bytes().rpartition(b'"signature":')
    path.write_bytes(before + mark + signature.upper())


def _head_signed_in_capitals(home: Path) -> None:
    _capital_signature(home / "audit" / "head.json")


def _seal_signed_in_capitals(home: Path) -> None:
    _capital_signature(home / "audit" / "000002.seal")


def _head_spaced_out(home: Path) -> None:
    path = home / "audit" / "head.json"
    path.write_bytes(path.read_bytes().replace(b'"signature":', b'"signature": '))


def _unvouched_segment(home: Path) -> None:
    shutil.copy(home / "audit" / "000004.jsonl", home / "audit" / "000005.jsonl")


def _another_seal(home: Path) -> None:
    shutil.copy(home / "audit" / "000001.seal", home / "audit" / "000002.seal")


def _seal_as_head(home: Path) -> None:
    shutil.copy(home / "audit" / "000003.seal", home / "audit" / "head.json")


def _no_head(home: Path) -> None:
    (home / "audit" / "head.json").unlink()


def _no_seal(home: Path) -> None:
    (home / "audit" / "000002.seal").unlink()


def _no_segment(home: Path) -> None:
    (home / "audit" / "000002.jsonl").unlink()


def _no_open_segment(home: Path) -> None:
    path = home / "audit" / "000004.jsonl"
    assert path.read_bytes().count(b"\n") > 1
    path.unlink()


def _nothing_left(home: Path) -> None:
    shutil.rmtree(home / "audit")


def _no_key(home: Path) -> None:
    (home / "keys" / "audit.pem").unlink()


def _another_key(home: Path) -> None:
    save_key(home / "keys", Ed25519PrivateKey.generate())


@pytest.mark.parametrize(
    "attack",
    [
        _forged_line,
        _rehashed_event,
        _segment_zero,
        _head_signed_in_capitals,
        _seal_signed_in_capitals,
        _head_spaced_out,
        _unvouched_segment,
        _another_seal,
        _seal_as_head,
        _no_head,
        _no_seal,
        _no_segment,
        _no_open_segment,
        _nothing_left,
        _no_key,
        _another_key,
    ],
)
def test_whole_files_are_guarded_too(home: Path, attack: Callable[[Path], None]) -> None:
    assert broken_at(home) is None
    attack(home)
    assert broken_at(home) is not None


def rewrite_history(home: Path, key: Ed25519PrivateKey) -> None:
    """The best a thief of the directory can do: all events re-chained, seals and head signed by `key`."""
    audit, prev, newest = home / "audit", GENESIS, None
    for segment in range(1, 5):
        path = audit / f"{segment:06d}.jsonl"
        first = newest.number + 1 if newest else 1
        lines, start = [], prev
        for line in path.read_bytes().splitlines(keepends=True):
            old = Record.parse(line)
            newest = Record.of(query(0, who="somebody-else"), number=old.number, at=old.at, prev=prev)
            prev = newest.hash
            lines.append(newest.line)
        path.write_bytes(b"".join(lines))
        assert newest is not None
        if segment < 4:
            seal = Seal(segment, first, newest.number, start, newest.hash, digest_of(path))
            (audit / f"{segment:06d}.seal").write_bytes(sign(seal, key))
        else:
            head = Head(segment, len(b"".join(lines[:-1])), NOW.isoformat(), newest)
            (audit / "head.json").write_bytes(sign(head, key))


def test_history_rewritten_without_the_key_is_found(home: Path, tmp_path: Path) -> None:
    thief = Ed25519PrivateKey.generate()
    rewrite_history(home, thief)
    save_key(tmp_path / "thief", thief)
    assert verify(home / "audit", tmp_path / "thief").intact, (
        "without the enclave's key as anchor, the attack works"
    )
    assert broken_at(home) == 4, "the first seal is not the enclave's"


def test_an_older_copy_of_everything_is_found_by_what_was_noted(home: Path, tmp_path: Path) -> None:
    older = Path(shutil.copytree(home, tmp_path / "older"))
    chain(home).append(query(EVENTS))
    outcome = verify(home / "audit", home / "keys")
    noted = (outcome.events, outcome.head)
    assert verify(home / "audit", home / "keys", noted=noted).intact
    assert verify(older / "audit", older / "keys").intact, "the files alone can't tell"
    assert not verify(older / "audit", older / "keys", noted=noted).intact
    chain(older).append(query(1_000))
    assert not verify(older / "audit", older / "keys", noted=noted).intact


def test_one_signature_serves_one_kind_of_document() -> None:
    assert _signed_bytes(Head, {"segment": 1}) != _signed_bytes(Seal, {"segment": 1})


def test_verification_waits_out_a_running_append(home: Path) -> None:
    with (home / "audit" / ".lock").open() as lock, ThreadPoolExecutor(1) as pool:
        fcntl.flock(lock, fcntl.LOCK_EX)
        reading = pool.submit(verify, home / "audit", home / "keys")
        with pytest.raises(TimeoutError):
            reading.result(timeout=0.2)
        fcntl.flock(lock, fcntl.LOCK_UN)
        assert reading.result(timeout=60).intact


def test_reading_stops_at_the_break_and_says_so(home: Path) -> None:
    lines = lines_of(home)
    rewrite([(p, line.replace(b"ines", b"inez") if at == 5 else line) for at, (p, line) in enumerate(lines)])
    reading = read_records(home / "audit", home / "keys")
    assert [next(reading).number for _ in range(5)] == [1, 2, 3, 4, 5]
    with pytest.raises(AuditBroken, match="breaks at event 6 "):
        next(reading)


def test_nothing_is_appended_to_a_log_that_lost_events(home: Path) -> None:
    path, _ = lines_of(home)[-1]
    path.write_bytes(b"")
    with pytest.raises(AuditBroken, match="lost events"):
        chain(home).append(query(99))


@pytest.mark.parametrize("attack", [_no_head, _seal_as_head, _no_key, _another_key])
def test_nothing_is_appended_to_a_log_that_is_not_ours(home: Path, attack: Callable[[Path], None]) -> None:
    attack(home)
    with pytest.raises(AuditBroken):
        chain(home).append(query(99))


def test_a_key_that_others_can_read_is_refused(home: Path) -> None:
    (home / "keys" / "audit.pem").chmod(0o640)
    with pytest.raises(AuditBroken, match="chmod 600"):
        chain(home).append(query(99))


def test_the_key_and_the_log_are_private(home: Path) -> None:
    assert load_key(home / "keys") is not None
    private = [*(home / "audit").iterdir(), home / "keys" / "audit.pem"]
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}
    assert (home / "audit").stat().st_mode & 0o777 == 0o700


def test_a_new_month_begins_a_new_segment(tmp_path: Path) -> None:
    for month in (1, 1, 2, 4):
        replace(
            chain(tmp_path), segment_bytes=10**6, clock=lambda m=month: datetime(2026, m, 3, tzinfo=UTC)
        ).append(query(1))
    outcome = verify(tmp_path / "audit", tmp_path / "keys")
    assert (outcome.intact, outcome.events, outcome.segments) == (True, 4, 3)
