"""The measures of the dashboards as somebody who writes SQL by hand would ask them: the reference for the
time that their expressions take, and once more for their numbers.

Each text asks for one row: the columns of the indicator's expression, in its order, on the day `{on}`. Tables
are the snapshot's, with `patient_id`. Patients are chosen by semi-joins, the fastest that an engine has.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from p4dp_sdk.catalogue.load import load_catalogue

_ACTIVE: Final = """
WITH watched AS (
    SELECT patient_id FROM observation_periods WHERE DATE '{on}' BETWEEN start_date AND end_date
), seen AS (
    SELECT patient_id FROM consultations
    WHERE date > DATE '{on}' - INTERVAL 24 MONTH AND date <= DATE '{on}'
), active AS (
    SELECT * FROM patients
    WHERE (death_month IS NULL OR death_month > DATE '{on}')
      AND patient_id IN (FROM watched) AND patient_id IN (FROM seen)
)"""

_DIABETICS: Final = """, coded AS (
    SELECT patient_id FROM diagnoses WHERE cisp2 IN ('T89', 'T90') AND date <= DATE '{on}'
    UNION ALL
    SELECT patient_id FROM history WHERE cisp2 IN ('T89', 'T90') AND kind <> 'family'
      AND (date IS NULL OR date <= DATE '{on}')
), gestational AS (
    SELECT patient_id FROM diagnoses WHERE cisp2 = 'W85' AND date <= DATE '{on}'
    UNION ALL
    SELECT patient_id FROM history WHERE cisp2 = 'W85' AND kind <> 'family'
      AND (date IS NULL OR date <= DATE '{on}')
), treated AS (
    SELECT patient_id FROM prescriptions
    WHERE atc LIKE 'A10%' AND date > DATE '{on}' - INTERVAL 12 MONTH AND date <= DATE '{on}'
    GROUP BY patient_id
    HAVING count(DISTINCT date) + coalesce(max((pack_size = 'large')::INTEGER), 0) >= 3
       AND bool_or(NOT starts_with(atc, 'A10BJ') AND NOT starts_with(atc, 'A10BK'))
), diabetics AS (
    SELECT * FROM active
    WHERE patient_id IN (FROM coded)
       OR (patient_id IN (FROM treated) AND patient_id NOT IN (FROM gestational))
)"""

_HBA1C: Final = """, hba1c AS (
    SELECT patient_id, count(DISTINCT date) AS dates, arg_max(value, (date, value)) AS last
    FROM lab_results
    WHERE analyte = 'hba1c' AND value IS NOT NULL
      AND date > DATE '{on}' - INTERVAL 12 MONTH AND date <= DATE '{on}'
    GROUP BY patient_id
)"""

_EYES: Final = """, eyes AS (
    SELECT patient_id, max(date) AS last FROM procedures
    WHERE cisp2 IN ('F39', 'F40', 'F41', 'F61', 'F66', 'F67')
      AND date > DATE '{on}' - INTERVAL 24 MONTH AND date <= DATE '{on}'
    GROUP BY patient_id
)"""

_ANTAGONISTS: Final = """, antagonists AS (
    SELECT patient_id, date AS prescribed, min(date) OVER (PARTITION BY patient_id) AS started
    FROM prescriptions WHERE atc LIKE 'B01AA%' AND date <= DATE '{on}'
), valves AS (
    SELECT patient_id FROM diagnoses WHERE cisp2 = 'K83' AND date <= DATE '{on}'
    UNION ALL
    SELECT patient_id FROM history WHERE cisp2 = 'K83' AND kind <> 'family'
      AND (date IS NULL OR date <= DATE '{on}')
), treated AS (
    SELECT * FROM active WHERE patient_id IN (
        SELECT patient_id FROM antagonists WHERE prescribed > DATE '{on}' - INTERVAL 12 MONTH)
)"""

_VALID_INR: Final = """, plain AS (
    SELECT * FROM treated WHERE patient_id NOT IN (FROM valves)
), daily AS (
    SELECT patient_id, date, avg(value) AS value FROM lab_results
    WHERE analyte = 'inr' AND value BETWEEN 0.5 AND 20
      AND date > DATE '{on}' - INTERVAL 12 MONTH AND date <= DATE '{on}'
    GROUP BY patient_id, date
), valid AS (
    SELECT * FROM daily d WHERE EXISTS (
        SELECT 1 FROM antagonists a
        WHERE a.patient_id = d.patient_id AND d.date - a.prescribed BETWEEN 0 AND 90
          AND d.date - a.started >= 56)
)"""

_INR: Final = """, each AS (
    SELECT patient_id, count(*) AS days, count(*) FILTER (value BETWEEN 2 AND 3) AS inside
    FROM valid GROUP BY patient_id HAVING count(*) >= 3
)
SELECT count(e.patient_id), count(*) FILTER (inside / days <= 1 - 0.3), count(*) - count(e.patient_id)
FROM plain LEFT JOIN each e USING (patient_id)"""

_TTR: Final = """, steps AS (
    SELECT patient_id, value, lag(value) OVER visits AS before, date - lag(date) OVER visits AS days,
           count(*) OVER (PARTITION BY patient_id) AS n
    FROM valid WINDOW visits AS (PARTITION BY patient_id ORDER BY date)
), times AS (
    SELECT patient_id, sum(days * CASE WHEN before = value THEN (value BETWEEN 2 AND 3)::INTEGER
        ELSE (greatest(least(value, 3), 2) - greatest(least(before, 3), 2)) / (value - before) END)
        / sum(days) AS share
    FROM steps WHERE n >= 3 AND days <= 56 GROUP BY patient_id
)
SELECT count(share), count(*) FILTER (share < 0.5), count(*) FILTER (share >= 0.65),
       count(*) FILTER (share >= 0.7), count(*) - count(share)
FROM plain LEFT JOIN times USING (patient_id)"""


def _excluding(codes: str) -> str:
    """Who has had one of these codes: diagnosis or own past event."""
    return f""", excluded AS (
    SELECT patient_id FROM diagnoses WHERE cisp2 IN ({codes}) AND date <= DATE '{{on}}'
    UNION ALL
    SELECT patient_id FROM history WHERE cisp2 IN ({codes}) AND kind <> 'family'
      AND (date IS NULL OR date <= DATE '{{on}}')
)"""


def _done(name: str, table: str, condition: str, months: int) -> str:
    """Who had something done in the months up to the day."""
    return f""", {name} AS (
    SELECT patient_id FROM {table}
    WHERE {condition} AND date > DATE '{{on}}' - INTERVAL {months} MONTH AND date <= DATE '{{on}}'
)"""


def _born(youngest: int, oldest: int) -> str:
    """In this span of completed years on the day."""
    first_of_month = "date_trunc('month', DATE '{on}')"
    return (
        f"birth_month <= {first_of_month} - INTERVAL {youngest} YEAR"
        f" AND birth_month > {first_of_month} - INTERVAL {oldest + 1} YEAR"
    )


_BREAST: Final = f"""
SELECT count(*), count(*) FILTER (patient_id IN (FROM images))
FROM active WHERE sex = 'F' AND {_born(50, 74)} AND patient_id NOT IN (FROM excluded)"""

_COLON: Final = f"""
SELECT count(*), count(*) FILTER (patient_id IN (FROM fit) OR patient_id IN (FROM endoscopies))
FROM active WHERE {_born(50, 74)} AND patient_id NOT IN (FROM excluded) AND patient_id NOT IN (
    SELECT patient_id FROM history WHERE cisp2 = 'D75' AND kind = 'family'
      AND (date IS NULL OR date <= DATE '{{on}}'))"""

_CERVIX: Final = f""", cytologies AS (
    SELECT patient_id, min(date) AS first, max(date) AS last FROM procedures
    WHERE cisp2 = 'X37' AND date <= DATE '{{on}}' GROUP BY patient_id
)
SELECT count(*), count(*) FILTER (
    (last > DATE '{{on}}' - INTERVAL 36 MONTH
     AND NOT (birth_month > date_trunc('month', DATE '{{on}}') - INTERVAL 30 YEAR
              AND last < first + INTERVAL 12 MONTH AND last <= DATE '{{on}}' - INTERVAL 12 MONTH))
    OR (birth_month <= date_trunc('month', DATE '{{on}}') - INTERVAL 30 YEAR AND patient_id IN (FROM hpv)))
FROM active LEFT JOIN cytologies USING (patient_id)
WHERE sex = 'F' AND {_born(25, 65)} AND patient_id NOT IN (FROM excluded)"""

_OVERWEIGHT: Final = f""", last AS (
    SELECT patient_id, arg_max(weight_status, (date, bmi)) AS status FROM body_mass
    WHERE date > DATE '{{on}}' - INTERVAL 24 MONTH AND date <= DATE '{{on}}'
      AND age_months >= 72 AND weight_status IS NOT NULL GROUP BY patient_id
)
SELECT count(status), count(*) FILTER (status IN ('overweight', 'obese')),
       count(*) FILTER (status = 'obese'), count(*) - count(status)
FROM active LEFT JOIN last USING (patient_id) WHERE {_born(6, 15)}"""

_DTP: Final = """, doses AS (
    SELECT patient_id, max(date_diff('month', birth_month, date)
               + CASE WHEN date_precision = 'year' THEN 6 ELSE 0 END) AS latest, true AS given
    FROM vaccinations JOIN patients USING (patient_id)
    WHERE atc IN ('J07CA01', 'J07CA02') AND date <= DATE '{on}' GROUP BY patient_id
), adults AS (
    SELECT given, coalesce(latest >= 12 * (CASE
        WHEN birth_month > date_trunc('month', DATE '{on}') - INTERVAL 45 YEAR THEN 20
        WHEN birth_month > date_trunc('month', DATE '{on}') - INTERVAL 65 YEAR THEN 40
        WHEN birth_month > date_trunc('month', DATE '{on}') - INTERVAL 75 YEAR THEN 60
        WHEN birth_month > date_trunc('month', DATE '{on}') - INTERVAL 85 YEAR THEN 70
        WHEN birth_month > date_trunc('month', DATE '{on}') - INTERVAL 95 YEAR THEN 80
        WHEN birth_month > date_trunc('month', DATE '{on}') - INTERVAL 105 YEAR THEN 90
        ELSE 100 END), false) AS up_to_date
    FROM active LEFT JOIN doses USING (patient_id)
    WHERE birth_month <= date_trunc('month', DATE '{on}') - INTERVAL 25 YEAR
)
SELECT count(given), count(*) FILTER (up_to_date), count(given) - count(*) FILTER (up_to_date),
       count(*) - count(given)
FROM adults"""

_MENTIONS: Final = """
SELECT count(*), count(*) FILTER (patient_id IN (
           SELECT patient_id FROM history WHERE kind = 'tobacco' AND date <= DATE '{on}')),
       count(*) FILTER (patient_id IN (
           SELECT patient_id FROM history WHERE kind = 'alcohol' AND date <= DATE '{on}')),
       count(*) FILTER (patient_id IN (
           SELECT patient_id FROM history WHERE kind = 'drugs' AND date <= DATE '{on}'))
FROM active"""


def _exposure(kind: str) -> str:
    return f"""{_ACTIVE}, said AS (
    SELECT patient_id, arg_max(status, (date, array_position(['no', 'former', 'current'], status))) AS last
    FROM history
    WHERE kind = '{kind}' AND status IN ('no', 'former', 'current') AND date <= DATE '{{on}}'
    GROUP BY patient_id
)
SELECT count(last), count(*) FILTER (last = 'current'), count(*) FILTER (last = 'former'),
       count(*) - count(last)
FROM active LEFT JOIN said USING (patient_id)"""


def _polypharmacy(kept: str) -> str:
    """Combinations are replaced by the substances they are made of; each counts once."""
    return f"""{_ACTIVE}, parts(atc, substance) AS (VALUES
    ('A10BD07', 'A10BA02'), ('A10BD07', 'A10BH01'), ('C09BB04', 'C09AA04'), ('C09BB04', 'C08CA01'),
    ('G03AA07', 'G03AC03'), ('G03AA07', 'G03CA01'), ('R03AK07', 'R03AC13'), ('R03AK07', 'R03BA02'),
    ('J01CR02', 'J01CA04')
), taken AS ({kept}), numbers AS (
    SELECT patient_id, count(DISTINCT coalesce(substance, taken.atc)) AS substances
    FROM taken LEFT JOIN parts USING (atc) GROUP BY patient_id
)
SELECT count(*), count(*) FILTER (substances >= 5), count(*) FILTER (substances >= 10)
FROM active LEFT JOIN numbers USING (patient_id)"""


def _incidence(codes: str) -> str:
    return f"""
SELECT count(*), count(*) FILTER (consultation_id IN (
    SELECT consultation_id FROM diagnoses WHERE cisp2 IN ({codes})
      AND date > DATE '{{on}}' - INTERVAL 12 MONTH AND date <= DATE '{{on}}'))
FROM consultations WHERE date > DATE '{{on}}' - INTERVAL 12 MONTH AND date <= DATE '{{on}}'"""


def _competences() -> str:
    codes = [each.code for each in load_catalogue().code_systems["competence"].codes]
    stated = "coalesce(competence_1, competence_2, competence_3) IS NOT NULL"
    each = ",\n       ".join(
        f"count(*) FILTER ('{code}' IN (competence_1, competence_2, competence_3))" for code in codes
    )
    return f"""
SELECT count(*) FILTER ({stated}), {each}
FROM training_log WHERE date > DATE '{{on}}' - INTERVAL 12 MONTH AND date <= DATE '{{on}}'"""


_SUPERVISION: Final = """
SELECT count(supervision), count(*) FILTER (supervision = 'autonomous'),
       count(*) FILTER (supervision = 'direct'), count(*) - count(supervision)
FROM training_log WHERE date > DATE '{on}' - INTERVAL 12 MONTH AND date <= DATE '{on}'"""

_AT_ONCE: Final = """
    SELECT patient_id, atc FROM prescriptions
    WHERE date <= DATE '{on}' AND DATE '{on}' - date < duration_days AND atc IS NOT NULL
"""
_CUMULATED: Final = """
    SELECT patient_id, atc FROM prescriptions
    WHERE date > DATE '{on}' - INTERVAL 3 MONTH AND date <= DATE '{on}' AND atc IS NOT NULL
"""
_CONTINUOUS: Final = """
    SELECT patient_id, atc FROM prescriptions
    WHERE date > DATE '{on}' - INTERVAL 12 MONTH AND date <= DATE '{on}' AND atc IS NOT NULL
    GROUP BY patient_id, atc
    HAVING count(DISTINCT date) >= 3 OR count(DISTINCT date) FILTER (pack_size = 'large') >= 2
"""

_STATEMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "general_file_active": f"{_ACTIVE}\nSELECT count(*) FROM active",
        "surpoids": _ACTIVE + _OVERWEIGHT,
        "depistage_sein": _ACTIVE
        + _excluding("'X76'")
        + _done("images", "procedures", "cisp2 = 'X41'", 24)
        + _BREAST,
        "depistage_colorectal": _ACTIVE
        + _excluding("'D75', 'D78', 'D94'")
        + _done("fit", "lab_results", "analyte = 'fit'", 24)
        + _done("endoscopies", "procedures", "cisp2 = 'D40'", 60)
        + _COLON,
        "depistage_col": _ACTIVE
        + _excluding("'X75'")
        + _done("hpv", "lab_results", "analyte = 'hpv'", 60)
        + _CERVIX,
        "diabete": f"""{_ACTIVE}{_DIABETICS}
SELECT (SELECT count(*) FROM active), (SELECT count(*) FROM diabetics)""",
        "diabete_hba1c": f"""{_ACTIVE}{_DIABETICS}{_HBA1C}
SELECT count(*), count(*) FILTER (dates >= 2) FROM diabetics LEFT JOIN hba1c USING (patient_id)""",
        "diabete_equilibre": f"""{_ACTIVE}{_DIABETICS}{_HBA1C}
SELECT count(last), count(*) FILTER (last <= 7), count(*) - count(last)
FROM diabetics LEFT JOIN hba1c USING (patient_id)""",
        "diabete_oeil": f"""{_ACTIVE}{_DIABETICS}{_HBA1C}{_EYES}
SELECT count(*), count(*) FILTER (eyes.last > DATE '{{on}}' - INTERVAL 12 MONTH
    OR (eyes.last IS NOT NULL AND coalesce(hba1c.last <= 7, true) AND patient_id NOT IN (
        SELECT patient_id FROM prescriptions WHERE atc LIKE 'A10A%'
          AND date > DATE '{{on}}' - INTERVAL 12 MONTH AND date <= DATE '{{on}}')))
FROM diabetics LEFT JOIN hba1c USING (patient_id) LEFT JOIN eyes USING (patient_id)""",
        "diabete_oeil_24": f"""{_ACTIVE}{_DIABETICS}{_EYES}
SELECT count(*), count(*) FILTER (patient_id IN (SELECT patient_id FROM eyes)) FROM diabetics""",
        "diabete_rein": _ACTIVE
        + _DIABETICS
        + _done("creatinine", "lab_results", "analyte = 'creatinine'", 12)
        + _done("uacr", "lab_results", "analyte = 'uacr'", 12)
        + """
SELECT count(*), count(*) FILTER (patient_id IN (FROM creatinine) AND patient_id IN (FROM uacr))
FROM diabetics""",
        "vaccination_dtp": _ACTIVE + _DTP,
        "inr": _ACTIVE + _ANTAGONISTS + _VALID_INR + _INR,
        "inr_cible_inconnue": f"""{_ACTIVE}{_ANTAGONISTS}
SELECT count(*), count(*) FILTER (patient_id IN (FROM valves)) FROM treated""",
        "inr_ttr": _ACTIVE + _ANTAGONISTS + _VALID_INR + _TTR,
        "dependance_mention": _ACTIVE + _MENTIONS,
        "exposition_tabac": _exposure("tobacco"),
        "exposition_alcool": _exposure("alcohol"),
        "exposition_drogues": _exposure("drugs"),
        "polymedication_simultanee": _polypharmacy(_AT_ONCE),
        "polymedication_cumulee": _polypharmacy(_CUMULATED),
        "polymedication_continue": _polypharmacy(_CONTINUOUS),
        "activite": _incidence("'R74', 'R75', 'R76', 'R77', 'R78', 'R80', 'R81'"),
        "activite_grippe": _incidence("'R80'"),
        "activite_gastro": _incidence("'D73'"),
        "activite_observes": """
SELECT count(*) FROM patients
WHERE (death_month IS NULL OR death_month > DATE '{on}') AND patient_id IN (
    SELECT patient_id FROM observation_periods WHERE DATE '{on}' BETWEEN start_date AND end_date)""",
        "carnet_competences": _competences(),
        "carnet_supervision": _SUPERVISION,
    }
)


def measures() -> tuple[str, ...]:
    """The measures that are written here: all but plain counts of rows."""
    return tuple(_STATEMENTS)


def statement(measure: str, on: date) -> str:
    """One row: the columns of the measure's expression."""
    return _STATEMENTS[measure].replace("{on}", on.isoformat())
