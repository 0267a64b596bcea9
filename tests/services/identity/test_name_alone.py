"""Attack: log in as somebody whose name is all one knows, by giving them a new one-time-code secret.

Canaille 0.3.6 offers its page for a new secret after the name alone, counts it as the *first* factor passed
(the password), then asks for the code of that new secret. Found while building the enclave; closed by
`enclave_provider`, and by the hub, which wants the password named among the factors.
"""

from __future__ import annotations

import re

import jwt
import pyotp

from hub_config.identity.claims import FactorPolicy, has_second_factor
from hub_config.identity.provider import client_secret
from hub_config.sections import IdentitySettings
from hub_config.settings import Settings


def test_with_the_page_open_the_name_is_enough(undefended, make_browser):
    browser = make_browser(undefended)
    answer = _name_alone(browser)
    assert answer.is_redirect and "code=" in answer.headers["location"]


def test_with_the_page_closed_it_is_not(running, make_browser):
    browser = make_browser(running)
    browser.authorize()
    browser.submit(login="charles")
    assert browser.http.get("/auth/otp-setup").status_code == 404
    assert browser.http.post("/auth/otp-setup", data={"otp": "000000"}).status_code == 404


def test_the_hub_would_not_believe_it_either(undefended, make_browser):
    """Second line: the token such a login yields says `mfa`, but names no password."""
    browser = make_browser(undefended)
    answer = _name_alone(browser)
    claims = _claims(undefended, browser, answer)
    assert has_second_factor(claims, FactorPolicy(frozenset(IdentitySettings().required_amr)))
    ours = Settings(home=undefended.settings.home).required_amr
    assert not has_second_factor(claims, FactorPolicy(frozenset(ours)))


def _name_alone(browser):
    browser.authorize()
    browser.submit(login="charles")
    page = browser.follow(browser.http.get("/auth/otp-setup"))
    secret = re.search(r"secret=([A-Z2-7]+)", page.text) or re.search(r"\b([A-Z2-7]{26})\b", page.text)
    code = pyotp.TOTP(secret.group(1) + "=" * (-len(secret.group(1)) % 8)).now()
    browser.submit(otp=code)
    return browser.submit(otp=code)


def _claims(running, browser, answer):
    settings = running.settings
    code = re.search(r"code=([^&]+)", answer.headers["location"]).group(1)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": browser.verifier,
        "redirect_uri": f"{settings.hub_url}/hub/oauth_callback",
    }
    credentials = (settings.identity.client_id, client_secret(settings))
    tokens = browser.http.post("/oauth/token", data=form, auth=credentials).json()
    return jwt.decode(tokens["id_token"], options={"verify_signature": False})
