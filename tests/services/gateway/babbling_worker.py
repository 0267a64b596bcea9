"""A worker that answers with something else."""

import socket

from hub_config.gateway.suppression import framing

line = socket.socket(fileno=0)
framing.receive(line)
framing.send(line, b"<html>")
