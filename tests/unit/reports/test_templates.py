"""Approved templates: those of one folder, by name, each step under its heading."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub_config.governance.report_runs.approved import LARGEST, approved
from hub_config.governance.report_runs.parameters import BadTemplate
from hub_config.governance.report_runs.templates import UnknownTemplate, read_template

CELLS = [
    {"cell_type": "markdown", "metadata": {}, "source": ["# Mon *titre*\n", "\n", "Du texte."]},
    {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": "x: int = 1"},
    {"cell_type": "markdown", "metadata": {}, "source": "## Un\n\n### Deux"},
    {"cell_type": "code", "metadata": {}, "source": "1"},
    {"cell_type": "markdown", "metadata": {}, "source": "Sans titre."},
    {"cell_type": "code", "metadata": {}, "source": "2"},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "essai.ipynb").write_text(json.dumps({"cells": CELLS}))
    return tmp_path


def test_a_template_knows_its_steps(folder: Path) -> None:
    template = read_template("essai.ipynb", folder)
    assert template == read_template("essai", folder)
    assert (template.title, template.steps) == ("Mon *titre*", ("Mon *titre*", "Deux", "Deux"))
    assert len(template.sha256) == 64 and template.parameters[0].name == "x"


@pytest.mark.parametrize("name", ["essais", "../essai", "./essai", "/etc/passwd", "", "essai\n", "Essai"])
def test_no_other_is_approved(folder: Path, name: str) -> None:
    with pytest.raises(UnknownTemplate, match="no approved template") as raised:
        read_template(name, folder)
    assert "essai" in raised.value.text.fr


@pytest.mark.parametrize("content", [b"[]", b"{}", b"\xff", b'{"cells": 1}', b"[" * 100_000])
def test_what_is_no_notebook_is_refused(folder: Path, content: bytes) -> None:
    (folder / "autre.ipynb").write_bytes(content)
    with pytest.raises(BadTemplate):
        _ = read_template("autre", folder).notebook


def test_a_link_and_a_huge_file_are_refused(folder: Path) -> None:
    (folder / "lien.ipynb").symlink_to(folder / "essai.ipynb")
    (folder / "gros.ipynb").write_bytes(b" " * (LARGEST + 1))
    for name in ("lien", "gros"):
        with pytest.raises(BadTemplate):
            read_template(name, folder)


def test_the_checkouts_templates_can_all_be_run_without_a_parameter_or_say_which() -> None:
    assert "prise-en-main" in approved()
    for name in approved():
        template = read_template(name)
        assert template.parameters and template.title != name and len(template.steps) > 1
