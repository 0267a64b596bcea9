"""Figures that the pages quote are those of the code: a limit that moves takes its sentence along."""

from __future__ import annotations

import pytest

from hub_config.gateway import __main__ as gateway
from hub_config.gateway.pace import Pace
from hub_config.governance.facts import AccessLevel
from hub_config.settings import Settings
from hub_config.spawner.launcher import LOG_BUDGET
from hub_config.up.ports import ports
from hub_config.up.supervisor import ROTATE_BYTES
from hub_config.warehouse.synthesis.presets import BLOCK
from p4dp_sdk.disclosure.policy import FLOOR_PATIENTS, FLOOR_PHYSICIANS, Policy
from p4dp_sdk.disclosure.primary import Reason
from p4dp_sdk.tables.display import MARK

from .conftest import Desk
from .markdown import ROOT

PROTECTED = "explanation/what-is-protected.md"
MASKED = "explanation/cellules-masquees.md"
METHODS_FR = "explanation/methodes-de-protection.md"
METHODS = "explanation/protection-methods.md"
PUBLISH = "how-to/publier-un-tableau.md"
RUN = "how-to/run-an-enclave.md"
FIRST = "adr/0006-what-a-first-version-releases.md"
NUMBERS = ("no", "one", "two", "three", "four", "five", "six")

DEFAULTS = Settings(home=ROOT)
POLICY = Policy()
PORTS = NUMBERS[len(ports(DEFAULTS))]
QUOTED = [
    (PROTECTED, f"fewer than {FLOOR_PATIENTS} patients contribute"),
    (PROTECTED, f"fewer than {FLOOR_PHYSICIANS} GPs stand behind it"),
    (PROTECTED, f"fewer than {FLOOR_PATIENTS} patients of the row"),
    (PROTECTED, f"steps of {Pace().step_seconds * 1000:.0f} ms before the answer"),
    (PROTECTED, f"only {NUMBERS[gateway._QUERIES_EACH]} at once a workspace"),
    (MASKED, f"moins de **{FLOOR_PATIENTS} patients**"),
    (MASKED, f"moins de **{FLOOR_PHYSICIANS} médecins**"),
    (MASKED, f"moins de {FLOOR_PATIENTS} patients sont ailleurs"),
    (MASKED, f"**{MARK}** à la place d'un nombre"),
    (PROTECTED, f"more than {POLICY.max_physician_share:.0%} of a sum".replace("%", " %")),
    (
        PROTECTED,
        f"by {POLICY.noise_variance**0.5:.0f} patients (standard deviation), {POLICY.noise_bound} at most",
    ),
    (PROTECTED, f"once blurred like a count, exceed it by {POLICY.margin}:"),
    (METHODS_FR, f"l'effectif décalé doit dépasser {FLOOR_PATIENTS} de {POLICY.margin} au moins"),
    (METHODS, f"once moved, must exceed {FLOOR_PATIENTS} by {POLICY.margin}."),
    (PROTECTED, f"({POLICY.snap_radius}, plus a keyed 0 to {POLICY.snap_jitter})"),
    (PROTECTED, f"{POLICY.max_published_cells:,} cells at most"),
    (PROTECTED, f"{POLICY.max_descriptions} descriptions at most"),
    (PUBLISH, f"**{POLICY.max_descriptions} descriptions au plus**"),
    (METHODS_FR, f"**{FLOOR_PATIENTS} patients** et **{FLOOR_PHYSICIANS} médecins**"),
    (METHODS_FR, f"{POLICY.noise_bound} au plus, {POLICY.noise_variance**0.5:.0f} environ en moyenne"),
    (METHODS_FR, f"au multiple de {POLICY.rounding_base}"),
    (METHODS_FR, f"(de {POLICY.snap_radius} à {POLICY.snap_radius + POLICY.snap_jitter} environ)"),
    (METHODS_FR, f"{POLICY.max_published_cells:,} cellules".replace(",", " ")),
    (METHODS, f"**{FLOOR_PATIENTS} patients** and **{FLOOR_PHYSICIANS} GPs**"),
    (METHODS, f"{POLICY.noise_bound} at most, about {POLICY.noise_variance**0.5:.0f} on average"),
    (METHODS, f"multiple of {POLICY.rounding_base}"),
    (METHODS, f"(about {POLICY.snap_radius} to {POLICY.snap_radius + POLICY.snap_jitter})"),
    (METHODS, f"{POLICY.max_published_cells:,} cells"),
    (RUN, f"{PORTS.capitalize()} ports in a row on the loopback, from {DEFAULTS.port}"),
    (RUN, f"from {DEFAULTS.workspace.first_uid} up"),
    (RUN, f"a log over {ROTATE_BYTES // 1024**2} MB"),
    (RUN, f"up to {LOG_BUDGET // 1024} KB an"),
    (FIRST, f"needs {FLOOR_PATIENTS} distinct contributing patients and {FLOOR_PHYSICIANS} GPs"),
    ("adr/0007-synthetic-presets.md", f"at most {BLOCK:,} patients"),
]


@pytest.mark.parametrize(("page", "sentence"), QUOTED)
def test_a_figure_is_that_of_the_code(page: str, sentence: str) -> None:
    assert sentence in (ROOT / "docs" / page).read_text(encoding="utf-8")


def test_every_rule_and_level_of_access_is_explained() -> None:
    page = (ROOT / "docs" / PROTECTED).read_text(encoding="utf-8")
    words = {reason: reason.value for reason in Reason} | {Reason.FREQUENCY: "threshold"}
    assert all(f"| {words[reason]} |" in page for reason in Reason)
    assert all(f"| `{level}` |" in page for level in AccessLevel)


def test_the_parts_of_a_home_are_those_that_commands_make(desk: Desk) -> None:
    """What the page tells to back up is what is there."""
    page = (ROOT / "docs" / RUN).read_text(encoding="utf-8")
    done = desk.run(
        "p4dp-enclave project create essai --title t --purpose p"
        " --access aggregate --table all --legal-basis x"
    )
    assert done.returncode == 0, done.stderr
    made = {entry.name for entry in desk.home.iterdir() if not entry.name.startswith(".")}
    assert {"warehouse", "governance.db", "audit", "keys", "logs", "hub"} <= made
    unsaid = [name for name in made if name not in page]
    assert unsaid == []
