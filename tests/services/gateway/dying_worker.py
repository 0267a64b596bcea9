"""A worker that takes its table and is killed over it."""

import os
import signal
import socket

from hub_config.gateway.suppression import framing

framing.receive(socket.socket(fileno=0))
os.kill(os.getpid(), signal.SIGKILL)
