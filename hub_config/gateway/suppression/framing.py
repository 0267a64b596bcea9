"""Frames on a socket: a length, then so many bytes. A socket's own timeout bounds every wait."""

from __future__ import annotations

import socket
import struct
from typing import Final

_LENGTH: Final = struct.Struct("<Q")
LARGEST: Final = 512 * 2**20


class LineCut(Exception):
    """The other side has gone, or sends what is no frame."""


def send(line: socket.socket, frame: bytes) -> None:
    try:
        line.sendall(_LENGTH.pack(len(frame)) + frame)
    except (BrokenPipeError, ConnectionResetError):
        raise LineCut from None


def receive(line: socket.socket) -> bytes:
    """One frame. Raises LineCut; TimeoutError after the socket's timeout."""
    (length,) = _LENGTH.unpack(_exactly(line, _LENGTH.size))
    if length > LARGEST:
        raise LineCut
    return _exactly(line, length)


def _exactly(line: socket.socket, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        try:
            part = line.recv(min(length - len(parts), 2**20))
        except ConnectionResetError:
            raise LineCut from None
        if not part:
            raise LineCut
        parts += part
    return bytes(parts)
