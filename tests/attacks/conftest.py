"""The planted population, once a session, and the board of what the attacks found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.attacks import population
from tests.attacks.arena import Arena, Defence, Score, Scoreboard, arena
from tests.attacks.page import PAGE, report
from tests.attacks.population import Population
from tests.fresh_stores import stores_by_copy

__all__ = ["stores_by_copy"]

Attack = Callable[[Arena, Population], Score]
Play = Callable[..., Score]
Enter = Callable[..., AbstractContextManager[Arena]]
_BOARD = pytest.StashKey[Scoreboard]()


@pytest.fixture(scope="session")
def people() -> Population:
    return population.make()


@pytest.fixture(scope="session")
def planted(people: Population, tmp_path_factory: pytest.TempPathFactory) -> Path:
    warehouse = tmp_path_factory.mktemp("planted")
    population.plant(people, warehouse)
    return warehouse


@pytest.fixture
def enter(planted: Path, tmp_path: Path) -> Enter:
    """A fresh gateway on the population; defences that are out as arguments."""
    homes = iter(range(1_000))

    def opened(*out: Defence, seed: int = 0) -> AbstractContextManager[Arena]:
        return arena(planted, tmp_path / f"home{next(homes)}", frozenset(out), seed)

    return opened


@pytest.fixture(scope="session")
def board(request: pytest.FixtureRequest) -> Iterator[Scoreboard]:
    """Printed at the end of the run (see `pytest_terminal_summary`)."""
    made = request.config.stash.setdefault(_BOARD, Scoreboard())
    yield made


@pytest.fixture
def play(enter: Enter, people: Population, board: Scoreboard, request: pytest.FixtureRequest) -> Play:
    """Try an attack on a fresh gateway, without the defences named; its score goes on the board, under the
    test's name or `said`. `aside`, `without`: see `Scoreboard.add`."""
    name = request.node.nodeid.rpartition("/")[2].partition("::")[0].removeprefix("test_")
    variant = getattr(request.node, "callspec", None)

    def played(
        attack: Attack, *out: Defence, aside: Sequence[Defence] = (), without: str = "", said: str = ""
    ) -> Score:
        with enter(*out, *aside) as arena:
            score = attack(arena, people)
        test = request.node.originalname.removeprefix("test_").replace("_", " ")
        which = said or (variant.id if variant else "")
        tail = f" [{which}]" if which else "" if out else f": {test}"
        return board.add(name.removesuffix(".py") + tail, arena, score, aside=aside, without=without)

    return played


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    made = config.stash.get(_BOARD, Scoreboard())
    if made.lines:
        terminalreporter.section("attacks")
    for line in made.lines:
        terminalreporter.write_line(f"{line.attack:34} {line.said:50} {line.score}, {line.asked} questions")
    if made.lines and config.getoption("--write-attacks"):
        PAGE.write_text(report(made.lines), encoding="utf-8")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-attacks", action="store_true", help=f"write what the attacks found to {PAGE}")
