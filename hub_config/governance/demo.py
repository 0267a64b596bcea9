"""The three projects of the demo, on the synthetic warehouse: an intern's thesis, a researcher's models, the
sandbox. And who in it is the intern."""

from __future__ import annotations

from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.persons.facts import Link, Standing
from hub_config.governance.register.facts import EntryFacts, LegalBasis, Scope
from hub_config.governance.terms import every_table

LEGAL_BASIS = "MR-004"
PUBLISHED_INTERN = 1  # the one whose figures the synthetic training log reproduces


def demo_charters(snapshot: int) -> tuple[Charter, ...]:
    """The demo's projects, pinned to a synthetic snapshot."""
    return (_these_ines(snapshot), _modeles_rachid(snapshot), _bac_a_sable(snapshot))


def demo_entries() -> tuple[EntryFacts, ...]:
    """What the register says of the demo's projects, for the public page and the export."""
    return (
        EntryFacts(
            project="these-ines",
            scope=Scope.NATIONAL,
            responsible="ines",
            director="Pr Anne Durand",
            protocol="Étude descriptive des diagnostics codés en CISP-2, par âge et par sexe.",
            legal_basis=LegalBasis.MR_004,
            legal_reference="",
            retention="Jusqu’à la soutenance, puis deux ans en archive",
            dpia="AIPD de l’entrepôt",
            lay_fr="Une future médecin généraliste décrit pour quels problèmes de santé on consulte, "
            "selon leur âge et leur sexe, pour que l’enseignement y prépare mieux.",
            lay_en="A future general practitioner describes which health problems people consult for, by age "
            "and sex, so that teaching prepares for them better.",
            lead=None,
            review_due=None,
            dossier=None,
        ),
        EntryFacts(
            project="modeles-rachid",
            scope=Scope.NATIONAL,
            responsible="rachid",
            director="Rachid Benali",
            protocol="Modèles de risque à dix ans, construits et validés sur données individuelles.",
            legal_basis=LegalBasis.MR_004,
            legal_reference="",
            retention="Deux ans après la publication",
            dpia="AIPD du projet",
            lay_fr="Des chercheurs cherchent à mieux prévoir le risque d’infarctus et d’accident vasculaire "
            "cérébral, pour proposer une prévention à ceux qui en ont besoin.",
            lay_en="Researchers try to foresee the risk of heart attack and stroke better, so as to offer "
            "prevention to those who need it.",
            lead=None,
            review_due=None,
            dossier=None,
        ),
    )


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
