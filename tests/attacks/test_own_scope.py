"""Read another practice's numbers by saying that they are one's own. ADR 0016.

GPs are protected like patients, but not from themselves: a GP sees their own practice without the rule on
GPs. Eve is GP 0. She, or a colleague of hers, wants to know of a practice whether more than half of its
patients, or of those whom she knows by centre, sex and birth month, have a diagnosis.

*A claim*: the request says whose rows it wants. The double believes it. *Everybody's rows*: she asks about
another practice's patients under the scope `own`, where no rule on GPs holds. The double leaves all rows in.
*A colleague*: what Eve saw of her own practice lies in the ledger, and mallory asks for the same patients
among everybody's. The double remembers it as it does everybody's answers: near a number that was shown, a
withheld cell takes it over.

Noise is out in all runs: it would only make the right guesses fewer.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

import hub_config.gateway.actions as gateway_actions
import hub_config.gateway.binding as binding
import hub_config.gateway.execution as execution
from hub_config.gateway.protection import explored
from hub_config.gateway.rules.own import without_physicians
from hub_config.governance.persons import actions as persons
from hub_config.governance.persons.facts import Link, Standing
from p4dp_sdk.wire.graph import decode, encode
from tests.attacks.arena import BLUR, MEMBER, PROJECT, Defence, Score
from tests.attacks.population import SECRETS, is_one_of, seen
from tests.services.gateway.own_world import mine
from tests.services.gateway.peer_enclave import opened

EVE, COLLEAGUE = 0, "mallory"
OTHERS = range(1, 21)
CLAIM = "physician_no"


def link(a):
    a.enclave.govern(persons.link, Link(MEMBER, "red team", Standing.PHYSICIAN, EVE))


def question(named, patients=None):
    """Of how many patients is each diagnosis on record: of one's own, or of everybody."""
    p, d = named("patients"), named("diagnoses")
    p = p if patients is None else p.filter(is_one_of(p, patients))
    p = p.mutate(**{code: p.patient_id.isin(d.filter(d.cisp2 == code).patient_id) for code in SECRETS})
    return p.agg(**{code: p.patient_id.nunique(where=p[code]) for code in SECRETS})


def numbers(a, expression, user=MEMBER, **claim):
    """What comes back, NaN where it is withheld or refused."""
    a.asked += 1
    document = json.loads(encode(expression)) | claim
    workspace = a.enclave.workspace(user, PROJECT)
    response = a.loop.run(workspace.post(json.dumps(document).encode()))
    if response.status_code != 200:
        return np.full(len(SECRETS), np.nan)
    (row,) = opened(response.content)[0].to_pylist()
    return np.array([np.nan if row[code] is None else row[code] for code in SECRETS], dtype=float)


def marked(a, found, patients):
    """Whether more than half have it."""
    has = patients[list(SECRETS)].sum().to_numpy()
    return a.mark(found - len(patients) / 2 - 0.25, has > len(patients) / 2)


def of_gp(people, number):
    return people[people["physician_no"] == number]


def claimed(a, people):
    link(a)
    score = Score(0, 0)
    for number in OTHERS:
        found = numbers(a, question(mine), **{CLAIM: number})
        score += marked(a, found, of_gp(people.people, number))
    return score


def everybodys(a, people):
    link(a)
    score = Score(0, 0)
    for number in OTHERS:
        known = of_gp(people.known, number)
        score += marked(a, numbers(a, question(mine, known)), known)
    return score


def colleague(a, people):
    """Eve asks about six groups of her patients; mallory about the same people, among everybody's."""
    link(a)
    a.add_member(PROJECT, COLLEAGUE)
    score, known = Score(0, 0), of_gp(people.known, EVE)
    for turn in range(6):
        some = known.sample(frac=0.6, random_state=turn)
        numbers(a, question(mine, some))
        score += marked(a, numbers(a, question(seen, some), COLLEAGUE), some)
    return score


# --- the doubles -------------------------------------------------------------------------------------------


async def believed(_gateway, _admission, document, *, of_own):
    """For the register: who the request says."""
    number = json.loads(document).get(CLAIM, EVE)
    return Link(MEMBER, "red team", Standing.PHYSICIAN, number)


def without_claim(document, tables, limits, scope):
    content = json.loads(document)
    content.pop(CLAIM, None)
    return decode(json.dumps(content).encode(), tables, limits, scope)


def all_rows(rows, _full, _standing):
    """For the filter: everybody's rows are one's own."""
    return rows


def one_memory(session, releases, policy, guard, asker):
    """For the person's own memory: what they saw is remembered as everybody's answers are."""
    return explored(session, [without_physicians(each) for each in releases], policy, guard, asker)


def take_out(patch, *doubles):
    for module, name, double in doubles:
        patch.setattr(module, name, double)


BELIEVED = ((gateway_actions, "owner", believed), (execution, "decode", without_claim))
ALL_ROWS = ((binding, "own_rows", all_rows),)
ONE_MEMORY = ((execution, "explored_own", one_memory),)
ATTACKS = {
    "claim": (claimed, "the register", BELIEVED, BLUR),
    "everybody": (everybodys, "one's own rows", ALL_ROWS, BLUR),
    "colleague": (colleague, "one's own memory", ONE_MEMORY, (Defence.NOISE, Defence.LIMITS)),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_succeeds_with_the_defence_out(play, monkeypatch, name):
    attack, rule, doubles, aside = ATTACKS[name]
    take_out(monkeypatch, *doubles)
    assert play(attack, aside=aside, without=rule, said=name).succeeds


@pytest.mark.parametrize("name", ATTACKS)
def test_fails(play, name):
    attack, _, _, aside = ATTACKS[name]
    assert play(attack, aside=aside, said=name).is_guessing
