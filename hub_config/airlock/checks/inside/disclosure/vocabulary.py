"""What headers and labels say, in French and English: the words that tell a count from a year or a mean.

Words are compared without case and accents, split at everything that is no letter and no digit.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


COUNT: Final = _set(
    "n nb nbr nbre nombre effectif effectifs count counts compte freq frequence frequences frequency "
    "patients patientes cases cas sujets subjects participants individus individuals people persons "
    "personnes deces deaths died events evenements occurrences hommes femmes men women males females "
    "enfants children consultations diagnostics diagnoses prescriptions vaccinations visites visits "
    "included excluded inclus exclus vaccines traites treated exposes exposed denominator denominateur "
    "numerateur numerator total population nobs observations records obs size taille_groupe remaining "
    "restants risk medecins physicians gps practices cabinets"
)
PEOPLE: Final = _set(
    "nobs effectif effectifs patients patientes cas cases sujets subjects participants individus deces "
    "deaths evenements events femmes hommes women men inclus included exclus excluded personnes people"
)
TOTAL: Final = _set(
    "total totaux denominator denominateur population all overall ensemble tous toutes sum somme"
)
SHARE: Final = _set(
    "pct percent percentage pourcentage pourcentages pc proportion part share prevalence perc taux rate "
    "rates couverture coverage percentages proportions freq_rel incidence letalite"
)
STATISTIC: Final = _set(
    "mean moyenne moy avg average median mediane sd std ecart et iqr eiq q1 q2 q3 p5 p10 p25 p50 p75 p90 "
    "p95 se stderr error erreur ci ic lower upper low high inf sup borne bas haut or hr rr irr beta coef "
    "coefficient estimate estimation p pvalue pval value valeur z t chi2 auc auroc brier slope intercept "
    "variance var r2 aic bic log exp ratio odds hazard smd diff difference delta shap importance weight "
    "poids score seuil threshold cumulative survival survie logit statistic statistique ecarttype "
    "quantile centile percentile age imc bmi taille height weightkg hba1c tas tad pas pad dose duree "
    "duration delai delay mois months jours days annees years semaines weeks heures hours minutes rang "
    "rank ranking ordre order no num numero index rate_ratio person temps time tour cycle version niveau "
    "level grade stade stage classe class decile quintile quartile tertile bin step groupe group strate "
    "stratum kappa sensibilite sensitivity specificite specificity vpp vpn ppv npv precision recall f1 "
    "accuracy"
)
AXIS: Final = _set(
    "annee annees an year years mois month months trimestre quarter semaine week weeks date jour day "
    "periode period code codes cisp2 cisp icpc icpc2 cim10 icd10 atc loinc libelle label age ages tranche "
    "classe class decile quintile quartile bin rang rank time temps rownames index unnamed region centre "
    "departement id lag horizon saison season"
)
HAPPENED: Final = _set(
    "complication complications deces deaths evenement evenements events recidive recidives rechute "
    "rechutes echec echecs succes guerison guerisons gueris hospitalisation hospitalisations "
    "hospitalises fumeurs fumeuses smokers diabetiques positifs positives resistants resistance "
    "atteints depistes vaccines traites exposes adherents observants oui yes femmes hommes women men "
    "female male infections infection abandons abandon reponse repondeurs responders relapse relapses "
    "died vaccinated treated exposed"
)
CASES: Final = HAPPENED | _set(
    "cas cases numerateur numerator inclus included repondants respondents depistees vaccinees traitees"
)
WHOLE: Final = _set(
    "n effectif effectifs patients patientes denominateur denominator population sujets subjects eligibles "
    "eligible total participants personnes people invites invited"
)
SCORE: Final = _set(
    "score note mmse moca eva en apgar glasgow phq gad audit echelle scale tension pas pad titre titer"
)
CHANGE: Final = _set("evolution variation croissance growth change ecart difference annuel annual")
REMAINING: Final = _set("remaining remain restants restant reste left risk risque kept gardes conserves")
NUMBER_OF: Final = _set("num numero no ref reference code")
CUMULATED: Final = _set("cumul cumule cumules cumulee cumulees cumulative cumulated cumulatif cum cumsum")
VALUE: Final = _set("value valeur")
EXTREME: Final = _set(
    "min max minimum maximum minimale maximale minimal maximal p0 p100 p00 etendue range extreme extremes "
    "lowest highest amin amax plus_petit plus_grand"
)
SETTING: Final = _set(
    "depth iter iterations features leaf leaves samples size split splits estimators epochs parameter "
    "patients"
)
PLAUSIBLE: Final = _set(
    "plausible plausibles autorise autorisee autorises admis admise attendu attendue attendus possible "
    "possibles valide valides allowed valid expected permitted accepte accepted"
)
CONFIGURED: Final = _set(
    "graine seed seuil threshold plis folds penalite penalty alpha version noeuds knots fenetre window codes "
    "random state puissance power"
)
DURATION: Final = _set("duree duration time temps delai seconds minutes")
IDENTIFIER: Final = _set(
    "id ids identifiant identifier patientid idpatient pid ipp iep nip pseudo pseudonym pseudonyme uuid "
    "guid dossier numpatient nodossier hash key cle rowid subjectid sejour"
)
THINGS: Final = _set(
    "centre center region departement variable model modele question item liste list table query snapshot "
    "indicator indicateur rule regle"
)
PERSON: Final = _set(
    "patient patiente person personne sujet subject individu individual participant medecin physician gp"
)
QUASI: Final = _set(
    "age sexe sex gender genre commune ville city postcode postal cp departement naissance birth "
    "birthdate ddn dob profession csp metier deces death centre cabinet practice medecin physician "
    "origine nationalite situation marital ethnicity date"
)
MEASURE: Final = _set(
    "imc bmi poids weight taille height hba1c inr creatinine glycemie ldl cholesterol tas tad tension "
    "tabac smoker fumeur diagnostic diagnosis code cisp2 atc traitement treatment resultat result valeur "
    "value outcome event evenement suivi followup followup_days censure censored statut status vaccin"
)
RESIDUAL: Final = _set(
    "resid resids residu residus residual residuals residuel residuels leverage levier cook hat dfbeta"
)
FITTED: Final = _set(
    "fitted predicted prediction predictions predit predite predites yhat proba probability risque_predit"
)
FREEDOM: Final = _set("df ddl dof freedom liberte")
SEXES: Final = _set(
    "f m h femme homme femmes hommes women men female male male(s) garcons filles boys girls autre other"
)
ANSWERS: Final = _set("oui non yes no inconnu unknown manquant missing")

_BAND: Final = re.compile(
    r"(\[|\()?\s*\d{1,3}\s*([-–;,_]|a|to)\s*\d{1,3}\s*(\]|\)|\[)?(\s*(ans|years|y))?|[<>≥≤]\s*=?\s*\d{1,3}(\s*(ans|years))?"
    r"|\d{1,3}\s*(\+|et plus|ans et plus|and over)"
)
_YEAR: Final = re.compile(r"(19|20)\d\d([-/ ]?(0[1-9]|1[0-2]|[tqsw]\d{1,2}))?")
_CODE: Final = re.compile(r"[a-z]\d{2}([.\-]?\w{1,3})?|[a-z]\d{2}[a-z]{0,2}\d{0,2}", re.I)
_SPLIT: Final = re.compile(r"[^a-z0-9]+")
_OF: Final = re.compile(r"\bn\s*=\s*(\d[\d\s\u00a0\u202f,]*\d|\d)", re.I)


@lru_cache(maxsize=5_000)
def plain(text: str) -> str:
    """Lower case, without accents; `camelCase` as two words."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text.strip())
    folded = unicodedata.normalize("NFKD", spaced.lower().replace("œ", "oe"))
    return "".join(each for each in folded if not unicodedata.combining(each))


@lru_cache(maxsize=5_000)
def words(text: str) -> frozenset[str]:
    return frozenset(each for each in _SPLIT.split(plain(text)) if each)


def is_category(text: str) -> bool:
    """A header that is a class of a crosstab: a year, an age band, a sex, an answer, a code."""
    bare = plain(text).strip()
    return bool(
        _YEAR.fullmatch(bare)
        or _BAND.fullmatch(bare)
        or bare in SEXES
        or bare in ANSWERS
        or _CODE.fullmatch(bare)
    )


def is_year_word(text: str) -> bool:
    return bool(_YEAR.fullmatch(plain(text)))


def denominator_in(text: str) -> int | None:
    """The N of « Femmes (N = 1 240) »."""
    match = _OF.search(text)
    return int(re.sub(r"[\s\u00a0\u202f,]", "", match[1])) if match else None
