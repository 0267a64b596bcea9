"""The approved templates: the notebooks of one folder of the checkout, by name, whole, with their hash."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from hub_config.governance.notebooks.facts import Registration
from hub_config.governance.report_runs.approved import approved, content_of
from hub_config.governance.report_runs.parameters import BadTemplate, Parameter, read_parameters, source
from hub_config.governance.report_runs.texts import NOTHING, ReportProblem, Text


class UnknownTemplate(ReportProblem):
    """There is no approved template of this name."""


@dataclass(frozen=True)
class Template:
    """A notebook as it was when it was read: what is hashed is what runs. `registration`: where it
    is no template but a project's own notebook, which may have no parameters."""

    name: str
    content: bytes
    registration: Registration | None = None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def sees_rows(self) -> bool:
        """Whether a run of it may: then nothing is kept but what it declared."""
        return self.registration is not None and self.registration.sees_rows

    @property
    def notebook(self) -> Mapping[str, Any]:
        """Raises BadTemplate."""
        try:
            notebook = json.loads(self.content)
        except (ValueError, RecursionError):
            notebook = None
        if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
            raise BadTemplate(
                Text("Le modèle « {name} » n'est pas un notebook.", "Template {name!r} is no notebook.").fill(
                    name=self.name
                )
            )
        return notebook

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return read_parameters(self.notebook, may_have_none=self.registration is not None)

    @property
    def title(self) -> str:
        return next((text for level, text in _headings(self.notebook) if level == 1), self.name)

    @property
    def steps(self) -> tuple[str, ...]:
        """For each code cell, the heading it stands under."""
        found, heading = [], self.name
        for cell in self.notebook["cells"]:
            if cell.get("cell_type") == "code":
                found.append(heading)
            else:
                heading = next((text for _, text in reversed([*_headings({"cells": [cell]})])), heading)
        return tuple(found)


def read_template(name: str, folder: Path | None = None) -> Template:
    """The template called `name`, with or without `.ipynb`. Raises UnknownTemplate for anything else."""
    plain = name.removesuffix(".ipynb")
    known = approved(folder)
    if plain not in known:
        raise UnknownTemplate(_unknown(plain, known))
    content = content_of(plain, folder)
    if content is None:
        raise BadTemplate(
            Text(
                "Le modèle « {name} » n'est pas un fichier ordinaire de moins de 512 Ko.",
                "Template {name!r} is no ordinary file of less than 512 KB.",
            ).fill(name=plain)
        )
    return Template(plain, content)


def _unknown(name: str, known: tuple[str, ...]) -> Text:
    near = get_close_matches(Path(name).name, known, n=1, cutoff=0.5)
    shown = "".join(sign if sign.isprintable() else "·" for sign in name)[:80]
    hint = Text(" Vouliez-vous dire « {x} » ?", " Did you mean {x!r}?").fill(x=near[0]) if near else NOTHING
    return (
        Text("« {x} » n'est pas un modèle approuvé.", "{x!r} is no approved template.").fill(x=shown)
        + hint
        + Text(
            "\nDonnez le nom d'un modèle, sans chemin : {known}. Un notebook s'approuve en entrant dans "
            "templates_notebooks/, après relecture.",
            "\nGive the name of a template, without a path: {known}. A notebook is approved by its review "
            "into templates_notebooks/.",
        ).fill(known=", ".join(known) or "—")
    )


def _headings(notebook: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    for cell in notebook["cells"]:
        if cell.get("cell_type") == "markdown":
            for found in re.finditer(r"^(#{1,6}) +(.+?)\s*$", source(cell), flags=re.M):
                yield len(found[1]), "".join(c for c in found[2] if c.isprintable())[:120]
