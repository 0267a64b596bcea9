"""Figures of protected tables (floor 0): how each kind is drawn, and the closed specification from which the
enclave draws one again. `p4dp_sdk.plots` is what people call.

Everything in a figure comes from the table, or is one of a few closed choices. Matplotlib is imported when
something is drawn.
"""
