"""What surrounds the log: a clock set forward to have a year dropped, an anchor led into the log itself or
torn by a full disk, an export that a spreadsheet runs, an event that would look like another, a reader while
somebody writes."""

from __future__ import annotations

import errno
import io
import os
import re
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub_config.governance import spreadsheets
from hub_config.governance.audit import (
    AuditChain,
    AuditEvent,
    AuditFailure,
    Decision,
    export,
    read_records,
    retention,
    verify,
)
from hub_config.governance.audit import anchors as outside
from hub_config.governance.audit.anchors import append_line, line_of, note, verify_with
from hub_config.governance.audit.reading import Wanted, newest


class Clock:
    at = datetime(2025, 1, 15, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


def chain(home: Path, clock: Clock | None = None) -> AuditChain:
    return AuditChain(home / "audit", home / "keys", clock=clock or Clock())


def event(**details: str) -> AuditEvent:
    return AuditEvent("ines", "gateway.query", "these-ines", Decision.ALLOWED, details)


@pytest.mark.parametrize("defended", [False, True])
def test_a_clock_set_forward_drops_no_year(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    """One event written by the wrong clock, such as the day's anchor, and the newest event agrees with it."""
    clock = Clock()
    for month in range(1, 7):
        clock.at = clock.at.replace(month=month)
        chain(tmp_path, clock).append(event())
    clock.at = clock.at.replace(year=2036)
    note(chain(tmp_path, clock), who="enclave")
    if not defended:
        monkeypatch.setattr(retention, "_month_of", lambda path: f"9999-{path.stem}")
        monkeypatch.setattr(retention, "len", lambda _: 99, raising=False)
    dropped = retention.prune(chain(tmp_path, clock), months=12, who="enclave")
    assert (dropped is None) is defended
    assert (
        len([r for r in read_records(tmp_path / "audit", tmp_path / "keys") if r.who == "ines"])
        == 6 * defended
    )


@pytest.mark.parametrize("defended", [False, True])
def test_an_anchor_is_not_led_into_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    here = chain(tmp_path)
    here.append(event())
    link = tmp_path / "anchors.jsonl"
    link.symlink_to(tmp_path / "audit" / "000001.jsonl")
    line = line_of(here, note(here, who="enclave"))
    if not defended:
        monkeypatch.setattr(os, "O_NOFOLLOW", 0)
        append_line(link, line)
    else:
        with pytest.raises(AuditFailure, match="no link"):
            append_line(link, line)
    assert verify(tmp_path / "audit", tmp_path / "keys").intact is defended


@pytest.mark.parametrize("kind", ["a folder", "a pipe"])
def test_an_anchor_goes_into_a_file_and_nothing_else(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "there"
    place.mkdir() if kind == "a folder" else os.mkfifo(place)
    with pytest.raises(AuditFailure):
        append_line(place, "{}")


@pytest.mark.parametrize("defended", [False, True])
def test_a_full_disk_leaves_no_half_of_an_anchor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    """Half an anchor would make the next one look altered, and the whole log suspect."""
    here, file, write = chain(tmp_path), tmp_path / "anchors.jsonl", os.write

    def full(descriptor: int, content: bytes) -> int:
        write(descriptor, content[:40])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(AuditFailure, match="No space"):
        if not defended:
            patch.setattr(outside, "_append_whole", lambda where, line: os.write(where, line) and None)
        patch.setattr(os, "write", full)
        append_line(file, line_of(here, note(here, who="enclave")))
    with monkeypatch.context() as patch:
        if not defended:
            patch.setattr(outside, "_append_whole", lambda where, line: os.write(where, line) and None)
        append_line(file, line_of(here, note(here, who="enclave")))
    with file.open() as lines:
        found = verify_with(tmp_path / "audit", tmp_path / "keys", lines)
    assert found.intact is defended


def cells_of_a_french_spreadsheet(text: str) -> list[str]:
    """It begins a cell at each semicolon, though commas were meant."""
    return [cell.strip() for cell in re.split(r"[;\n]", text)]


@pytest.mark.parametrize("defended", [False, True])
def test_no_spreadsheet_runs_what_somebody_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(spreadsheets, "_INNER", re.compile("(?!)()()"))
    typed = "a; =HYPERLINK(1)"
    chain(tmp_path).append(event(text=typed, other="=1+1"))
    chain(tmp_path).append(AuditEvent(typed, "hub.login", None, Decision.REFUSED))
    output = io.StringIO()
    export.export(
        tmp_path / "audit", tmp_path / "keys", Wanted(), export.Format.CSV, output, who="dora", language="fr"
    )
    runs = [cell for cell in cells_of_a_french_spreadsheet(output.getvalue()) if cell[:1] in ("=", "+", "@")]
    assert (runs == []) is defended


def test_no_event_passes_for_another(tmp_path: Path) -> None:
    """Whatever a text holds: quotes, line ends, the words of another event."""
    forged = '"}\n{"at":"2025-01-15","decision":"allowed","what":"project.approve","who":"dora","hash":"'
    for text in (forged, "\u2028\u0000" + forged, '"hash":"' + "0" * 64 + '"', "\ud800"):
        chain(tmp_path).append(event(text=text))
        chain(tmp_path).append(AuditEvent(text, "hub.login", None, Decision.REFUSED))
    found = list(read_records(tmp_path / "audit", tmp_path / "keys"))
    assert [record.what for record in found] == ["gateway.query", "hub.login"] * 4
    assert found[0].details["text"] == forged
    for wanted in (Wanted(who="dora"), Wanted(what=("project.",)), Wanted(who='dora" or "1"="1')):
        assert newest(tmp_path / "audit", tmp_path / "keys", wanted).records == ()
    assert len(newest(tmp_path / "audit", tmp_path / "keys", Wanted(who=forged)).records) == 1


def test_a_log_is_verified_and_read_while_others_write(tmp_path: Path) -> None:
    here = AuditChain(tmp_path / "audit", tmp_path / "keys", segment_bytes=2_000)
    here.append(event())
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            here.append(event())

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(8):
            assert verify(tmp_path / "audit", tmp_path / "keys").intact
            numbers = [
                r.number for r in newest(tmp_path / "audit", tmp_path / "keys", Wanted(), limit=50).records
            ]
            assert numbers == sorted(numbers, reverse=True) and len(set(numbers)) == len(numbers)
    finally:
        stop.set()
        for writer in writers:
            writer.join()
