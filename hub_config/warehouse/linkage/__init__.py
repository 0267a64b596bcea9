"""Rows of the SNDS, linked outside by a trusted third party under one project's pseudonyms, and brought home.

They are kept apart from what practices export (`landing/<population>.snds/`), under dense numbers; snapshots
that are frozen afterwards hold them in tables behind a grant of their own. No other table changes for them.
"""
