"""Decisions of the airlock: facts in, decision out. No I/O, no clock, no randomness."""
