"""Canaille, the laptop's identity provider, reduced to what a login needs. Runs in the provider's own environment.

Everything but the paths of a login is closed. This is not tidiness: Canaille 0.3.6 lets whoever knows a user name set a
new one-time-code secret at `/auth/otp-setup` before any password was given, and counts that as a passed factor, so that
name alone logs in. Profile, administration, registration and password recovery have no use in the demonstration.
"""

import os
import re

from asgiref.wsgi import WsgiToAsgi
from canaille.hypercorn.app import create_app as create_canaille
from flask import abort, redirect, request

OPEN = re.compile(
    r"/login(/[a-z0-9._-]+)?|/logout|/forget/[a-z0-9._-]+|/auth/(password|otp)"
    r"|/oauth/(authorize|token|userinfo|jwks\.json|end_session)"
    r"|/\.well-known/openid-configuration|/static/.*"
)
CSP = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"


def create_app():
    """The ASGI application. `P4DP_HUB_URL` is where a person who has nothing to do here is sent."""
    hub_url = os.environ["P4DP_HUB_URL"]
    app = create_canaille(env_file=None, wrap_asgi=False)

    def close_the_rest():
        if request.path in ("/", "/profile") or request.path.startswith("/profile/"):
            return redirect(hub_url)
        if not OPEN.fullmatch(request.path):
            abort(404)
        return None

    def harden(response):
        response.headers["Content-Security-Policy"] = CSP
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    app.before_request_funcs.setdefault(None, []).insert(0, close_the_rest)
    app.after_request(harden)
    return WsgiToAsgi(app)
