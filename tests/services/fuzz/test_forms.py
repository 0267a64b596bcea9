"""Every address of the airlock, the register and the desk, asked by everybody with whatever they like: no
failure of ours, no trace of one, and nothing of Inès' for those who have no part in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import hub_config
from tests.services.fuzz.world import MARK, PEOPLE, UNRELATED, Address, World

FEW: Final = 4  # of each address; `make bench` tries more (tests/benchmarks/test_fuzz.py)
_TEMPLATES: Final = [
    path.read_text() for path in sorted(Path(hub_config.__file__).parent.glob("*/templates/**/*.html"))
]
NAMES: Final = sorted({n for text in _TEMPLATES for n in re.findall(r'\bname="([\w-]+)"', text)})
CHOICES: Final = sorted({v for text in _TEMPLATES for v in re.findall(r'\bvalue="([\w-]+)"', text)})
HOSTILE: Final = (
    "", "0", "-1", "9" * 40, "1e9", "٣", "NaN", "2026-13-45", "0000-00-00", "9999-12-31", "0001-01-01", "*",
    "\x00", "\u202e", "<script>alert(1)</script>", "' OR 1=1 --", "../../etc/passwd", "{{ 7*7 }}", "%s%n",
    "é" * 5_000, "d-23456789:" + "0" * 64,
)  # fmt: skip
VALUES: Final = st.one_of(
    st.sampled_from(HOSTILE), st.sampled_from(CHOICES), st.sampled_from(sorted(PEOPLE)), st.text(max_size=30)
)
FIELDS: Final = st.dictionaries(
    st.sampled_from(NAMES), VALUES | st.lists(VALUES, max_size=3), min_size=2, max_size=12
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world") / "home")
    yield made
    made.close()


def test_whatever_anybody_asks(world: World) -> None:
    ask_everything(world, FEW)


def ask_everything(world: World, examples: int) -> None:
    asked: set[Address] = set()
    answers: Counter[int] = Counter()
    for address in sorted(world.addresses(), key=lambda one: (one.site, one.path, one.method)):
        if address.path not in ("/logout", "/login"):
            _try(world, address, examples, answers)
            asked.add(address)
    assert len(asked) > 80 and len(NAMES) > 40
    assert {200, 303, 403, 404, 422} <= set(answers), "the fuzz gets past the door, and is refused behind it"


def _try(world: World, address: Address, examples: int, answers: Counter[int]) -> None:
    @given(who=st.sampled_from(sorted(PEOPLE)), fields=FIELDS)
    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=examples == FEW,
        phases=[Phase.explicit, Phase.generate],
    )
    def stands(who: str, fields: dict[str, str | list[str]]) -> None:
        visit, path = world.at(address.site, who), world.filled(address)
        posts = address.method == "POST"
        answer = visit.post(path, fields) if posts else visit.get(path, params=_short(fields))
        answers[answer.status_code] += 1
        assert answer.status_code < 500, (address, who, fields)
        assert "Traceback" not in answer.text and "<script>alert" not in answer.text, (address, who)
        assert who not in UNRELATED or MARK not in answer.text, (address, who)

    stands()


def _short(fields: dict[str, str | list[str]]) -> dict[str, str | list[str]]:
    """As much as a browser puts into an address."""
    return {n: v[:200] if isinstance(v, str) else [one[:200] for one in v] for n, v in fields.items()}
