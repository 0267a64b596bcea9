"""The French of our words that fill the blanks of findings; a word that isn't here stands as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FRENCH: Final[Mapping[str, str]] = {
    "invisible": "caractères invisibles",
    "look-alikes": "lettres qui en imitent d'autres",
    "path": "un chemin",
    "edges": "commence ou finit par un signe",
    "long": "trop long",
    "two-extensions": "deux extensions",
    "reserved": "nom réservé du système",
    "rows": "lignes",
    "columns": "colonnes",
    "lines": "lignes",
    "sheets": "feuilles",
    "hidden sheet": "une feuille masquée",
    "hidden row": "une ligne masquée",
    "hidden column": "une colonne masquée",
    "hidden text": "un texte masqué par son format",
    "chart": "un graphique",
    "pivot table": "un tableau croisé dynamique",
    "picture": "une image",
    "drawing": "un dessin",
    "form control": "un contrôle de formulaire",
    "custom data": "des données attachées",
    "other file": "un autre fichier",
    "author": "auteur",
    "title": "titre",
    "keywords": "mots-clés",
    "company": "société",
    "header or footer": "en-tête ou pied de page",
    "schema metadata": "métadonnées du schéma",
    "name": "nom",
    "first name": "prénom",
    "address": "adresse",
    "telephone number": "numéro de téléphone",
    "e-mail address": "adresse de courriel",
    "social-security number": "numéro de sécurité sociale",
    "physician number": "numéro de professionnel (RPPS, ADELI)",
    "date of birth": "date de naissance",
    "postcode": "code postal",
}
