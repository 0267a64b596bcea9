"""Who may touch what: rows are written by the actions alone, so that no change goes round its audit event."""

from __future__ import annotations

import ast
from pathlib import Path

ENCLAVE = Path(__file__).parents[3] / "hub_config"
WRITERS = {
    "governance/actions.py",
    "governance/objections/actions.py",
    "governance/budgets.py",  # what noise has spent: an event of the gateway goes with each answer
}
ROOMS = (
    "ledger",
    "notebooks",
    "notices",
    "persons",
    "recontact",
    "register",
    "releases",
    "report_runs",
    "rights",
)
DECLARERS = {f"governance/{room}/models.py" for room in ROOMS} | {"governance/migrations/env.py"}
READERS = {
    "governance/recontact/requests.py",  # whether a project was closed for good
    "governance/register/reading.py",
    "governance/releases/holders.py",
    "governance/releases/reading.py",
    "governance/rights/actions.py",
    "governance/rights/entries.py",
}
PURE = ("facts", "charter", "rules", "terms", "problems")
IMPURE = {"os", "io", "time", "random", "secrets", "pathlib", "socket", "subprocess", "sqlalchemy", "duckdb"}


def imported(path: Path) -> set[str]:
    """Every module a file imports, and every name from one: `a.b` and `a.b.c` for `from a.b import c`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(module=str(module), names=names):
                found |= {module} | {f"{module}.{alias.name}" for alias in names}
    return found


def test_only_the_actions_touch_rows() -> None:
    users = {
        str(path.relative_to(ENCLAVE))
        for path in ENCLAVE.rglob("*.py")
        if "hub_config.governance.models" in imported(path)
    }
    assert users == WRITERS | DECLARERS | READERS


def test_readers_make_and_remove_no_row() -> None:
    """Of the tables of projects, members and objections; they have rows of their own, which they write."""
    for name in READERS:
        tree = ast.parse((ENCLAVE / name).read_text(encoding="utf-8"))
        rows = {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "hub_config.governance.models"
            for alias in node.names
        }
        assert rows, name
        calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        assert not rows & {func.id for func in calls if isinstance(func, ast.Name)}, name
        assert "delete" not in {func.attr for func in calls if isinstance(func, ast.Attribute)}, name


def test_decisions_are_pure() -> None:
    for name in PURE:
        tops = {module.split(".")[0] for module in imported(ENCLAVE / "governance" / f"{name}.py")}
        assert tops & IMPURE == set(), name


def test_only_the_commands_read_the_warehouse() -> None:
    """But for what a snapshot says of itself (`rolling`), for who is left out of the next one, for the keys
    that the next load seals with (`on_record`), and for the least that a centre needs (`centres`)."""
    governance = (ENCLAVE / "governance").rglob("*.py")
    readers = {
        path.name for path in governance if any("hub_config.warehouse" in name for name in imported(path))
    }
    assert readers == {"desk.py", "rolling.py", "leaving_out.py", "on_record.py", "centres.py"}
    shelf = imported(ENCLAVE / "governance" / "rolling.py") | imported(ENCLAVE / "warehouse" / "shelf.py")
    assert not any("duckdb" in name or name.startswith("hub_config.warehouse.snapshot") for name in shelf)
    users = {path.name for path in ENCLAVE.rglob("*.py") if "hub_config.governance.desk" in imported(path)}
    assert users <= {"commands.py", "__main__.py"}  # the register's: which centres there are to ask for
