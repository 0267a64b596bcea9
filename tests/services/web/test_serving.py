"""How a site starts: what it needs, and what it says where that is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import uvicorn

from hub_config.settings import Settings
from hub_config.up.house import RENEWABLE
from hub_config.web.hub import HubClient
from hub_config.web.serving import StartError, serve

HUB = {"JUPYTERHUB_API_URL": "http://127.0.0.1:1/hub/api", "JUPYTERHUB_API_TOKEN": "secret"}


def started(build: Any, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, list[Any]]:
    """The exit code, and what would have been served."""
    served: list[Any] = []
    monkeypatch.setattr(uvicorn.Server, "run", lambda self: served.append(self.config))
    return serve(lambda _: build(), lambda settings: settings.airlock_port, environ), served


def test_it_listens_on_the_loopback_and_writes_no_line_a_request(
    build: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, (configuration,) = started(build, {**HUB, "P4DP_HOME": str(tmp_path)}, monkeypatch)
    assert status == 0
    assert (configuration.host, configuration.port) == ("127.0.0.1", 8004)
    assert configuration.access_log is False, "an address may hold a code"
    assert isinstance(configuration.app.state.house.hub, HubClient)


@pytest.mark.parametrize("missing", sorted(HUB))
def test_without_a_hub_it_does_not_start_and_says_what_to_do(
    build: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, missing: str
) -> None:
    environ = {**HUB, "P4DP_HOME": str(tmp_path)}
    del environ[missing]
    status, served = started(build, environ, monkeypatch)
    assert status == 1 and served == []
    assert missing in capsys.readouterr().err


def test_what_a_service_lacks_is_said(tmp_path: Path, capsys: Any) -> None:
    def create(_: Settings) -> Any:
        raise StartError("the shelf is gone. Restore it.")

    assert serve(create, lambda settings: settings.register_port, {**HUB, "P4DP_HOME": str(tmp_path)}) == 1
    assert "the shelf is gone" in capsys.readouterr().err


def test_the_key_of_its_forms_is_its_own_and_may_be_made_anew(
    build: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restarted service still knows whose a form was; without its key, what was being written is lost."""
    environ = {**HUB, "P4DP_HOME": str(tmp_path)}
    _, (first,) = started(build, environ, monkeypatch)
    (tmp_path / "templates" / "note.html").unlink()
    (tmp_path / "templates").rmdir()
    _, (second,) = started(build, environ, monkeypatch)
    token = first.app.state.house.marks.token_for("ines")
    assert second.app.state.house.marks.is_for(token, "ines")
    assert (tmp_path / "keys" / "airlock-forms").stat().st_mode & 0o777 == 0o600
    assert {"airlock-forms", "register-forms"} <= RENEWABLE
