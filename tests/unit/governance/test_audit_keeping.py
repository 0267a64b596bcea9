"""The log over the years: where events come from, what retention drops, what anchors prove, a page of it."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from hub_config.governance.audit import (
    AuditBroken,
    AuditChain,
    AuditEvent,
    AuditFailure,
    Decision,
    acting_from,
    read_records,
    reading,
    retention,
    upkeep,
    verify,
)
from hub_config.governance.audit.anchors import line_of, note, verify_with
from hub_config.governance.audit.place import AtAddress, current_place
from hub_config.governance.audit.reading import Wanted
from hub_config.governance.audit.record import PRUNED_FILE, NotCanonical, Record, canonical
from hub_config.settings import Settings

START = datetime(2025, 1, 15, 12, tzinfo=UTC)
MONTHS = 16


class Clock:
    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at


def chain(home: Path, clock: Clock | None = None) -> AuditChain:
    return AuditChain(home / "audit", home / "keys", clock=clock or Clock())


def query(number: int = 0, who: str = "ines", what: str = "gateway.query") -> AuditEvent:
    return AuditEvent(who, what, "these-ines", Decision.ALLOWED, {"cells": number})


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen months of two events each: January 2025 to April 2026."""
    home, clock = tmp_path_factory.mktemp("years"), Clock()
    for month in range(MONTHS):
        clock.at = START.replace(year=START.year + month // 12, month=month % 12 + 1)
        for number in range(2):
            chain(home, clock).append(query(number, who=("ines", "rachid")[number]))
    return home


@pytest.fixture
def home(years: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(years, tmp_path / "home"))


@pytest.fixture
def now() -> Clock:
    clock = Clock()
    clock.at = datetime(2026, 4, 20, tzinfo=UTC)
    return clock


def outcome(home: Path) -> tuple[bool, int, int]:
    found = verify(home / "audit", home / "keys")
    return found.intact, found.events, found.dropped


# --- from where --------------------------------------------------------------------------------------------


def test_an_event_says_from_where_it_came(home: Path) -> None:
    with acting_from("address:192.0.2.7"):
        event = query()
    chain(home).append(event)
    *_, newest = read_records(home / "audit", home / "keys")
    assert newest.where == "address:192.0.2.7"
    assert current_place() is None


def test_an_event_of_before_there_was_a_place_keeps_its_bytes(home: Path) -> None:
    line = (home / "audit" / "000001.jsonl").read_bytes().splitlines(keepends=True)[0]
    record = Record.parse(line)
    assert b"where" not in line and record.where is None and record.line == line
    said = {name: value for name, value in asdict(record).items() if name not in ("hash", "where")}
    assert canonical({**said, "hash": record.hash}) + b"\n" == line, "as the first version wrote it"


def test_a_place_that_is_unknown_can_not_be_written_as_such() -> None:
    record = Record.of(query(), number=1, at="2026-01-01T00:00:00.000000+00:00", prev="0" * 64)
    document = {**record.document(), "where": None}
    with pytest.raises(NotCanonical):
        Record.parse(canonical(document) + b"\n")


@pytest.mark.parametrize("place", ["a b", "tab\there", "line\nbreak", "x" * 500])
def test_a_place_is_short_and_printable(place: str) -> None:
    event = replace(query(), where=place)
    assert event.where is not None and event.where.isprintable() and " " not in event.where
    assert len(event.where) <= 120


async def test_a_web_application_says_the_address_the_server_saw() -> None:
    seen = []

    async def app(scope: object, receive: object, send: object) -> None:
        seen.append(query().where)

    for client in (("192.0.2.9", 4000), None):
        await AtAddress(app)({"type": "http", "client": client}, None, None)  # type: ignore[arg-type]
    assert seen == ["address:192.0.2.9", None]


# --- retention ---------------------------------------------------------------------------------------------


def test_what_is_older_than_a_year_is_dropped_and_the_rest_still_verifies(home: Path, now: Clock) -> None:
    dropped = retention.prune(chain(home, now), months=12, who="operator:root")
    assert dropped is not None and (dropped.events, dropped.number) == (6, 6), "January to March 2025"
    assert outcome(home) == (True, 2 * MONTHS + 1, 6)
    kept = list(read_records(home / "audit", home / "keys"))
    assert [kept[0].number, kept[0].at[:7], kept[-1].what] == [7, "2025-04", "audit.prune"]
    assert kept[-1].details["events"] == 6
    assert not (home / "audit" / "000003.jsonl").exists() and (home / "audit" / "000004.jsonl").exists()
    chain(home, now).append(query())
    assert outcome(home) == (True, 2 * MONTHS + 2, 6)


def test_nothing_of_the_last_year_goes_even_where_less_was_asked(home: Path, now: Clock) -> None:
    with pytest.raises(ValueError, match="12 months at least"):
        retention.prune(chain(home, now), months=11, who="x")
    with pytest.raises(ValueError, match="greater than or equal to 12"):
        Settings(home=home, audit={"keep_months": 11})  # type: ignore[arg-type]


def test_a_month_is_kept_whole_until_its_last_event_is_old_enough(home: Path, now: Clock) -> None:
    now.at = datetime(2026, 4, 15, 12, tzinfo=UTC)  # the events of April 2025 are of the 15th at noon
    assert retention.prune(chain(home, now), months=12, who="x")
    assert (home / "audit" / "000004.jsonl").exists()


def test_a_clock_that_runs_ahead_drops_nothing_more(home: Path, now: Clock) -> None:
    now.at = datetime(2036, 1, 1, tzinfo=UTC)
    dropped = retention.prune(chain(home, now), months=12, who="x")
    assert dropped is not None and dropped.number == 6, "the newest event before says April 2026"


def test_pruning_again_drops_nothing_and_never_goes_back(home: Path, now: Clock) -> None:
    now.at = datetime(2026, 4, 15, 12, tzinfo=UTC)  # as old as the newest event: the same limit twice
    assert retention.prune(chain(home, now), months=12, who="x")
    mark = (home / "audit" / PRUNED_FILE).read_bytes()
    assert retention.prune(chain(home, now), months=12, who="x") is None
    assert (home / "audit" / PRUNED_FILE).read_bytes() == mark


@pytest.mark.parametrize("step", ["write_atomically", "_remove"])
def test_a_crash_in_between_leaves_a_sound_log(
    home: Path, now: Clock, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(retention, step, die)
        retention.prune(chain(home, now), months=12, who="x")
    assert outcome(home)[0]
    retention.prune(chain(home, now), months=12, who="x")
    assert outcome(home)[0] and outcome(home)[2] >= 6
    assert not list((home / "audit").glob("00000[123].*"))


def test_a_segment_that_was_touched_is_evidence_and_stays(home: Path, now: Clock) -> None:
    path = home / "audit" / "000002.jsonl"
    path.write_bytes(path.read_bytes().replace(b"ines", b"inez"))
    with pytest.raises(AuditBroken, match="nothing was dropped"):
        retention.prune(chain(home, now), months=12, who="x")
    assert path.exists() and not (home / "audit" / PRUNED_FILE).exists()


def test_dropping_segments_by_hand_is_a_break(home: Path, now: Clock) -> None:
    """The power of the mark: the same files gone, without it."""
    retention.prune(chain(home, now), months=12, who="x")
    (home / "audit" / PRUNED_FILE).unlink()
    broken = verify(home / "audit", home / "keys").broken
    assert broken is not None and broken.problem == "the segment is missing"


def test_a_mark_that_was_touched_is_a_break(home: Path, now: Clock) -> None:
    retention.prune(chain(home, now), months=12, who="x")
    path = home / "audit" / PRUNED_FILE
    path.write_bytes(path.read_bytes().replace(b'"number":6', b'"number":8'))
    broken = verify(home / "audit", home / "keys").broken
    assert broken is not None and broken.file == PRUNED_FILE


def test_hiding_more_behind_the_mark_is_a_break(home: Path, now: Clock) -> None:
    retention.prune(chain(home, now), months=12, who="x")
    for name in ("000004.jsonl", "000004.seal"):
        (home / "audit" / name).unlink()
    broken = verify(home / "audit", home / "keys").broken
    assert broken is not None and broken.number == 7


# --- anchors -----------------------------------------------------------------------------------------------


def anchored(home: Path) -> str:
    here = chain(home)
    return line_of(here, note(here, who="enclave"))


def test_a_log_passes_through_its_anchors_also_after_retention(home: Path, now: Clock) -> None:
    lines = [anchored(home), anchored(home)]
    retention.prune(chain(home, now), months=12, who="x")
    found = verify_with(home / "audit", home / "keys", lines)
    assert found.intact and found.anchors == 2


def test_an_older_copy_of_the_whole_directory_is_found(home: Path, tmp_path: Path) -> None:
    first = anchored(home)
    older = Path(shutil.copytree(home / "audit", tmp_path / "older"))
    chain(home).append(query())
    lines = [first, anchored(home)]
    shutil.rmtree(home / "audit")
    older.rename(home / "audit")
    assert verify(home / "audit", home / "keys").intact, "the files alone can't tell"
    found = verify_with(home / "audit", home / "keys", lines)
    broken = found.verification.broken
    assert not found.intact and broken is not None
    assert broken.number == 2 * MONTHS + 2 and f"after event {found.kept}" in broken.problem


def test_a_log_rewritten_by_who_holds_the_key_is_found_and_located(home: Path) -> None:
    lines = [anchored(home)]
    chain(home).append(query())
    lines.append(anchored(home))
    records = list(read_records(home / "audit", home / "keys"))
    shutil.rmtree(home / "audit")
    (home / "audit").mkdir()
    _begin_anew(home)
    for record in records:
        who = "nobody" if record.number == 2 * MONTHS + 2 else record.who
        clock = Clock()
        clock.at = datetime.fromisoformat(record.at)
        chain(home, clock).append(
            AuditEvent(who, record.what, record.project, Decision(record.decision), record.details)
        )
    assert verify(home / "audit", home / "keys").intact
    found = verify_with(home / "audit", home / "keys", lines)
    assert found.kept == 2 * MONTHS + 1 and found.verification.broken is not None
    assert found.verification.broken.number == 2 * MONTHS + 3


def _begin_anew(home: Path) -> None:
    from hub_config.governance.audit.keys import load_key
    from hub_config.governance.audit.record import Head, sign

    key = load_key(home / "keys")
    assert key is not None
    (home / "audit" / "head.json").write_bytes(sign(Head(1, 0, "", None), key))


def test_another_log_with_another_key_is_found(home: Path, tmp_path: Path) -> None:
    line = anchored(home)
    other = tmp_path / "other"
    chain(other).append(query())
    found = verify_with(other / "audit", other / "keys", [line])
    assert not found.intact and "another key" in found.problem


def test_an_anchor_that_was_touched_is_told(home: Path) -> None:
    line = anchored(home)
    document = json.loads(line)
    document["said"]["number"] -= 1
    found = verify_with(home / "audit", home / "keys", [canonical(document).decode()])
    assert "not as they were written" in found.problem


def test_no_anchor_proves_nothing(home: Path) -> None:
    assert not verify_with(home / "audit", home / "keys", ["Subject: hello", ""]).intact


def test_a_saved_mail_is_read_as_it_is(home: Path) -> None:
    lines = ["Subject: P4DP", "", f"> {anchored(home)} \r\n"]
    assert verify_with(home / "audit", home / "keys", lines).intact


def test_the_day_s_anchor_is_noted_once_and_again_when_it_failed(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "outside" / "anchors.jsonl"
    settings = Settings(home=home, audit={"anchor_file": str(file)})  # type: ignore[arg-type]
    with pytest.raises(AuditFailure, match="anchor_file"):
        upkeep.due(settings, who="enclave")
    file.parent.mkdir()
    assert upkeep.due(settings, who="enclave") == ["anchor", "prune"]
    assert upkeep.due(settings, who="enclave") == []
    assert upkeep.due(settings, who="enclave", now=datetime.now(UTC) + timedelta(days=1))[0] == "anchor"
    with file.open() as lines:
        assert verify_with(home / "audit", home / "keys", lines).intact
    assert file.stat().st_mode & 0o777 == 0o600


# --- a page ------------------------------------------------------------------------------------------------


def page(home: Path, wanted: Wanted, **asked: int) -> reading.Page:
    return reading.newest(home / "audit", home / "keys", wanted, **asked)


def test_pages_follow_each_other_to_the_first_event(home: Path) -> None:
    numbers: list[int] = []
    before = None
    while True:
        found = reading.newest(home / "audit", home / "keys", Wanted(), limit=5, before=before)
        numbers += [record.number for record in found.records]
        if (before := found.older) is None:
            break
    assert numbers == list(range(2 * MONTHS, 0, -1))


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(who="rachid"),
        Wanted(project="these-ines", what=("gateway.",)),
        Wanted(what=("gateway.query", "hub.")),
        Wanted(first=date(2025, 3, 1), last=date(2025, 4, 30)),
        Wanted(who="nobody"),
        Wanted(decision=("refused",)),
    ],
)
def test_a_page_holds_what_is_wanted_and_all_of_it(home: Path, wanted: Wanted) -> None:
    everything = list(read_records(home / "audit", home / "keys"))
    expected = [record.number for record in everything if wanted.admits(record)]
    assert [record.number for record in page(home, wanted).records] == expected[::-1]


def test_one_page_reads_the_newest_segment_only(home: Path) -> None:
    """Whatever the log's length: everything older is gone from the disk, and the page is there."""
    for path in (home / "audit").glob("0000*.jsonl"):
        if path.name not in ("000016.jsonl", "000015.jsonl"):
            path.unlink()
    assert len(page(home, Wanted(), limit=3).records) == 3


def test_the_newest_event_shows_though_a_crash_cut_its_line(home: Path) -> None:
    path = home / "audit" / "000016.jsonl"
    os.truncate(path, path.stat().st_size - 10)
    assert page(home, Wanted(), limit=1).records[0].number == 2 * MONTHS


def test_an_event_is_found_by_the_beginning_of_its_hash(home: Path) -> None:
    some = list(read_records(home / "audit", home / "keys"))[4]
    assert reading.find(home / "audit", home / "keys", some.hash[:16]) == some
    assert reading.find(home / "audit", home / "keys", "0" * 16) is None
    assert reading.find(home / "audit", home / "keys", some.hash[:6]) is None, "too short to name one"
