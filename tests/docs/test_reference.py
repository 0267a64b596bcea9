"""The generated pages are those that their sources would make now, and leave nothing out."""

from __future__ import annotations

import tomllib
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from hub_config.cli import COMMANDS, main
from hub_config.governance import rules
from hub_config.governance.facts import ProjectStatus
from hub_config.settings import Settings
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Role, Unit
from p4dp_sdk.indicators.registry import measures
from p4dp_sdk.wire.errors import ErrorCode

from .reference import catalogue, commands, errors, indicators, lifecycle, settings
from .reference.__main__ import DIRECTORY, PAGES

HOME = Path("/nowhere")


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_current(name: str) -> None:
    assert (DIRECTORY / name).read_text(encoding="utf-8") == PAGES[name](), "run `make docs`"


def test_every_setting_is_described_and_at_its_default() -> None:
    example = tomllib.loads(settings.defaults())
    assert Settings(home=HOME, **example) == Settings(home=HOME)
    documented: list[tuple[str, type[BaseModel]]] = [("", Settings), *settings.sections()]
    for name, section in documented:
        for key, field in settings.keys(section):
            assert field.description, f"[{name}] {key} has no description in hub_config/settings.py"


def test_every_command_is_on_its_page() -> None:
    page = commands.build()
    paths = [
        path
        for path, command in commands.walk(main, (commands.PROGRAM,))
        if not isinstance(command, click.Group)
    ]
    assert {path[1] for path in paths} == set(COMMANDS)
    assert len(paths) > 15
    for path in paths:
        assert f" {' '.join(path[1:])}\n" in page
        assert f"`{' '.join(path)}" in page


def test_every_table_and_code_list_is_on_its_page() -> None:
    page, known = catalogue.build(), load_catalogue()
    for name, table in known.tables.items():
        assert f"\n## {name}\n" in page
        assert all(f"| `{column.name}` |" in page for column in table.columns)
    assert all(f"\n### Codes {name}\n" in page for name in known.code_systems)
    assert set(catalogue.ROLES) == set(Role) and set(catalogue.UNITS) == set(Unit)


def test_every_refusal_is_on_its_page_in_both_languages() -> None:
    page = errors.build()
    for code in ErrorCode:
        assert f"\n## {code.value}\n" in page
    assert "La question est illisible" in page
    assert "{" not in page, "a blank was left"


def test_every_indicator_is_on_its_page_in_both_languages() -> None:
    page = indicators.build()
    for name, measure in measures().items():
        assert f"\n### {name}\n" in page
        assert f"**{measure.label_fr}** · {measure.label_en}" in page
        assert measure.limits_fr in page and measure.limits_en in page


def test_the_drawing_has_every_step_of_the_dict() -> None:
    drawn = lifecycle.diagram()
    steps = [(a, b, step) for a, ways in rules.TRANSITIONS.items() for step, b in ways.items()]
    assert drawn.count("-->") == len(steps) + 1 + sum(not ways for ways in rules.TRANSITIONS.values())
    for before, after, step in steps:
        assert f"{before} --> {after}: {step}" in drawn
    assert set(lifecycle.STEPS) == set(rules.Step) and set(lifecycle.MEANINGS) == set(ProjectStatus)


def test_a_changed_dict_changes_the_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = lifecycle.diagram()
    monkeypatch.setattr(lifecycle, "TRANSITIONS", {ProjectStatus.DRAFT: {}})
    assert lifecycle.diagram() != before
