"""Reasons to send a request back that reviewers give most, ready to be chosen: French, with the rules they go
with. Data, and nothing else.

After the rejections that OpenSAFELY's reviewers give most (unrounded counts, missing context, small counts,
no underlying data, wrong kind of file), and the enclave's own rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from hub_config.airlock.texts import N_
from hub_config.governance.releases.findings import Rule


@dataclass(frozen=True)
class Reason:
    id: str
    text: str
    rules: frozenset[Rule] = frozenset()


def _reason(id: str, text: str, *rules: Rule) -> Reason:
    return Reason(id, text, frozenset(rules))


_ALL: Final = (
    _reason(
        "petits-effectifs",
        N_("Des effectifs sont inférieurs à 11 : masquez-les, ou regroupez les classes."),
        Rule.SMALL_COUNT,
        Rule.COUNT_BEHIND_PERCENTAGE,
    ),
    _reason(
        "masquage-complementaire",
        N_("Un effectif masqué se recalcule par différence avec un total : masquez aussi une autre cellule."),
        Rule.SMALL_COMPLEMENT,
        Rule.RECOMPUTABLE_CELL,
    ),
    _reason(
        "unanimite",
        N_("Une classe est unanime (0 % ou 100 %) : elle révèle chacun de ses membres. Regroupez-la."),
        Rule.UNANIMOUS,
        Rule.ZERO_COUNT,
    ),
    _reason(
        "non-arrondi",
        N_("Les effectifs ne sont pas arrondis : arrondissez-les, ou figez le tableau par ws.publish."),
        Rule.UNROUNDED_COUNT,
    ),
    _reason(
        "sans-denominateur",
        N_("Des pourcentages ou moyennes sont sans effectif : ajoutez le dénominateur de chacun."),
        Rule.NO_DENOMINATOR,
    ),
    _reason(
        "valeurs-extremes",
        N_("Un minimum ou un maximum est la valeur d’une personne : donnez des quantiles (5 %, 95 %)."),
        Rule.EXTREME_VALUE,
    ),
    _reason(
        "donnees-individuelles",
        N_("Le fichier contient des lignes par personne : seuls des agrégats sortent."),
        Rule.ROW_LEVEL,
        Rule.ID_COLUMN,
        Rule.QUASI_IDENTIFIERS,
    ),
    _reason(
        "identifiants",
        N_("Le fichier contient des identifiants de patients ou de médecins : retirez-les."),
        Rule.PSEUDONYM,
        Rule.DIRECT_IDENTIFIER,
        Rule.PERSONAL_PATTERN,
    ),
    _reason(
        "contenu-cache",
        N_("Le fichier contient ce qui ne se voit pas (feuille, commentaire, formule…) : retirez-le."),
        Rule.HIDDEN_CONTENT,
        Rule.COMMENT,
        Rule.FORMULA,
        Rule.DOCUMENT_METADATA,
    ),
    _reason(
        "modele",
        N_("Le modèle est trop près des données : N et degrés de liberté (≥ 10), pas de résidus."),
        Rule.RESIDUALS,
        Rule.FEW_DEGREES_OF_FREEDOM,
        Rule.SATURATED_MODEL,
    ),
    _reason(
        "type-de-fichier",
        N_("Ce type de fichier ne sort pas : envoyez un tableau CSV, une figure, ou un texte."),
        Rule.REFUSED_KIND,
        Rule.NAME_DISAGREES,
    ),
    _reason(
        "trop-grand",
        N_("Le fichier est trop grand pour être relu : agrégez, et n’envoyez que ce qui sera publié."),
        Rule.TOO_LARGE,
        Rule.TOO_MANY_ROWS,
        Rule.TOO_MANY_COLUMNS,
    ),
    _reason(
        "contexte",
        N_("Le contexte manque : population, variables, et ce que montre chaque fichier."),
    ),
    _reason(
        "donnees-sous-jacentes",
        N_("Joignez à chaque figure le tableau des effectifs dont elle est tirée."),
    ),
    _reason(
        "hors-objet",
        N_("Ce résultat ne relève pas de la finalité du projet : adressez-vous au CSE."),
    ),
    _reason(
        "deja-sorti",
        N_("Avec ce qui est déjà sorti, des effectifs se recalculent par différence : reprenez les classes."),
    ),
)
REASONS: Final[Mapping[str, Reason]] = {reason.id: reason for reason in _ALL}


def suggested(rules: Iterable[Rule]) -> tuple[Reason, ...]:
    """Those that go with what the checks found, in their order here."""
    found = frozenset(rules)
    return tuple(reason for reason in _ALL if reason.rules & found)
