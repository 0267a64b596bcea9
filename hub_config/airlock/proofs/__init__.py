"""Where a file comes from, as far as the enclave can prove it.

    classification = classify("table.csv", content, Standing(project, …), keys)

A publication table or a figure of one carries what the gateway signed; everything shown of it, and released,
is made anew here from that. A report is known by its bytes, in the record of
runs. Nothing else a file says of itself is believed. Only public keys are held.
"""

from hub_config.airlock.proofs.classifying import Classification, Reason, Rendering, classify
from hub_config.airlock.proofs.keys import read_keys
from hub_config.airlock.proofs.standing import Standing, standing_of

__all__ = ["Classification", "Reason", "Rendering", "Standing", "classify", "read_keys", "standing_of"]
