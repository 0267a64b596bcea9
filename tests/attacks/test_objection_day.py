"""Read who objected, and on which day, from the end of their observation: a member who was given rows looks
for a period that ends as nobody else's in the practice does.

Of forty patients of a practice, who are seen every month, one objects to the future and one's GP sees them no
more, of their own accord. The next snapshot and the old one, which the gateway filters, must show no more of
the first than of the second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from hub_config.gateway import objecting
from hub_config.gateway.binding import Room, furnish
from hub_config.gateway.engine import Engine, EngineLimits
from hub_config.gateway.stopping import Stop
from hub_config.governance.facts import AccessLevel, Grant, Objectors
from hub_config.warehouse import purging
from hub_config.warehouse.derived.until import Stored, tabled
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.purging import Objector
from hub_config.warehouse.snapshot import Snapshot, build_snapshot
from p4dp_sdk.catalogue.load import load_catalogue

CATALOGUE = load_catalogue()
OBJECTED, LEFT = 7, 8
DAY, LAST = date(2019, 6, 13), date(2019, 12, 31)
GRACE = timedelta(days=730)
FILLED = f"""
INSERT INTO centres (centre_id) VALUES ('C1');
INSERT INTO physicians BY NAME SELECT 0 AS physician_no, 'C1' AS centre_id;
INSERT INTO exports BY NAME SELECT 'vendor' AS source, 0 AS physician_no, DATE '2015-01-01' AS first_event,
    DATE '{LAST}' AS last_event, DATE '{LAST}' AS exported_on, 'A' AS software;
INSERT INTO patients BY NAME SELECT n AS patient_no, 0 AS physician_no, 'C1' AS centre_id FROM range(40) t(n);
INSERT INTO consultations BY NAME
    SELECT n AS patient_no, 0 AS physician_no, 'C1' AS centre_id, CAST(m + to_days(n % 28) AS DATE) AS date
    FROM (SELECT unnest(generate_series(DATE '2015-01-01', DATE '{LAST}', INTERVAL 1 MONTH)) AS m),
        (SELECT CAST(range AS INTEGER) AS n FROM range(40))
    WHERE n != {LEFT} OR m < DATE '{DAY}';
"""


def snapshot(directory: Path, *objectors: Objector) -> Snapshot:
    with build_snapshot(
        directory, source="test", synthetic=True, public=False, objectors=objectors
    ) as building:
        building.connection.execute(FILLED)
        return building.finish(LAST, date(2015, 1, 1), LAST)


def observed(stored: Snapshot, objectors: Objectors) -> list[tuple[int, date, str]]:
    """Who is under observation until when and why, as a member with rows of this snapshot is shown."""
    name = "observation_periods"
    room = Room(CATALOGUE, Grant(AccessLevel.MICRODATA, {name: None}), objectors, None)
    with (
        closing(Engine(stored.database, EngineLimits(2**28, 1))) as engine,
        engine.session(Stop(30)) as asked,
    ):
        furnish(asked, room, [CATALOGUE.tables[name]])
        rows = asked.fetch(f"SELECT __patient, end_date, end_reason FROM temp.main.{name}").to_pylist()
    return [tuple(row.values()) for row in rows]


def next_snapshot(directory: Path) -> list[tuple[int, date, str]]:
    return observed(snapshot(directory, Objector(Kind.PATIENT, OBJECTED, DAY)), Objectors())


def old_snapshot(directory: Path) -> list[tuple[int, date, str]]:
    return observed(snapshot(directory), Objectors(patients_until={OBJECTED: DAY}))


def singled_out(periods: list[tuple[int, date, str]]) -> dict[int, date]:
    """Whose period ends before the practice's, though they were seen in the months that it forgives."""
    ends = Counter((end, why) for _, end, why in periods)
    (closed, _), _ = ends.most_common(1)[0]
    return {who: end for who, end, why in periods if ends[end, why] == 1 and end > closed - GRACE}


def on_the_day(stored: Stored, patients: Mapping[int, date], physicians: Mapping[int, date]) -> pa.Table:
    """A test double: observation ends with the day of the objection."""
    known = tabled(stored, patients, physicians)
    rows = [{**row, "until": patients[row["patient_no"]], "why": "inactive"} for row in known.to_pylist()]
    return pa.Table.from_pylist(rows, known.schema)


@pytest.mark.parametrize("defended", [False, True], ids=["on-the-day", "for-real"])
@pytest.mark.parametrize("shown", [next_snapshot, old_snapshot])
def test_nobody_is_singled_out_by_the_end_of_a_period(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(purging, "tabled", on_the_day)
        monkeypatch.setattr(objecting, "tabled", on_the_day)
    periods = shown(tmp_path)
    assert len(periods) == 40
    assert singled_out(periods) == ({} if defended else {OBJECTED: DAY})
    assert {why for who, _, why in periods if who == LEFT} == {"last_export"}
