"""One typed settings object for the whole enclave, from a TOML file and the environment. Unknown keys are
errors.

Read order, later wins: defaults; `$P4DP_HOME/enclave.toml` (or the file named by `P4DP_CONFIG`);
`P4DP_PORT`. Secrets are never settings: they live in `keys/` (files of mode 600) or in the environment.
`docs/reference/settings.md` is made from the descriptions here.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hub_config.origins import service_origin
from p4dp_sdk.disclosure.policy import RANGES, Policy

LOWEST_PORT, HIGHEST_PORT = 1024, 65000
PORT_REMEDY = (
    f"not a port that the enclave can use. Set it to a whole number from {LOWEST_PORT} to {HIGHEST_PORT}, "
    "for example P4DP_PORT=9000."
)


class BadSettings(Exception):
    """The settings can't be used; the message names the file, the key and the remedy."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _ruled(key: str, description: str) -> Any:
    """A key of Policy, with its default and the range that Policy itself holds it to."""
    low, high = RANGES[key]
    return Field(default=getattr(Policy(), key), ge=low, le=high, description=description)


class PolicySettings(_Section):
    """The site's floor. A project may be stricter, never looser. Each key is explained in [the methods of
    protection](../explanation/protection-methods.md)."""

    min_patients: int = _ruled("min_patients", "Fewest patients behind a number that is shown.")
    min_physicians: int = _ruled("min_physicians", "Fewest GPs behind a number that is shown.")
    min_outside: int = _ruled("min_outside", "Fewest patients outside the GP who has most of a count.")
    max_physician_share: float = _ruled("max_physician_share", "Most that one GP may make up of a sum.")
    dominance_n: int = _ruled("dominance_n", "Of the (n,k) rule: so many largest contributors…")
    dominance_k: float = _ruled("dominance_k", "… may make up at most this share of a sum.")
    p_percent: float = _ruled("p_percent", "A sum less its two largest: at least this share of the largest.")
    max_published_cells: int = _ruled("max_published_cells", "Cells of one publication table.")
    max_descriptions: int = _ruled("max_descriptions", "Descriptions that may say whom it counts.")
    method: Literal["cell-key", "rounding"] = Field(
        default=Policy().method.value, description="How the counts of a draft are blurred."
    )
    noise_bound: int = _ruled("noise_bound", "Most by which `cell-key` changes a count.")
    noise_variance: float = _ruled("noise_variance", "Variance of that change.")
    magnitude_scale: float = _ruled("magnitude_scale", "Noise of a sum, in its largest contributions.")
    threshold_deviations: float = _ruled(
        "threshold_deviations", "In drafts a blurred number must be over its limit by so much, in noise."
    )
    rounding_base: int = _ruled("rounding_base", "`rounding` gives multiples of it.")
    snap_radius: int = _ruled("snap_radius", "A difference to an earlier answer is few up to so many…")
    snap_jitter: int = _ruled("snap_jitter", "… and up to so many more, by a secret draw.")
    snap_physicians: int = _ruled("snap_physicians", "A difference within so many GPs is withheld.")

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        self.policy()
        return self

    def policy(self, **more: int) -> Policy:
        """As the gateway's rules take it. `more`: what stands elsewhere in the settings (`max_cells`)."""
        return Policy.from_mapping({**self.model_dump(), **more})


class NoiseSettings(_Section):
    """Privacy budgets of noisy answers, for each project and each person, and each snapshot."""

    total_epsilon: float = Field(default=4.0, gt=0, le=100, description="What may be spent altogether.")
    question_epsilon: float = Field(
        default=1.0, gt=0, le=10, description="The most that one question may cost."
    )


class LimitSettings(_Section):
    """What one query may cost."""

    request_bytes: int = Field(default=256 * 1024, description="Size of a query as it travels.")
    depth: int = Field(default=200, description="Operations on top of one another.")
    nodes: int = Field(default=2_000, description="Operations of a query.")
    cells: int = Field(
        default=100_000, ge=1, le=1_000_000, description="Groups of all the tables that a query releases."
    )
    seconds: float = Field(default=120.0, description="Time to compute an answer.")
    memory_bytes: int = Field(default=4 * 1024**3, description="Memory of the engine of one snapshot.")


class IdentitySettings(_Section):
    """`demo` starts the laptop's own provider; `oidc` uses the institution's (Keycloak)."""

    provider: Literal["demo", "oidc"] = Field(default="demo", description="Who knows the people.")
    issuer: str | None = Field(default=None, description="Issuer of the id tokens; needed with `oidc`.")
    client_id: str = Field(default="p4dp-hub", description="The hub's name at the provider.")
    required_amr: tuple[str, ...] = Field(
        default=("mfa",), description="Methods that must all stand in `amr` (with `oidc`)."
    )
    accepted_acr: tuple[str, ...] = Field(
        default=(), description="Levels of `acr`, one of which is enough (with `oidc`)."
    )
    refresh_seconds: int = Field(default=20, description="How soon a removed person is out.")
    logout_url: str = Field(default="", description="Where leaving the hub leads (with `oidc`).")

    @model_validator(mode="after")
    def _names_a_provider_that_asks_twice(self) -> Self:
        if self.provider == "oidc" and not self.issuer:
            raise ValueError("`oidc` needs `issuer`, the institution's provider")
        if not self.required_amr and not self.accepted_acr:
            raise ValueError("a second factor is needed: set `required_amr` or `accepted_acr`")
        return self


class WorkspaceSettings(_Section):
    """What one workspace may take, and the user ids that workspaces run under when the enclave runs as root.

    Limits are per process, but `processes`, which counts all of a workspace's processes and threads.
    """

    processes: int = Field(default=1024, description="Processes and threads together.")
    memory_bytes: int = Field(default=8 * 1024**3, description="Address space of one process.")
    file_bytes: int = Field(default=4 * 1024**3, description="Size of one file.")
    open_files: int = Field(default=4096, description="Open files of one process.")
    first_uid: int = Field(default=70_000, ge=1000, description="First user id given to workspaces, as root.")
    uids: int = Field(default=20_000, description="How many user ids may be given.")
    start_seconds: int = Field(default=60, description="Time a workspace has to start.")
    daily_bytes: int = Field(
        default=512 * 1024**2, ge=1024**2, description="Sent to a browser in a day, it is noted in the log."
    )


class ReportSettings(_Section):
    """What one headless run of a notebook may take; its processes and memory are a workspace's."""

    seconds: int = Field(default=900, ge=10, le=86_400, description="Time of a run, from start to end.")
    output_bytes: int = Field(
        default=64 * 1024**2, ge=1024, description="Size of the executed notebook, and of its HTML."
    )


class WebSettings(_Section):
    """Pages of the airlock and of the register."""

    session_hours: int = Field(default=12, ge=1, le=24, description="A login lasts no longer than that.")
    idle_minutes: int = Field(default=60, ge=1, le=720, description="Nor longer than that without a page.")


class AirlockSettings(_Section):
    """What may leave, and how many physicians look at it first."""

    file_bytes: int = Field(default=16 * 1024**2, ge=1024, description="Size of one file that leaves.")
    files: int = Field(default=40, ge=1, le=200, description="Files of one request.")
    rows: int = Field(default=5_000, ge=1, description="Rows of a table that leaves.")
    check_memory_bytes: int = Field(
        default=1024**3, ge=256 * 1024**2, description="Memory of the process that looks into a file."
    )
    check_seconds: float = Field(default=60.0, ge=1, description="Time it has for one file.")
    born_safe_at_once: bool = Field(
        default=False,
        description="Whether signed tables whose every word the enclave wrote leave without a look.",
    )
    row_months: int = Field(
        default=24, ge=24, le=240, description="So long after they held rows, nobody's output leaves at once."
    )
    reminder_days: int = Field(
        default=5, ge=1, le=60, description="Working days until a reviewer is reminded, and again."
    )
    alerts: tuple[str, ...] = Field(
        default=(), description="Who is told when a kept file has changed, or a release is recalled: the DPO."
    )
    draft_days: int = Field(
        default=30, ge=1, description="A draft nobody touches is withdrawn after so long."
    )


class MailSettings(_Section):
    """How notices leave. Without `host` they show in the browser only. The password is in the environment
    (`P4DP_SMTP_PASSWORD`) or in `keys/smtp-password`, of mode 600."""

    host: str = Field(default="", description="SMTP server.")
    port: int = Field(default=587, ge=1, le=65_535, description="Its port.")
    starttls: bool = Field(default=True, description="Whether to encrypt; a server that can't is refused.")
    sender: str = Field(default="", description="Address the notices come from; needed with `host`.")
    username: str = Field(default="", description="Who logs in there; empty: nobody.")
    domain: str = Field(
        default="", description="A person's address is `<name>@<domain>`, unless the name is an address."
    )
    seconds: float = Field(default=20.0, gt=0, le=120, description="Time one delivery may take.")

    @model_validator(mode="after")
    def _says_from_whom(self) -> Self:
        if self.host and "@" not in self.sender:
            raise ValueError("`host` needs `sender`, the address notices come from")
        if self.username and not self.starttls and self.host not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError("a password travels encrypted only: set `starttls`")
        return self


class AuditSettings(_Section):
    """How long the audit log is kept, and where its end is noted outside. The register's process notes it
    daily and drops what is too old monthly; `p4dp-enclave audit anchor` and `audit prune` do it at once."""

    keep_months: int = Field(default=12, ge=12, le=120, description="How long events are kept, in months.")
    anchor_file: Path | None = Field(
        default=None, description="File the log's end is noted in; on another machine's disk, if it can be."
    )
    anchor_mail: str = Field(
        default="", pattern=r"^$|^[^@\s]+@[^@\s]+$", description="Address it is mailed to, by `mail`."
    )


class ProjectSettings(_Section):
    """Who is responsible for the processing, and how projects are decided on and looked at again."""

    controller: str = Field(
        default="Collège national des généralistes enseignants (CNGE)",
        min_length=1,
        description="Controller, as the register names it.",
    )
    controller_contact: str = Field(default="", description="How to reach the controller.")
    dpo_contact: str = Field(default="", description="How to reach the data protection officer.")
    objection_contact: str = Field(
        default="", description="Where the public page sends who objects; empty: to their GP's practice."
    )
    quorum: int = Field(
        default=2, ge=1, le=50, description="Fewest members of the committee who vote on a project."
    )
    charter: bool = Field(
        default=True, description="Whether everyone accepts the charter before their first workspace."
    )
    renewal_notice_days: int = Field(
        default=60, ge=1, le=365, description="So long before its end a project is reminded to renew."
    )
    review_months: int = Field(
        default=12, ge=1, le=24, description="How often a project's members are confirmed."
    )
    review_grace_days: int = Field(
        default=30, ge=0, le=180, description="So long after that date an unconfirmed project is suspended."
    )
    review_suspends: bool | None = Field(
        default=None,
        description="Whether it is suspended by itself. Unset: yes, but not with the demo accounts.",
    )


class Settings(_Section):
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
