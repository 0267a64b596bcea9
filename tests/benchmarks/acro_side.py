"""ACRO's answers to the questions of `test_acro`, from an environment that has ACRO and nothing of ours.

`acro_side.py PATIENTS.parquet PLANTED.parquet` prints one JSON document: the seconds of two crosstabs over
the first file, and each value that ACRO showed of the second.
"""

import contextlib
import io
import json
import logging
import sys
import time
import warnings

import pandas as pd
from acro import ACRO

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)


def seconds(work, turns=3):
    times = []
    for _ in range(turns):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return sorted(times)[turns // 2]


def number(table, row, column="all"):
    """One cell as a number; None where it was suppressed or isn't there."""
    if row not in table.index or column not in table.columns or pd.isna(table.loc[row, column]):
        return None
    return float(table.loc[row, column])


def crosstabs(acro, people):
    by = [people.age_band, people.sex], people.centre_id
    return {
        "count": seconds(lambda: acro.crosstab(*by)),
        "mean": seconds(lambda: acro.crosstab(*by, values=people.age, aggfunc="mean")),
    }


def shown(acro, planted):
    everybody = planted.assign(one="all")
    others = everybody[everybody.sex.notna()]
    ill = (everybody.ill == "ill").astype(int)

    def by_centre(values, how):
        return acro.crosstab(everybody.centre_id, everybody.one, values=values, aggfunc=how)

    margins = acro.crosstab(everybody.centre_id, everybody.age_band, margins=True)
    return {
        "mean of three": number(by_centre(everybody.value, "mean"), "C1"),
        "largest": number(by_centre(everybody.other, "max"), "C2"),
        "smallest": number(by_centre(everybody.other, "min"), "C2"),
        "share of the ill": number(by_centre(ill, "mean"), "C4"),
        "everybody": number(acro.crosstab(everybody.one, everybody.ill), "all", "ill"),
        "everybody but one": number(acro.crosstab(others.one, others.ill), "all", "ill"),
        "small cell": number(margins, "C3", "30-39"),
        "shrunken total": number(margins, "C3", "All"),
        "total": number(acro.crosstab(everybody.centre_id, everybody.one), "C3"),
    }


def main(people, planted):
    acro = ACRO(suppress=True)
    said = {
        "seconds": crosstabs(acro, pd.read_parquet(people)),
        "shown": shown(acro, pd.read_parquet(planted)),
    }
    return json.dumps(said)


if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()):
        document = main(*sys.argv[1:])
    print(document)
