"""File names: nothing hidden in what is shown, nothing dangerous in what is sent."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.airlock.pages.names import Odd, disposition, is_odd, parts, sanitised


@pytest.mark.parametrize(
    ("name", "shown", "odd"),
    [
        ("tableau 1.csv", "tableau 1.csv", False),
        ("âges_2019-2022.csv", "âges_2019-2022.csv", False),
        ("exe.\u202efdp", "exe.⟨U+202E⟩fdp", True),
        ("a\u200bb.csv", "a⟨U+200B⟩b.csv", True),
        ("m\u043edele.csv", "mоdele.csv", True),
        ("a\nb", "a⟨U+000A⟩b", True),
    ],
)
def test_what_is_odd_is_written_out_or_marked(name: str, shown: str, odd: bool) -> None:
    assert "".join(part.text for part in parts(name)) == shown
    assert is_odd(name) is odd


def test_a_letter_of_another_alphabet_is_the_marked_one() -> None:
    assert [part.text for part in parts("m\u043edele.csv") if part.odd is Odd.FOREIGN] == ["\u043e"]


def test_a_greek_name_is_not_odd_throughout() -> None:
    assert not is_odd("αβγ")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("a\\b:c.csv", "a_b_c.csv"),
        ('x".csv\r\nSet-Cookie: a', "x_.csvSet-Cookie_ a"),
        ("...", "fichier"),
        ("exe.\u202efdp", "exe.fdp"),
    ],
)
def test_what_systems_take_for_more_than_letters_goes(name: str, kept: str) -> None:
    assert sanitised(name) == kept


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_a_header_holds_any_name(name: str) -> None:
    header = disposition(name)
    assert header.startswith("attachment; filename=")
    assert header.isascii() and header.isprintable()
    plain, _, full = header.partition("; filename*=UTF-8''")
    assert plain.count('"') == 2
    assert not set(unquote(full)) & set('/\\:"<>|?*')
    assert 0 < len(unquote(full)) <= 150
