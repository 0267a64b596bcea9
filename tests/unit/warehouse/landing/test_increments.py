"""A history adds up the same however it comes: day by day in any order, or whole; and twice is once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hub_config.warehouse.landing.apply as apply
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


DATED = KEYED.replace('path = "results.csv"', 'path = "results-*.csv"\nmade = "results-%Y%m%d.csv"')
# By day of the month, which of three records says what of whom
corrected = st.dictionaries(
    st.integers(1, 28),
    st.dictionaries(st.sampled_from("ABC"), st.sampled_from(["ZQX-1", "ZQX-3"]), min_size=1),
    min_size=2, max_size=4,
)  # fmt: skip


def write(directory: Path, history: Mapping[int, Day], chosen: Iterable[int]) -> None:
    results, events = "no,id,day,test,value\n", "id,on,code\n"
    for day in chosen:
        for number, (person, value) in enumerate(history[day]):
            results += f"{day}-{number},{person},{day},chol,{value}\n"
            events += f"{person},2001-02-{day:02d},{'QQQ' if value == 'bad' else 'K86'}\n"
    for name, text in (("people.csv", PEOPLE), ("results.csv", results), ("events.csv", events)):
        (directory / name).write_text(text, encoding="utf-8")


def landed(home: Path, files: Path, root: str, mapping: str = KEYED) -> dict[str, set[tuple[object, ...]]]:
    (home / "vendor.toml").write_text(mapping + "\n[limits]\nmax_rejected = 1.0\n", encoding="utf-8")
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
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(apply, "AT_ONCE", 2)  # rows, so that keys are compared in parts
            assert landed(home, files, "parts") == whole
        for day in order:
            write(files, history, [day])
            added = landed(home, files, "days")
        assert added == whole
        write(files, history, [order[0]])  # bytes that were landed before
        assert landed(home, files, "days") == whole


@settings(max_examples=2, deadline=None)
@given(corrected, st.randoms(use_true_random=False))
def test_corrections_in_any_order_equal_the_whole(
    history: Mapping[int, Mapping[str, str]], draw: Sequence[int]
) -> None:
    """Each day says something else of its records; the newest counts."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        files = home / "files"
        files.mkdir()
        write(files, {}, ())
        texts = {
            day: "no,id,day,test,value\n"
            + "".join(f"{no},{who},{day},chol,{day}\n" for no, who in rows.items())
            for day, rows in history.items()
        }
        for day, text in texts.items():
            (files / f"results-202001{day:02d}.csv").write_text(text, encoding="utf-8")
        whole = landed(home, files, "whole", DATED)
        order = list(history)
        draw.shuffle(order)  # type: ignore[attr-defined]
        for day in texts:
            (files / f"results-202001{day:02d}.csv").unlink()
        for day in order:
            (files / f"results-202001{day:02d}.csv").write_text(texts[day], encoding="utf-8")
            added = landed(home, files, "days", DATED)
        assert added == whole
        newest = {no: day for day in sorted(history) for no in history[day]}
        assert len(whole["lab_results"]) == len(newest)
