"""The three projects of the demo, on the synthetic warehouse: an intern's thesis, a researcher's models, the
sandbox. And who in it is the intern."""

from __future__ import annotations

from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.persons.facts import Link, Standing
from hub_config.governance.terms import every_table

LEGAL_BASIS = "MR-004"
PUBLISHED_INTERN = 1  # the one whose figures the synthetic training log reproduces


def demo_charters(snapshot: int) -> tuple[Charter, ...]:
    """The demo's projects, pinned to a synthetic snapshot."""
    return (_these_ines(snapshot), _modeles_rachid(snapshot), _bac_a_sable(snapshot))


def demo_link(source: str) -> Link:
    """Inès is the intern whose log was published, in a synthetic warehouse made of `source`."""
    return Link("ines", source, Standing.INTERN, PUBLISHED_INTERN)


def _these_ines(snapshot: int) -> Charter:
    return Charter(
        slug="these-ines",
        title="Thèse d’Inès : les diagnostics en médecine générale",
        purpose="Décrire les diagnostics les plus fréquents par âge et par sexe, pour une thèse d’exercice.",
        snapshot=snapshot,
        grant=_everything(AccessLevel.AGGREGATE),
        members={"ines": MemberRole.INTERNE},
    )


def _modeles_rachid(snapshot: int) -> Charter:
    return Charter(
        slug="modeles-rachid",
        title="Modèles de risque cardiovasculaire",
        purpose="Construire et valider des modèles de risque cardiovasculaire sur données individuelles.",
        snapshot=snapshot,
        grant=_everything(AccessLevel.MICRODATA),
        members={"rachid": MemberRole.CHERCHEUR},
    )


def _bac_a_sable(snapshot: int) -> Charter:
    return Charter(
        slug="bac-a-sable",
        title="Bac à sable",
        purpose="Apprendre à se servir de la plateforme, sur données synthétiques et sans autorisation.",
        snapshot=snapshot,
        grant=_everything(AccessLevel.SANDBOX),
        open_to_all=True,
    )


def _everything(access: AccessLevel) -> Grant:
    """Every table about patients and every reference table, but those of the SNDS."""
    return Grant(access=access, tables=every_table(), legal_basis=LEGAL_BASIS)
