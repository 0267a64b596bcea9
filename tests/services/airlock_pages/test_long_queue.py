"""However long the queue, a page asks the database the same: its statements don't grow with the requests."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.airlock.queue import Long, anonymous

PORTIONS = 1  # the files of many requests come in portions


def asked(home: Path, requests: int) -> dict[str, int]:
    airlock = Long(home)
    airlock.fill(requests=requests, files=2)
    counted = {anonymous(path) + who: len(airlock.asked(who, path)) for who, path in airlock.pages()}
    airlock.close()
    return counted


def test_no_page_asks_more_for_more_requests(tmp_path: Path) -> None:
    few, many = asked(tmp_path / "few", 8), asked(tmp_path / "many", 120)
    assert few.keys() == many.keys() and len(few) == 9
    more = {page: many[page] - few[page] for page in few if many[page] > few[page] + PORTIONS}
    assert more == {}
    assert max(many.values()) < 40
