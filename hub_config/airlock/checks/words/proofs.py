"""What is found about where a file comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub_config.airlock.checks.words.words import Language, Words, both
from hub_config.governance.releases.findings import Rule

WORDS: Final[Mapping[Rule, Mapping[Language, Words]]] = {
    Rule.NOT_GENUINE: both(
        (
            "Ce fichier se dit tableau figé, mais la signature de la plateforme ne lui correspond pas.",
            "Il a été modifié depuis, ou n'a pas été signé ici : rien ne garantit ses nombres.",
            "Enregistrez de nouveau le tableau (to_csv, save), ou figez-le de nouveau avec ws.publish.",
        ),
        (
            "This file says it is a publication table, but the enclave's signature does not fit it.",
            "It was changed since, or not signed here: nothing vouches for its numbers.",
            "Save the table anew (to_csv, save), or publish it again with ws.publish.",
        ),
    ),
    Rule.OTHER_PROJECT: both(
        (
            "Ce tableau a été figé dans un autre projet.",
            "Chaque projet sort ses propres résultats, sous ses propres droits.",
            "Demandez la sortie depuis le projet où il a été figé.",
        ),
        (
            "This table was published in another project.",
            "Each project takes out its own results, under its own rights.",
            "Ask for it in the project where it was published.",
        ),
    ),
    Rule.OTHER_SNAPSHOT: both(
        (
            "Ce tableau porte sur une autre version figée des données que celle du projet.",
            "Comparé à des tableaux d'une autre version, il peut révéler les patients ajoutés ou retirés.",
            "Figez-le de nouveau sur la version actuelle, ou expliquez pourquoi celle-ci.",
        ),
        (
            "This table is about another snapshot of the data than the project's.",
            "Compared with tables of another one, it may reveal who came or went.",
            "Publish it again on the present snapshot, or say why this one.",
        ),
    ),
    Rule.OTHER_POLICY: both(
        (
            "Ce tableau a été protégé avec des seuils moins stricts que ceux d'aujourd'hui.",
            "Des effectifs aujourd'hui masqués peuvent s'y lire.",
            "Figez-le de nouveau, ou expliquez pourquoi celui-ci.",
        ),
        (
            "This table was protected with looser thresholds than those in force.",
            "It may show numbers that would be withheld today.",
            "Publish it again, or say why this one.",
        ),
    ),
    Rule.OWN_WORDS: both(
        (
            "Des mots ou des valeurs du demandeur figurent dans {columns} colonne(s).",
            "La signature garantit les nombres, non ce que le demandeur a écrit ou apporté.",
            "Rien à changer si ces mots ne désignent personne ; sinon, reprenez les libellés du catalogue.",
        ),
        (
            "Words or values of the requester's stand in {columns} column(s).",
            "The signature vouches for the numbers, not for what the requester wrote or brought.",
            "Nothing to change if these words tell of nobody; else take the catalogue's labels.",
        ),
    ),
    Rule.ROWS_HELD: both(
        (
            "Le projet, ou l'un de ses membres, a ou a eu accès à des données individuelles.",
            "Qui connaît des lignes peut retrouver un patient derrière un nombre : un médecin regarde.",
            "Rien à changer : la demande sera relue.",
        ),
        (
            "The project, or one of its members, has or had access to individual data.",
            "Whoever knows rows may find a patient behind a number: a physician looks.",
            "Nothing to change: the request will be reviewed.",
        ),
    ),
    Rule.SYNTHETIC: both(
        (
            "Données synthétiques : un exercice, pas un résultat.",
            "Personne n'est derrière ces nombres, mais on pourrait les prendre pour vrais.",
            "Dites-le là où vous les montrez.",
        ),
        (
            "Synthetic data: an exercise, not a result.",
            "Nobody is behind these numbers, but they could be taken for real.",
            "Say so wherever you show them.",
        ),
    ),
    Rule.MADE_ANEW: both(
        (
            "Le fichier relu et remis est fait de nouveau par la plateforme, à partir du tableau signé.",
            "Ainsi, il ne contient que ce qui a été signé.",
            "Rien à changer.",
        ),
        (
            "The file that is reviewed and released is made anew by the enclave, from the signed table.",
            "So it holds what was signed and nothing else.",
            "Nothing to change.",
        ),
    ),
    Rule.WRITTEN_ANEW: both(
        (
            "Écrit de nouveau par la plateforme, d'après ce qui s'y voit.",
            "Rien d'autre n'y reste.",
            "Rien à changer.",
        ),
        (
            "Written anew by the enclave, from what shows in it.",
            "Nothing else is left in it.",
            "Nothing to change.",
        ),
    ),
    Rule.NOT_DRAWN: both(
        (
            "La figure n'a pas pu être redessinée à partir du tableau signé.",
            "Sans cela, rien ne garantit ce qu'elle montre.",
            "Redessinez-la avec table.plot, ou joignez le tableau.",
        ),
        (
            "The figure could not be drawn again from the signed table.",
            "Without that, nothing vouches for what it shows.",
            "Draw it again with table.plot, or send the table.",
        ),
    ),
    Rule.RUN_OF_ANOTHER_PROJECT: both(
        (
            "Ce rapport a été produit pour un autre projet.",
            "Chaque projet sort ses propres résultats, sous ses propres droits.",
            "Demandez la sortie depuis le projet pour lequel il a été produit.",
        ),
        (
            "This report was made for another project.",
            "Each project takes out its own results, under its own rights.",
            "Ask for it in the project that it was made for.",
        ),
    ),
    Rule.RUN_NOT_DONE: both(
        (
            "Ce rapport vient d'une exécution qui n'est pas allée à son terme.",
            "Ce qui manque peut changer le sens de ce qui est là.",
            "Demandez à l'opérateur de le relancer.",
        ),
        (
            "This report is of a run that did not come to its end.",
            "What is missing may change what is there.",
            "Ask the operator to run it again.",
        ),
    ),
    Rule.RUN_ON_OTHER_SNAPSHOT: both(
        (
            "Ce rapport porte sur une autre version figée des données que celle du projet.",
            "Comparé à des tableaux d'une autre version, il peut révéler les patients ajoutés ou retirés.",
            "Demandez à l'opérateur de le relancer, ou expliquez pourquoi celui-ci.",
        ),
        (
            "This report is about another snapshot of the data than the project's.",
            "Compared with tables of another one, it may reveal who came or went.",
            "Ask the operator to run it again, or say why this one.",
        ),
    ),
    Rule.RUNS_DIFFER: both(
        (
            "Ce notebook a lu ces lignes une autre fois avec ces paramètres, et laissé autre chose.",
            "Entre deux exécutions, une opposition peut être seule différence : deux sorties la révèlent.",
            "Ne laissez sortir qu'une des deux, ou assurez-vous que bien plus d'un patient les sépare.",
        ),
        (
            "This notebook read these rows another time with these parameters, and left something else.",
            "Between two runs one objection may be all the difference: both releases reveal it.",
            "Let only one of the two out, or make sure that far more than one patient lies between them.",
        ),
    ),
    Rule.TEMPLATE_NOT_APPROVED: both(
        (
            "Le modèle, ou le notebook enregistré, de ce rapport n'est plus approuvé sous cette forme.",
            "Retiré ou corrigé depuis, ou privé des lignes qu'il lisait : ce qu'il a produit est à vérifier.",
            "Demandez à l'opérateur de relancer ce qui est approuvé aujourd'hui.",
        ),
        (
            "This report's template, or registered notebook, is no longer approved as it was.",
            "Withdrawn or mended since, or without the rows that it read: what it made is unverified.",
            "Ask the operator to run what is approved today.",
        ),
    ),
    Rule.UNPROVEN_OUTPUTS: both(
        (
            "{proven} sortie(s) du notebook portent une preuve, {unproven} n'en portent pas.",
            "Une sortie sans preuve est relue comme tout fichier à vérifier.",
            "Pour une relecture plus rapide, sortez les tableaux et figures figés seuls.",
        ),
        (
            "{proven} output(s) of the notebook carry a proof, {unproven} carry none.",
            "An output without proof is reviewed as any unverified file.",
            "For a quicker review, take out publication tables and figures by themselves.",
        ),
    ),
}
