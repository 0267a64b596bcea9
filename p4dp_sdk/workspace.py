"""`connect()` and the `Workspace`: the project, its tables and its catalogue, as the server's token and
socket decide.

Nothing here names a project or a person to the gateway: the socket does. Ibis is imported when a table is
first used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from p4dp_sdk import markup
from p4dp_sdk.backend.gateway import Gateway
from p4dp_sdk.backend.schemas import read_catalogue
from p4dp_sdk.errors import UnknownNameError, show_errors_plainly
from p4dp_sdk.granted import GrantedCatalogue, description, label
from p4dp_sdk.identity import Identity
from p4dp_sdk.locale import translate as _
from p4dp_sdk.noise_budget import NoiseBudget

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from p4dp_sdk.backend import Backend
    from p4dp_sdk.centre import Centre
    from p4dp_sdk.cohorts import Cohort
    from p4dp_sdk.indicators.registry import Indicators
    from p4dp_sdk.me import Me
    from p4dp_sdk.quality import Quality
    from p4dp_sdk.recontact import Recontact, Recontacts
    from p4dp_sdk.releases.airlock import Airlock
    from p4dp_sdk.releases.listing import Releases
    from p4dp_sdk.releases.parcels import Things
    from p4dp_sdk.releases.request import ReleaseRequest
    from p4dp_sdk.tables.safe import SafeTable


def connect() -> Workspace:
    """The workspace this notebook runs in.

    Raises NotInWorkspaceError outside of the enclave, and EnclaveError when the gateway does not answer or
    refuses.
    """
    from p4dp_sdk.tables.display import show_protected_results

    show_errors_plainly()
    show_protected_results()
    gateway = Gateway.from_environment()
    return Workspace(gateway, Identity.read(gateway.whoami()))


class Workspace:
    """One project, as one person sees it. `tables` to ask questions, `catalogue` to find one's way, `whoami`
    for rights."""

    def __init__(self, gateway: Gateway, identity: Identity) -> None:
        self._gateway = gateway
        self.whoami = identity

    @cached_property
    def catalogue(self) -> GrantedCatalogue:
        return GrantedCatalogue(read_catalogue(self._gateway.catalogue()))

    @cached_property
    def tables(self) -> Tables:
        return Tables(self)

    @cached_property
    def indicators(self) -> Indicators:
        """The dashboards' measures by their French id: `ws.indicators["polymedication_continue"]`."""
        from p4dp_sdk.indicators.registry import Indicators

        return Indicators(self)

    @cached_property
    def quality(self) -> Quality:
        """How far columns are filled, which rules fired, why, and what moved since the version before:
        `ws.quality.rules("biometrics")`."""
        from p4dp_sdk.quality import Previous, Quality

        return Quality(self.tables, self.catalogue, previous=Previous(self))

    def centre(self, code: str) -> Workspace | Centre:
        """This workspace narrowed to one centre; all of it where `code` is empty. Raises UnknownNameError,
        which lists the centres."""
        from p4dp_sdk.centre import Centre

        return Centre(self, code) if code else self

    @cached_property
    def me(self) -> Me:
        """One's own rows: an intern's consultations, a GP's patients, a supervisor's interns."""
        from p4dp_sdk.me import Me

        return Me(self)

    def gateway_says_of_me(self) -> dict[str, Any]:
        """As what the gateway knows the person now: what `me` is made of."""
        return self._gateway.me()

    def gateway_says_of_previous(self) -> dict[str, Any]:
        """Which the version before is now: what `quality.changes` compares with."""
        return self._gateway.previous()

    @cached_property
    def backend(self) -> Backend:
        """The Ibis backend under `tables`."""
        from p4dp_sdk.backend import Backend

        backend = Backend()
        backend.do_connect(self._gateway, lambda: self.catalogue)
        return backend

    def noise(self, expr: ir.Expr, epsilon: float = 0.5, *, contributions: int = 5) -> Any:
        """The answer to `expr` with calibrated noise and no threshold; `epsilon` of the budget is spent.

        Groups must be closed (codes, classes, years): all of them come back, empty ones too. A smaller
        `epsilon` costs less and blurs more. Of each patient at most `contributions` rows count (of a number
        of patients: groups); more of them blur more, fewer leave rows out. Every call draws, and costs,
        anew: keep the result. Raises EnclaveError where the budget is used up (`noise_budget`).
        """
        return self.backend.noisy(expr, epsilon, contributions)

    def noise_budget(self) -> NoiseBudget:
        """What the project, and each of its members, may still spend on `noise`."""
        return NoiseBudget.read(self._gateway.noise_budget())

    def publish(self, expr: ir.Expr, title: str) -> SafeTable:
        """The publication table of `expr` (a `group_by` and `agg` on `tables`): exact numbers, protected
        together with all their totals, signed. `title` is one line of up to 120 characters.

        Raises EnclaveError, which says why, where the question can't be published or not be protected.
        """
        return self.backend.publish(expr, title)

    def publication_key(self) -> str:
        """The enclave's public key (PEM): what `SafeTable.verify` needs, and may be given to anybody."""
        return str(self._gateway.publication_key()["public_key"])

    def request_release(
        self, things: Things, title: str, *, purpose: str = "", context: str = "", controls: str = ""
    ) -> ReleaseRequest:
        """A draft of a request that these leave the enclave: publication tables, their figures, names of
        files; in a list, or in a dict by the name each is to have (`{"tableau-1.xlsx": table}`).

        Shows what a reviewer will see, and what is missing; nobody reads it before `.send()`. `context` (who
        is counted, where, when) and `controls` (how nobody can be recognised) are needed to send it. Raises
        NotReleasableError for what can't be taken out by itself.
        """
        from p4dp_sdk.releases.request import ReleaseRequest

        said = {"title": title, "purpose": purpose, "context": context, "controls": controls}
        return ReleaseRequest.begin(self._airlock, things, said)

    def request_recontact(self, patients: ir.Table | Cohort, title: str, *, protocol: str) -> Recontact:
        """Ask that practices tell these patients of a study: a table with the one column `patient_id`, or a
        cohort. `protocol` is what their GPs read.

        Shows how many they are, as any count does; who they are is shown nowhere, and to nobody but their own
        practice. A DIM physician or the committee (CSE) decides. Raises EnclaveError where the project has
        not this right, or they are too few.
        """
        from p4dp_sdk.recontact import request

        return request(self._gateway, patients, title, protocol)

    @property
    def recontacts(self) -> Recontacts:
        """The project's requests of re-contact, as they stand."""
        from p4dp_sdk.recontact import Recontacts

        return Recontacts.read(self._gateway.recontacts())

    @property
    def releases(self) -> Releases:
        """One's requests of release in this project, as they stand: `ws.releases["d-…"]`."""
        from p4dp_sdk.releases.listing import Releases

        return Releases(self._airlock)

    @cached_property
    def _airlock(self) -> Airlock:
        from p4dp_sdk.releases.airlock import Airlock

        return Airlock.from_environment()

    def close(self) -> None:
        if "_airlock" in self.__dict__:
            self._airlock.close()
        self._gateway.close()

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {value}" for name, value in self.whoami.lines())

    def _repr_html_(self) -> str:
        return markup.table([_("Workspace"), ""], self.whoami.lines())


class Tables(Mapping[str, "ir.Table"]):
    """The project's tables as Ibis tables: `ws.tables.diagnoses` or `ws.tables["diagnoses"]`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def __getitem__(self, name: str) -> ir.Table:
        if name not in self._workspace.catalogue.tables:
            raise UnknownNameError(name, self)
        from p4dp_sdk.cohorts.events import EventTable

        return EventTable(self._workspace.backend.table(name).op())

    def __getattr__(self, name: str) -> ir.Table:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._workspace.catalogue.tables)

    def __len__(self) -> int:
        return len(self._workspace.catalogue.tables)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name for name in self if name.isidentifier() and not iskeyword(name))]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def __repr__(self) -> str:
        return repr(self._workspace.catalogue)

    def _repr_html_(self) -> str:
        granted = self._workspace.catalogue.tables.values()
        rows = [
            (f"ws.tables.{t.name}", label(t), description(t), ", ".join(c.name for c in t.columns))
            for t in granted
        ]
        return markup.table([_("Table"), _("Title"), _("Content"), _("Columns")], rows)
