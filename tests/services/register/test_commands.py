"""What operators type: a person leaves and comes back, the register goes into a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub_config.cli import main

from .conftest import Registry


@pytest.fixture
def run(registry: Registry, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("P4DP_HOME", str(registry.settings.home))

    def type_(*words: str) -> Result:
        return CliRunner().invoke(main, list(words))

    return type_


def test_a_person_leaves_and_comes_back(registry: Registry, run) -> None:  # type: ignore[no-untyped-def]
    slug = registry.approved()
    told = run("person", "leave", "Ines", "--reason", "fin d'internat")
    assert told.exit_code == 0, told.output
    assert "out of 1 projects" in told.output and f"Project {slug} needs somebody else" in told.output
    assert registry.project(slug).members == frozenset()
    assert run("person", "leave", "ines", "--reason", "encore").exit_code == 2
    assert run("person", "return", "ines").exit_code == 0
    assert run("person", "return", "ines").exit_code == 2
    assert {"person.leave", "person.take-back"} <= set(registry.events())


def test_the_register_goes_into_a_file(registry: Registry, run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    slug = registry.approved()
    target = tmp_path / "registre.json"
    told = run("register", "export", "--format", "json", "--output", str(target))
    assert told.exit_code == 0, told.output
    assert [one["reference"] for one in json.loads(target.read_text())["activities"]] == [slug]
    assert "register.export" in registry.events()
