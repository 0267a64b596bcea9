"""Notices: written with the change they tell of, mailed afterwards, shown in the browser in any case.

A mail says that something waits, and where; never what, whose, or of which project.
"""
