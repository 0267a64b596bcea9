"""The keyring: the same secrets for ever, none of them in sight."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.gateway.keyring import MOST_NUMBERS, BadKey, Keyring

MASTER = bytes(range(32))
PINNED_KEYS = [2456311823, 3852396843, 953148851, 3650898145]
PINNED_PRF = 2209516759608188000


def test_numbers_never_change_as_the_population_grows():
    small, large = Keyring(MASTER).patients(1_000), Keyring(MASTER).patients(200_000)
    for name in ("buckets", "keys", "ranks"):
        assert np.array_equal(getattr(small, name), getattr(large, name)[:1_000])


def test_numbers_are_pinned_for_what_lies_in_the_ledger():
    """A change of derivation would make every kept sketch worthless without a word."""
    numbers = Keyring(MASTER).patients(4)
    assert numbers.keys.tolist() == PINNED_KEYS
    assert int(Keyring(MASTER).prf("noise", 1, 2)) == PINNED_PRF


def test_numbers_are_even_and_keys_odd():
    numbers = Keyring(MASTER).patients(200_000)
    shares = np.bincount(numbers.buckets, minlength=64) / 200_000
    assert len(shares) == 64 and abs(shares - 1 / 64).max() < 0.002
    assert (numbers.keys & 1).all()
    assert abs(numbers.ranks.astype(float).mean() / 2**32 - 0.5) < 0.01
    assert Keyring(MASTER).physicians(5_000).buckets.max() == 31
    assert 0 <= Keyring(MASTER).missing_physician < 32


def test_labels_and_masters_part_the_secrets():
    ring, other = Keyring(MASTER), Keyring(bytes(32))
    drawn = [ring.patients(50), ring.physicians(50), ring.physician_units(50), other.patients(50)]
    assert len({numbers.keys.tobytes() for numbers in drawn}) == 4
    assert len({int(ring.prf("a", 1)), int(ring.prf("b", 1)), int(ring.prf("a", 1, 0))}) == 3


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(-(2**63), 2**63 - 1)), min_size=1))
def test_prf_of_arrays_is_that_of_each_row(rows):
    ring = Keyring(MASTER)
    first = np.array([row[0] for row in rows], dtype=np.uint64)
    second = np.array([row[1] for row in rows], dtype=np.int64)
    drawn = ring.prf("pair", first, second, 7)
    assert [int(ring.prf("pair", a, b, 7)) for a, b in rows] == drawn.tolist()


def test_prf_is_even_over_its_bits():
    drawn = Keyring(MASTER).prf("noise", np.arange(100_000))
    assert len(np.unique(drawn)) == 100_000
    bits = (drawn[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    assert abs(bits.mean(axis=0) - 0.5).max() < 0.01


def test_prf_takes_whole_numbers_only():
    with pytest.raises(TypeError, match="integers"):
        Keyring(MASTER).prf("noise", np.array([1.5]))


def test_secrets_stay_out_of_sight():
    ring = Keyring(MASTER)
    numbers = ring.patients(3)
    assert MASTER.hex() not in repr(ring) and repr(ring) == "Keyring(…)"
    assert str(int(numbers.keys[0])) not in repr(numbers)
    with pytest.raises(TypeError):
        pickle.dumps(ring)
    with pytest.raises(ValueError, match="read-only"):
        numbers.keys[0] = 1


def test_a_short_master_and_a_huge_population_are_refused():
    with pytest.raises(BadKey):
        Keyring(b"short")
    with pytest.raises(BadKey):
        Keyring(MASTER).patients(MOST_NUMBERS + 1)
