"""A relay of TCP connections on loopback that listens in, and that can be cut."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

_CHUNK: Final = 65_536


@dataclass
class Relay:
    """`said` is all that clients sent. Once `cut`, whoever is connected is disconnected, whoever comes
    is turned away, until `mend`."""

    listener: socket.socket
    target: int
    said: bytearray = field(default_factory=bytearray)
    _open: set[socket.socket] = field(default_factory=set)
    _is_cut: bool = False

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def cut(self) -> None:
        self._is_cut = True
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._is_cut = False

    def serve(self) -> None:
        with suppress(OSError):  # closed
            while True:
                self._accept(self.listener.accept()[0])

    def _accept(self, client: socket.socket) -> None:
        if self._is_cut:
            client.close()
            return
        server = socket.create_connection(("127.0.0.1", self.target))
        self._open |= {client, server}
        for source, sink, heard in ((client, server, self.said), (server, client, bytearray())):
            threading.Thread(target=self._pass_on, args=(source, sink, heard), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, heard: bytearray) -> None:
        with suppress(OSError):
            while chunk := source.recv(_CHUNK):
                heard += chunk
                sink.sendall(chunk)
        for one in (source, sink):
            self._open.discard(one)
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextmanager
def relayed(target: int) -> Iterator[Relay]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        relay = Relay(listener, target)
        threading.Thread(target=relay.serve, daemon=True).start()
        try:
            yield relay
        finally:
            relay.cut()
            listener.shutdown(socket.SHUT_RDWR)
