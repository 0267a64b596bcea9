"""Revisions of the governance schema, in order. A released one is never edited: another follows it."""
