"""The hub's spawner: one named server is one project's workspace, in a sandbox, or nothing at all.

At start, in this order: membership (governance store), home and user id, gateway token, binding and gateway
socket, then the launcher. Whatever fails undoes the rest and is told to the user in their language; nothing
starts half-protected. A start is on the audit chain before anybody can enter, a refused one and the end too.

A workspace lasts no longer than the right to it: while it runs, membership is looked up again, and whoever
lost it, or whose project was suspended or has expired, is stopped with what they had open.

Everything hangs on the hub's process: its death closes the launchers' stdin and kills them, and they take
their boxes along. A hub that starts again finds its servers ended, and clears what they left.
"""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jupyterhub.spawner import Spawner
from jupyterhub.utils import url_escape_path
from sqlalchemy import inspect
from traitlets import Integer, List, Unicode, default

from hub_config.boxes.entrance import bubblewrap
from hub_config.boxes.interpreter import NoEnvironment
from hub_config.governance.audit import AuditDiskFull, AuditFailure, Decision
from hub_config.governance.bindings import Binding, remove_binding, write_binding
from hub_config.governance.runs import Run
from hub_config.governance.services import is_service
from hub_config.isolation import own_uid_per_workspace
from hub_config.origins import to_own_origin, workspace_origin
from hub_config.settings import Settings, load_settings
from hub_config.spawner.admission import why_not_admitted
from hub_config.spawner.chronicle import Chronicle, address_of
from hub_config.spawner.egress import Egress
from hub_config.spawner.furnishing import (
    SERVER_CONFIG_INSIDE,
    SERVER_PORT,
    TEMPLATES_INSIDE,
    Place,
    furnish,
)
from hub_config.spawner.gateway import GatewaySilent, open_workspace_socket, refresh_bindings, tell_airlock
from hub_config.spawner.homes import UnusableName, prepare_entries, prepare_home
from hub_config.spawner.order import NotStarted, Order, Sent, Started, read_answer
from hub_config.spawner.problems import Problem, Refused
from hub_config.spawner.runs import as_run, prepare_run_home, token_seconds
from hub_config.spawner.tokens import SERVER_SCOPES, NoQueryRight, make_gateway_token, revoke_gateway_tokens
from hub_config.spawner.uids import NoUidLeft, UidRegister
from hub_config.spawner.variables import workspace_variables

CHECKOUT = Path(__file__).resolve().parents[2]
START_PAGE = "prise-en-main.ipynb"
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class P4DPSpawner(Spawner):  # type: ignore[misc]
    """Starts and stops the workspace of one user in one project."""

    environment_dir = Unicode(str(CHECKOUT / ".venv" / "workspace"), help="The workspaces' interpreter.").tag(
        config=True
    )
    templates_dir = Unicode(str(CHECKOUT / "templates_notebooks"), help="Notebooks every home is given.").tag(
        config=True
    )
    env_keep = List(Unicode(), [], help="Nothing of the hub's environment reaches a workspace.")

    poll_interval = Integer(5, help="Seconds between looks at a workspace, which may have died.").tag(
        config=True
    )

    admission_interval = Integer(
        15, help="Seconds after which a running workspace's right is looked up."
    ).tag(config=True)

    proxy_spec: str  # a trait of JupyterHub's
    run: Run | None = None
    """What a service's server is started for, given by the desk of reports in this process; nothing that
    comes with a request for a server can say so."""
    lost_right: Problem | None = None
    """Why what runs was ended: whose it is may not work here any more."""
    _launcher: asyncio.subprocess.Process | None = None
    _binding_id = ""
    _admitted_at = 0.0
    _end_noted = ""  # the binding whose end is on record
    _egress: Egress | None = None  # what the launcher counts on its way to the browser
    _where: str | None = None  # from where the person asked for it

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.name and self._hub_origin:
            self._take_own_origin()

    @default("server_token_scopes")  # type: ignore[untyped-decorator]
    def _server_token_scopes_default(self) -> list[str]:
        return list(SERVER_SCOPES)

    @default("default_url")  # type: ignore[untyped-decorator]
    def _default_url_default(self) -> str:
        return f"/lab/tree/{START_PAGE}" if (Path(self.templates_dir) / START_PAGE).exists() else "/lab"

    @property
    def settings(self) -> Settings:
        return load_settings()

    # where the browser finds it

    @property
    def _hub_origin(self) -> str:
        """Empty where the hub has no subdomains, as in some tests."""
        return str(self.user.settings.get("subdomain_host") or "")

    def _take_own_origin(self) -> None:
        """JupyterHub gives all servers of a person one subdomain. The hub asks its user object for a server's
        address, and knows no other place to say that each has its own."""
        user, shared_address = self.user, type(self.user).server_url
        user.server_url = lambda name="": to_own_origin(shared_address(user, name), self._hub_origin)
        host = urlsplit(workspace_origin(self._hub_origin, user.name, self.name)).hostname
        path = self.proxy_spec.partition("/")[2]
        self.proxy_spec = f"{host}/{path}"
        self.public_url = self.user.server_url(self.name)

    @property
    def _login_address(self) -> str:
        """Where the hub sends the browser back to after it told the workspace who it is."""
        return to_own_origin(f"{self.user.url}{url_escape_path(self.name)}/oauth_callback", self._hub_origin)

    def _log_in_at_own_origin(self) -> None:
        self.orm_spawner.oauth_client.redirect_uri = self._login_address
        inspect(self.orm_spawner).session.commit()

    # what the hub remembers of a running server

    def get_state(self) -> dict[str, Any]:
        state: dict[str, Any] = super().get_state()
        if self._binding_id:
            state["binding"] = self._binding_id
        return state

    def load_state(self, state: Mapping[str, Any]) -> None:
        super().load_state(state)
        self._binding_id = state.get("binding", "")

    def clear_state(self) -> None:
        super().clear_state()
        self._binding_id = ""

    # the hub's three questions

    async def start(self) -> str:
        """Start the workspace; where the proxy finds it. Raises Refused, with a text for the user."""
        settings, self._where = self.settings, address_of(self.handler)
        self.lost_right = None
        denied = self._why_no_server() or await self._why_not_admitted(settings)
        if denied is not None:
            await self._chronicle.does_not_begin(Decision.REFUSED, denied.value)
            raise Refused(denied, settings.language)
        try:
            return await self._start_admitted(settings)
        except BaseException as problem:
            await self._clear_away(settings)
            reason = problem.problem.value if isinstance(problem, Refused) else type(problem).__name__
            await self._chronicle.does_not_begin(Decision.FAILED, reason)
            raise

    async def poll(self) -> int | None:
        """None while the launcher runs for somebody who may work here. After a hub's restart there is none:
        they fall with the hub."""
        if self._launcher is not None and self._launcher.returncode is None:
            denied = await self._why_not_any_more()
            if denied is None:
                return None
            self.log.warning("%s: stopped, its user may not work here now: %s", self._log_name, denied)
            self.lost_right = denied
            await self._end(denied)
        status = 0 if self._launcher is None else self._launcher.returncode or 0
        if self._binding_id:
            await self._end("ended by itself")
        return status

    async def stop(self, now: bool = False) -> None:
        """Let the server close its kernels for a few seconds, then end the box whatever it does."""
        await self._end("asked", patience=0 if now else 8)

    async def ended(self) -> int:
        """Wait for the end of what was started; the box's exit code."""
        return 0 if self._launcher is None else await self._launcher.wait()

    # how

    def _why_no_server(self) -> Problem | None:
        """A service has servers for runs alone, and a person for none."""
        return None if is_service(self.user.name) is (self.run is not None) else Problem.NOT_A_MEMBER

    async def _why_not_admitted(self, settings: Settings) -> Problem | None:
        self._admitted_at = time.monotonic()
        today = date.today()
        return await asyncio.to_thread(why_not_admitted, settings, self.user.name, self.name, at=today)

    async def _why_not_any_more(self) -> Problem | None:
        """Looked up now and then. A register that is silent ends nothing: the gateway refuses meanwhile."""
        if time.monotonic() - self._admitted_at < self.admission_interval:
            return None
        denied = await self._why_not_admitted(self.settings)
        return None if denied is Problem.STORE_SILENT else denied

    async def _end(self, why: str, *, patience: float = 0) -> None:
        binding = self._binding_id
        await self._end_launcher(patience)
        await self._clear_away(self.settings)
        if binding not in ("", self._end_noted):
            self._end_noted = binding
            sent = None if self._egress is None else await self._egress.total()
            await self._chronicle.ended(binding=binding, reason=why, sent=sent)

    @property
    def _chronicle(self) -> Chronicle:
        return Chronicle(self.settings, self.user.name, self.name, self._where)

    async def _start_admitted(self, settings: Settings) -> str:
        try:
            place, uid = await asyncio.to_thread(self._prepare_place, settings)
            token = make_gateway_token(self.user.orm_user, self.name, seconds=token_seconds(self.run))
            await self._open_gateway(settings, place)
            if self._hub_origin:
                self._log_in_at_own_origin()
            order = self._order(settings, place, uid, token)
            await self._chronicle.begins(binding=self._binding_id, uid=uid)
        except (
            AuditFailure,
            OSError,
            UnusableName,
            NoUidLeft,
            NoQueryRight,
            GatewaySilent,
            NoEnvironment,
        ) as problem:
            self.log.error(
                "Workspace %s not started: %s: %s", self._log_name, type(problem).__name__, problem
            )
            raise Refused(_problem_of(problem), settings.language) from None
        match await self._launch(order):
            case Started(port):
                return f"http://127.0.0.1:{port}"
            case NotStarted(detail):
                self.log.error("Sandbox of %s not started: %s", self._log_name, detail)
                raise Refused(Problem.SANDBOX_UNAVAILABLE, settings.language)

    def _prepare_place(self, settings: Settings) -> tuple[Place, int | None]:
        user, project = self.user.name, self.name
        limits = settings.workspace
        uid = None
        if own_uid_per_workspace():
            register = UidRegister(settings.home / "workspace-uids.json", limits.first_uid, limits.uids)
            uid = register.uid_for(user, project)
        whose = (settings.homes_dir, project, user, uid)
        home = prepare_home(*whose) if self.run is None else prepare_run_home(*whose, self.run)
        self._binding_id = secrets.token_hex(8)
        place = Place(
            user,
            home,
            gateway=settings.sockets_dir / self._binding_id,
            hub=self._run_dir(settings) / "hub",
            codelists=settings.codelists_dir,
            codes=settings.codes_dir,
            entries=prepare_entries(settings.home, project),
        )
        for private in (
            settings.runtime_dir,
            settings.sockets_dir,
            settings.runtime_dir / "w",
            place.hub.parent,
        ):
            private.mkdir(exist_ok=True, mode=0o700)
        for shown in (place.gateway, place.hub):
            shown.mkdir()
            shown.chmod(0o755)
        return place, uid

    async def _open_gateway(self, settings: Settings, place: Place) -> None:
        registration = "" if self.run is None else self.run.registration
        binding = Binding(self._binding_id, self.user.name, self.name, self.name, registration)
        write_binding(settings.bindings_dir, binding)
        await open_workspace_socket(settings.gateway_control_socket, place.gateway)
        await tell_airlock(settings, self.log)

    def _order(self, settings: Settings, place: Place, uid: int | None, token: str) -> Order:
        environment, templates = Path(self.environment_dir), Path(self.templates_dir)
        variables = workspace_variables(self._hub_variables(), place, environment, token, settings.language)
        python = str(environment / "bin" / "python")
        order = Order(
            label=self._log_name,
            box=furnish(place, environment, templates, variables),
            command=(python, "-I", "-m", "jupyterhub.singleuser"),
            python=python,
            preparations=f"{SERVER_CONFIG_INSIDE}/inside.py",
            templates=TEMPLATES_INSIDE if templates.is_dir() else "",
            limits=_limits(settings),
            uid=uid,
            run_dir=self._run_dir(settings),
            hub=self.hub.api_url,
            server_port=SERVER_PORT,
            parent=os.getpid(),
            daily_bytes=settings.workspace.daily_bytes,
        )
        return order if self.run is None else as_run(order, place, environment, self.run, token)

    def _hub_variables(self) -> dict[str, str]:
        variables: dict[str, str] = self.get_env()
        return variables | (
            {"JUPYTERHUB_OAUTH_CALLBACK_URL": self._login_address} if self._hub_origin else {}
        )

    async def _launch(self, order: Order) -> Started | NotStarted:
        bubblewrap()
        self._launcher = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hub_config.spawner.launcher"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the hub, which stops its workspaces one by one
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(CHECKOUT), "LANG": "C.UTF-8"},
        )
        assert self._launcher.stdin is not None and self._launcher.stdout is not None  # noqa: S101 - for the types: both are PIPE
        self._launcher.stdin.write(order.to_json())
        answer = read_answer(await self._launcher.stdout.readline())
        self._egress = Egress(self._launcher.stdout, self._note_much_sent)
        return answer

    async def _note_much_sent(self, sent: Sent) -> None:
        await self._chronicle.sent_much(sent, binding=self._binding_id)

    async def _end_launcher(self, patience: float) -> None:
        launcher = self._launcher
        if launcher is None or launcher.returncode is not None:
            return
        if launcher.stdin is not None:
            launcher.stdin.close()
        try:
            await asyncio.wait_for(launcher.wait(), patience)
        except TimeoutError:
            with suppress(ProcessLookupError):
                launcher.kill()
            await launcher.wait()

    async def _clear_away(self, settings: Settings) -> None:
        """Leave nothing of this start: launcher, token, binding, sockets. May be called again."""
        await self._end_launcher(patience=0)
        revoke_gateway_tokens(self.user.orm_user, self.name)
        if not self._binding_id:
            return
        remove_binding(settings.bindings_dir, self._binding_id)
        shutil.rmtree(self._run_dir(settings), ignore_errors=True)
        try:
            await refresh_bindings(settings.gateway_control_socket)
        except GatewaySilent as problem:
            self.log.warning("The gateway was not told that %s ended: %s", self._log_name, problem)
        await tell_airlock(settings, self.log)
        shutil.rmtree(settings.sockets_dir / self._binding_id, ignore_errors=True)
        self._binding_id = ""

    def _run_dir(self, settings: Settings) -> Path:
        return settings.runtime_dir / "w" / self._binding_id


def _limits(settings: Settings) -> dict[str, int]:
    limits = settings.workspace
    return {
        "processes": limits.processes,
        "memory_bytes": limits.memory_bytes,
        "file_bytes": limits.file_bytes,
        "open_files": limits.open_files,
        "core_bytes": 0,
    }


def _problem_of(problem: Exception) -> Problem:
    match problem:
        case UnusableName():
            return Problem.UNUSABLE_NAME
        case NoQueryRight():
            return Problem.NO_QUERY_RIGHT
        case GatewaySilent():
            return Problem.GATEWAY_SILENT
        case NoEnvironment():
            return Problem.NO_ENVIRONMENT
        case AuditDiskFull():
            return Problem.DISK_FULL
        case OSError() if problem.errno in FULL:
            return Problem.DISK_FULL
        case AuditFailure():
            return Problem.NOT_RECORDED
        case NoUidLeft() | _:
            return Problem.HOME_UNUSABLE
