"""Numbered, immutable snapshots of primary-care data: synthesised, or loaded from a vendor's files."""
