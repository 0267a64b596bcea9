"""A small count hidden by what stands around it: texts in its column, a letter that doesn't show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from hub_config.airlock.checks.inside import preview
from hub_config.airlock.checks.inside.checkers import delimited
from hub_config.airlock.checks.inside.disclosure import roles
from hub_config.airlock.checks.inside.disclosure.cells import Cell, read_cell
from hub_config.airlock.checks.inside.disclosure.written import cleared
from hub_config.airlock.checks.inside.found import Order
from hub_config.governance.releases.facts import FileKind
from hub_config.governance.releases.findings import Rule, Severity

_REMARKS = "".join(f"X{at:02d};voir la note\n" for at in range(7))


def _stopped_by(text: str) -> set[Rule]:
    found = delimited.check(text.encode(), Order("table.csv", FileKind.CSV))
    return {each.rule for each in found.findings if each.severity is Severity.BLOCKING}


@pytest.fixture(autouse=True)
def read_anew() -> Iterator[None]:
    _forget()
    yield
    _forget()


def _forget() -> None:
    read_cell.cache_clear()
    cleared.cache_clear()


def _by_most(filled: Sequence[Cell], at: int) -> bool:
    return sum(cell.is_read for cell in filled) >= 0.7 * len(filled)


def test_remarks_in_a_column_hide_no_count(monkeypatch: pytest.MonkeyPatch) -> None:
    table = f"code;patients\nK86;3934\n{_REMARKS}N74;3\n"
    with monkeypatch.context() as without:
        without.setattr(roles, "_says_counts", _by_most)
        assert _stopped_by(table) == set()
    assert _stopped_by(table) == {Rule.SMALL_COUNT}


def test_a_filler_behind_a_digit_hides_no_count(monkeypatch: pytest.MonkeyPatch) -> None:
    table = "code;patients\nK86;3934\nR74;3553\nN74;3\u3164\n"
    with monkeypatch.context() as without:
        without.setattr(preview, "_BLANK", frozenset())
        assert _stopped_by(table) == set()
    _forget()
    assert _stopped_by(table) == {Rule.SMALL_COUNT, Rule.DISGUISED_CHARACTERS}
