"""Publication tables (`ws.publish`, "figer"): exact numbers, protected together with everything that follows
from them, signed.

`rules` decides what can be published and where each column comes from; `cube` says which cells and totals
follow from a table; `verdicts` and `problem` say which of them are safe; `press` does it end to end.
"""
