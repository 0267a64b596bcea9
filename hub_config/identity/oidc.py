"""The hub's authenticator: OpenID Connect with PKCE, a verified id token, a second factor, and people who can
be removed.

What the provider says is believed only through `tokens` and `claims`. Every `auth_refresh_age` seconds, and
before each start of a workspace, the refresh token is spent: a person who was removed or locked gets no new
one, is out, and their workspaces are stopped. A provider that does not answer lets nobody in, but stops
nothing. Who comes in, who is refused and who is put out is on the audit chain.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from jupyterhub.handlers import BaseHandler
from oauthenticator.generic import GenericOAuthenticator
from oauthenticator.oauth2 import (
    OAuthCallbackHandler,
    OAuthLoginHandler,
    OAuthLogoutHandler,
    _deserialize_state,
)
from tornado import web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.ioloop import PeriodicCallback
from traitlets import Any as Any_
from traitlets import Dict, Instance, Integer, List, Set, Unicode, default

from hub_config.governance.audit import AuditFailure, Decision, acting_from
from hub_config.governance.journal import Journal, Step
from hub_config.governance.problems import GovernanceProblem
from hub_config.governance.roles import Person
from hub_config.governance.services import is_service
from hub_config.identity.claims import Denied, FactorPolicy, Reason, identify
from hub_config.identity.messages import (
    DENIALS,
    EXPIRED,
    NOT_PROVED,
    NOT_RECORDED,
    STORE_SILENT,
    UNREACHABLE,
)
from hub_config.identity.tokens import Expected, UnknownKey, UntrustedToken, nonce_for, verify_id_token

EVIDENCE = "p4dp_evidence"
"""Key of a token response under which the verified claims of the login travel to the stored state."""
JUST_REFRESHED_SECONDS = 2.0
WITHIN_A_LOGIN = ("sub", "amr", "acr", "auth_time")


class ProviderSilent(Exception):
    """The provider did not answer, or not sensibly: nobody is let in, nobody's workspace is stopped."""


class Told(web.HTTPError):
    """A refusal whose text is meant for the person: the error page shows it; `reason` is for the log, and
    `who` asked, where that is known."""

    def __init__(self, status: int, message: str, reason: str, who: str = "") -> None:
        super().__init__(status, message, reason=reason)
        self.jupyterhub_message = message
        self.who = who


class PersonRefused(Exception):
    """The provider answered, and it does not vouch for this person any more."""


_REFUSED_GRANT = frozenset(
    {400, 403}
)  # 401 at the token endpoint means us: a wrong client secret expels nobody
_REFUSED_PERSON = frozenset({400, 401, 403, 404})


@contextmanager
def _judged(refusals: frozenset[int]) -> Iterator[None]:
    """Tell a refusal of the person from a provider in trouble."""
    try:
        yield
    except web.HTTPError as error:
        kind = PersonRefused if error.status_code in refusals else ProviderSilent
        raise kind(error.reason or f"HTTP {error.status_code}") from None
    except HTTPClientError as error:
        kind = PersonRefused if error.code in refusals else ProviderSilent
        raise kind(f"HTTP {error.code}") from None
    except (OSError, ValueError) as error:
        raise ProviderSilent(type(error).__name__) from None


class LoginHandler(OAuthLoginHandler):  # type: ignore[misc]  # untyped upstream
    """Sends the browser to the provider, with a nonce bound to the PKCE secret."""

    _nonce = ""

    async def get(self) -> None:
        await self.authenticator.discover()
        super().get()

    def set_state_cookie(self, state_cookie_value: str) -> None:
        self._nonce = nonce_for(_deserialize_state(state_cookie_value)["code_verifier"])
        super().set_state_cookie(state_cookie_value)

    def authorize_redirect(self, **kwargs: Any) -> None:
        kwargs["extra_params"] = {**kwargs.get("extra_params", {}), "nonce": self._nonce}
        super().authorize_redirect(**kwargs)


class LogoutHandler(OAuthLogoutHandler):  # type: ignore[misc]  # untyped upstream
    async def default_handle_logout(self) -> None:
        user = self.current_user
        await super().default_handle_logout()
        if user is not None:
            with acting_from(_address(self)):
                await self.authenticator.journal.note_if_possible(user.name, Step.LOGOUT, Decision.ALLOWED)


def _address(handler: Any) -> str | None:
    """From where the request came; None outside a request."""
    remote = getattr(getattr(handler, "request", None), "remote_ip", None)
    return f"address:{remote}" if isinstance(remote, str) and remote else None


class P4DPAuthenticator(GenericOAuthenticator):  # type: ignore[misc]  # untyped upstream
    """See the module. Only traits that are the enclave's own are declared here."""

    issuer = Unicode(
        config=True, help="The issuer, exactly as its discovery document and its tokens write it."
    )
    required_amr = Set(config=True, help="All of these must be in the id token's `amr`.")
    accepted_acr = Set(config=True, help="Any of these as the id token's `acr` proves a second factor too.")
    loopback_hosts = List(config=True, help="Host names that are this machine, whatever its resolver knows.")
    journal = Instance(Journal, config=True, help="Where logins are recorded; without it there are none.")
    has_left = Any_(config=True, help="Asked of every name at every login and refresh: who left is out.")
    pages = List(config=True, help="Handlers that take the place of the hub's own pages.")
    sweep_seconds = Integer(60, config=True, help="How often people with a running workspace are looked up.")
    endpoints = Dict(help="The provider's discovery document, fetched at the first login.")

    login_handler = LoginHandler
    callback_handler = OAuthCallbackHandler
    logout_handler = LogoutHandler

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._keys: Mapping[str, Any] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._refreshed_at: dict[str, float] = {}
        self._out: set[str] = set()
        self._full_names: dict[str, str] = {}
        self._sweep: PeriodicCallback | None = None

    @default("http_client")  # type: ignore[untyped-decorator]
    def _loopback_client(self) -> AsyncHTTPClient:
        """`*.localhost` names resolve in browsers, not always in the C library."""
        mapping = dict.fromkeys(self.loopback_hosts, "127.0.0.1")
        return AsyncHTTPClient(force_instance=True, hostname_mapping=mapping)

    def get_handlers(self, app: Any) -> list[Any]:
        if self.sweep_seconds and self._sweep is None:
            self._sweep = PeriodicCallback(lambda: self.sweep(app.users), 1000 * self.sweep_seconds)
            self._sweep.start()
        return [*self.pages, *super().get_handlers(app)]

    # -- the provider ---------------------------------------------------

    async def discover(self) -> None:
        """Learn the provider's endpoints, once. Raises HTTP 503 for the person when it does not answer."""
        if self.endpoints:
            return
        try:
            document = await self._fetch_json(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            if document.get("issuer") != self.issuer:
                raise ProviderSilent("its discovery document names another issuer")
            self.authorize_url = document["authorization_endpoint"]
            self.token_url = document["token_endpoint"]
            self.userdata_url = document["userinfo_endpoint"]
            self._keys = await self._fetch_json(document["jwks_uri"])
        except (ProviderSilent, KeyError) as error:
            self.log.error("The identity provider %s can't be used: %s", self.issuer, error)
            raise Told(503, UNREACHABLE, "identity provider unreachable") from None
        self.endpoints = document

    async def _fetch_json(self, url: str) -> dict[str, Any]:
        try:
            answer = await self.http_client.fetch(HTTPRequest(url, connect_timeout=5, request_timeout=10))
            document = json.loads(answer.body)
        except (OSError, HTTPClientError, ValueError) as error:
            raise ProviderSilent(f"{type(error).__name__} at {url}") from None
        if not isinstance(document, dict):
            raise ProviderSilent(f"no JSON object at {url}")
        return document

    async def _verified(self, token: object, nonce: str | None) -> Mapping[str, Any]:
        expected = Expected(self.issuer, self.client_id, nonce)
        try:
            return verify_id_token(token, self._keys, expected)
        except UnknownKey:  # the provider may have changed its keys since
            self._keys = await self._fetch_json(self.endpoints["jwks_uri"])
            return verify_id_token(token, self._keys, expected)

    # -- logging in -----------------------------------------------------

    async def get_authenticated_user(self, handler: Any, data: Any) -> Any:
        """A login takes effect once it is on the audit chain; a refused one is there too. Both say the
        address that the proxy saw."""
        with acting_from(_address(handler)):
            return await self._recorded_user(handler, data)

    async def _recorded_user(self, handler: Any, data: Any) -> Any:
        try:
            model = await super().get_authenticated_user(handler, data)
        except (web.HTTPError, HTTPClientError, OSError) as error:
            refusal = _told(error)
            await self._note_refusal(refusal.who, refusal.reason)
            raise refusal from None
        if model is None:
            await self._note_refusal("", "not allowed")
            return None
        try:
            await self.journal.note(
                model["name"], Step.LOGIN, Decision.ALLOWED, roles=" ".join(sorted(model["groups"]))
            )
        except AuditFailure as failure:
            self.log.error("Login of %s refused, it can't be recorded: %s", model["name"], failure)
            raise Told(503, NOT_RECORDED, "not recorded") from None
        self._out.discard(model["name"])
        return model

    async def _note_refusal(self, who: str, reason: str | None) -> None:
        await self.journal.note_if_possible(who, Step.LOGIN, Decision.REFUSED, reason=reason)

    async def get_token_info(self, handler: Any, params: Mapping[str, str]) -> dict[str, Any]:
        """Exchange a code or a refresh token; an id token that comes with the answer is verified here."""
        await self.discover()
        answer: dict[str, Any] = await super().get_token_info(handler, params)
        answer.pop(EVIDENCE, None)
        is_login = params.get("grant_type") == "authorization_code"
        if not is_login and "id_token" not in answer:
            return answer
        nonce = nonce_for(params["code_verifier"]) if is_login else None
        try:
            claims = await self._verified(answer.get("id_token"), nonce)
        except (UntrustedToken, ProviderSilent) as error:
            self.log.warning("Login refused: %s", error)
            raise Told(403, NOT_PROVED, "login not proved") from None
        answer[EVIDENCE] = {name: claims[name] for name in WITHIN_A_LOGIN if name in claims}
        return answer

    def build_auth_state_dict(
        self, token_info: Mapping[str, Any], user_info: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What is kept, encrypted: the tokens, the evidence and the profile. Not the raw response twice."""
        return {
            "access_token": token_info["access_token"],
            "refresh_token": token_info.get("refresh_token"),
            "evidence": token_info.get(EVIDENCE, {}),
            self.user_auth_state_key: user_info,
        }

    def user_info_to_username(self, user_info: Mapping[str, Any]) -> str:
        """A person without a usable name must not reach the hub's own normalisation."""
        username = user_info.get("preferred_username")
        if not isinstance(username, str) or not username:
            raise Told(403, DENIALS[Reason.NO_USERNAME], Reason.NO_USERNAME.value)
        return username

    async def update_auth_model(self, auth_model: dict[str, Any]) -> dict[str, Any]:
        """Decide. Raises HTTP 403 with the reason; nobody is ever made an administrator of the hub."""
        state = auth_model["auth_state"]
        profile, evidence = state[self.user_auth_state_key], state["evidence"]
        if not evidence.get("sub") or profile.get("sub") != evidence["sub"]:
            raise Told(403, NOT_PROVED, "profile of another subject", auth_model["name"])
        policy = FactorPolicy(frozenset(self.required_amr), frozenset(self.accepted_acr))
        match identify(evidence, profile, policy):
            case Denied(reason):
                self.log.warning("Login of %s refused: %s", auth_model["name"], reason.value)
                raise Told(403, DENIALS[reason], reason.value, auth_model["name"])
            case Person() as person:
                self._full_names[auth_model["name"]] = person.full_name
                await self._require_still_here(auth_model["name"])
                state["person"] = {"roles": sorted(role.value for role in person.roles)}
        auth_model["admin"] = False
        return auth_model

    async def _require_still_here(self, name: str) -> None:
        """Raises Told for whoever the register of governance has as gone, or when it can't be read."""
        if self.has_left is None:
            return
        try:
            gone = await asyncio.to_thread(self.has_left, name)
        except GovernanceProblem as problem:
            self.log.error("Can't tell whether %s left: %s", name, problem)
            raise Told(503, STORE_SILENT, "governance store silent", name) from None
        if gone:
            raise Told(403, DENIALS[Reason.HAS_LEFT], Reason.HAS_LEFT.value, name)

    def full_name(self, username: str) -> str:
        """As the provider last told it; nobody is in without having been asked about since the hub began."""
        return self._full_names.get(username, username)

    async def get_user_groups(self, auth_state: Mapping[str, Any]) -> set[str]:
        """The hub's groups are our roles, not whatever groups the provider has."""
        return set(auth_state["person"]["roles"])

    # -- staying in -----------------------------------------------------

    async def refresh_user(self, user: Any, handler: BaseHandler | None = None, **kwargs: Any) -> Any:
        """True: just done. A model: fresh. False: out.

        The refresh token is spent each time (a provider may answer an access token of a locked person for
        hours). One refresh at a time per person: providers rotate refresh tokens, and a second use looks like
        a theft.
        """
        if is_service(user.name) and not await user.get_auth_state():
            return True  # no provider knows it: what it may do, governance says, at each look
        lock = self._locks.setdefault(user.name, asyncio.Lock())
        async with lock:
            if time.monotonic() - self._refreshed_at.get(user.name, float("-inf")) < JUST_REFRESHED_SECONDS:
                return True
            try:
                model = await self._refreshed_model(user, handler)
            except ProviderSilent as error:
                self.log.error("Can't refresh %s: %s", user.name, error)
                return False
            except PersonRefused as error:
                self.log.warning("The provider no longer vouches for %s: %s", user.name, error)
                model = None
            if model is None:
                self._refreshed_at.pop(user.name, None)
                await self._note_once_out(user.name)
                self._expel(user)
                return False
            await user.save_auth_state(model["auth_state"])
            self._refreshed_at[user.name] = time.monotonic()
            self._out.discard(user.name)
            return model

    async def _refreshed_model(self, user: Any, handler: BaseHandler | None) -> dict[str, Any] | None:
        """None: the provider no longer vouches for this person. Raises ProviderSilent."""
        state = await user.get_auth_state()
        if not state or not state.get("refresh_token"):
            return None
        with _judged(_REFUSED_GRANT):
            request = self.build_refresh_token_request_params(state["refresh_token"])
            tokens = await self.get_token_info(handler, request)
        tokens.setdefault("refresh_token", state["refresh_token"])
        with _judged(_REFUSED_PERSON):
            tokens[EVIDENCE] = {**state["evidence"], **_same_subject(tokens.get(EVIDENCE), state["evidence"])}
            model: dict[str, Any] = await self._token_to_auth_model(tokens)
        return model if model["name"] == user.name else None

    async def _note_once_out(self, name: str) -> None:
        """Whoever is out may go on asking: that is one event, not one a request."""
        if name not in self._out:
            self._out.add(name)
            await self.journal.note_if_possible(name, Step.EXPELLED, Decision.REFUSED)

    def _expel(self, user: Any) -> None:
        """Stop what the person runs; the request that found out does not wait for it."""
        for name, spawner in list(user.spawners.items()):
            if spawner.active and spawner.pending is None:
                self.log.warning("%s: stopping workspace '%s' of %s", EXPIRED, name, user.name)
                asyncio.get_running_loop().create_task(user.stop(name))

    async def sweep(self, users: Any) -> None:
        """Look up everybody who runs a workspace: removal must not wait for their next request."""
        for user in list(users.values()):
            if user.active:
                await self.refresh_user(user)


def _told(error: web.HTTPError | HTTPClientError | OSError) -> Told:
    """What a person reads of a login that failed. A provider refuses a code that is not this browser's."""
    match error:
        case Told():
            return error
        case web.HTTPError(status_code=status):
            return Told(status, NOT_PROVED, f"HTTP {status}")
        case HTTPClientError(code=code) if 400 <= code < 500:
            return Told(403, NOT_PROVED, "refused by the provider")
        case _:
            return Told(503, UNREACHABLE, "identity provider unreachable")


def _same_subject(fresh: Mapping[str, Any] | None, known: Mapping[str, Any]) -> Mapping[str, Any]:
    """A refreshed id token may say less (no `amr`), never something of another person."""
    if not fresh:
        return {}
    if fresh.get("sub") != known.get("sub"):
        raise Told(403, NOT_PROVED, "refresh answered for another subject")
    return fresh
