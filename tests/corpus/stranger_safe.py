"""Thirty files that people rightly take out, written by somebody who had not read the checks."""

# ruff: noqa: E501  (the texts of files, as people write them)

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from tests.corpus.cases import Case, safe
from tests.corpus.tables import code_cell, html_table, notebook, result

_LIVING: Final = (100000, 99634, 99601, 99571, 99402, 98911, 98003, 95377, 88215, 70412, 24903)

TEXTS: Final = {
    "tranches-age.csv": (
        "Tranche d'âge;Effectif;%\n18-39 ans;412;16,2\n40-64 ans;1 027;40,4\n65 ans et plus;1 102;43,4\n"
        "Total;2 541;100,0\n"
    ),
    "table-1.csv": (
        "Caractéristique;Exposés (N = 412);Non exposés (N = 2 129);p\nÂge, moyenne (ET);61,2 (14,8);"
        "62,9 (15,1);0,03\nFemmes, n (%);214 (51,9);1 171 (55,0);0,25\nIMC, médiane [EIQ];27,1 [24,2 ; 30,8];"
        "26,8 [24,0 ; 30,1];0,41\nTabac actif, n (%);88 (21,4);377 (17,7);0,08\n"
    ),
    "table-mortalite-insee.csv": "âge;survivants pour 100 000;décès entre deux âges;quotient pour 100 000\n"
    + "".join(
        f"{5 * place if place < 3 else 10 * (place - 1)};{living};{living - after};{(living - after) / living * 1e5:.0f}\n"
        for place, (living, after) in enumerate(pairwise(_LIVING))
    ),
    "kaplan-meier.csv": (
        "temps_mois,a_risque,survie,ic_bas,ic_haut\n0,412,1.000,1.000,1.000\n6,377,0.951,0.926,0.968\n"
        "12,301,0.902,0.869,0.927\n18,204,0.861,0.821,0.893\n24,97,0.833,0.786,0.871\n30,31,0.802,0.739,0.852\n"
    ),
    "foret.csv": (
        "variable,modalite,n,or,ic_bas,ic_haut,p\nage,par 10 ans,2541,1.21,1.08,1.36,0.001\n"
        "sexe,femme,1385,0.87,0.70,1.08,0.21\ntabac,actif,465,1.64,1.27,2.12,<0.001\n"
        "diabete,oui,388,1.38,1.03,1.84,0.030\n"
    ),
    "cisp2.csv": "code;libellé;chapitre\n" + "".join(
        f"{chapter}{number};{label};{chapter}\n"
        for chapter, number, label in (
            ("A", "03", "Fièvre"), ("A", "04", "Fatigue"), ("D", "01", "Douleur abdominale"),
            ("K", "86", "Hypertension non compliquée"), ("K", "87", "Hypertension compliquée"),
            ("L", "03", "Lombalgie"), ("P", "76", "Dépression"), ("R", "05", "Toux"), ("R", "96", "Asthme"),
            ("T", "90", "Diabète non insulinodépendant"), ("U", "71", "Cystite"), ("X", "86", "Frottis anormal"),
        )
    ),
    "population-standard.csv": "age,population_standard_europeenne_2013\n" + "".join(
        f"{age},{weight}\n"
        for age, weight in (
            ("0", 1000), ("1-4", 4000), ("5-9", 5500), ("10-14", 5500), ("15-19", 5500), ("20-24", 6000),
            ("25-29", 6000), ("30-34", 6500), ("35-39", 7000), ("40-44", 7000), ("45-49", 7000),
            ("50-54", 7000), ("55-59", 6500), ("60-64", 6000), ("65-69", 5500), ("70-74", 5000),
            ("75-79", 4000), ("80-84", 2500), ("85-89", 1500), ("90-94", 800), ("95+", 200),
        )
    ),
    "methodes.md": (
        "# Méthodes\n\nÉtude de cohorte rétrospective du 1er janvier 2019 au 31 décembre 2023 (5 ans). Les"
        " patients de 18 ans et plus, suivis depuis au moins 12 mois, étaient inclus. L'exposition était une"
        " prescription d'amoxicilline 1 g 3 fois par jour pendant 7 jours. Le seuil de significativité était"
        " de 5 %. Un modèle mixte à 2 niveaux a été ajusté sur 6 covariables. Les analyses ont été faites avec"
        " R 4.3.2 et lifelines 0.30.\n\n# Résultats\n\nLe risque relatif était de 0,82 (IC 95 % 0,71 à 0,95 ;"
        " p = 0,008). Le suivi médian était de 3,2 ans (EIQ 1,9 à 4,4).\n"
    ),
    "icc.csv": (
        "Indicateur;Praticiens;Patients;CCI;IC 95 %;Effet de plan\nHbA1c annuelle;41;1 204;0,08;0,05 à 0,13;3,3\n"
        "Vaccination grippe;41;2 077;0,11;0,07 à 0,17;6,5\nDépistage;38;1 655;0,04;0,02 à 0,08;2,7\n"
    ),
    "performances.csv": (
        "modele,n,evenements,auc,ic_bas,ic_haut,brier,pente\nregression,2541,388,0.74,0.71,0.77,0.108,0.98\n"
        "foret,2541,388,0.76,0.73,0.79,0.105,0.91\nscore2,2541,388,0.69,0.66,0.72,0.114,0.77\n"
    ),
    "calibration.csv": "decile,n,predit,observe,evenements\n" + "".join(
        f"{decile},254,{rate:.3f},{events / 254:.3f},{events}\n"
        for decile, rate, events in zip(
            range(1, 11), (0.05, 0.07, 0.09, 0.11, 0.13, 0.15, 0.18, 0.21, 0.27, 0.39),
            (13, 17, 24, 27, 35, 36, 47, 52, 70, 97), strict=True,
        )
    ),
    "LISEZMOI.md": (
        "# Thèse : suivi du diabète de type 2\n\n## Reproduire\n\n1. `pip install -r requirements.txt`\n"
        "2. `python analyse.py --graine 42`\n3. Ouvrir `tableau1.ipynb`\n\nPython 3.11, pandas 2.3.3,"
        " lifelines 0.30.3. Environ 4 minutes sur 2 cœurs.\n\n## Contenu\n\n- `src/` : 6 scripts\n- `sorties/`"
        " : 3 tableaux et 2 figures\n\nContact : le département de médecine générale. Licence MIT, 2024.\n"
    ),
    "analyse.R": (
        "library(survival)\nset.seed(42)\nd <- read.csv('donnees.csv', sep = ';')\nd$age10 <- d$age / 10\n"
        "m <- coxph(Surv(duree, deces) ~ age10 + sexe, data = d[d$n >= 11, ])\nprint(summary(m)$coef, digits = 3)\n"
        "png('km.png', width = 1600, height = 1200, res = 200)\nplot(survfit(m), xlim = c(0, 60))\ndev.off()\n"
    ),
    "modele.py": (
        "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression\n\nSEUIL = 11\n\n\n"
        "def tableau(d: pd.DataFrame) -> pd.DataFrame:\n    n = d.groupby('sexe').size()\n"
        "    return n[n >= SEUIL].to_frame('n')\n\n\nif __name__ == '__main__':\n    m = LogisticRegression(C=0.5,"
        " max_iter=300)\n    bins = [0, 18, 40, 65, 120]\n"
    ),
    "analyse.do": (
        "use donnees, clear\nset seed 42\ngen age5 = floor(age/5)*5\nlogit evt i.sexe age5 if n >= 11, or\n"
        "estat gof, group(10)\ntabulate sexe evt, row chi2\n"
    ),
    "biblio.bib": (
        "@article{smith2019,\n  author = {Smith, J. and Martin, P.},\n  title = {Diabetes in primary care},\n"
        "  journal = {BMJ}, year = {2019}, volume = {364}, number = {3}, pages = {l100--l108},\n"
        "  doi = {10.1136/bmj.l100}, pmid = {30674466}\n}\n"
    ),
    "references.txt": (
        "1. Letrilliart L, Supper I, Schuers M, et al. ECOGEN : étude des éléments de la consultation en"
        " médecine générale. Exercer 2014;25(114):148-57.\n2. Benchimol EI, Smeeth L, Guttmann A, et al. The"
        " RECORD statement. PLoS Med 2015;12(10):e1001885. doi:10.1371/journal.pmed.1001885. PMID: 26440803.\n"
        "3. Haute Autorité de santé. Stratégie médicamenteuse du diabète de type 2. Saint-Denis ; 2024. 7 p.\n"
    ),
    "semaines.csv": "semaine;consultations;taux pour 1 000\n" + "".join(
        f"{2022 + week // 52}-S{week % 52 + 1:02};{200 + 37 * week % 90};{(200 + 37 * week % 90) / 41.3:.1f}\n"
        for week in range(104)
    ).replace(".", ","),
    "donnees-manquantes.csv": (
        "Variable;N;Manquants;% manquants\nÂge;2 541;0;0,0\nIMC;2 541;377;14,8\nHbA1c;2 541;612;24,1\n"
        "Tabac;2 541;204;8,0\n"
    ),
    "correlations.csv": (
        ",age,imc,hba1c,pas,ldl\nage,1.00,0.12,0.21,0.34,-0.08\nimc,0.12,1.00,0.28,0.19,0.07\n"
        "hba1c,0.21,0.28,1.00,0.11,0.03\npas,0.34,0.19,0.11,1.00,0.05\nldl,-0.08,0.07,0.03,0.05,1.00\n"
    ),
    "cox-lifelines.csv": (
        "covariate,coef,exp(coef),se(coef),coef lower 95%,coef upper 95%,z,p,-log2(p)\n"
        "age,0.041,1.042,0.004,0.033,0.049,10.25,1.2e-24,79.5\nsexe_F,-0.212,0.809,0.081,-0.371,-0.053,-2.62,"
        "0.0088,6.83\ntabac,0.391,1.478,0.097,0.201,0.581,4.03,5.6e-05,14.1\n"
    ),
    "dictionnaire.csv": (
        "variable;libellé;type;unité;minimum plausible;maximum plausible;modalités\nage;Âge à l'inclusion;entier;"
        "années;18;110;\nsexe;Sexe;catégorie;;;;1 = homme, 2 = femme\nhba1c;HbA1c;réel;%;3;20;\n"
        "pas;Pression systolique;entier;mmHg;60;260;\n"
    ),
    "parametres.json": json.dumps(
        {"graine": 42, "age_minimum": 18, "fenetre_jours": [7, 30, 365], "codes": ["T89", "T90"], "plis": 5,
         "modele": {"penalite": 0.1, "noeuds": [5, 35, 65, 95]}, "seuil": 11}
    ),
    "calcul-effectif.txt": (
        "Calcul de l'effectif nécessaire. Pour détecter une différence de 5 points (20 % contre 25 %) avec un"
        " risque alpha de 5 % bilatéral et une puissance de 80 %, il faut 1 094 patients par bras. Avec 20"
        " patients par praticien et un CCI de 0,05, l'effet de plan est de 1,95 et il faut 107 praticiens.\n"
    ),
    "calendrier.csv": (
        "Visite;Semaine;Actes\nInclusion;0;consentement, questionnaire\nV1;4;appel\nV2;12;consultation, HbA1c\n"
        "V3;26;consultation\nV4;52;consultation, HbA1c, questionnaire\n"
    ),
}  # fmt: skip

_FLOW: Final = (
    "<h1>Diagramme de flux</h1><ul><li>Éligibles : 2 877 patients</li><li>Exclus : 336 (âge inférieur à 18 ans :"
    " 204 ; suivi de moins de 12 mois : 132)</li><li>Analysés : 2 541 patients</li></ul>"
)


def cases() -> Iterator[Case]:
    for name in TEXTS:
        yield safe(name, lambda name=name: TEXTS[name].encode(), _WHAT[name])  # type: ignore[misc]
    yield safe("flux.html", lambda: _FLOW.encode(), "the flow of patients as a list")
    yield safe("resultats.ipynb", _notebook, "a notebook with results only")
    yield safe("deux-annees.xlsx", _two_years, "two header rows with merged cells, counts large")
    yield safe("tableau-1-titre.docx", _word, "Table 1 with a title and a note")
    yield safe("serie.svg", _weekly, "a weekly series of 104 marks on a line")
    yield safe("serie.pdf", _weekly_pdf, "the same as PDF")
    yield safe("survie.png", _survival, "a survival curve")


_WHAT: Final = {
    "tranches-age.csv": "counts by age as the French write them",
    "table-1.csv": "Table 1 with means, medians and p-values",
    "table-mortalite-insee.csv": "a national life table",
    "kaplan-meier.csv": "a survival table with many at risk",
    "foret.csv": "a forest plot's data",
    "cisp2.csv": "a code list",
    "population-standard.csv": "a standard population",
    "methodes.md": "methods with years, doses, intervals and p-values",
    "icc.csv": "intraclass correlations",
    "performances.csv": "models' performances",
    "calibration.csv": "calibration by decile",
    "LISEZMOI.md": "a README",
    "analyse.R": "a program in R",
    "modele.py": "a program in Python",
    "analyse.do": "a program in Stata",
    "biblio.bib": "a bibliography",
    "references.txt": "references with years, volumes, PMID",
    "semaines.csv": "a weekly series",
    "donnees-manquantes.csv": "missing data, none missing in one",
    "correlations.csv": "a matrix of correlations",
    "cox-lifelines.csv": "a Cox model as lifelines writes it",
    "dictionnaire.csv": "a data dictionary with plausible limits",
    "parametres.json": "an analysis's parameters",
    "calcul-effectif.txt": "a sample size",
    "calendrier.csv": "a calendar of visits",
}


def _notebook() -> bytes:
    from tests.corpus.tables import Table

    table = Table(
        "Sexe", ("sexe", "patients", "%"), (("F", "1385", "54.5"), ("H", "1156", "45.5")), frozenset()
    )
    return notebook(
        {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "# Résultats\n\n2 541 patients, 5 ans."},
        code_cell("tableau = ws.table('sexe')\ntableau", result(
            {"text/html": html_table(table), "text/plain": "  sexe  patients     %\n0    F      1385  54.5\n1    H      1156  45.5"}
        )),
        code_cell("print(round(resultat.auc, 3))", {"output_type": "stream", "name": "stdout", "text": ["0.742\n"]}),
    )  # fmt: skip


def _two_years() -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    rows: Sequence[Sequence[Any]] = (
        ("Diagnostic", "2022", None, "2023", None), (None, "n", "%", "n", "%"), ("Asthme", 214, 12.1, 231, 12.4),
        ("BPCO", 96, 5.4, 104, 5.6), ("Diabète", 388, 21.9, 377, 20.2),
    )  # fmt: skip
    for row in rows:
        book.active.append(row)
    for cells in ("A1:A2", "B1:C1", "D1:E1"):
        book.active.merge_cells(cells)
    return _saved(book)


def _word() -> bytes:
    from docx import Document

    document = Document()
    document.add_heading("Tableau 1. Caractéristiques des patients", 2)
    rows = (("", "Total (N = 2 541)"), ("Âge, années", "62,6 (15,0)"), ("Femmes", "1 385 (54,5 %)"),
            ("Tabac actif", "465 (18,3 %)"), ("Diabète", "388 (15,3 %)"))  # fmt: skip
    table = document.add_table(len(rows), 2)
    for place, row in enumerate(rows):
        for column, cell in enumerate(row):
            table.cell(place, column).text = cell
    document.add_paragraph(
        "Moyenne (écart-type) ou n (%). Les effectifs de moins de 11 patients sont masqués."
    )
    return _saved(document)


def _saved(book: Any) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _drawn(draw: Any, form: str) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4))
    FigureCanvasAgg(figure)
    draw(figure.add_subplot())
    out = io.BytesIO()
    figure.savefig(out, format=form)
    return out.getvalue()


def _series(axes: Any) -> None:
    axes.plot(range(104), [200 + 37 * week % 90 for week in range(104)], marker="o", markersize=3)
    axes.set(xlabel="Semaine", ylabel="Consultations")


def _weekly() -> bytes:
    return _drawn(_series, "svg")


def _weekly_pdf() -> bytes:
    return _drawn(_series, "pdf")


def _survival() -> bytes:
    return _drawn(lambda axes: axes.step((0, 6, 12, 18, 24), (1, 0.95, 0.9, 0.86, 0.83), where="post"), "png")
