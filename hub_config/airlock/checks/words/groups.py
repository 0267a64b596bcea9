"""What is found about people: small groups, single persons, models that give persons away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub_config.airlock.checks.words.words import Language, Words, both
from hub_config.governance.releases.findings import Rule

WORDS: Final[Mapping[Rule, Mapping[Language, Words]]] = {
    Rule.SMALL_COUNT: both(
        (
            "Un effectif de 1 à {below}.",
            "Un petit groupe se reconnaît : aucun effectif de moins de {min} patients ne sort.",
            "Masquez la cellule, regroupez les classes, ou refaites le tableau par ws.publish.",
        ),
        (
            "A count from 1 to {below}.",
            "Few people can be recognised: no count under {min} patients leaves.",
            "Mask the cell, merge classes, or make the table with ws.publish, which masks what is needed.",
        ),
    ),
    Rule.SMALL_COMPLEMENT: both(
        (
            "Le reste est petit : ce nombre, retiré de son total, laisse de 1 à {below} patients.",
            "Qui lit le total et ce nombre connaît le petit groupe qui manque.",
            "Regroupez les classes, ou masquez aussi ce nombre.",
        ),
        (
            "The rest is small: this number, taken from its total, leaves 1 to {below} patients.",
            "Who reads the total and this number knows the small group that is missing.",
            "Merge classes, or mask this number as well.",
        ),
    ),
    Rule.COUNT_BEHIND_PERCENTAGE: both(
        (
            "Un pourcentage dont l'effectif, ou celui du reste, se calcule : de 1 à {below} patients.",
            "Un pourcentage et son dénominateur donnent l'effectif aussi sûrement que l'effectif lui-même.",
            "Masquez le pourcentage comme l'effectif, ou regroupez les classes.",
        ),
        (
            "A percentage whose count, or the rest's, can be computed: 1 to {below} patients.",
            "A percentage and its denominator give the count as surely as the count itself.",
            "Mask the percentage as you mask the count, or merge classes.",
        ),
    ),
    Rule.RECOMPUTABLE_CELL: both(
        (
            "Une cellule masquée se recalcule : elle est seule à manquer sous un total.",
            "Une soustraction rend l'effectif masqué.",
            "Masquez une autre cellule de la même ligne ou colonne, ou le total ; ws.publish le fait.",
        ),
        (
            "A masked cell can be computed: it is the only one missing under a total.",
            "A subtraction gives the masked count back.",
            "Mask a second cell of the same row or column, or the total; ws.publish does it for you.",
        ),
    ),
    Rule.UNANIMOUS: both(
        (
            "Un résultat unanime : 0 % ou 100 %.",
            "Ce qui vaut pour tous d'un groupe se sait de chacun d'eux.",
            "Dites pourquoi cela n'apprend rien sur une personne, ou regroupez les classes.",
        ),
        (
            "A unanimous result: 0 % or 100 %.",
            "What holds for all of a group is known of each of them.",
            "Say why it tells nothing of a person, or merge classes.",
        ),
    ),
    Rule.ZERO_COUNT: both(
        (
            "Un effectif nul.",
            "Un zéro dit que personne du groupe n'est concerné, ce qui se sait alors de chacun.",
            "Un zéro de construction (hommes, col de l'utérus) peut rester : dites-le dans le contexte.",
        ),
        (
            "A count of zero.",
            "A zero says that nobody of the group is concerned, which is then known of each.",
            "A zero by construction (men, cervix) may stay: say so in the context.",
        ),
    ),
    Rule.UNROUNDED_COUNT: both(
        (
            "Un effectif qui n'est pas un multiple de {base}, alors que les effectifs sont dits arrondis.",
            "Un seul effectif exact parmi des arrondis permet de retrouver les autres.",
            "Arrondissez aussi celui-ci, ou corrigez ce qui est dit de l'arrondi.",
        ),
        (
            "A count that is no multiple of {base}, where counts are said to be rounded.",
            "One exact count among rounded ones lets the others be found.",
            "Round it too, or correct what is said of the rounding.",
        ),
    ),
    Rule.NO_DENOMINATOR: both(
        (
            "Des pourcentages ou des taux sans dénominateur.",
            "Sans le dénominateur, personne ne peut dire combien de patients se trouvent derrière.",
            "Ajoutez une colonne n ou N, ou dites le dénominateur dans le contexte.",
        ),
        (
            "Percentages or rates without a denominator.",
            "Without the denominator nobody can tell how many patients are behind them.",
            "Add a column n or N, or tell the denominator in the context.",
        ),
    ),
    Rule.EXTREME_VALUE: both(
        (
            "Un minimum ou un maximum.",
            "Une valeur extrême est celle d'une seule personne.",
            "Donnez un centile 5 et un centile 95, ou des bornes de classes.",
        ),
        (
            "A minimum or a maximum.",
            "An extreme value is one person's.",
            "Give the 5th and 95th centiles, or the bounds of classes.",
        ),
    ),
    Rule.NARROW_MASK: both(
        (
            "Un effectif donné par des bornes plus serrées que 1 à {below}.",
            "Connu à peu près, un petit groupe se reconnaît encore : un masque couvre tout sous {min}.",
            "Écrivez « < {min} » à la place, ou regroupez les classes.",
        ),
        (
            "A count told by bounds closer than 1 to {below}.",
            "A small group is recognised within a few people too: a mask covers all under {min}.",
            "Write “< {min}” instead, or merge classes.",
        ),
    ),
    Rule.UNREAD_CELL: both(
        (
            "Une cellule d'effectif que les contrôles ne savent pas lire.",
            "Elle n'a été comparée à rien : un effectif de moins de {min} patients peut s'y trouver.",
            "Écrivez-y un nombre seul ou « < {min} », la remarque sous le tableau ; sinon quelqu'un la lit.",
        ),
        (
            "A cell of a count that the checks can't read.",
            "It was compared with nothing: a count under {min} patients may stand in it.",
            "Write a number alone, or “< {min}”, and the remark under the table; else a reviewer reads it.",
        ),
    ),
    Rule.ROW_LEVEL: both(
        (
            "Le fichier semble tenir une ligne par personne ({rows} lignes).",
            "Des données individuelles ne sortent jamais, même sans nom.",
            "Envoyez un tableau d'effectifs ou de résultats.",
        ),
        (
            "The file seems to hold a row for each person ({rows} rows).",
            "Individual data never leave, not even without names.",
            "Send a table of counts or results.",
        ),
    ),
    Rule.ID_COLUMN: both(
        (
            "Une colonne d'identifiants.",
            "Un identifiant désigne une personne, et relie cette ligne à d'autres données.",
            "Retirez la colonne, et comptez au lieu de lister.",
        ),
        (
            "A column of identifiers.",
            "An identifier points at a person, and links this row with other data.",
            "Take the column out, and count instead of listing.",
        ),
    ),
    Rule.QUASI_IDENTIFIERS: both(
        (
            "Plusieurs traits se croisent ({columns} colonnes), et presque chaque croisement est unique.",
            "Âge, sexe, lieu et date suffisent souvent à retrouver quelqu'un.",
            "Croisez moins de traits, ou des classes plus larges, et donnez l'effectif de chacune.",
        ),
        (
            "Several traits are crossed ({columns} columns), and nearly every combination is unique.",
            "Age, sex, place and date are often enough to find somebody.",
            "Cross fewer traits, or wider classes, and give the count of each.",
        ),
    ),
    Rule.EXACT_DATES: both(
        (
            "Des dates au jour près.",
            "La date exacte d'un soin ou d'un décès désigne souvent une seule personne.",
            "Donnez des mois, des trimestres ou des années.",
        ),
        (
            "Dates to the day.",
            "The exact date of care or of a death often points at one person.",
            "Give months, quarters or years.",
        ),
    ),
    Rule.DIRECT_IDENTIFIER: both(
        (
            "Une colonne porte le nom d'un identifiant direct : {word}.",
            "Nom, adresse, téléphone, courriel, NIR ou date de naissance désignent une personne.",
            "Retirez la colonne.",
        ),
        (
            "A column is named like a direct identifier: {word}.",
            "Name, address, telephone, e-mail, social-security number and date of birth point at a person.",
            "Take the column out.",
        ),
    ),
    Rule.PERSONAL_PATTERN: both(
        (
            "Un texte a la forme d'une donnée personnelle : {word}.",
            "Un numéro, une adresse de courriel ou une date de naissance désigne une personne.",
            "Retirez-le ; si c'est le contact de l'équipe, dites-le dans le contexte.",
        ),
        (
            "A text has the form of personal data: {word}.",
            "A number, an e-mail address or a date of birth points at a person.",
            "Take it out; if it is the team's contact, say so in the context.",
        ),
    ),
    Rule.PSEUDONYM: both(
        (
            "Un pseudonyme de patient ou de médecin du projet.",
            "Un pseudonyme relie le fichier aux données d'une personne.",
            "Retirez-le, ainsi que la colonne ou la sortie qui le porte.",
        ),
        (
            "A pseudonym of a patient or physician of the project.",
            "A pseudonym links the file with a person's data.",
            "Take it out, with the column or the output that holds it.",
        ),
    ),
    Rule.TOO_MANY_LONG_INTEGERS: both(
        (
            "Trop de longs nombres entiers pour les comparer tous aux pseudonymes.",
            "Un tableau de résultats n'en contient presque pas.",
            "Arrondissez les nombres, et retirez les identifiants.",
        ),
        (
            "Too many long whole numbers to compare them all with pseudonyms.",
            "A table of results has hardly any.",
            "Round the numbers, and take identifiers out.",
        ),
    ),
    Rule.RESIDUALS: both(
        (
            "Des résidus ou des valeurs prédites, un par observation.",
            "Un résidu et le modèle rendent la valeur d'une personne.",
            "Donnez un résumé des résidus (écart type, centiles), ou une figure par classes.",
        ),
        (
            "Residuals or fitted values, one an observation.",
            "A residual and the model give a person's value back.",
            "Give a summary of the residuals (standard deviation, centiles), or a figure by classes.",
        ),
    ),
    Rule.FEW_DEGREES_OF_FREEDOM: both(
        (
            "Un modèle de moins de 10 degrés de liberté résiduels.",
            "Un modèle presque saturé rend les données elles-mêmes.",
            "Estimez moins de paramètres, ou sur plus d'observations.",
        ),
        (
            "A model with fewer than 10 residual degrees of freedom.",
            "A model that is nearly saturated gives the data themselves.",
            "Estimate fewer parameters, or on more observations.",
        ),
    ),
    Rule.SATURATED_MODEL: both(
        (
            "Un modèle saturé : autant de paramètres que d'observations, ou un R² de 1.",
            "Ses coefficients sont les données.",
            "Estimez moins de paramètres.",
        ),
        (
            "A saturated model: as many parameters as observations, or an R² of 1.",
            "Its coefficients are the data.",
            "Estimate fewer parameters.",
        ),
    ),
}
