"""Vaccinations: doses at their ages and seasons, and rows that are none: empty, notes, years only."""

from __future__ import annotations

import numpy as np

from hub_config.warehouse.synthesis.arrays import Coded, Columns, Days, year_starts
from hub_config.warehouse.synthesis.presets import Kind, apportion
from hub_config.warehouse.synthesis.scene import Scene
from hub_config.warehouse.synthesis.traps import DOSE_NOTES, RULES, Rule, caught, first_true, rule_index


def vaccinate(scene: Scene) -> Columns:
    """Exactly the plan's vaccinations. What a row was exported as stays in `label_raw`."""
    rng, vaccines = scene.rng("vaccinations"), scene.knowledge.vaccines
    totals = apportion(scene.plan.rows[Kind.VACCINATIONS], [vaccine.rows for vaccine in vaccines])
    drawn = [
        scene.sampler.draw(vaccine, scene.block.part(total))
        for vaccine, total in zip(vaccines, totals, strict=True)
    ]
    places = np.concatenate(drawn)
    vaccine = np.repeat(np.arange(len(vaccines)), [len(part) for part in drawn])
    order = np.lexsort((vaccine, places))
    places, vaccine = places[order], vaccine[order]
    everyone = np.ones(len(places), bool)
    empty = caught(rng, everyone, Rule.EMPTY_VACCINATION)
    note = caught(rng, ~empty, Rule.DOSE_NOTE)
    note |= first_true(~empty)
    vague = caught(rng, ~empty & ~note, Rule.YEAR_PRECISION)
    which = np.where(first_true(note), 0, rng.integers(0, len(DOSE_NOTES), len(places)))
    labels = [*(v.label for v in vaccines), *DOSE_NOTES]
    days = scene.contacts.days[places]
    rules = [rule_index(rule) for rule in (Rule.EMPTY_VACCINATION, Rule.DOSE_NOTE, Rule.YEAR_PRECISION)]
    columns = {**scene.at_consultations(places)}
    del columns["consultation_id"]
    return {
        **columns,
        "date": Days(np.where(vague, np.maximum(year_starts(days), scene.first_day), days)),
        "date_precision": Coded(vague.astype(np.int64), ("day", "year")),
        "atc": Coded(np.where(empty | note, -1, vaccine), [v.code for v in vaccines]),
        "label_raw": Coded(np.select([empty, note], [-1, len(vaccines) + which], vaccine), labels),
        "dq_code": Coded(np.select([empty, note, vague], rules, 0), RULES),
    }
