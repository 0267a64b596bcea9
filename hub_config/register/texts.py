"""The words of the register's pages: French is the source, English in the catalogue. One text a member of
each closed vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub_config.governance.facts import AccessLevel, ProjectStatus
from hub_config.governance.register.facts import Ballot, Kind, LegalBasis, Office, Scope, State, Verdict
from hub_config.governance.roles import Role
from hub_config.register.form import Flaw
from hub_config.register.rules import Denial, ReviewState
from hub_config.web.texts import N_

LEGAL_BASES: Final[Mapping[LegalBasis, str]] = {
    LegalBasis.MR_001: N_("MR-001 · recherche impliquant la personne humaine, avec consentement"),
    LegalBasis.MR_002: N_(
        "MR-002 · étude non interventionnelle de performances d'un dispositif de diagnostic in vitro"
    ),
    LegalBasis.MR_003: N_("MR-003 · recherche impliquant la personne humaine, sans recueil du consentement"),
    LegalBasis.MR_004: N_("MR-004 · recherche n'impliquant pas la personne humaine, étude sur données"),
    LegalBasis.MR_005: N_(
        "MR-005 · étude sur le PMSI et les urgences, par un établissement de santé ou sa fédération"
    ),
    LegalBasis.MR_006: N_("MR-006 · étude sur le PMSI pour le compte d'un industriel de santé"),
    LegalBasis.MR_007: N_("MR-007 · étude sur la base principale du SNDS, mission d'intérêt public"),
    LegalBasis.MR_008: N_("MR-008 · étude sur la base principale du SNDS, intérêt légitime"),
    LegalBasis.AUTHORISATION: N_("Autorisation de la CNIL (numéro à donner)"),
    LegalBasis.INTERNAL_RESEARCH: N_(
        "Étude interne : données du suivi, par l'équipe de soins, pour son seul usage"
    ),
    LegalBasis.WAREHOUSE_REFERENCE: N_(
        "Référentiel des entrepôts de données de santé, CNIL 2021-118 (pilotage, non recherche)"
    ),
}
ACCESS: Final[Mapping[AccessLevel, str]] = {
    AccessLevel.AGGREGATE: N_("Résultats agrégés et protégés"),
    AccessLevel.MICRODATA: N_("Données individuelles pseudonymisées"),
    AccessLevel.SANDBOX: N_("Données fictives, sans protection"),
}
ACCESS_HINTS: Final[Mapping[AccessLevel, str]] = {
    AccessLevel.AGGREGATE: N_(
        "Des tableaux et des figures, jamais de lignes : assez pour la plupart des thèses."
    ),
    AccessLevel.MICRODATA: N_(
        "Des lignes de patients, dans l'espace de travail seulement. À justifier ; toute sortie passe devant "
        "un médecin."
    ),
}
RECONTACT: Final[Mapping[bool, str]] = {
    False: N_("non"),
    True: N_("oui : des cabinets peuvent être invités à en parler à des patients"),
}
SCOPES: Final[Mapping[Scope, str]] = {
    Scope.NATIONAL: N_("nationale"),
    Scope.REGIONAL: N_("régionale"),
}
KINDS: Final[Mapping[Kind, str]] = {
    Kind.CREATION: N_("Nouveau projet"),
    Kind.AMENDMENT: N_("Modification"),
    Kind.RENEWAL: N_("Renouvellement"),
}
STATES: Final[Mapping[State, str]] = {
    State.DRAFT: N_("brouillon"),
    State.IN_REVIEW: N_("en cours d'examen"),
    State.RETURNED: N_("à compléter"),
    State.APPROVED: N_("approuvée"),
    State.REFUSED: N_("refusée"),
    State.WITHDRAWN: N_("retirée"),
}
STATE_TONES: Final[Mapping[State, str]] = {
    State.DRAFT: "",
    State.IN_REVIEW: "wait",
    State.RETURNED: "wait",
    State.APPROVED: "good",
    State.REFUSED: "bad",
    State.WITHDRAWN: "",
}
NEXT: Final[Mapping[State, str]] = {
    State.DRAFT: N_("Complétez le formulaire, puis envoyez-le. Il est enregistré à chaque étape."),
    State.IN_REVIEW: N_(
        "Le comité, le délégué à la protection des données et l'administrateur l'examinent. Vous n'avez rien "
        "à faire, sauf répondre à une réserve."
    ),
    State.RETURNED: N_("Lisez ce qui est demandé, complétez le formulaire, puis renvoyez-le."),
    State.APPROVED: N_("Le projet est ouvert : son espace de travail est sur la page « Mes projets »."),
    State.REFUSED: N_("La demande est close. Le motif est ci-dessous ; une nouvelle demande reste possible."),
    State.WITHDRAWN: N_("Vous avez retiré cette demande. Une nouvelle demande reste possible."),
}
OFFICES: Final[Mapping[Office, str]] = {
    Office.CSE: N_("Comité scientifique et éthique (CSE)"),
    Office.DPO: N_("Délégué à la protection des données (DPO)"),
    Office.ADMIN: N_("Administrateur de la plateforme"),
}
VERDICTS: Final[Mapping[Verdict, str]] = {
    Verdict.FAVOURABLE: N_("favorable"),
    Verdict.RETURN: N_("à compléter"),
    Verdict.UNFAVOURABLE: N_("défavorable"),
}
VERDICT_TONES: Final[Mapping[Verdict, str]] = {
    Verdict.FAVOURABLE: "good",
    Verdict.RETURN: "wait",
    Verdict.UNFAVOURABLE: "bad",
}
BALLOTS: Final[Mapping[Ballot, str]] = {
    Ballot.FOR: N_("pour"),
    Ballot.AGAINST: N_("contre"),
    Ballot.ABSTAIN: N_("abstention"),
}
STATUSES: Final[Mapping[ProjectStatus, str]] = {
    ProjectStatus.DRAFT: N_("à l'étude"),
    ProjectStatus.APPROVED: N_("ouvert"),
    ProjectStatus.SUSPENDED: N_("suspendu"),
    ProjectStatus.CLOSED: N_("clos"),
}
STATUS_TONES: Final[Mapping[ProjectStatus, str]] = {
    ProjectStatus.DRAFT: "wait",
    ProjectStatus.APPROVED: "good",
    ProjectStatus.SUSPENDED: "bad",
    ProjectStatus.CLOSED: "",
}
STATUS_NOTES: Final[Mapping[ProjectStatus, str]] = {
    ProjectStatus.DRAFT: N_(
        "Ce projet ouvre quand les trois avis sont favorables et chaque réserve levée : ni renouvellement ni "
        "modification ne s'y demande d'ici là."
    ),
    ProjectStatus.APPROVED: "",
    ProjectStatus.SUSPENDED: N_(
        "Ce projet est suspendu : ses accès sont fermés, et ni renouvellement ni modification ne s'y "
        "demande. Le délégué à la protection des données ou l'administrateur dit pourquoi."
    ),
    ProjectStatus.CLOSED: N_(
        "Ce projet est clos, pour de bon : pour d'autres résultats, demandez un nouveau projet."
    ),
}
"""Why a project's page offers so little."""
REVIEWS: Final[Mapping[ReviewState, str]] = {
    ReviewState.NONE: "",
    ReviewState.COMING: N_("bientôt"),
    ReviewState.DUE: N_("à faire"),
    ReviewState.OVERDUE: N_("en retard"),
}
ROLES: Final[Mapping[Role, str]] = {
    Role.INTERNE: N_("interne"),
    Role.CHERCHEUR: N_("chercheur"),
    Role.MEDECIN_DIM: N_("médecin DIM"),
    Role.MEDECIN_REFERENT: N_("médecin référent"),
    Role.DMG: N_("responsable de DMG"),
    Role.AQD: N_("assistant qualité des données"),
    Role.DPO: N_("délégué à la protection des données"),
    Role.CSE: N_("comité scientifique et éthique"),
    Role.ADMIN: N_("administrateur"),
}
FIELDS: Final[Mapping[str, str]] = {
    "title": N_("Titre"),
    "director": N_("Directeur de thèse ou responsable scientifique"),
    "director_login": N_("Son identifiant sur la plateforme, s'il en a un"),
    "purpose": N_("Finalité"),
    "protocol": N_("Protocole"),
    "defence_on": N_("Date de soutenance prévue, pour une thèse"),
    "expires_on": N_("Échéance du droit d'accès"),
    "members": N_("Autres membres"),
    "legal_basis": N_("Base légale"),
    "legal_reference": N_("Référence"),
    "centres": N_("Centres"),
    "access": N_("Niveau d'accès"),
    "date_from": N_("Données à partir du"),
    "date_to": N_("jusqu'au"),
    "tables": N_("Tables, et pourquoi chacune est nécessaire"),
    "recontact": N_("Recontact de patients"),
    "recontact_why": N_("Pourquoi recontacter des patients, et ce qui leur sera proposé"),
    "lay_fr": N_("Résumé pour le public"),
    "lay_en": N_("Le même en anglais, si vous le souhaitez"),
}
"""The form's fields, in its order, as they are labelled."""
FLAWS: Final[Mapping[Flaw, str]] = {
    Flaw.MISSING: N_("À remplir."),
    Flaw.TOO_LONG: N_("Trop long : %(most)s caractères au plus."),
    Flaw.TOO_SHORT: N_("Dites-en un peu plus : %(least)s caractères au moins."),
    Flaw.NOT_ON_LIST: N_("Choisissez dans la liste."),
    Flaw.NOT_A_DATE: N_("Écrivez une date, par exemple 30/06/2027."),
    Flaw.PAST: N_("Cette date est passée."),
    Flaw.TOO_FAR: N_("Trop lointain : %(years)s ans au plus. L'échéance peut être renouvelée."),
    Flaw.BEFORE_DEFENCE: N_("L'échéance tombe avant la soutenance."),
    Flaw.ORDER: N_("La fin de la période tombe avant son début."),
    Flaw.NO_REFERENCE: N_("Donnez le numéro de l'autorisation."),
    Flaw.NOT_YOUR_CENTRE: N_(
        "Vous ne demandez que pour les centres que vous dirigez. S'il en manque un, le comité peut "
        "l'inscrire à votre nom."
    ),
    Flaw.UNKNOWN_PERSON: N_(
        "« %(who)s » n'est pas connu : cette personne doit d'abord se connecter une fois au registre."
    ),
    Flaw.NOT_A_MEMBER_ROLE: N_(
        "« %(who)s » ne peut pas être ajouté : un projet réunit des internes, des chercheurs et des "
        "responsables de centre."
    ),
    Flaw.NO_PATIENTS: N_("Choisissez au moins une table de données de patients."),
    Flaw.NO_REASON: N_("Écrivez un motif : il est inscrit au registre et lu par la personne concernée."),
    Flaw.MORE_THAN_ASKED: N_("Restez dans ce qui est demandé, sans rien laisser vide."),
    Flaw.DECIDED_ON_IT: N_(
        "« %(who)s » s'est prononcé sur ce projet, et ne peut donc pas y entrer de cette façon. Demandez une "
        "modification du projet : d'autres en décideront."
    ),
    Flaw.NOT_YOURSELF: N_("Personne n'inscrit un centre à son propre nom."),
}
DENIALS: Final[Mapping[Denial, str]] = {
    Denial.NOT_YOURS: N_("Cela revient à la personne qui a fait la demande, ou au responsable du projet."),
    Denial.NOT_YOUR_ROLE: N_("Votre fonction ne le permet pas."),
    Denial.INVOLVED: N_("Vous prenez part à ce projet : vous ne pouvez pas en décider."),
    Denial.CONFLICT_DECLARED: N_("Vous avez déclaré un conflit d'intérêts : vous ne prenez pas part."),
    Denial.OTHER_OFFICE: N_(
        "Vous vous êtes déjà prononcé sur cette demande à un autre titre, lors de cet envoi ou d'un "
        "précédent : une même personne n'en tient pas deux. Laissez cette décision à un autre titulaire de "
        "la fonction ; s'il n'y en a pas, faites-en nommer un, ou le demandeur retire la demande et en "
        "dépose une nouvelle."
    ),
    Denial.NOT_NOW: N_("Ce n'est plus possible : la demande ou le projet a changé d'état entre-temps."),
    Denial.ALREADY_VOTED: N_("Vous avez déjà voté."),
    Denial.ALREADY_DECIDED: N_("Cette décision est déjà rendue."),
    Denial.NO_QUORUM: N_("Le quorum n'est pas atteint : il manque des voix."),
    Denial.TIED: N_("Les voix sont partagées : un autre membre du comité doit voter."),
    Denial.SANDBOX: N_("Le bac à sable est ouvert à tous et n'a besoin d'aucune décision."),
    Denial.ASKED_ALREADY: N_("Une demande est déjà en cours pour ce projet : terminez-la d'abord."),
    Denial.LEADS_NO_MORE: N_(
        "Le demandeur ne dirige plus tous les centres demandés : renvoyez-lui la demande, à corriger."
    ),
    Denial.REVIEW_FIRST: N_(
        "La revue annuelle des accès est en retard : le responsable du projet la fait d'abord."
    ),
}
STALE: Final = N_(
    "Cette page a changé depuis que vous l'avez ouverte, peut-être dans un autre onglet. Rien n'a été "
    "modifié : relisez-la, puis recommencez."
)
NO_SUCH: Final = N_("Cette demande ou ce projet n'existe pas, ou il ne vous est pas ouvert.")
REASON_NEEDED: Final = N_("Écrivez un motif : il reste au dossier, avec votre nom et la date.")
REFUSED: Final = N_(
    "La gouvernance refuse cette modification. Vérifiez ce qui est demandé, puis recommencez."
)
SAME_MOMENT: Final = N_(
    "Quelqu'un d'autre a modifié la même chose au même moment. Rien n'est perdu : relisez, puis recommencez."
)
