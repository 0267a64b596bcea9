"""The walls of the house: what imports what, what the wheel holds, what the locks promise, what stands at
the top.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import hub_config
import p4dp_sdk

ROOT = Path(__file__).parents[2]
LOCKS = sorted([*ROOT.glob("images/*/requirements.txt"), ROOT / "tests/requirements.txt"])
TOP_LEVEL = {
    "pyproject.toml", "README.md", "p4dp_sdk", "hub_config", "images", "templates_notebooks", "tests", "docs",
    "Makefile", "LICENSE", "CHANGELOG.md", ".ci", ".gitignore",
}  # fmt: skip


def modules_after(statement: str) -> set[str]:
    """Names in sys.modules after `statement`, in a fresh interpreter."""
    code = f"{statement}\nimport sys; print('\\n'.join(sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(answer.stdout.split())


def test_nothing_else_stands_at_the_top_level() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.split("/")[0] for line in listed.splitlines()} <= TOP_LEVEL


def test_import_contracts_hold() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout


def test_import_contracts_can_break(tmp_path: Path) -> None:
    """The contracts have teeth: a SDK that imports the enclave is found."""
    for package in ("p4dp_sdk", "hub_config"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("")
    (tmp_path / "p4dp_sdk" / "leak.py").write_text("import hub_config\n")
    (tmp_path / ".importlinter").write_text(
        "[importlinter]\nroot_packages =\n  p4dp_sdk\n  hub_config\n"
        "[importlinter:contract:1]\nname = one\ntype = forbidden\n"
        "source_modules = p4dp_sdk\nforbidden_modules = hub_config\n"
    )
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 1


def test_importing_the_sdk_loads_no_heavy_library() -> None:
    heavy = {"ibis", "pandas", "pyarrow", "numpy", "matplotlib", "httpx", "lifelines", "sklearn"}
    assert not heavy & modules_after("import p4dp_sdk")


@pytest.mark.parametrize(
    "service", ["hub_config.gateway.app", "hub_config.spawner.spawner", "hub_config.cli"]
)
def test_the_enclave_loads_only_floor_0_of_the_sdk(service: str) -> None:
    loaded = {name for name in modules_after(f"import {service}") if name.startswith("p4dp_sdk.")}
    floor_0 = {"wire", "disclosure", "catalogue", "figures"}
    assert {name.split(".")[1] for name in loaded} <= floor_0


def test_the_wheel_holds_the_sdk_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"p4dp_sdk", "p4dp_sdk-0.1.0.dist-info"}
    assert "p4dp_sdk/py.typed" in names


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.parent.name)
def test_locks_pin_by_hash_and_name_no_index(lock: Path) -> None:
    text = lock.read_text()
    requirements = re.findall(r"^[a-z0-9][^\s=]*==\S+.*(?:\n    .*)*", text, flags=re.M)
    assert requirements
    assert all("--hash=sha256:" in requirement for requirement in requirements)
    assert "://" not in re.sub(r"#.*", "", text)
    assert "index-url" not in text


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.parent.name)
def test_the_slow_grammar_stays_out(lock: Path) -> None:
    """rfc3987-syntax costs 1.5 CPU-seconds at every process start."""
    assert "rfc3987-syntax==" not in lock.read_text()


def test_enclave_and_sdk_are_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert hub_config.__version__ == p4dp_sdk.__version__ == project["version"]


def test_no_path_of_a_machine_stands_in_the_tree() -> None:
    pattern = "(/wor[k]/|/roo[t]/[a-z.]|/hom[e]/[a-z]+/(src|dev))"
    found = subprocess.run(["git", "grep", "-nIE", pattern], cwd=ROOT, capture_output=True, text=True)
    assert found.stdout == ""
