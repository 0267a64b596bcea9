"""One typed settings object for the whole enclave, from a TOML file and the environment. Unknown keys are
errors.

Read order, later wins: defaults; `$P4DP_HOME/enclave.toml` (or the file named by `P4DP_CONFIG`);
`P4DP_PORT`. Secrets are never settings: they live in `keys/` (files of mode 600) or in the environment.
The sections stand in `sections`; `docs/reference/settings.md` is made from the descriptions there and here.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from hub_config.origins import service_origin
from hub_config.sections import (
    AirlockSettings,
    AuditSettings,
    IdentitySettings,
    LimitSettings,
    MailSettings,
    NoiseSettings,
    PolicySettings,
    ProjectSettings,
    ReportSettings,
    Section,
    WarehouseSettings,
    WebSettings,
    WorkspaceSettings,
)

LOWEST_PORT, HIGHEST_PORT = 1024, 65000
PORT_REMEDY = (
    f"not a port that the enclave can use. Set it to a whole number from {LOWEST_PORT} to {HIGHEST_PORT}, "
    "for example P4DP_PORT=9000."
)


class BadSettings(Exception):
    """The settings can't be used; the message names the file, the key and the remedy."""


class Settings(Section):
    home: Path
    port: int = Field(
        default=8000,
        ge=LOWEST_PORT,
        le=HIGHEST_PORT,
        description="First of six ports in a row, on the loopback.",
    )
    hostname: str = Field(
        default="p4dp.localhost", description="Name people open; workspaces at `<project>--<person>.<name>`."
    )
    database_url: str | None = Field(
        default=None, description="PostgreSQL of the governance store; without it, SQLite in the home."
    )
    language: Literal["fr", "en"] = Field(
        default="fr", description="Language of screens until a person chooses."
    )
    policy: PolicySettings = PolicySettings()
    noise: NoiseSettings = NoiseSettings()
    limits: LimitSettings = LimitSettings()
    identity: IdentitySettings = IdentitySettings()
    workspace: WorkspaceSettings = WorkspaceSettings()
    reports: ReportSettings = ReportSettings()
    airlock: AirlockSettings = AirlockSettings()
    mail: MailSettings = MailSettings()
    web: WebSettings = WebSettings()
    audit: AuditSettings = AuditSettings()
    projects: ProjectSettings = ProjectSettings()
    warehouse: WarehouseSettings = WarehouseSettings()

    @property
    def identity_port(self) -> int:
        return self.port + 1

    @property
    def hub_url(self) -> str:
        """Where people go. Each workspace has its own origin below it: `<user>.<hostname>`."""
        return _origin(self.hostname, self.port)

    def service_url(self, service: str) -> str:
        """The origin of the pages of `service` (see `origins.SERVICES`), without a slash at the end."""
        return service_origin(self.hub_url, service)

    @property
    def issuer(self) -> str:
        """The identity provider's issuer: the institution's, else the laptop's own."""
        return self.identity.issuer or _origin("identity.localhost", self.identity_port)

    @property
    def hub_api_port(self) -> int:
        """Loopback; the proxy and the workspaces' relays speak to the hub here."""
        return self.port + 2

    @property
    def proxy_api_port(self) -> int:
        """Loopback, with a password; the hub asks the proxy here whether a route is in place."""
        return self.port + 3

    @property
    def airlock_port(self) -> int:
        """Loopback; the proxy hands on what comes to the airlock's own origin."""
        return self.port + 4

    @property
    def register_port(self) -> int:
        """Loopback; the proxy hands on what comes to the register's own origin."""
        return self.port + 5

    @property
    def service_ports(self) -> Mapping[str, int]:
        """Of the services with pages (see `origins.SERVICES`)."""
        return {"airlock": self.airlock_port, "register": self.register_port}

    @property
    def required_amr(self) -> tuple[str, ...]:
        """The laptop's provider proves both factors by name; an institution's as it is set up to."""
        return ("pwd", "otp", "mfa") if self.identity.provider == "demo" else self.identity.required_amr

    @property
    def logout_url(self) -> str:
        """Where leaving the hub leads: the laptop's provider is left too, an institution's is not ours to
        end."""
        return f"{self.issuer}/logout" if self.identity.provider == "demo" else self.identity.logout_url

    @property
    def governance_url(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'governance.db'}"

    @property
    def runtime_dir(self) -> Path:
        """Sockets live here: a short path (a unix socket's may not exceed 107 bytes), private to this
        enclave."""
        base = os.environ.get("P4DP_RUNTIME_DIR") or os.environ.get("XDG_RUNTIME_DIR") or "/tmp"  # noqa: S108
        return Path(base) / f"p4dp-{os.getuid()}-{hashlib.sha256(str(self.home).encode()).hexdigest()[:8]}"

    @property
    def sockets_dir(self) -> Path:
        """`<binding id>/gateway.sock` and `…/airlock.sock` for each running workspace; the directory of one
        binding is mounted into it."""
        return self.runtime_dir / "s"

    @property
    def bindings_dir(self) -> Path:
        return self.runtime_dir / "bindings"

    @property
    def gateway_control_socket(self) -> Path:
        return self.runtime_dir / "gateway.sock"

    @property
    def airlock_control_socket(self) -> Path:
        return self.runtime_dir / "airlock.sock"

    @property
    def warehouse_dir(self) -> Path:
        return self.home / "warehouse"

    @property
    def audit_dir(self) -> Path:
        return self.home / "audit"

    @property
    def keys_dir(self) -> Path:
        return self.home / "keys"

    @property
    def publication_keys_dir(self) -> Path:
        """`<fingerprint>.pem`: public keys that verify publication tables, that in use and all before."""
        return self.home / "publication-keys"

    @property
    def releases_dir(self) -> Path:
        """`<aa>/<sha256>`: files asked to leave, read by the airlock only."""
        return self.home / "releases"

    @property
    def homes_dir(self) -> Path:
        return self.home / "homes"

    @property
    def codelists_dir(self) -> Path:
        """`<id>/<version>.toml`: lists that all projects share; mounted read-only into workspaces."""
        return self.home / "codelists"

    @property
    def codes_dir(self) -> Path:
        """`<system>.csv`: tables of codes that operators loaded; mounted read-only into workspaces."""
        return self.home / "codes"

    @property
    def reports_dir(self) -> Path:
        return self.home / "reports"


def _origin(hostname: str, port: int) -> str:
    """On a laptop plain HTTP on the loopback; elsewhere TLS ends before the enclave's port."""
    return f"http://{hostname}:{port}" if hostname.endswith("localhost") else f"https://{hostname}"


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this enclave.

    Raises BadSettings for an unknown key, a bad value or an unreadable file.
    """
    home = Path(environ.get("P4DP_HOME") or ".p4dp").absolute()
    path = Path(environ.get("P4DP_CONFIG") or home / "enclave.toml")
    values = _read_toml(path) if path.exists() or "P4DP_CONFIG" in environ else {}
    if "P4DP_PORT" in environ:
        values["port"] = environ["P4DP_PORT"]
    try:
        return Settings(home=home, **values)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        raise BadSettings(_explain(error, path)) from None
    except TypeError:
        raise BadSettings(
            f"{path}: `home` is not a setting; set P4DP_HOME in the environment instead."
        ) from None


def _read_toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise BadSettings(f"Settings file {path} can't be read: {error.strerror}.") from None
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"Settings file {path} is not valid TOML: {error}.") from None


def _explain(error: ValidationError, path: Path) -> str:
    """Each key, what is wrong with it, and what to write instead; the port may come from two places."""
    lines = []
    for item in error.errors():
        key = ".".join(str(part) for part in item["loc"])
        lines.append(f"  {key}: {PORT_REMEDY if key == 'port' else item['msg']}")
    return f"Settings refused ({path} or P4DP_PORT):\n" + "\n".join(lines)
