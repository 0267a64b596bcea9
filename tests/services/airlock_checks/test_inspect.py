"""One file, one box, one answer: whatever the process in the box does, an inspection comes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hub_config.airlock.checks import Bounds, Inspection, Reason, Sizes, TableBlock, inspect, inspect_bytes
from hub_config.governance.releases.facts import FileKind
from hub_config.governance.releases.findings import Rule

TABLE = b"year,patients\n2021,120\n2022,140\n"


def ending(program: str, **bounds: float) -> Reason | None:
    told = replace(Bounds(wall_seconds=120), program=("-c", program), **bounds)  # type: ignore[arg-type]
    inspection = inspect_bytes(TABLE, "table.csv", bounds=told)
    return inspection.quarantined.reason if inspection.quarantined else None


def test_a_table_is_read_in_the_box(tmp_path: Path) -> None:
    path = tmp_path / "shelved"
    path.write_bytes(TABLE)
    path.chmod(0o600)
    inspection = inspect(path, "table.csv")
    assert inspection.quarantined is None
    assert inspection.kind is FileKind.CSV
    assert inspection.size == len(TABLE)
    [block] = inspection.preview.blocks
    assert isinstance(block, TableBlock)
    assert block.header == ("year", "patients")
    assert block.rows == (("2021", "120"), ("2022", "140"))


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("/etc/hostname")
    with pytest.raises(OSError, match="Too many levels"):
        inspect(link, "table.csv")


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import os; os.kill(os.getpid(), 9)", Reason.CRASHED),
        ("raise SystemExit(3)", Reason.CRASHED),
        ("print('hello')", Reason.NONSENSE),
        ("print('{}')", Reason.NONSENSE),
        ("pass", Reason.NONSENSE),
        ("print('[' * 10**6)", Reason.NONSENSE),
        ("import sys\nwhile True: sys.stdout.write('x' * 10**6)", Reason.NONSENSE),
    ],
)
def test_a_process_that_talks_nonsense_puts_the_file_aside(program: str, reason: Reason) -> None:
    assert ending(program) is reason


@pytest.mark.parametrize("program", ["while True: pass", "import time; time.sleep(600)"])
def test_a_process_that_takes_too_long_is_ended(program: str) -> None:
    assert ending(program, wall_seconds=1.5) is Reason.TIMED_OUT


def test_a_file_too_large_to_look_into_is_put_aside_unread() -> None:
    inspection: Inspection = inspect_bytes(b"a\n" * 1_000, "t.csv", bounds=Bounds(input_bytes=1_000))
    assert inspection.quarantined is not None
    assert inspection.quarantined.reason is Reason.TOO_LARGE
    assert inspection.preview.blocks == ()


def test_sixteen_megabytes_are_the_limit() -> None:
    assert Bounds().sizes.file_bytes == 16_000_000
    inspection = inspect_bytes(b"a\n" * 501, "t.csv", bounds=Bounds(sizes=Sizes(file_bytes=1_000)))
    assert Rule.TOO_LARGE in {finding.rule for finding in inspection.findings}
