"""Figures as files: the same bytes twice, nothing of the machine, and a remedy for an unknown format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pandas as pd
import pytest

import p4dp_sdk as p4dp

matplotlib.use("agg")
FORMATS = ("svg", "pdf", "png")


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def drawn() -> plt.Axes:
    rows = pd.DataFrame({"sexe": ["F", "M"], "n": pd.array([120, None], "Int64")})
    return p4dp.plots.bar(rows, "sexe", "n", title="Été", axis="patients")


@pytest.mark.parametrize("suffix", FORMATS)
def test_equal_figures_are_equal_files(suffix: str, tmp_path: Path) -> None:
    axes = drawn()
    first, again, anew = (
        p4dp.plots.save(each, tmp_path / f"{name}.{suffix}").read_bytes()
        for name, each in (("first", axes), ("again", axes.figure), ("anew", drawn()))
    )
    assert first == again == anew
    assert len(first) > 1000


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_says_nothing_of_when_and_where(suffix: str, tmp_path: Path) -> None:
    content = p4dp.plots.save(drawn(), tmp_path / f"figure.{suffix}").read_bytes()
    for word in (
        b"Matplotlib",
        b"matplotlib.org",
        b"CreationDate",
        b"dc:date",
        b"Software",
        str(tmp_path).encode(),
    ):
        assert word not in content


def test_it_is_the_defence_that_does_it(tmp_path: Path) -> None:
    drawn().figure.savefig(tmp_path / "plain.svg")
    assert b"dc:date" in (tmp_path / "plain.svg").read_bytes()


def test_an_unknown_format_is_told_with_those_there_are(tmp_path: Path) -> None:
    for name in ("figure.jpeg", "figure"):
        with pytest.raises(p4dp.P4DPError, match=r"\.svg, \.pdf, \.png"):
            p4dp.plots.save(drawn(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_capitals_do_not_matter_and_the_path_comes_back(tmp_path: Path) -> None:
    assert p4dp.plots.save(drawn(), str(tmp_path / "Figure.SVG")) == tmp_path / "Figure.SVG"
