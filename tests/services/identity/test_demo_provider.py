"""The laptop's provider: both factors or nothing, one kind of grant, and no way round its login."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from hub_config.identity import accounts, provider
from hub_config.identity.provider import client_secret
from hub_config.settings import Settings

CHECKOUT = Path(__file__).parents[3]


def test_password_and_code_give_an_authorization_code(browser):
    assert browser.log_in("ines")


def test_password_alone_does_not_log_in(browser):
    browser.authorize()
    browser.submit(login="ines")
    page = browser.submit(password=browser.running.accounts["ines"].password)
    assert page.is_success
    assert page.request.url.path == "/auth/otp"
    assert browser.authorize().request.url.path == "/login"


@pytest.mark.parametrize("wrong", ["000000", "", "abcdef"])
def test_a_wrong_code_does_not_log_in(browser, wrong: str):
    browser.authorize()
    browser.submit(login="rachid")
    browser.submit(password=browser.running.accounts["rachid"].password)
    assert browser.submit(otp=wrong).request.url.path == "/auth/otp"


def test_screens_are_french(browser):
    page = browser.authorize()
    assert '<html lang="fr">' in page.text
    browser.submit(login="ines")
    assert browser.page is not None
    assert "Mot de passe" in browser.page.text


def test_the_first_screen_reads_well_and_leads_nowhere_closed(browser):
    page = browser.authorize().text
    assert "requiert une connexion" in page
    assert 'placeholder="ines"' in page and "dupont" not in page
    remember = re.search(r"<input[^>]*name=\"remember\"[^>]*>", page)
    assert remember and "checked" not in remember[0]
    assert re.findall(r"<a\b[^>]*href=\"([^\"]+)\"", page) == ["/"], "which leads to the hub"


def test_every_font_of_a_login_is_there(running):
    where = "/static/fomanticui/"
    with running.client() as client:
        style = client.get(f"{where}semantic.min.css").text
        fonts = set(re.findall(r"url\((themes/[^)]+\.woff2?)\)", style))
        assert len(fonts) > 4
        assert {font: client.get(where + font).status_code for font in fonts} == dict.fromkeys(fonts, 200)
        assert client.get(f"{where}themes/default/assets/fonts/Lato-Heavy.woff2").status_code == 404


def test_the_compiled_french_is_current():
    source = provider.APPLICATION.parent / "translations/fr/LC_MESSAGES/messages.po"
    compiled = io.BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale="fr"))
    assert source.with_suffix(".mo").read_bytes() == compiled.getvalue(), "run: pybabel compile"


def test_after_wrong_passwords_the_wait_is_said_in_french(browser):
    browser.authorize()
    browser.submit(login="charles")
    for _ in range(2):
        page = browser.submit(password="wrong")
    assert re.search(r"Trop d(&#39;|')essais\. Attendez \d+ s", page.text)
    assert "attempts" not in page.text


def test_password_grant_is_refused(running):
    answer = _token(
        running, grant_type="password", username="ines", password=running.accounts["ines"].password
    )
    assert answer["error"] in ("unauthorized_client", "unsupported_grant_type")


def test_client_credentials_grant_is_refused(running):
    assert _token(running, grant_type="client_credentials")["error"] == "unauthorized_client"


@pytest.mark.parametrize("kind", ["token", "id_token", "id_token token", "code token"])
def test_implicit_and_hybrid_flows_are_refused(browser, kind: str):
    browser.log_in("rachid")
    answer = browser.authorize(response_type=kind)
    where = answer.headers.get("location", "")
    assert "access_token=" not in where and "id_token=" not in where and "code=" not in where


def test_a_code_without_pkce_is_refused(browser):
    browser.log_in("rachid")
    answer = browser.authorize(code_challenge="", code_challenge_method="")
    assert "code=" not in answer.headers.get("location", "")


def test_a_code_goes_to_the_hub_only(browser):
    browser.log_in("rachid")
    answer = browser.authorize(redirect_uri="http://evil.localhost/callback")
    assert "evil.localhost" not in answer.headers.get("location", "")


@pytest.mark.parametrize(
    "path",
    [
        "/auth/otp-setup",
        "/auth/otp-setup/",
        "//auth/otp-setup",
        "/register",
        "/users",
        "/groups",
        "/admin/client",
        "/oauth/register",
        "/oauth/introspect",
        "/auth/password/../otp-setup",
        "/auth/fido2",
        "/scim/v2/Users",
    ],
)
def test_everything_but_the_login_is_closed(running, path: str):
    with running.client() as client:
        assert client.get(path).status_code in (404, 405)
        assert client.post(path).status_code in (400, 404, 405)


def test_codes_are_the_accounts_own(running):
    codes = {running.code(name) for name in running.accounts}
    assert len(codes) > 1


def _token(running, **form):
    credentials = (running.settings.identity.client_id, client_secret(running.settings))
    with running.client() as client:
        answer = client.post("/oauth/token", data={**form, "scope": "openid"}, auth=credentials)
    assert answer.status_code in (400, 401, 403), answer.text
    return answer.json()


def test_who_joins_the_demonstration_later_gets_an_account_beside_the_others(tmp_path, monkeypatch):
    """A home of a version with fewer people: their passwords stay, groups keep their members."""
    settings = Settings(home=tmp_path)
    few = [demo for demo in accounts.DEMO if demo.username in {"ines", "charles"}]
    for module in (accounts, provider):
        monkeypatch.setattr(module, "DEMO", tuple(few))
    assert provider.prepare(settings, CHECKOUT)
    before = accounts.read_accounts(provider.accounts_file(settings))
    monkeypatch.undo()
    assert not provider.prepare(settings, CHECKOUT)
    after = accounts.read_accounts(provider.accounts_file(settings))
    assert set(after) == {demo.username for demo in accounts.DEMO}
    assert {name: after[name] for name in before} == before
    assert groups(settings) == {
        group: {demo.username for demo in accounts.DEMO if demo.group == group}
        for group in {demo.group for demo in accounts.DEMO}
    }


def groups(settings):
    """Who is in which group, by the provider's own database."""
    people, found = table(settings, "user"), table(settings, "group")
    names = {person["id"]: person["user_name"] for person in people}
    return {group["display_name"]: {names[member] for member in group["members"]} for group in found}


def table(settings, name):
    python = provider.environment_of(CHECKOUT) / "bin" / "python"
    environment = {**os.environ, "CANAILLE_CONFIG": str(provider.directory(settings) / "canaille.toml")}
    command = [str(python), "-m", "canaille.commands", "get", name]
    return json.loads(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
