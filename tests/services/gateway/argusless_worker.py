"""A worker that τ-ARGUS brings down, and that works without it."""

import os
import signal
import socket

from hub_config.gateway.suppression import codec, framing, worker

line = socket.socket(fileno=0)
head, arrays = codec.unpack(framing.receive(line))
if head["argus"]:
    os.kill(os.getpid(), signal.SIGSEGV)
framing.send(line, codec.pack(*worker.answer(head, arrays, line)))
