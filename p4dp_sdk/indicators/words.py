"""What measures say of themselves, in French and English: `words.toml`, a section a measure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def _sections() -> Mapping[str, Mapping[str, Any]]:
    text = (files(__package__) / "words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def words(section: str, **blanks: str) -> dict[str, Any]:
    """The texts of a section as arguments of `Measure`: labels, explanations, limits, source, the names of
    its columns. `blanks` are filled into every text."""
    found = dict(_sections()[section])
    labels = found.pop("labels", {})
    texts = {name: text.format(**blanks) for name, text in found.items()}
    return {**texts, "labels": {name: (pair[0], pair[1]) for name, pair in labels.items()}}
