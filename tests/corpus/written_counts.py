"""Small counts as people leave them without thinking: with a mark, a unit, in words, under a total, behind a
percentage; and what looks like them and is none.
"""

# ruff: noqa: E501, ISC004  (the texts of files, as people write them)

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from hub_config.governance.releases.findings import Rule
from tests.corpus.cases import Case, doubtful, safe, unsafe
from tests.corpus.tables import Table, as_csv, as_html, as_markdown, as_xlsx

_FORMS: Final[Mapping[str, Callable[[Table], bytes]]] = {
    "csv": partial(as_csv, separator=";"),
    "xlsx": as_xlsx,
    "html": as_html,
    "md": as_markdown,
}
_SMALL, _REST, _BEHIND = Rule.SMALL_COUNT, Rule.SMALL_COMPLEMENT, Rule.COUNT_BEHIND_PERCENTAGE
_NARROW, _UNREAD, _DISGUISED = Rule.NARROW_MASK, Rule.UNREAD_CELL, Rule.DISGUISED_CHARACTERS

CELLS: Final[Mapping[str, tuple[Any, ...]]] = {
    "etoile": ("4*", "a footnote's star", _SMALL),
    "dague": ("4 †", "a footnote's dagger", _SMALL),
    "renvoi": ("4 (a)", "a footnote's letter", _SMALL),
    "lettre": ("4a", "a footnote's letter, raised in the text it comes from", _SMALL),
    "n-egale": ("n=7", "a count said to be one", _SMALL),
    "unite": ("7 pts", "a count with its unit", _SMALL),
    "patients": ("7 patients", "a count with its unit in full", _SMALL),
    "environ": ("~7", "a count about right", _SMALL),
    "en-lettres": ("quatre", "a count in words", _SMALL),
    "in-words": ("seven", "a count in English words", _SMALL),
    "exposant": ("⁷", "a raised digit", _SMALL),
    "cercle": ("⑦", "a digit in a circle", _SMALL),
    "part-d-abord": ("0,7 % (7)", "the percentage before the count", _SMALL),
    "sur": ("7 sur 1 000", "a count out of its whole, in words", _SMALL),
    "jointeur": ("7\u034f", "an invisible joiner behind the digit", _DISGUISED, _SMALL),
    "selecteur": ("7\ufe0f", "a selector of styles behind the digit", _DISGUISED, _SMALL),
    "hangul": ("7\u3164", "an invisible filler behind the digit", _DISGUISED, _SMALL),
    "braille": ("7\u2800", "an empty Braille sign behind the digit", _DISGUISED, _SMALL),
    "de-a": ("1 à 3", "a count between two others", _NARROW),
    "tiret": ("2-4", "a range of counts", _NARROW),
    "masque-etroit": ("<4", "a mask narrower than the policy's", _NARROW),
    "moins-de": ("moins de 5 patients", "the same in words", _NARROW),
}
DOUBTFUL: Final[Mapping[str, tuple[Any, ...]]] = {
    "intervalle": ("7 [5-9]", "a count with its interval, or a median with its quartiles", _SMALL),
    "romain": ("VII", "a count in Roman numerals", _UNREAD),
    "remarque": ("voir la note", "a remark in place of a count", _UNREAD),
    "decimales": ("3,5?", "a number that somebody doubts", _UNREAD),
}


def _table(cell: str) -> Table:
    rows = (("K86", "Hypertension", "3934"), ("R74", "Rhinopharyngite", "3553"), ("B90", "Infection", cell))
    return Table("Motifs de consultation", ("cisp2", "libelle", "patients"), rows)


TABLES: Final[Mapping[str, tuple[Any, ...]]] = {
    "ensemble": ("sexe;patients\nFemmes;3930\nEnsemble;3934\n", "four men, under the total", _REST),
    "all": ("sex;patients\nWomen;3930\nAll;3934\n", "four men, under an English total", _REST),
    "sexe-inconnu": ("sexe;patients\nFemmes;1000\nHommes;990\nTotal;1994\n", "four of neither sex", _REST),
    "cas-effectif": ("cas;effectif\n996;1000\n980;2000\n", "four of a thousand are no cases", _REST),
    "fraction": ("indicateur;valeur\nHbA1c dosée;996/1000\n", "all but four, in a column of values", _REST),
    "part-de-ligne": ("groupe;résultat\nFemmes (N = 1000);0,4 %\nHommes (N = 1200);12 %\n",
                      "0.4 % of the thousand of its row", _BEHIND),
    "part-de-colonne": ("issue;Femmes (N = 1000);Hommes (N = 900)\nDécès;0,4 %;112 (12,4 %)\n"
                        "AVC;143 (14,3 %);112 (12,4 %)\n", "0.4 % of the thousand of its column", _BEHIND),
    "part-d-une-ligne-n": ("issue;A;B\nN;1000;900\nDécès;0,4 %;12,4 %\n", "0.4 % of a row N", _BEHIND),
    "masque-et-part": ("dx;n;pct\nHTA;400;40,0\nDiabète;300;30,0\nLupus;*;0,4\n",
                       "a mask beside its own percentage, whose whole the rows above give", _BEHIND),
}  # fmt: skip
_DOUBTFUL_TABLES: Final[Mapping[str, tuple[Any, ...]]] = {
    "n-pct": ("n;pct\n1000;0.4\n", "0.4 % of a thousand, or a thousand that are 0.4 %", _BEHIND),
    "masque-et-part-seuls": ("dx;n;pct\nLupus;*;0,4\n", "a mask beside its own percentage", _BEHIND),
}
TEXTS: Final[Mapping[str, tuple[Any, ...]]] = {
    "parmi": ("Parmi 1 000 patients, 0,4 % sont décédés.\n", "0.4 % of a thousand", _BEHIND),
    "among": ("Among 1,000 patients, 0.4% died.\n", "the same in English", _BEHIND),
    "sauf": ("Tous sauf 4 ont été revus.\n", "all but four", _REST),
    "vih": ("Résultats\n\nDont 3 VIH.\n", "three, by what they have", _SMALL),
    "lettres": ("Trois patients ont été perdus de vue.\n", "a small count in words", _SMALL),
    "gras": ("# Issue\n\n**Décès** : *4*\n", "a small count in italics", _SMALL),
    "etiquette": ("Décès : quatre\n", "a label and a count in words", _SMALL),
    "bornes": ("Décès : 1 à 3\n", "a label and two bounds", _NARROW),
}

_SAFE_TABLES: Final = {
    "dates": "semaine;patients;mise à jour\n2021-01-04;1204;4/2021\n2021-01-11;1318;5/2021\n",
    "ages": "classe d'âge;patients\n1 à 3 ans;412\n4-9 ans;1027\n10 ans et plus;1102\n",
    "bandes": "groupe;âge;patients\nA;2-4;412\nB;5-9;1027\n",
    "codes": "code;libellé;patients\nT90;Diabète;2253\nK86;HTA;3934\nE11.9;Diabète (CIM-10);1811\nA10;Saignement;640\n",
    "p": "variable;n;OR;IC 95 %;p\nÂge;2541;1,21;1,08-1,36;<0,001\nTabac;2541;1,64;1,27-2,12;0,04*\n",
    "etoiles": "terme;Modèle 1;Modèle 2\nâge;0,42***;0,40**\nsexe;2,1*;1,9\n",
    "taux": "année;patients;taux pour 1 000 [IC 95 %]\n2019;1204;7 [5-9]\n2020;1318;8 [6-10]\n",
    "versions": "outil;version;patients\npandas;2.3.3;1204\nR;4.3.2;1318\n",
    "larges": "centre;patients\nA;1200-1300\nB;400 à 500\nC;> 1000\n",
    "masques": "code;patients\nK86;3934\nB90;< 11\nN74;≤ 10\nW71;moins de 11\nY78;1-10\n",
    "annees": "année;décès\n2019;112\n2020;131\n2021;140*\n",
    "renvois": "code;patients\nK86;3934*\nR74;3553 (a)\nT90;2253²\nL03;2397 †\n",
    "scores": "échelle;valeur\nMMSE;28/30\nEVA;4/10\nTitre des anticorps;1/160\n",
    "pression": "mesure;valeur\nPression artérielle;120/80\n",
    "sexes": "sexe;patients\nFemmes;2030\nHommes;1904\nEnsemble;3934\n",
    "top": "code;patients\nK86;3934\nR74;3553\nTotal des consultations;51230\n",
    "parts": "dx;n;pct\nHTA;400;40,0\nDiabète;300;30,0\nAsthme;120;12,0\nAutres;180;18,0\n",
    "mesures": "visite;n;variation (%)\nV1;1000;0,4\nV2;980;-0,3\n",
    "doses": "médicament;doses;patients\nMetformine;2-3 par jour;1204\nRamipril;1 à 2 par jour;640\n",
}  # fmt: skip
_AS_A_SENTENCE: Final = {("scores", "md")}  # « 28/30 » is a fraction wherever a sentence may hold it
_SAFE_TEXTS: Final = {
    "methodes": (
        "Les données du 4 mars 2021 ont été relues par deux personnes, dans les deux cas avec R 4.3.2. Le seuil"
        " de 5 % et l'IC 95 % sont bilatéraux. Les patients de 7 à 9 ans ne sont pas inclus. Tous les centres"
        " sauf 2 centres ont répondu.\n"
    ),
    "resultats": (
        "Parmi 4 091 patients inclus, 1 211 femmes (57,6 %) avaient une hypertension (p = 0,004 ; IC 95 % 54,1"
        " à 61,2). L'HbA1c était de 7,1 %. La version 3.1 du protocole date de 2019. T90 et K86 dominent.\n"
    ),
    "puces": "# Étapes\n\n1. **Inclusion** : 4 091 patients\n2. **Suivi** : *24 mois*\n- âge médian : 7 ans ⚠️\n",
    "seuils": "Aucun effectif de moins de trois patients, ni d'au moins deux médecins, n'est donné.\n",
}


def cases() -> tuple[Case, ...]:
    return tuple(_cases())


def _cases() -> Iterator[Case]:
    for form, write in _FORMS.items():
        for name, (cell, why, *rules) in CELLS.items():
            yield unsafe(f"effectif-{name}.{form}", partial(write, _table(cell)), why, *rules)
        for name, (cell, why, rule) in DOUBTFUL.items():
            yield doubtful(f"effectif-{name}.{form}", partial(write, _table(cell)), why, rule)
        for name, (text, why, rule) in TABLES.items():
            yield unsafe(f"reste-{name}.{form}", partial(write, _of(text)), why, rule)
        for name, (text, why, rule) in _DOUBTFUL_TABLES.items():
            yield doubtful(f"reste-{name}.{form}", partial(write, _of(text)), why, rule)
        for name, text in _SAFE_TABLES.items():
            if (name, form) in _AS_A_SENTENCE:
                continue
            yield safe(
                f"sosie-{name}.{form}", partial(write, _of(text)), f"a look-alike of a small count: {name}"
            )
    for name, (text, why, rule) in TEXTS.items():
        yield unsafe(f"dit-{name}.md", partial(bytes, text.encode()), why, rule)
    for name, text in _SAFE_TEXTS.items():
        yield safe(f"sosie-{name}.md", partial(bytes, text.encode()), f"sentences that count nobody: {name}")


def _of(text: str) -> Table:
    header, *rows = (tuple(line.split(";")) for line in text.splitlines())
    return Table("Résultats", header, tuple(rows))
