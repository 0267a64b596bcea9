"""Prepare and describe the laptop's identity provider: its configuration, its keys, its people, its command.

State is in `$P4DP_HOME/identity/` (0700, files 0600). It is built whole beside its place and moved there at
the end: killed half-way it starts afresh. Passwords reach the provider through a pipe, never through
arguments or logs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from hub_config.identity.accounts import DEMO, Demo, Secrets, ensure_accounts, newcomers, read_accounts
from hub_config.keys import ensure_key, write_private
from hub_config.settings import Settings

APPLICATION = Path(__file__).with_name("demo_provider") / "enclave_provider.py"
THEME = APPLICATION.with_name("theme")
STATE = ("accounts.json", "jwks.json", "canaille.toml", "canaille.sqlite")
SCOPES = ("openid", "profile", "groups")


class ProviderProblem(Exception):
    """The provider can't be prepared; the message says what to do."""


def directory(settings: Settings) -> Path:
    return settings.home / "identity"


def accounts_file(settings: Settings) -> Path:
    return directory(settings) / "accounts.json"


def environment_of(checkout: Path) -> Path:
    """The provider's own Python environment."""
    return checkout / ".venv" / "identity"


def client_secret(settings: Settings) -> str:
    """What the hub proves itself with: generated for the demo, put in `keys/` by the operator elsewhere."""
    path = settings.keys_dir / "oidc-client-secret"
    if settings.identity.provider == "oidc" and not path.exists():
        raise ProviderProblem(f"Write the client secret that your provider gave into {path} (mode 600).")
    return ensure_key(settings.keys_dir, "oidc-client-secret")


def prepare(settings: Settings, checkout: Path) -> bool:
    """Make what the provider needs. Returns whether accounts were created now (their passwords are new)."""
    place = directory(settings)
    if _is_ready(place):
        _invite(settings, checkout, place)
        _write_config(settings, place, place)
        _follow_address(settings, checkout, place)
        return False
    with _draft(place) as draft:
        accounts = ensure_accounts(draft / "accounts.json")
        write_private(draft / "jwks.json", json.dumps(_signing_key()))
        _write_config(settings, draft, draft)
        run_canaille(checkout, draft, "install")
        people = _people(DEMO, accounts) | {"client": [_client(settings)]}
        run_canaille(checkout, draft, "restore", stdin=json.dumps(people))
        write_private(draft / "hub-address", settings.hub_url)
        _write_config(settings, draft, place)
    return True


def _invite(settings: Settings, checkout: Path, place: Path) -> None:
    """Give those an account who joined the demonstration since this home was made."""
    known = read_accounts(place / "accounts.json")
    new = newcomers(known)
    if not new:
        return
    there = {demo.group for demo in DEMO if demo.username in known}
    with _draft(place) as draft:
        shutil.copytree(place, draft, dirs_exist_ok=True)
        _write_config(settings, draft, draft)
        people = _people(new, ensure_accounts(draft / "accounts.json"))
        people["group"] = [group for group in people["group"] if group["display_name"] not in there]
        run_canaille(checkout, draft, "restore", stdin=json.dumps(people))
        for demo in new:
            if demo.group in there:
                run_canaille(checkout, draft, "set", "user", demo.username, "--groups", _id(demo.group))
        _write_config(settings, draft, place)


@contextmanager
def _draft(place: Path) -> Iterator[Path]:
    """A directory beside `place`, which takes its place at the end, or leaves nothing behind."""
    draft = place.with_name(f".identity-{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    try:
        yield draft
        shutil.rmtree(place, ignore_errors=True)
        draft.rename(place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def command(settings: Settings, checkout: Path) -> list[str]:
    """One process, loopback only, no worker that could be orphaned."""
    python = environment_of(checkout) / "bin" / "python"
    bind = f"127.0.0.1:{settings.identity_port}"
    return [str(python), "-m", "hypercorn", "--workers", "0", "--bind", bind, f"{APPLICATION}:create_app()"]


def environment(settings: Settings) -> dict[str, str]:
    """`AUTHLIB_INSECURE_TRANSPORT`: plain HTTP is allowed because the provider listens on the loopback
    only.
    """
    return {
        **_base_environment(directory(settings)),
        "P4DP_HUB_URL": settings.hub_url,
        "AUTHLIB_INSECURE_TRANSPORT": "1",
    }


def _base_environment(place: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "CANAILLE_CONFIG": str(place / "canaille.toml"), "PYTHONDONTWRITEBYTECODE": "1"}


def _is_ready(place: Path) -> bool:
    return all((place / name).exists() for name in STATE)


def _follow_address(settings: Settings, checkout: Path, place: Path) -> None:
    """The hub moved (P4DP_PORT): logins must come back to where it is now, and nowhere else."""
    record = place / "hub-address"
    if record.exists() and record.read_text() == settings.hub_url:
        return
    callback = f"{settings.hub_url}/hub/oauth_callback"
    changes = ("--redirect-uris", callback, "--client-uri", settings.hub_url)
    run_canaille(checkout, place, "set", "client", settings.identity.client_id, "--quiet", *changes)
    write_private(record, settings.hub_url)


def _signing_key() -> dict[str, str]:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key = jwt.algorithms.RSAAlgorithm.to_jwk(private, as_dict=True)
    wanted = ("kty", "n", "e", "d", "p", "q", "dp", "dq", "qi")
    return {"kid": uuid.uuid4().hex, "use": "sig", "alg": "RS256"} | {name: key[name] for name in wanted}


def _write_config(settings: Settings, where: Path, state: Path) -> None:
    """Write the provider's configuration to `where` for a database that is (or will be) in `state`."""
    key = json.loads((where / "jwks.json").read_text())
    origin = settings.issuer.removeprefix("http://")
    write_private(
        where / "canaille.toml",
        f"""SECRET_KEY = "{ensure_key(settings.keys_dir, "identity-session")}"
SERVER_NAME = "{origin}"
PREFERRED_URL_SCHEME = "http"
SESSION_COOKIE_SAMESITE = "Lax"
PERMANENT_SESSION_LIFETIME = "PT12H"
DEBUG = false
[CANAILLE]
NAME = "P4DP (démonstration)"
LOGO = "/static/p4dp.svg"
FAVICON = "/static/p4dp.svg"
THEME = {json.dumps(str(THEME))}
LOGIN_ATTRIBUTES = ["user_name"]
LANGUAGE = "{settings.language}"
AUTHENTICATION_FACTORS = ["password", "otp"]
ENABLE_REGISTRATION = false
ENABLE_PASSWORD_RECOVERY = false
ENABLE_INTRUDER_LOCKOUT = true
HTMX = false
JAVASCRIPT = false
[CANAILLE.ACL.DEFAULT]
PERMISSIONS = ["use_oidc"]
READ = ["user_name", "groups"]
WRITE = []
[CANAILLE_SQL]
DATABASE_URI = {json.dumps(f"sqlite:///{state / 'canaille.sqlite'}")}
[CANAILLE_OIDC]
REQUIRE_NONCE = true
TRUSTED_DOMAINS = ["{settings.hostname}"]
[[CANAILLE_OIDC.ACTIVE_JWKS]]
{_toml(key)}
[CANAILLE_OIDC.USERINFO_MAPPING]
PREFERRED_USERNAME = "{{{{ user.user_name }}}}"
""",
    )


def _toml(values: Mapping[str, str]) -> str:
    return "\n".join(f"{name} = {json.dumps(value)}" for name, value in values.items())


def _people(people: Sequence[Demo], accounts: Mapping[str, Secrets]) -> dict[str, list[dict[str, object]]]:
    groups = sorted({demo.group for demo in people})
    return {
        "user": [_user(demo, accounts[demo.username]) for demo in people],
        "group": [
            {"id": _id(name), "display_name": name, "members": _members(name, people)} for name in groups
        ],
    }


def _members(group: str, people: Sequence[Demo]) -> list[str]:
    return [_id(demo.username) for demo in people if demo.group == group]


def _user(demo: Demo, secret: Secrets) -> dict[str, object]:
    return {
        "id": _id(demo.username),
        "user_name": demo.username,
        "password": secret.password,
        "secret_token": secret.otp_secret,
        "last_otp_login": datetime.now(UTC).isoformat(),
        "hotp_counter": 0,
        "given_name": demo.given_name,
        "family_name": demo.family_name,
        "formatted_name": f"{demo.given_name} {demo.family_name}",
        "display_name": demo.given_name,
        "title": demo.title,
        "emails": [f"{demo.username}@demo.invalid"],
    }


def _client(settings: Settings) -> dict[str, object]:
    """The hub, and nothing else: code (with PKCE, which Canaille requires) and refresh; no password, no
    implicit.
    """
    identifier = _id(settings.identity.client_id)
    return {
        "id": identifier,
        "client_id": settings.identity.client_id,
        "client_secret": client_secret(settings),
        "client_name": "P4DP",
        "client_uri": settings.hub_url,
        "redirect_uris": [f"{settings.hub_url}/hub/oauth_callback"],
        "post_logout_redirect_uris": [f"{settings.hub_url}/"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": list(SCOPES),
        "token_endpoint_auth_method": "client_secret_basic",
        "audience": [identifier],
    }


def _id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:p4dp:demo:{name}"))


def run_canaille(checkout: Path, place: Path, *arguments: str, stdin: str = "") -> None:
    """Run Canaille's own command on the state in `place`. Of its output only an error's last line is told."""
    python = environment_of(checkout) / "bin" / "python"
    if not python.exists():
        raise ProviderProblem(
            f"The identity provider's environment {python.parent.parent} is missing. Run: make up"
        )
    done = subprocess.run(
        [str(python), "-m", "canaille.commands", *arguments],
        input=stdin,
        env=_base_environment(place),
        text=True,
        capture_output=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ProviderProblem(f"The identity provider could not be prepared ({arguments[0]}): {last[:300]}")
