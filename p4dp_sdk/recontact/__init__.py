"""Requests of re-contact, from a notebook: patients by a rule, answered by their number. Never a list."""

from p4dp_sdk.recontact.asking import request
from p4dp_sdk.recontact.told import Recontact, Recontacts

__all__ = ["Recontact", "Recontacts", "request"]
