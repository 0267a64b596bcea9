"""The airlock (sas de sortie): what leaves the enclave passes here, and nowhere else.

A request holds files under their SHA-256; physicians who have no part in it vote on exactly these bytes,
blind to each other; what they approved is what its requester downloads. Nothing that a workspace says of a
file is believed.
"""
