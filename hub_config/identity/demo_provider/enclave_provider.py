"""Canaille, the laptop's identity provider, reduced to what a login needs. Runs in its own environment.

Everything but the paths of a login is closed. This is not tidiness: in Canaille 0.3.6 whoever knows a user
name can set a new one-time-code secret at `/auth/otp-setup` before any password was given, which counts as a
passed factor: the name alone logs in. Profile, administration, registration and recovery have no use in the
demonstration.
"""

from __future__ import annotations

import math
import os
import re
import secrets
from pathlib import Path
from typing import Any

import canaille.backends.sql.backend as canaille_sql  # type: ignore[import-not-found]
import canaille.core.endpoints.forms as canaille_forms  # type: ignore[import-not-found]
import canaille.oidc.provider as canaille_oidc  # type: ignore[import-not-found]
from asgiref.wsgi import WsgiToAsgi  # type: ignore[import-not-found]
from canaille.hypercorn.app import create_app as create_canaille  # type: ignore[import-not-found]
from flask import abort, redirect, request, send_file  # type: ignore[import-not-found]
from flask_babel import get_locale  # type: ignore[import-not-found]

OPEN = re.compile(
    r"/login(/[a-z0-9._-]+)?|/logout|/forget/[a-z0-9._-]+|/auth/(password|otp)"
    r"|/oauth/(authorize|token|userinfo|jwks\.json|end_session)"
    r"|/\.well-known/openid-configuration|/static/.*"
)
CSP = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
LOGO = "/static/p4dp.svg"
HERE = Path(__file__).parent
LATO = re.compile(r"/static/fomanticui/themes/default/assets/fonts/Lato(?:Latin)?-(\w+)\.(woff2?)")
STYLES = {"Regular": "regular", "Bold": "700", "Italic": "italic", "BoldItalic": "700italic"}


def create_app() -> Any:
    """The ASGI application. `P4DP_HUB_URL` is where a person who has nothing to do here is sent."""
    hub_url = os.environ["P4DP_HUB_URL"]
    canaille_oidc.generate_access_token = opaque_access_token
    canaille_sql.get_lockout_delay_message = lockout_message
    canaille_forms.LoginForm.remember.kwargs["default"] = False
    app = create_canaille(env_file=None, wrap_asgi=False)
    app.extensions["babel"].translation_directories.append(str(HERE / "translations"))

    def close_the_rest() -> Any:
        if request.path == LOGO:
            return send_file(HERE / "p4dp.svg")
        if font := font_file(request.path):
            return app.send_static_file(font)
        if request.path in ("/", "/profile") or request.path.startswith("/profile/"):
            return redirect(hub_url)
        if not OPEN.fullmatch(request.path):
            abort(404)
        if request.path == "/oauth/authorize" and not _has_pkce(request.values):
            abort(400)
        return None

    def harden(response: Any) -> Any:
        response.headers["Content-Security-Policy"] = CSP
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    app.before_request_funcs.setdefault(None, []).insert(0, close_the_rest)
    app.after_request(harden)
    return WsgiToAsgi(app)


def font_file(path: str) -> str | None:
    """Canaille's style sheet asks for Lato where Canaille does not put it: where it does, among its files."""
    asked = LATO.fullmatch(path)
    style = STYLES.get(asked[1]) if asked else None
    return f"fonts/lato-v17-latin-{style}.{asked[2]}" if asked and style else None


def opaque_access_token(*_: Any, **__: Any) -> str:
    """Canaille's own are dated to the second: two in a second are equal, which its database refuses, with
    both in its log.
    """
    return secrets.token_urlsafe(36)


def lockout_message(delay: float) -> str:
    """Canaille's own stays in English: the number is in the text that it looks up."""
    seconds = math.ceil(delay)
    if str(get_locale()).startswith("fr"):
        return f"Trop d'essais. Attendez {seconds} s, puis recommencez."
    return f"Too many attempts. Wait {seconds} s, then try again."


def _has_pkce(values: Any) -> bool:
    """Canaille asks it of public clients only."""
    return bool(values.get("code_challenge")) and values.get("code_challenge_method") == "S256"
