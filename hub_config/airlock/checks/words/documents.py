"""What is found in documents, images, models and archives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub_config.airlock.checks.words.words import Language, Words, both
from hub_config.governance.releases.findings import Rule

WORDS: Final[Mapping[Rule, Mapping[Language, Words]]] = {
    Rule.ACTIVE_CONTENT: both(
        (
            "Du contenu actif : {what}.",
            "Un programme s'exécute chez qui ouvre le fichier, et peut porter des données.",
            "Enregistrez une figure en PNG, un tableau en CSV ou XLSX, un texte sans programme.",
        ),
        (
            "Active content: {what}.",
            "A program runs at whoever opens the file, and may carry data.",
            "Save a figure as PNG, a table as CSV or XLSX, a text without programs.",
        ),
    ),
    Rule.TRACKED_CHANGES: both(
        (
            "Des modifications suivies.",
            "Ce qui a été effacé reste lisible dans le document, avec le nom de son auteur.",
            "Acceptez ou refusez toutes les modifications, puis enregistrez.",
        ),
        (
            "Tracked changes.",
            "What was deleted can still be read in the document, with its author's name.",
            "Accept or reject all changes, then save.",
        ),
    ),
    Rule.PICTURE: both(
        (
            "Une image, qu'aucun contrôle ne sait lire.",
            "Des effectifs, des points ou des noms peuvent y figurer.",
            "Relecteur : regardez-la. Demandeur : préférez une figure faite depuis un tableau figé.",
        ),
        (
            "An image, which no check can read.",
            "Counts, points or names may be in it.",
            "Reviewer: look at it. Requester: better send a figure made from a published table.",
        ),
    ),
    Rule.UNSEEN_DRAWING: both(
        (
            "Un dessin que cette page ne montre pas : vous n'en lisez que les textes.",
            "Des effectifs ou des points peuvent y être tracés, sans qu'aucun contrôle ne les lise.",
            "Demandeur : enregistrez la figure en PNG, elle sera montrée. Relecteur : exigez-le.",
        ),
        (
            "A drawing that this page doesn't show: you read its texts only.",
            "Counts or points may be drawn in it, and no check reads them.",
            "Requester: save the figure as PNG, which is shown. Reviewer: ask for that.",
        ),
    ),
    Rule.POINTS: both(
        (
            "{count} marques ou sommets : peut-être un par personne.",
            "Les coordonnées d'une figure vectorielle rendent les valeurs exactes de chacun.",
            "Demandez une figure faite depuis un tableau figé, ou dessinez des classes, ou en PNG.",
        ),
        (
            "{count} marks or vertices: perhaps one a person.",
            "The coordinates of a vector figure give everybody's exact values back.",
            "Send a figure made from a published table, or draw bins, or save as PNG.",
        ),
    ),
    Rule.ERROR_OUTPUT: both(
        (
            "Une cellule qui a fini par une erreur.",
            "Un message d'erreur cite souvent des valeurs et des chemins.",
            "Corrigez la cellule et exécutez le notebook de nouveau, ou effacez sa sortie.",
        ),
        (
            "A cell that ended with an error.",
            "An error message often quotes values and paths.",
            "Mend the cell and run the notebook again, or clear its output.",
        ),
    ),
    Rule.UNREAD_OUTPUT: both(
        (
            "Une sortie d'un type qu'aucun contrôle ne lit : {what}.",
            "Une figure interactive garde toutes ses données.",
            "Remplacez-la par un tableau ou une image, ou effacez la sortie.",
        ),
        (
            "An output of a type that no check reads: {what}.",
            "An interactive figure keeps all its data.",
            "Replace it by a table or an image, or clear the output.",
        ),
    ),
    Rule.MODEL_WITHOUT_COUNTS: both(
        (
            "Un modèle sans effectif ni degrés de liberté.",
            "Sans eux, personne ne peut dire si le modèle rend les données.",
            "Exportez aussi le nombre de patients et d'événements, et les degrés de liberté résiduels.",
        ),
        (
            "A model without counts or degrees of freedom.",
            "Without them nobody can tell whether the model gives the data back.",
            "Export the number of patients and events and the residual degrees of freedom with the model.",
        ),
    ),
    Rule.ONE_PERSON_TERM: both(
        (
            "Un terme du modèle porté par {count} personnes (minimum {least}).",
            "Le coefficient d'un groupe aussi petit est la valeur de ses membres.",
            "Regroupez les modalités rares, puis estimez de nouveau.",
        ),
        (
            "A term of the model that {count} people carry (minimum {least}).",
            "The coefficient of so small a group is its members' value.",
            "Merge rare categories, then fit again.",
        ),
    ),
    Rule.TRAINING_ROWS: both(
        (
            "Des données d'apprentissage dans le modèle : {what}.",
            "Vecteurs supports, voisins, durées ou courbes au jour près sont des lignes de patients.",
            "Exportez les seuls coefficients ; arrondissez une courbe de survie à une grille fixe.",
        ),
        (
            "Training data in the model: {what}.",
            "Support vectors, neighbours, durations or curves to the day are rows of patients.",
            "Export the coefficients alone; round a survival curve to a fixed grid.",
        ),
    ),
    Rule.SMALL_LEAF: both(
        (
            "{leaves} feuilles d'arbre de moins de {least} personnes (la plus petite : {count}).",
            "Une petite feuille décrit ses patients et donne leur valeur.",
            "Entraînez de nouveau avec `min_samples_leaf` d'au moins {least}.",
        ),
        (
            "{leaves} leaves of fewer than {least} people (the smallest: {count}).",
            "A small leaf describes its patients and gives their value.",
            "Train again with `min_samples_leaf` of at least {least}.",
        ),
    ),
    Rule.PSEUDONYMS_NOT_SEARCHED: both(
        (
            "Les pseudonymes n'ont pas tous été recherchés : {whose}.",
            "Un nombre de ce fichier peut désigner quelqu'un.",
            "Ajoutez le fichier de nouveau, il sera contrôlé encore ; sinon prévenez l'administrateur.",
        ),
        (
            "Not all pseudonyms have been searched for: {whose}.",
            "A number of this file may name somebody.",
            "Add the file again: it is checked each time. If this goes on, tell the administrator.",
        ),
    ),
}
