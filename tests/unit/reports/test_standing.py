"""A run under way ends when its notebook stands no more, and when nobody can say that it does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace

import pytest

from hub_config.governance.problems import StoreProblem
from hub_config.reports import handler
from hub_config.reports.handler import RunsHandler


def looks(monkeypatch: pytest.MonkeyPatch, *answers: bool | None) -> Iterator[bool | None]:
    """After these, the record can't be read; None: neither could it then."""
    monkeypatch.setattr(handler, "LOOK_SECONDS", 0)
    left = iter(answers)

    def stands(project: str, number: str) -> bool:
        found = next(left, None)
        if found is None:
            raise StoreProblem("the disk is full")
        return found

    desk = SimpleNamespace(desk=SimpleNamespace(stands=stands), log=logging.getLogger(__name__))
    desk._stands = partial(RunsHandler._stands, desk)
    asyncio.run(asyncio.wait_for(RunsHandler._fallen(desk, "these", "n-1"), 10))
    return left


def test_the_first_no_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(looks(monkeypatch, True, True, False, True)) == [True]


def test_a_record_that_cannot_be_read_three_times_in_a_row_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(looks(monkeypatch, None, None, True, None, None, None, True)) == [True]


def test_a_template_needs_no_registration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "LOOK_SECONDS", 0)
    desk = SimpleNamespace(desk=None, log=logging.getLogger(__name__))
    desk._stands = partial(RunsHandler._stands, desk)
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(RunsHandler._fallen(desk, "these", ""), 0.2))
