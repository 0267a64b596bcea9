"""Attack: go on working, with what the project's folder holds, after one's right to the project has ended.

The gateway refuses such a person at once; but the workspace itself, its kernels and its files must end too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from hub_config.governance import actions
from hub_config.governance.audit import read_records
from hub_config.governance.charter import MemberRole
from hub_config.governance.store import open_store
from tests.services.spawner.conftest import SmallHub, gone, launchers, until

pytestmark = pytest.mark.enclave

INES = ("ines", "these-ines")


def change(hub: SmallHub, action: Callable[..., Any], *arguments: Any) -> None:
    store = open_store(hub.settings)
    try:
        with store.change() as session:
            action(session, *arguments, audit=store.recorder("test"))
    finally:
        store.close()


def events(hub: SmallHub, what: str) -> list[tuple[str, str, str | None, str, dict[str, Any]]]:
    records = read_records(hub.settings.audit_dir, hub.settings.keys_dir)
    return [(r.who, r.what, r.project, r.decision, dict(r.details)) for r in records if r.what == what]


def start(hub: SmallHub) -> list[int]:
    assert hub.start_server(*INES).status_code in (201, 202), hub.log[-3000:]
    assert hub.server(*INES)["ready"]
    return launchers(hub)


def test_a_member_who_is_removed_is_out_of_the_running_workspace(small_hub: SmallHub) -> None:
    running = start(small_hub)
    time.sleep(3)
    assert small_hub.server(*INES)["ready"]  # looked up more than once, and still a member
    change(small_hub, actions.remove_member, *INES[::-1])
    try:
        until(lambda: not small_hub.server(*INES) and gone(running))
    finally:
        change(small_hub, actions.add_member, *INES[::-1], MemberRole.INTERNE)
    assert events(small_hub, "workspace.stop")[-1][4]["reason"] == "not-a-member"


def test_a_suspended_project_has_no_running_workspace(small_hub: SmallHub) -> None:
    running = start(small_hub)
    change(small_hub, actions.suspend, "these-ines")
    try:
        until(lambda: not small_hub.server(*INES) and gone(running))
    finally:
        change(small_hub, actions.approve, "these-ines")
    assert events(small_hub, "workspace.stop")[-1][4]["reason"] == "project-not-active"


def test_without_a_second_look_they_work_on(small_hub_that_looks_once: SmallHub) -> None:
    """Power of the tests above."""
    hub = small_hub_that_looks_once
    start(hub)
    change(hub, actions.remove_member, *INES[::-1])
    time.sleep(5)
    assert hub.server(*INES)["ready"]
    assert hub.run(*INES, "import os; print(os.listdir('.') != [])") == "True\n"


def test_starts_and_ends_are_on_the_audit_chain(small_hub: SmallHub) -> None:
    start(small_hub)
    who, _, project, decision, details = events(small_hub, "workspace.start")[-1]
    assert (who, project, decision) == ("ines", "these-ines", "allowed")
    small_hub.ask("DELETE", "/hub/api/users/ines/servers/these-ines")
    until(lambda: not small_hub.server(*INES))
    ends = [
        event for event in events(small_hub, "workspace.stop") if event[4]["binding"] == details["binding"]
    ]
    assert [(end[0], end[2], end[4]["reason"]) for end in ends] == [("ines", "these-ines", "asked")]
    assert ends[0][4]["bytes"] > 0, "what went to the browser, by the launcher's count"


def test_a_refused_start_is_on_the_audit_chain(small_hub: SmallHub) -> None:
    assert small_hub.start_server("ines", "modeles-rachid").status_code == 403
    who, _, project, decision, details = events(small_hub, "workspace.start")[-1]
    assert (who, project, decision, details) == (
        "ines", "modeles-rachid", "refused", {"reason": "not-a-member"},
    )  # fmt: skip


def test_what_cannot_be_recorded_does_not_start(small_hub: SmallHub) -> None:
    head = small_hub.settings.audit_dir / "head.json"
    kept = head.read_bytes()
    head.write_bytes(b"not a head")
    try:
        answer = small_hub.start_server(*INES)
    finally:
        head.write_bytes(kept)
    assert answer.status_code == 503, answer.text
    assert launchers(small_hub) == []
    assert start(small_hub)
    small_hub.ask("DELETE", "/hub/api/users/ines/servers/these-ines")
