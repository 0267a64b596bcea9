"""The hub's authenticator against the real provider: who gets in, with what, and how a removed person is
out.
"""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
from oauthenticator.oauth2 import OAuthenticator
from tornado import web

from hub_config.governance.audit import AuditChain, read_records
from hub_config.governance.journal import Journal
from hub_config.governance.problems import StoreProblem
from hub_config.identity.oidc import EVIDENCE, P4DPAuthenticator
from hub_config.identity.provider import SCOPES, client_secret
from hub_config.identity.tokens import UntrustedToken

LONG_AGO = "2020-01-01T00:00:00+00:00"


class Callback:
    """What the authenticator asks of the handler of a callback."""

    def __init__(self, code: str, verifier: str) -> None:
        self.code, self.verifier = code, verifier

    def get_argument(self, name: str) -> str:
        assert name == "code"
        return self.code

    def get_state_cookie(self) -> str:
        return base64.urlsafe_b64encode(json.dumps({"code_verifier": self.verifier}).encode()).decode()


class Spawner:
    active, pending = True, None


class User:
    def __init__(self, model: dict) -> None:
        self.name, self.state = model["name"], model["auth_state"]
        self.spawners = {"these-ines": Spawner()}
        self.stopped: list[str] = []
        self.active = True

    async def get_auth_state(self) -> dict:
        return self.state

    async def save_auth_state(self, state: dict) -> None:
        self.state = state

    async def stop(self, name: str) -> None:
        self.stopped.append(name)


@pytest.fixture
def authenticator(running):
    return make_authenticator(running)


def make_authenticator(running, **changes):
    settings = running.settings
    traits = {
        "issuer": settings.issuer,
        "client_id": settings.identity.client_id,
        "client_secret": client_secret(settings),
        "oauth_callback_url": f"{settings.hub_url}/hub/oauth_callback",
        "scope": list(SCOPES),
        "basic_auth": True,
        "username_claim": "preferred_username",
        "required_amr": set(settings.required_amr),
        "manage_groups": True,
        "enable_auth_state": True,
        "loopback_hosts": ["identity.localhost"],
        "allow_all": True,
        "journal": Journal(AuditChain(settings.audit_dir, settings.keys_dir)),
    }
    return P4DPAuthenticator(**{**traits, **changes})


async def log_in(authenticator, browser, username):
    code = await asyncio.to_thread(browser.log_in, username)
    return await authenticator.authenticate(Callback(code, browser.verifier))


@pytest.mark.parametrize(
    ("username", "role"),
    [
        ("ines", "interne"),
        ("rachid", "chercheur"),
        ("diane", "medecin-dim"),
        ("dora", "dpo"),
        ("admin", "admin"),
    ],
)
async def test_a_person_gets_in_with_their_role(authenticator, browser, username, role):
    model = await log_in(authenticator, browser, username)
    assert model["name"] == username
    assert model["groups"] == [role]
    assert model["admin"] is False
    assert set(model["auth_state"]["evidence"]["amr"]) == {"pwd", "otp", "mfa"}


async def test_nothing_secret_is_in_what_the_person_sees(authenticator, browser):
    model = await log_in(authenticator, browser, "ines")
    assert model["auth_state"]["person"] == {"roles": ["interne"]}


async def test_a_persons_full_name_is_known_once_they_came_in(authenticator, browser):
    assert authenticator.full_name("ines") == "ines"
    await log_in(authenticator, browser, "ines")
    assert authenticator.full_name("ines") == "Inès Martin"


async def test_a_factor_that_was_not_used_keeps_people_out(running, browser):
    strict = make_authenticator(running, required_amr={"pwd", "otp", "mfa", "hwk"})
    with pytest.raises(web.HTTPError) as refusal:
        await log_in(strict, browser, "ines")
    assert refusal.value.status_code == 403
    assert refusal.value.reason == "no-second-factor"


async def test_a_code_of_another_login_is_refused(authenticator, browser):
    """Another browser's code: its PKCE secret and nonce are not this one's."""
    code = await asyncio.to_thread(browser.log_in, "ines")
    with pytest.raises(Exception, match=r"HTTP 400|403"):
        await authenticator.authenticate(
            Callback(code, "another verifier, long enough to be one, of 43 characters")
        )


async def test_a_token_for_another_client_is_refused(running, browser):
    """The provider answers our secret, but its token is for somebody else: the hub checks."""
    authenticator = make_authenticator(running)
    await authenticator.discover()
    honest = authenticator._verified

    async def as_other(token, nonce):
        authenticator.client_id = "another-client"
        return await honest(token, nonce)

    authenticator._verified = as_other
    with pytest.raises(web.HTTPError) as refusal:
        await log_in(authenticator, browser, "ines")
    assert refusal.value.reason == "login not proved"


async def test_a_token_is_verified_with_the_keys_the_issuer_publishes_now(authenticator, browser):
    await authenticator.discover()
    authenticator._keys = {"keys": []}
    assert (await log_in(authenticator, browser, "ines"))["name"] == "ines"


async def test_keys_that_never_match_are_refused(authenticator):
    await authenticator.discover()
    with pytest.raises(UntrustedToken):
        await authenticator._verified("eyJhbGciOiJSUzI1NiIsImtpZCI6Im5vbmUifQ.e30.AAAA", None)


async def test_refreshing_keeps_a_person_in_and_spends_the_token(authenticator, browser):
    user = User(await log_in(authenticator, browser, "ines"))
    before = user.state["refresh_token"]
    model = await authenticator.refresh_user(user, None)
    assert model["name"] == "ines" and model["groups"] == ["interne"]
    assert user.state["refresh_token"] != before
    assert set(user.state["evidence"]["amr"]) == {"pwd", "otp", "mfa"}
    assert user.stopped == []


async def test_two_requests_at_once_spend_one_token(authenticator, browser):
    user = User(await log_in(authenticator, browser, "ines"))
    answers = await asyncio.gather(*(authenticator.refresh_user(user, None) for _ in range(4)))
    assert all(answers)
    assert user.stopped == []


async def test_a_locked_person_is_out_and_their_workspaces_stop(running, authenticator, browser):
    user = User(await log_in(authenticator, browser, "denis"))
    await asyncio.to_thread(running.administer, "set", "user", "denis", "--quiet", "--lock-date", LONG_AGO)
    assert await authenticator.refresh_user(user, None) is False
    await asyncio.sleep(0)
    assert user.stopped == ["these-ines"]


async def test_whoever_left_is_out_and_their_workspaces_stop(running, browser):
    """The provider still vouches for them: the register's word is enough."""
    gone: set[str] = set()
    authenticator = make_authenticator(running, has_left=gone.__contains__)
    user = User(await log_in(authenticator, browser, "rachid"))
    gone.add("rachid")
    assert await authenticator.refresh_user(user) is False
    await asyncio.sleep(0)
    assert user.stopped == ["these-ines"]


async def test_whoever_left_does_not_log_in(running, browser):
    with pytest.raises(web.HTTPError) as refused:
        await log_in(make_authenticator(running, has_left={"rachid"}.__contains__), browser, "rachid")
    assert refused.value.status_code == 403


async def test_a_register_that_cannot_be_read_lets_nobody_in(running, browser):
    def silent(name: str) -> bool:
        raise StoreProblem("The governance database can't be used now.")

    with pytest.raises(web.HTTPError) as refused:
        await log_in(make_authenticator(running, has_left=silent), browser, "rachid")
    assert refused.value.status_code == 503


async def test_access_tokens_outlive_a_lock_so_they_are_not_asked(running, authenticator, browser):
    """Power of the test above: what the base class asks would still say yes."""
    model = await log_in(authenticator, browser, "charles")
    await asyncio.to_thread(running.administer, "set", "user", "charles", "--quiet", "--lock-date", LONG_AGO)
    token = {"access_token": model["auth_state"]["access_token"], "token_type": "Bearer"}
    assert (await authenticator.token_to_user(token))["preferred_username"] == "charles"


async def test_the_sweep_finds_those_who_ask_for_nothing(running, authenticator, browser):
    user = User(await log_in(authenticator, browser, "dora"))
    await asyncio.to_thread(running.administer, "delete", "user", "--user-name", "dora", "--noconfirm")
    await authenticator.sweep({user.name: user})
    await asyncio.sleep(0)
    assert user.stopped == ["these-ines"]


async def test_a_service_has_no_provider_and_a_person_of_its_name_has_one(authenticator, browser):
    """A run of a report is not put out for being unknown to the provider. Attack: keep a session of before
    such names were kept for services."""
    service = User({"name": "svc-these-ines", "auth_state": None})
    assert await authenticator.refresh_user(service, None) is True
    await authenticator.sweep({service.name: service})
    await asyncio.sleep(0)
    assert service.stopped == []
    person = User({**await log_in(authenticator, browser, "ines"), "name": "svc-these-ines"})
    assert await authenticator.refresh_user(person, None) is False
    await asyncio.sleep(0)
    assert person.stopped == ["these-ines"]


async def test_losing_the_last_role_is_losing_access(running, authenticator, browser):
    user = User(await log_in(authenticator, browser, "admin"))
    await asyncio.to_thread(
        running.administer, "delete", "group", "--display-name", "administrateurs", "--noconfirm"
    )
    assert await authenticator.refresh_user(user, None) is False


async def test_a_silent_provider_lets_nobody_in_and_stops_nothing(running, authenticator, browser):
    user = User(await log_in(authenticator, browser, "ines"))
    authenticator.token_url = "http://127.0.0.1:9/oauth/token"
    assert await authenticator.refresh_user(user, None) is False
    await asyncio.sleep(0)
    assert user.stopped == []


async def test_a_wrong_client_secret_expels_nobody(running, authenticator, browser):
    user = User(await log_in(authenticator, browser, "ines"))
    authenticator.client_secret = "wrong"
    assert await authenticator.refresh_user(user, None) is False
    await asyncio.sleep(0)
    assert user.stopped == []


async def test_a_provider_that_does_not_answer_is_a_503(running):
    authenticator = make_authenticator(running, issuer="http://127.0.0.1:9")
    with pytest.raises(web.HTTPError) as refusal:
        await authenticator.discover()
    assert refusal.value.status_code == 503


async def test_another_issuer_is_refused(running):
    """A discovery document that names another issuer is not this one's."""
    authenticator = make_authenticator(running, issuer=f"http://127.0.0.1:{running.settings.identity_port}")
    with pytest.raises(web.HTTPError):
        await authenticator.discover()


async def test_the_providers_answer_cannot_bring_evidence_along(authenticator, monkeypatch):
    """The key under which verified claims travel is ours: an answer that holds it is stripped of it."""

    async def answer(*_):
        return {"access_token": "a", "token_type": "Bearer", EVIDENCE: {"amr": ["mfa"], "sub": "x"}}

    monkeypatch.setattr(OAuthenticator, "get_token_info", answer)
    assert EVIDENCE not in await authenticator.get_token_info(None, {"grant_type": "refresh_token"})


# -- the record ---------------------------------------------------------------


async def enter(authenticator, browser, username):
    """As the hub's callback page lets somebody in."""
    code = await asyncio.to_thread(browser.log_in, username)
    return await authenticator.get_authenticated_user(Callback(code, browser.verifier), None)


def newest_event(running):
    settings = running.settings
    event = list(read_records(settings.audit_dir, settings.keys_dir))[-1]
    return event.what, event.who, event.decision, dict(event.details)


async def test_a_login_is_on_the_audit_chain(running, authenticator, browser):
    await enter(authenticator, browser, "ines")
    assert newest_event(running) == ("hub.login", "ines", "allowed", {"roles": "interne"})


async def test_a_refused_login_is_on_the_audit_chain(running, browser):
    strict = make_authenticator(running, required_amr={"pwd", "otp", "mfa", "hwk"})
    with pytest.raises(web.HTTPError):
        await enter(strict, browser, "rachid")
    assert newest_event(running) == ("hub.login", "rachid", "refused", {"reason": "no-second-factor"})


async def test_a_login_with_somebody_elses_code_is_on_the_audit_chain(running, authenticator, browser):
    code = await asyncio.to_thread(browser.log_in, "ines")
    verifier = "another verifier, long enough to be one, of 43 characters"
    with pytest.raises(web.HTTPError):
        await authenticator.get_authenticated_user(Callback(code, verifier), None)
    what, who, decision, _ = newest_event(running)
    assert (what, who, decision) == ("hub.login", "unknown", "refused")


async def test_a_login_that_cannot_be_recorded_is_refused(tmp_path, running, browser):
    (tmp_path / "audit").write_text("a file where the folder should be")
    lost = Journal(AuditChain(tmp_path / "audit", tmp_path / "keys"))
    with pytest.raises(web.HTTPError) as refusal:
        await enter(make_authenticator(running, journal=lost), browser, "ines")
    assert (refusal.value.status_code, refusal.value.reason) == (503, "not recorded")


async def test_a_removal_is_one_event_however_often_they_ask(running, authenticator, browser):
    user = User(await log_in(authenticator, browser, "diane"))
    await asyncio.to_thread(running.administer, "set", "user", "diane", "--quiet", "--lock-date", LONG_AGO)
    for _ in range(3):
        assert await authenticator.refresh_user(user, None) is False
    settings = running.settings
    events = list(read_records(settings.audit_dir, settings.keys_dir))
    assert [event.who for event in events if event.what == "hub.expelled"].count("diane") == 1
