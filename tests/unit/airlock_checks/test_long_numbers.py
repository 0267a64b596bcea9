"""A long number is found in every writing that is promised, and nothing takes long to read."""

from __future__ import annotations

import base64
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.airlock.checks.inside.numbers import LARGEST, long_numbers

PSEUDONYMS = st.integers(min_value=10**15, max_value=LARGEST)

WRITINGS = {
    "decimal": str,
    "zeros": lambda n: f"{n:024d}",
    "minus": lambda n: f"-{n}",
    "hexadecimal": hex,
    "thousands": lambda n: f"{n:,}",
    "narrow spaces": lambda n: f"{n:,}".replace(",", "\u202f"),
    "apostrophes": lambda n: f"{n:,}".replace(",", "’"),
    "decimal fraction": lambda n: f"{n}.0",
    "in a word": lambda n: f"p{n}p",
    "base64": lambda n: base64.b64encode(n.to_bytes(8)).decode(),
    "little-endian base64": lambda n: base64.b64encode(n.to_bytes(8, "little")).decode(),
    "two in base64": lambda n: base64.b64encode(n.to_bytes(8) * 2).decode(),
    "digits in base64": lambda n: base64.b64encode(f"{n},{n}".encode()).decode(),
    "base32": lambda n: base64.b32encode(n.to_bytes(8)).decode(),
    "UUID": lambda n: str(uuid.UUID(int=n << 64)),
    "circled": lambda n: "".join("⓪①②③④⑤⑥⑦⑧⑨"[int(digit)] for digit in str(n)),
    "raised": lambda n: "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in str(n)),
    "full width": lambda n: str(n).translate({48 + d: 0xFF10 + d for d in range(10)}),
}


@pytest.mark.parametrize("writing", WRITINGS)
@settings(max_examples=30, deadline=None)
@given(number=PSEUDONYMS)
def test_every_promised_writing_is_found(writing: str, number: int) -> None:
    assert number in long_numbers(f"avant {WRITINGS[writing](number)} après")


@settings(max_examples=50, deadline=None)
@given(number=PSEUDONYMS)
def test_double_precision_is_found_nearby(number: int) -> None:
    assert any(abs(each - number) <= 1024 for each in long_numbers(f"{float(number)}"))


@pytest.mark.parametrize(
    "text", ["12 044 patients, 57,6 %", "2019-06-01 12:30", "06 12 34 56 78", "R² = 0.9876543"]
)
def test_ordinary_numbers_are_no_candidates(text: str) -> None:
    assert not long_numbers(text)


@pytest.mark.parametrize(
    "text", ["1" * 10**6, "1 " * 500_000, "1e" * 500_000, "a1" * 500_000, "12," * 300_000]
)
def test_no_text_stops_the_search(text: str) -> None:
    """Ended by the test's own time limit if it took more than linear time."""
    assert isinstance(long_numbers(text), frozenset)
