"""When each rule fires, as SQL over a judged row: the other half of the registry. Text only, no connection.

A judged row (`rows.py`) has `kind` (measure or analyte), `h` (the value in the table's unit), `number` (the
same, or for a value that was left out the number as it was written), `low` and `high` (plausible at that
age), `z_low` and `z_high` (4 standard deviations of the height), `months` of age, `fresh` (nobody judged it),
`sound` (nobody doubted it) and `reopened` (out of range, but a unit may explain it).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from p4dp_sdk.catalogue.quality import Rule

_ADULT_BODY: Final = "coalesce(greatest(z_low, low), low) AND coalesce(least(z_high, high), high)"
_JUDGEABLE: Final = "(sound OR reopened)"
_LATE: Final = "date > $last"
_EARLY: Final = "date < birth_month"
_POSTHUMOUS: Final = "date > last_day(death_month)"
YEAR_BEFORE_BIRTH: Final = (
    "CASE WHEN date_precision = 'year' OR month(date) = 1 AND day(date) = 1 "
    "THEN year(date) < year(birth_month) ELSE date < birth_month END"
)
BAD_HEIGHT: Final = (
    "('height_in_metres', 'height_in_millimetres', 'height_zscore', 'out_of_range', 'unit_unknown')"
)

MEASURED: Final = MappingProxyType(
    {
        "not_numeric": "fresh AND value IS NULL AND written IS NULL",
        "unit_unknown": "fresh AND unit_raw <> unit AND NOT convertible",
        "future_date": f"sound AND {_LATE}",
        "before_birth": f"sound AND {_EARLY}",
        "after_death": f"sound AND {_POSTHUMOUS}",
        "height_in_metres": f"{_JUDGEABLE} AND unit = 'cm' AND number BETWEEN 0.3 AND 2.5 "
        f"AND number * 100 BETWEEN {_ADULT_BODY}",
        "height_in_millimetres": f"{_JUDGEABLE} AND unit = 'cm' AND number BETWEEN 300 AND 2500 "
        f"AND number / 10 BETWEEN {_ADULT_BODY}",
        "weight_in_grams": f"{_JUDGEABLE} AND unit = 'kg' AND number > 400 "
        "AND number / 1000 BETWEEN low AND high",
        "birth_weight_carried": f"{_JUDGEABLE} AND unit = 'kg' AND months >= 12 AND number BETWEEN 0.5 AND 5",
        "height_zscore": "sound AND unit = 'cm' AND h NOT BETWEEN z_low AND z_high",
        "inr_out_of_range": f"{_JUDGEABLE} AND number NOT BETWEEN 0.5 AND 20",
        "vital_out_of_range": "sound AND h NOT BETWEEN low AND high",
        "lab_out_of_range": "sound AND h NOT BETWEEN low AND high",
        "copied_value": "sound AND place IN (FROM quality_copied)",
        "inr_no_anticoagulant": "sound AND h BETWEEN 0.8 AND 1.2 "
        "AND physician_no IN (FROM quality_prescribers) AND place NOT IN (FROM quality_treated)",
        "bmi_bad_height": "sound AND (patient_no, date) IN (FROM quality_bad_heights)",
        "bmi_absurd": "sound AND h NOT BETWEEN low AND high",
        "unit_converted": "fresh AND converts",
        "unit_missing": "fresh AND value IS NOT NULL AND unit_raw IS NULL "
        "AND kind IN (FROM quality_with_units)",
        "duplicate_row": "sound AND place IN (FROM quality_repeated)",
    }
)
VALUES: Final = MappingProxyType(
    {
        "height_in_metres": "round(number * 100, 6)",
        "height_in_millimetres": "round(number / 10, 6)",
        "weight_in_grams": "round(number / 1000, 6)",
        "unit_converted": "h",
    }
)

VACCINATIONS: Final = MappingProxyType(
    {
        "empty_vaccination": "sound AND atc IS NULL AND (label IS NULL OR label = '')",
        "dose_note": "sound AND is_note",
        "dose_dated_wrong": f"sound AND {_LATE}",
        "dose_before_birth": f"sound AND {YEAR_BEFORE_BIRTH}",
        "after_death": f"sound AND {_POSTHUMOUS}",
        "year_precision": "sound AND month(date) = 1 AND day(date) = 1",
        "duplicate_row": "sound AND place IN (FROM quality_repeated)",
    }
)
# What a note has and the name of a vaccine has not: negation, doubt, a plan, hearsay. Lower case, no accents.
NOTE: Final = (
    r"\?|\b(non|pas|refus\w*|jamais|sauf|prevu\w*|prevoir|annul\w*|report\w*|carnet|verifier|a faire|"
    r"a revoir|a jour|contre[- ]?indi\w*|declar\w*|selon|fait (au|chez|par|ailleurs))\b"
)
AGE_NAMED: Final = r"\b(\d{1,3}) ?ans\b"  # another age than that of the day: told, not given

COUNTED: Final = MappingProxyType(
    {
        "first_of_january": "month(date) = 1 AND day(date) = 1",
        "event_in_the_future": _LATE,
        "event_before_birth": _EARLY,
        "event_after_death": _POSTHUMOUS,
    }
)
CODES: Final = MappingProxyType(
    {
        "cisp2": r"[A-Z][0-9]{2}|SC",
        "atc": r"[A-Z][0-9]{2}([A-Z]([A-Z]([0-9]{2})?)?)?",
        "cim10": r"[A-Z][0-9]{2}(\.?[0-9A-Z+-]{1,5})?",
    }
)


def of_kinds(rule: Rule, condition: str) -> str:
    """`condition`, asked only of the kinds the rule names."""
    kinds = ", ".join(f"'{kind}'" for kind in rule.kinds)
    return f"kind IN ({kinds}) AND {condition}" if kinds else condition
