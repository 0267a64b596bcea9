"""The ten dashboards that users know, as somebody would look at them in one afternoon.

Written as an analyst writes them: a share from its numerator and its denominator, not from a class and its
complement side by side; a condition of a patient as a class of the patient, not of each row; by age *or* by
centre where both at once would leave a few patients in each cell; age in the classes in which a disease is
reported; of a long list of codes the first twenty, as the screens have always shown it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import ibis

from tests.benchmarks.usability import Question, seen

RESPIRATORY: Final = ("R74", "R75", "R76", "R77", "R78", "R80", "R81")
TOP: Final = 20
HABITS: Final = ("tobacco", "alcohol", "drugs")


def dashboards() -> Mapping[str, Callable[[], Iterator[Question]]]:
    """Each by its name."""
    return {
        "général": _general,
        "surpoids 6–15 ans": _overweight,
        "dépendance": _addiction,
        "dépistage des cancers": _screening,
        "diabète": _diabetes,
        "polymédication": _polypharmacy,
        "vaccination DTP": _boosters,
        "INR": _inr,
        "motifs et diagnostics": _codes,
        "activité": _activity,
        "carnet": _log,
    }


def _general() -> Iterator[Question]:
    c, h, p = seen("consultations"), seen("history"), seen("patients")
    yield _by("consultations", c, year=c.date.year(), type=c.type)
    yield _by("history", h, kind=h.kind, record=h.record)
    yield _by("patients", p, sex=p.sex, band=p.age_band)


def _overweight() -> Iterator[Question]:
    p, b = seen("patients"), seen("biometrics")
    young = p.filter(p.age >= 6, p.age < 16)
    bmi = b.filter(b.measure == "bmi", b.dq_code == "ok")
    measured = young.patient_id.isin(bmi.patient_id)
    heavy = young.patient_id.isin(bmi.filter(bmi.value >= 21).patient_id)
    state = ibis.cases((heavy, "21 +"), (measured, "< 21"), else_="not recorded")
    age = ibis.cases((young.age < 9, "6–8"), (young.age < 12, "9–11"), else_="12–15")
    yield _by("recorded", young.mutate(measured=measured), sex="sex", centre="centre_id", measured="measured")
    yield _by(
        "body mass index", young.mutate(state=state, years=age), state="state", sex="sex", years="years"
    )


def _addiction() -> Iterator[Question]:
    """Recording and exposure, never mixed."""
    p, h = seen("patients"), seen("history")
    habits = h.filter(h.kind.isin(HABITS))
    yield _by("recording", habits, kind="kind")
    now = habits.filter(habits.status == "current")
    exposed = p.mutate(
        **{kind: p.patient_id.isin(now.filter(now.kind == kind).patient_id) for kind in HABITS}
    )
    yield _shares("exposure", exposed, HABITS, sex="sex", band="age_band")


def _screening() -> Iterator[Question]:
    p, g = seen("patients"), seen("procedures")
    women = p.filter(p.sex == "F", p.age >= 50, p.age < 75)
    seen_by = women.patient_id.isin(g.filter(g.cisp2 == "X41", g.date >= "2021-01-01").patient_id)
    yield _by("breast, by age", women.mutate(trace=seen_by), band="age_band", trace="trace")
    yield _by("breast, by centre", women.mutate(trace=seen_by), centre="centre_id", trace="trace")
    smear = p.filter(p.sex == "F", p.age >= 25, p.age < 66)
    done = smear.patient_id.isin(g.filter(g.cisp2 == "X37", g.date >= "2018-01-01").patient_id)
    yield _by("cervix", smear.mutate(trace=done), band="age_band", trace="trace")


def _diabetes() -> Iterator[Question]:
    p, d = seen("patients"), seen("diagnoses")
    ill = p.filter(p.patient_id.isin(d.filter(d.cisp2.isin(["T89", "T90"])).patient_id))
    limits = (45, 55, 65, 75, 85)
    classes = ibis.cases(*((ill.age < limit, f"< {limit}") for limit in limits), else_="85 +")
    yield _by("diabetics", ill.mutate(years=classes), sex="sex", years="years")
    x = seen("lab_results")
    tests = x.filter(x.analyte == "hba1c", x.date >= "2022-01-01")
    times = tests.group_by("patient_id").agg(times=lambda f: f.count())
    twice = ill.patient_id.isin(times.filter(times.times >= 2).patient_id)
    creatinine = x.filter(x.analyte == "creatinine", x.date >= "2022-01-01").patient_id
    followed = ill.mutate(twice=twice, creatinine=ill.patient_id.isin(creatinine))
    yield _shares("HbA1c twice a year, creatinine within one", followed, ("twice", "creatinine"), sex="sex")
    yield _shares("the same by centre", followed, ("twice", "creatinine"), centre="centre_id")


def _polypharmacy() -> Iterator[Question]:
    p, r = seen("patients"), seen("prescriptions")
    drugs = r.filter(r.date >= "2022-01-01").select("patient_id", "atc").distinct()
    counted = drugs.group_by("patient_id").agg(drugs=lambda f: f.count())
    treated = p.join(counted, "patient_id")
    many = treated.mutate(five=treated.drugs >= 5, ten=treated.drugs >= 10)
    yield _shares("substances", many, ("five", "ten"), sex="sex", band="age_band")


def _boosters() -> Iterator[Question]:
    """Boosters are due from 25 years on."""
    p, v = seen("patients"), seen("vaccinations")
    doses = v.filter(v.atc.isin(["J07CA01", "J07CA02"]))
    yield _by("doses", doses, year=doses.date.year())
    adults = p.filter(p.age >= 25)
    late = adults.patient_id.isin(doses.filter(doses.date >= "2012-01-01").patient_id)
    yield _by("up to date", adults.mutate(late=late), late="late", band="age_band", centre="centre_id")


def _inr() -> Iterator[Question]:
    """Of patients with three valid values in a year, those of whom three in ten lie outside 2 to 3."""
    x = seen("lab_results")
    inr = x.filter(x.analyte == "inr", x.value >= 0.5, x.value <= 20)
    yield _by("values", inr, year=inr.date.year())
    year = inr.filter(inr.date >= "2022-01-01")
    outside = (year.value < 2) | (year.value > 3)
    each = year.group_by("patient_id").agg(times=year.count(), outside=outside.sum())
    treated = seen("patients").join(each.filter(each.times >= 3), "patient_id")
    often = treated.mutate(often=treated.outside >= 0.3 * treated.times)
    yield _shares("outside the target", often, ("often",), sex="sex")
    yield _shares("outside the target, by age", often, ("often",), band="age_band")


def _codes() -> Iterator[Question]:
    d, t = seen("diagnoses"), seen("reasons")
    yield _by("diagnoses", d, cisp2="cisp2")
    yield _by("reasons", t, cisp2="cisp2")


def _activity() -> Iterator[Question]:
    """Respiratory infections by week; influenza alone, of which a week has a dozen cases, by month."""
    c, d = seen("consultations"), seen("diagnoses")
    season = d.filter(d.cisp2.isin(RESPIRATORY), d.date >= "2021-09-01")
    yield _by("respiratory infections", season, week=season.date.truncate("W"))
    flu = d.filter(d.cisp2 == "R80")
    yield _by("influenza", flu, month=flu.date.truncate("M"))
    year = c.filter(c.date >= "2022-01-01")
    yield _by("consultations", year, week=year.date.truncate("W"))


def _log() -> Iterator[Question]:
    log = seen("training_log")
    yield _most("results", log, code="result")
    yield _most("reasons", log, code="reason")
    yield _most("procedures", log, code="procedure")
    yield _by("competences", log, competence="competence_1", level="level")
    yield _by("supervision", log, level="level", supervision="supervision")


def _by(name: str, relation: Any, **keys: Any) -> Question:
    return Question(name, relation.group_by(**keys).agg(n=lambda f: f.patient_id.nunique()), tuple(keys))


def _most(name: str, relation: Any, code: str) -> Question:
    """The codes that most patients have."""
    patients = relation.group_by(code=code).agg(n=lambda f: f.patient_id.nunique())
    return Question(name, patients.order_by(ibis.desc("n"), "code").limit(TOP), ("code",), limited=True)


def _shares(name: str, relation: Any, conditions: tuple[str, ...], **keys: Any) -> Question:
    """Denominators, and the numerator of each condition."""
    patients = relation.patient_id
    counts = {each: patients.nunique(where=relation[each]) for each in conditions}
    return Question(name, relation.group_by(**keys).agg(n=patients.nunique(), **counts), tuple(keys))
