"""What every generator of a block sees: its people, their consultations, and how to say whose a row is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hub_config.warehouse.synthesis.arrays import Coded, Columns, Days, Ints, Numbers, stream
from hub_config.warehouse.synthesis.contacts import Contacts
from hub_config.warehouse.synthesis.knowledge import Knowledge
from hub_config.warehouse.synthesis.people import People
from hub_config.warehouse.synthesis.practices import Practices
from hub_config.warehouse.synthesis.presets import Block, Plan
from hub_config.warehouse.synthesis.sampling import Sampler


@dataclass(frozen=True)
class Scene:
    plan: Plan
    block: Block
    seed: int
    first_day: int
    last_day: int
    first_consultation: int  # number of the block's first
    knowledge: Knowledge
    practices: Practices
    people: People
    contacts: Contacts
    sampler: Sampler

    def rng(self, purpose: str) -> np.random.Generator:
        return stream(self.seed, purpose, self.block.number)

    def at_consultations(self, places: Ints) -> Columns:
        """The columns that rows inherit from the consultations at `places`."""
        contacts = self.contacts
        return {
            "consultation_id": self.first_consultation + places,
            **self.whose(contacts.person[places], contacts.physician[places]),
            "date": Days(contacts.days[places]),
        }

    def of_people(self, person: Ints, days: Ints) -> Columns:
        """The columns of dated rows about people, seen by their own GP."""
        return {**self.whose(person, self.people.practice[person]), "date": Days(days)}

    def whose(self, person: Ints, physician: Ints) -> Columns:
        """Patient, GP and centre; the GP is null where `physician` is -1, the centre stays the patient's."""
        centre = self.practices.centre[np.where(physician < 0, self.people.practice[person], physician)]
        return {
            "patient_no": self.block.first + person,
            "physician_no": Numbers(physician, physician < 0),
            "centre_id": Coded(centre, self.practices.centres),
        }
