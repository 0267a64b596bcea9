"""A history adds up the same however it comes: day by day in any order, or whole; and twice is once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.warehouse.landing import Landing
from hub_config.warehouse.loader.load import Places, land
from hub_config.warehouse.loader.mapping import read_mapping
from tests.unit.warehouse.conftest import MAPPING, PEOPLE

KEYED = MAPPING.replace('file = "results"\nperson = "id"', 'file = "results"\nperson = "id"\nkey = ["no"]')
# (person, value) of each result and event of a day; a bad value is set aside in whichever file it stands
Day = tuple[tuple[str, str], ...]
days = st.dictionaries(
    st.integers(1, 28),
    st.lists(
        st.tuples(st.sampled_from(["ZQX-1", "ZQX-2", "ZQX-9"]), st.sampled_from(["4", "5.5", "bad"])),
        min_size=1, max_size=3,
    ).map(tuple),
    min_size=2, max_size=3,
)  # fmt: skip


def write(directory: Path, history: Mapping[int, Day], chosen: Iterable[int]) -> None:
    results, events = "no,id,day,test,value\n", "id,on,code\n"
    for day in chosen:
        for number, (person, value) in enumerate(history[day]):
            results += f"{day}-{number},{person},{day},chol,{value}\n"
            events += f"{person},2001-02-{day:02d},{'QQQ' if value == 'bad' else 'K86'}\n"
    for name, text in (("people.csv", PEOPLE), ("results.csv", results), ("events.csv", events)):
        (directory / name).write_text(text, encoding="utf-8")


def landed(home: Path, files: Path, root: str) -> dict[str, set[tuple[object, ...]]]:
    (home / "vendor.toml").write_text(KEYED + "\n[limits]\nmax_rejected = 1.0\n", encoding="utf-8")
    places = Places(files, home / "warehouse", home / "keys", landing=home / root)
    land("vendor.toml", read_mapping(home / "vendor.toml"), places, own_uids=True)
    with Landing.of(home / root, "vendor").reading() as connection:
        return {
            table: set(
                connection.execute(f"SELECT * EXCLUDE (first_load, last_load) FROM {table}").fetchall()
            )
            for table in ("patients", "lab_results", "diagnoses")
        }


@settings(max_examples=3, deadline=None)
@given(days, st.randoms(use_true_random=False))
def test_days_in_any_order_equal_the_whole_and_twice_is_once(
    history: Mapping[int, Day], draw: Sequence[int]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        files = home / "files"
        files.mkdir()
        order = list(history)
        draw.shuffle(order)  # type: ignore[attr-defined]
        write(files, history, sorted(history))
        whole = landed(home, files, "whole")
        for day in order:
            write(files, history, [day])
            added = landed(home, files, "days")
        assert added == whole
        write(files, history, [order[0]])  # bytes that were landed before
        assert landed(home, files, "days") == whole
