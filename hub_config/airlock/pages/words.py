"""The words of the airlock's screens: states, classes, kinds, votes, what to do next. French is the
source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub_config.governance.releases.facts import CheckState, FileKind, OutputClass, State, Verdict
from hub_config.governance.releases.findings import Severity
from hub_config.web.texts import N_

STATES: Final[Mapping[State, str]] = {
    State.DRAFT: N_("brouillon"),
    State.SUBMITTED: N_("envoyée"),
    State.IN_REVIEW: N_("en relecture"),
    State.APPROVED: N_("acceptée"),
    State.RELEASED: N_("sortie"),
    State.RETURNED: N_("à corriger"),
    State.REJECTED: N_("refusée"),
    State.WITHDRAWN: N_("retirée"),
}

NEXT: Final[Mapping[State, str]] = {
    State.DRAFT: N_(
        "Relisez ci-dessous ce que verra le relecteur, corrigez ce qui est signalé, puis envoyez la demande."
    ),
    State.SUBMITTED: N_(
        "Rien à faire pour l’instant : un médecin DIM va ouvrir votre demande, en général sous cinq jours "
        "ouvrés. La suite se lit ici, et par courriel si la plateforme en envoie."
    ),
    State.IN_REVIEW: N_(
        "Rien à faire pour l’instant, sauf si une question vous est posée plus bas : y répondre ne remet "
        "pas la relecture à zéro."
    ),
    State.APPROVED: N_(
        "Votre demande est acceptée ; les fichiers sont en cours de préparation. Rechargez la page."
    ),
    State.RELEASED: N_(
        "Téléchargez vos fichiers ci-dessous. Gardez avec eux la fiche de contrôle : elle prouve ce qui a "
        "été vérifié, par qui, et sur quels octets."
    ),
    State.RETURNED: N_(
        "Lisez les motifs ci-dessous, corrigez dans votre notebook, puis reprenez la demande : ce qui n’a "
        "pas changé ne sera pas relu une seconde fois."
    ),
    State.REJECTED: N_(
        "Ces fichiers ne peuvent pas sortir, même corrigés ; les motifs sont ci-dessous. Parlez-en avec un "
        "médecin DIM avant de faire une autre demande."
    ),
    State.WITHDRAWN: N_("Cette demande est retirée : rien n’est sorti, et personne ne la lit plus."),
}

LISTED: Final[Mapping[State, str]] = {
    State.DRAFT: N_("La finir, puis l’envoyer."),
    State.SUBMITTED: N_("Rien pour l’instant."),
    State.IN_REVIEW: N_("Rien pour l’instant."),
    State.APPROVED: N_("Attendre un instant : les fichiers se préparent."),
    State.RELEASED: N_("Télécharger les fichiers."),
    State.RETURNED: N_("Lire les motifs, corriger, reprendre la demande."),
    State.REJECTED: N_("Lire les motifs."),
    State.WITHDRAWN: N_("Plus rien."),
}
"""What to do, in a list."""

LISTED_NO_FILES: Final = N_("Y joindre les fichiers.")
LISTED_QUESTION: Final = N_("Répondre à la question posée.")
LISTED_STOPPED: Final = N_("Rien pour l’instant : sa page dit ce qui vous arrête.")
LISTED_RECALLED: Final = N_("Ne plus utiliser ces fichiers, et détruire les copies.")
NEXT_NO_FILES: Final = N_("Joignez les fichiers qui doivent sortir : chacun est contrôlé aussitôt.")

RECALLED_NEXT: Final = N_(
    "Cette sortie est rappelée : n’utilisez plus ces fichiers, et détruisez vos copies. Le motif est "
    "ci-dessous."
)

MISSING: Final[Mapping[str, str]] = {
    "title": N_("un titre"),
    "purpose": N_("à quoi servira la sortie"),
    "context": N_("ce que montrent les fichiers"),
    "controls": N_("ce que vous avez fait pour protéger les patients et les médecins"),
}
NO_FILES: Final = N_("au moins un fichier")
NOT_CHECKED: Final = N_("la fin des contrôles automatiques : rechargez la page dans un instant")

TEXTS: Final[Mapping[str, str]] = {
    "purpose": N_("À quoi servira la sortie ?"),
    "context": N_("Que montrent les fichiers ?"),
    "controls": N_("Protection des patients et des médecins"),
}

CLASSES: Final[Mapping[OutputClass, str]] = {
    OutputClass.BORN_SAFE: N_("conforme d’origine"),
    OutputClass.REPRODUCED: N_("reproduit"),
    OutputClass.UNVERIFIED: N_("à vérifier"),
}

CLASS_REASONS: Final[Mapping[OutputClass, str]] = {
    OutputClass.BORN_SAFE: N_(
        "Conforme d’origine : refait par le sas d’après un tableau signé ; ses nombres sont protégés "
        "d’office."
    ),
    OutputClass.REPRODUCED: N_(
        "Reproduit : l’enclave a elle-même exécuté un modèle approuvé, sur des agrégats protégés, et a gardé "
        "ce fichier, octet pour octet. Personne du projet n’y a mis la main ; reste à juger ce qu’il montre."
    ),
    OutputClass.UNVERIFIED: N_(
        "À vérifier : rien ne prouve d’où viennent ces nombres. Deux médecins le lisent, chacun de son côté."
    ),
}

KINDS: Final[Mapping[FileKind, str]] = {
    FileKind.CSV: N_("tableau CSV"),
    FileKind.TSV: N_("tableau TSV"),
    FileKind.XLSX: N_("classeur Excel"),
    FileKind.PARQUET: N_("tableau Parquet"),
    FileKind.JSON: N_("données JSON"),
    FileKind.TEXT: N_("texte"),
    FileKind.MARKDOWN: N_("texte Markdown"),
    FileKind.HTML: N_("page HTML"),
    FileKind.NOTEBOOK: N_("notebook Jupyter"),
    FileKind.PNG: N_("image PNG"),
    FileKind.JPEG: N_("image JPEG"),
    FileKind.SVG: N_("image SVG"),
    FileKind.PDF: N_("document PDF"),
    FileKind.MODEL_JSON: N_("modèle (coefficients)"),
    FileKind.PUBLICATION: N_("tableau figé et signé"),
    FileKind.FIGURE_SPEC: N_("figure d’un tableau figé"),
    FileKind.ARCHIVE: N_("archive"),
    FileKind.PICKLE: N_("objet Python sérialisé"),
    FileKind.OFFICE: N_("document bureautique"),
    FileKind.UNKNOWN: N_("format inconnu"),
}

SEVERITIES: Final[Mapping[Severity, str]] = {
    Severity.BLOCKING: N_("bloquant"),
    Severity.WARNING: N_("à regarder"),
    Severity.NOTE: N_("pour information"),
}

VERDICTS: Final[Mapping[Verdict, str]] = {
    Verdict.APPROVE: N_("accepter"),
    Verdict.CHANGES: N_("demander des corrections"),
    Verdict.UNDECIDED: N_("je ne sais pas encore"),
    Verdict.REJECT: N_("refuser, même corrigé"),
}

KEYS: Final[Mapping[Verdict, str]] = {Verdict.APPROVE: "a", Verdict.CHANGES: "c", Verdict.UNDECIDED: "u"}

CHECKS: Final[Mapping[CheckState, str]] = {
    CheckState.PENDING: N_("contrôle en attente"),
    CheckState.CHECKED: N_("contrôlé"),
    CheckState.QUARANTINED: N_("mis à l’écart"),
}

LINEAGES: Final[Mapping[str, str]] = {
    "key": N_("catalogue, dates ou classes de nombres"),
    "measure": N_("nombre protégé par la passerelle"),
    "derived": N_("calculé à partir de nombres protégés"),
    "reference": N_("table publique de l’enclave"),
    "literal": N_("mots de la requête"),
    "user": N_("table apportée par le demandeur"),
}

THRESHOLDS: Final[Mapping[str, str]] = {
    "min_patients": N_("patients au moins derrière un nombre"),
    "min_physicians": N_("médecins au moins derrière un nombre"),
    "max_physician_share": N_("part la plus grande d’un seul médecin"),
}
