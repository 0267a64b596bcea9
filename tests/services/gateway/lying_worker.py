"""A worker that says that nothing need be withheld, as a corrupted solver might."""

import socket

import numpy as np

from hub_config.gateway.suppression import codec, framing
from p4dp_sdk.disclosure.secondary import Proof

line = socket.socket(fileno=0)
_, arrays = codec.unpack(framing.receive(line))
nothing = Proof(np.zeros(len(arrays["coordinates"]), np.bool_), ())
framing.send(line, codec.pack({"said": "proof"}, codec.of_proof(nothing)))
