"""The physicians who may review: named by the CSE, away at times, with delegates; who is expected to look at
what, and when they are reminded.
"""
