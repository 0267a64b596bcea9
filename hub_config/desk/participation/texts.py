"""Why an objection or a change was refused, in words that name nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub_config.desk.texts import N_
from hub_config.warehouse.local_ids import Missing

UNFOUND: Final[Mapping[Missing, str]] = {
    Missing.NO_SOURCE: N_("Aucune version figée n'est faite de cette source. Choisissez-en une de la liste."),
    Missing.BAD_ID: N_(
        "Cet identifiant n'est pas écrit comme ceux de cette source : relisez-le, la clé de contrôle "
        "comprise. Rien n'a été enregistré."
    ),
    Missing.UNKNOWN: N_(
        "Personne n'a cet identifiant dans cette source. Relisez-le, et demandez au cabinet celui qui figure "
        "dans ses exports. Rien n'a été enregistré."
    ),
    Missing.INVENTED: N_(
        "Les médecins de cette source sont inventés : aucun n'a d'identifiant. Rien n'a été enregistré."
    ),
}
PROBLEMS: Final[Mapping[str, str]] = {
    "reference": N_(
        "La référence est celle d'un courrier ou d'une convention : 40 signes au plus, lettres, chiffres et "
        "traits ; jamais un nom ni un numéro de sécurité sociale."
    ),
    "known-practice": N_("Un cabinet porte déjà ce code. Choisissez-en un autre."),
    "no-practice": N_("Aucun cabinet ne porte ce code."),
    "left": N_("Ce cabinet s'est retiré : s'il revient, il entre sous un nouveau code."),
    "source": N_(
        "Ce cabinet est entré sous une autre source de données : choisissez celle de son inscription."
    ),
    "before": N_("Cette date précède celle du logiciel en service. Corrigez-la."),
    "text": N_("Un champ est vide ou trop long. Complétez-le, puis recommencez."),
    "lifted": N_("Cette opposition est déjà levée."),
    "future": N_("L'opposition ne porte que sur l'avenir : les copies faites avant peuvent rester."),
    "no-erasure": N_("On ne vous a pas demandé cet effacement."),
    "erased": N_("Cet effacement est déjà noté."),
    "no-receipt": N_("Aucun récépissé ne porte ce numéro."),
    "no-request": N_("Aucune demande ne porte ce numéro."),
    "step": N_("Cette demande n'en est plus là : rouvrez-la, puis recommencez."),
    "why": N_("Donnez le motif, en 400 signes au plus ; jamais un nom."),
    "reason": N_("Donnez les motifs : la personne doit en être informée (RGPD, art. 12, § 3 et 4)."),
    "too-late": N_(
        "Le premier mois est passé : la prolongation devait être annoncée avant (RGPD, art. 12, § 3)."
    ),
    "to-come": N_("Une demande n'est pas reçue dans l'avenir. Corrigez la date."),
    "no-entry": N_("Aucun fichier ne porte ce numéro."),
    "own": N_("Personne n'accepte son propre fichier. Un autre responsable ou un médecin DIM le regarde."),
}
