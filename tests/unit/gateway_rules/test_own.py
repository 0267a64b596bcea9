"""The rules of one's own: which tables there are, and which of two memories settles a cell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.gateway.own.tables import own_tables
from hub_config.gateway.rules.memory import Batch, Proposal, Settled, Settlement
from hub_config.gateway.rules.own import in_own_memory, places_of, settled_of_own
from hub_config.governance.persons.facts import Standing
from p4dp_sdk.catalogue import Unit, load_catalogue

CATALOGUE = load_catalogue()
AT_CONSULTATIONS = {t.name for t in CATALOGUE.tables.values() if t.has("consultation_id") and not t.snds}
PUBLIC = {t.name for t in CATALOGUE.tables.values() if t.unit is Unit.PUBLIC}
PERSON = {t.name for t in CATALOGUE.tables.values() if t.unit is Unit.PERSON and not t.snds}


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (Standing.INTERN, AT_CONSULTATIONS | {"training_log", "patients"} | PUBLIC),
        (Standing.TRAINER, {"training_log", "patients"} | PUBLIC),
        (Standing.PHYSICIAN, PERSON | PUBLIC),
    ],
)
def test_tables_of_one_s_own(standing: Standing, expected: set[str]) -> None:
    assert set(own_tables(CATALOGUE.tables, CATALOGUE, standing)) == expected
    few = {name: CATALOGUE.tables[name] for name in ("patients", "lab_results", "physicians")}
    assert set(own_tables(few, CATALOGUE, standing)) == expected & set(few)


def test_the_tables_of_an_intern_are_those_of_consultations() -> None:
    assert {"consultations", "diagnoses", "reasons", "procedures"} <= AT_CONSULTATIONS
    assert not AT_CONSULTATIONS & {"biometrics", "body_mass", "lab_results", "history", "vaccinations"}


SHOW, WITHHOLD, NEVER = Proposal.SHOW, Proposal.WITHHOLD, Proposal.NEVER
SHOWN, SNAPPED, HIDDEN = Settlement.SHOWN, Settlement.SNAPPED, Settlement.WITHHELD
NAN = float("nan")


def batch(*proposals: Proposal) -> Batch:
    nothing: object = None
    return Batch(
        release="r",
        measure="n",
        family="count",
        patients=np.full(len(proposals), 20),
        values=np.full(len(proposals), NAN),
        proposals=np.array(proposals, dtype=np.int8),
        vectors=nothing,  # type: ignore[arg-type]
    )


def settled(*cells: tuple[float, Settlement]) -> Settled:
    values, how = zip(*cells, strict=True) if cells else ((), ())
    return Settled(np.array(values, dtype=float), np.array(how, dtype=np.int8))


@pytest.mark.parametrize(
    ("proposal", "common", "own", "expected"),
    [
        (SHOW, (30.0, SHOWN), (29.0, SHOWN), (30.0, SHOWN)),  # passes every rule: an answer like any other
        (SHOW, (28.0, SNAPPED), (30.0, SHOWN), (28.0, SNAPPED)),
        (SHOW, (NAN, HIDDEN), (30.0, SHOWN), (NAN, HIDDEN)),  # the common memory has a reason
        (WITHHOLD, (NAN, HIDDEN), (30.0, SHOWN), (30.0, SHOWN)),  # only the rules on GPs
        (WITHHOLD, (NAN, HIDDEN), (NAN, HIDDEN), (NAN, HIDDEN)),  # too few patients
        (WITHHOLD, (27.0, SNAPPED), (30.0, SHOWN), (27.0, SNAPPED)),  # few tell it from what was shown
        (NEVER, (NAN, HIDDEN), (NAN, HIDDEN), (NAN, HIDDEN)),  # nearly everybody
    ],
)
def test_which_memory_settles_a_cell(
    proposal: Proposal,
    common: tuple[float, Settlement],
    own: tuple[float, Settlement],
    expected: tuple[float, Settlement],
) -> None:
    found = settled_of_own(settled(own), settled(common), batch(proposal), np.array([0]))
    np.testing.assert_equal((found.values[0], found.settlements[0]), expected)


def test_a_cell_that_the_common_memory_was_not_asked_about_is_one_s_own() -> None:
    found = settled_of_own(settled((30.0, SHOWN)), settled(), batch(), np.array([-1]))
    assert (found.values[0], found.settlements[0]) == (30.0, SHOWN)


def test_cells_meet_by_their_labels() -> None:
    assert places_of([("F",), ("M",), (None,)], [("M",), (None,)]).tolist() == [-1, 0, 1]


def test_nobody_else_s_answers_are_in_one_s_own_memory() -> None:
    assert in_own_memory(batch(), "ines").family == "own ines: count"
    assert in_own_memory(batch(), "ines").family != in_own_memory(batch(), "zoe").family


CELLS = st.lists(
    st.tuples(
        st.sampled_from(Proposal),
        st.sampled_from(Settlement),
        st.sampled_from(Settlement),
        st.integers(11, 99),
    ),
    max_size=8,
)


@given(CELLS, st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_nothing_is_shown_that_neither_memory_showed(cells: list, dice: object) -> None:
    """And what passed every rule is what the common memory said, whatever the order of cells."""
    common = settled(*((float(n) if how != HIDDEN else NAN, how) for _, how, _, n in cells))
    own = settled(*((n + 0.5 if how != HIDDEN else NAN, how) for _, _, how, n in cells))
    order = list(range(len(cells)))
    dice.shuffle(order)  # type: ignore[attr-defined]
    turned = Settled(common.values[order], common.settlements[order])
    asked = batch(*(cells[place][0] for place in order))
    places = np.array([order.index(place) for place in range(len(cells))], dtype=np.int64)
    found = settled_of_own(own, turned, asked, places)
    for place, (proposal, theirs, _, _) in enumerate(cells):
        by_common = proposal == SHOW or theirs == SNAPPED
        expected = common if by_common else own
        np.testing.assert_equal(found.values[place], expected.values[place])
        assert found.settlements[place] == expected.settlements[place]
