"""The sections of the settings: each a table of the TOML file, its keys with their defaults and descriptions.

Unknown keys are errors. `docs/reference/settings.md` is made from the descriptions here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from p4dp_sdk.disclosure.policy import RANGES, Policy

_ADDRESSES: Final = {  # by engine: how it may begin, and one as an example
    "postgresql": (("postgresql://", "postgres://"), "postgresql://host:5432/database"),
    "spark": (("sc://",), "sc://host:15002"),
    "trino": (("trino://",), "trino://host:8443/catalog"),
}


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _ruled(key: str, description: str) -> Any:
    """A key of Policy, with its default and the range that Policy itself holds it to."""
    low, high = RANGES[key]
    return Field(default=getattr(Policy(), key), ge=low, le=high, description=description)


class PolicySettings(Section):
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


class NoiseSettings(Section):
    """Privacy budgets of noisy answers, for each project and each person, and each snapshot."""

    total_epsilon: float = Field(default=4.0, gt=0, le=100, description="What may be spent altogether.")
    question_epsilon: float = Field(
        default=1.0, gt=0, le=10, description="The most that one question may cost."
    )


class LimitSettings(Section):
    """What one query may cost."""

    request_bytes: int = Field(default=256 * 1024, description="Size of a query as it travels.")
    depth: int = Field(default=200, description="Operations on top of one another.")
    nodes: int = Field(default=2_000, description="Operations of a query.")
    cells: int = Field(
        default=100_000, ge=1, le=1_000_000, description="Groups of all the tables that a query releases."
    )
    seconds: float = Field(default=120.0, description="Time to compute an answer.")
    memory_bytes: int = Field(default=4 * 1024**3, description="Memory of the engine of one snapshot.")


class WarehouseSettings(Section):
    """Where questions are asked of a snapshot. The gateway's password is in `keys/warehouse-password`, of
    mode 600, or in the environment (`P4DP_WAREHOUSE_PASSWORD`); the publisher's in
    `keys/warehouse-publisher-password` (`P4DP_WAREHOUSE_PUBLISHER_PASSWORD`)."""

    engine: Literal["duckdb", "postgresql", "spark", "trino"] = Field(
        default="duckdb",
        description="`duckdb` reads the snapshot's own file; the others what was published to them.",
    )
    address: str = Field(
        default="",
        description="`postgresql://host:5432/database`, `sc://host:15002` (Spark Connect) or "
        "`trino://host:8443/catalog`: no user, no password. Needed elsewhere.",
    )
    directory: str = Field(
        default="", description="Where a cluster sees the snapshots, if not as the enclave does; path or URL."
    )
    user: str = Field(default="p4dp_gateway", min_length=1, description="Role that the gateway reads as.")
    publisher: str = Field(
        default="p4dp_publisher", min_length=1, description="Role that `warehouse publish` writes as."
    )
    keep: int = Field(
        default=12, ge=1, description="Newest snapshots of each population that `snapshot purge` keeps."
    )
    silence_share: float = Field(
        default=0.2, ge=0, lt=1, description="A practice's month with so little of its usual is quiet."
    )
    silence_least: float = Field(
        default=20, gt=0, description="Contacts to be expected before quiet months are silence."
    )
    inactive_days: int = Field(
        default=730, ge=1, description="Days without contact after which a patient is no longer observed."
    )

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if self.engine != "duckdb" and not self.address:
            raise ValueError(f"`{self.engine}` needs `address`, where it is")
        if self.address and "@" in self.address:
            raise ValueError("`address` holds no user and no password: set `user`; the password is a key")
        if self.engine != "duckdb":
            begins, such = _ADDRESSES[self.engine]
            catalog = urlsplit(self.address).path.strip("/")
            if not self.address.startswith(begins) or (self.engine == "trino" and not catalog):
                raise ValueError(f"the address of `{self.engine}` is such as `{such}`")
        return self


class IdentitySettings(Section):
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


class WorkspaceSettings(Section):
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


class ReportSettings(Section):
    """What one headless run of a notebook may take; its processes and memory are a workspace's."""

    seconds: int = Field(default=900, ge=10, le=86_400, description="Time of a run, from start to end.")
    output_bytes: int = Field(
        default=64 * 1024**2, ge=1024, description="Size of the executed notebook, and of its HTML."
    )


class WebSettings(Section):
    """Pages of the airlock and of the register."""

    session_hours: int = Field(default=12, ge=1, le=24, description="A login lasts no longer than that.")
    idle_minutes: int = Field(default=60, ge=1, le=720, description="Nor longer than that without a page.")


class AirlockSettings(Section):
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


class MailSettings(Section):
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


class AuditSettings(Section):
    """How long the audit log is kept, and where its end is noted outside. The register's process notes it
    daily and drops what is too old monthly; `p4dp-enclave audit anchor` and `audit prune` do it at once."""

    keep_months: int = Field(default=12, ge=12, le=120, description="How long events are kept, in months.")
    anchor_file: Path | None = Field(
        default=None, description="File the log's end is noted in; on another machine's disk, if it can be."
    )
    anchor_mail: str = Field(
        default="", pattern=r"^$|^[^@\s]+@[^@\s]+$", description="Address it is mailed to, by `mail`."
    )


class ProjectSettings(Section):
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
