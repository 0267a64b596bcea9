"""What the checks of the inbound airlock found, with the remedy; never a value of the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub_config.desk.entries.checks import Finding
from hub_config.desk.texts import N_
from hub_config.governance.rights.facts import EntryKind, EntryState

KINDS: Final[Mapping[EntryKind, str]] = {
    EntryKind.CODE_LIST: N_("Liste de codes (.toml ou .csv)"),
    EntryKind.TABLE: N_("Petit tableau (.csv)"),
    EntryKind.NOTEBOOK: N_("Notebook (.ipynb, sans ses résultats)"),
    EntryKind.SCRIPT: N_("Script (.py ou .R)"),
}
STATES: Final[Mapping[EntryState, tuple[str, str]]] = {
    EntryState.SUBMITTED: (N_("attend un regard"), "wait"),
    EntryState.ACCEPTED: (N_("accepté"), "good"),
    EntryState.REFUSED: (N_("refusé"), "bad"),
}
FINDINGS: Final[Mapping[Finding, str]] = {
    Finding.NAME: N_(
        "Le nom ne convient pas au type choisi : lettres, chiffres, - et _, puis .py, .R, .ipynb, .csv ou "
        ".toml. Renommez le fichier."
    ),
    Finding.SIZE: N_("Le fichier dépasse 2 Mo. Réduisez-le."),
    Finding.EMPTY: N_("Le fichier est vide."),
    Finding.NOT_TEXT: N_("Ce n'est pas du texte en UTF-8. Enregistrez-le sous ce format."),
    Finding.HIDDEN_SIGNS: N_("Le fichier contient des signes invisibles. Recopiez-le en texte simple."),
    Finding.BLOB: N_("Une très longue suite de signes ressemble à un fichier caché. Retirez-la."),
    Finding.NIR: N_("Un nombre ressemble à un numéro de sécurité sociale. Retirez-le."),
    Finding.CONTACT: N_("Le tableau contient une adresse électronique ou un téléphone. Retirez-les."),
    Finding.NAMING_COLUMN: N_(
        "Une colonne porte le nom d'un identifiant (nom, naissance, adresse, patient…). Retirez-la."
    ),
    Finding.LONG_NUMBERS: N_(
        "De longs nombres ressemblent à des identifiants. Retirez-les ou arrondissez-les."
    ),
    Finding.NOT_A_TABLE: N_(
        "Ce n'est pas un tableau : une ligne de titres tous différents, puis autant de cellules par ligne."
    ),
    Finding.TOO_LARGE_TABLE: N_("Le tableau dépasse 50 000 lignes ou 100 colonnes. Agrégez-le."),
    Finding.NOT_A_NOTEBOOK: N_("Ce n'est pas un notebook au format 4. Réenregistrez-le avec Jupyter."),
    Finding.NOT_A_CODE_LIST: N_(
        "Ce n'est pas une liste de codes : en TOML, les champs id, version, label_fr, source, author et une "
        "table [codes] ; en CSV, une colonne « code ». Chaque code s'écrit comme dans sa nomenclature."
    ),
}
