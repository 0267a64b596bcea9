"""The bytes of a file, unpacked and counted. A gzip bomb, a truncated copy or a file that grows beyond its
limits is refused before memory or disk feels it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from hub_config.warehouse.loader.mapping import Limits
from hub_config.warehouse.loader.readers.problems import SourceProblem

CHUNK: Final = 1 << 20
_PIECE: Final = 1 << 17
_JUDGED_FROM: Final = 1 << 26  # below 64 MB even a bomb harms nobody, and small exports may pack very well


class Unpacked:
    """What a file holds, in chunks."""

    def __init__(self, path: Path, packed: BinaryIO, limits: Limits) -> None:
        self._path, self._packed, self._limits = path, packed, limits
        self._read = _gunzipped(packed) if path.suffix == ".gz" else packed.read
        self._count = 0
        self.reached: Callable[[], int] | None = None  # the line of the text at which its reader is

    @property
    def position(self) -> int:
        """How many bytes of the file, packed as it is, were read."""
        return self._packed.tell()

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read():
            yield chunk

    def read(self) -> bytes:
        """The next chunk; empty at the end. Raises SourceProblem when the file is not what it seems."""
        with explained(self._path, self.reached):
            chunk = self._read(CHUNK)
        self._count += len(chunk)
        if chunk:
            self._judge()
        return chunk

    def _judge(self) -> None:
        if self._count > self._limits.bytes:
            raise SourceProblem(
                f"{self._path.name} holds more than {self._limits.bytes:,} bytes. If that is right, raise "
                "the file's `limits.bytes` in the mapping."
            )
        if self._path.suffix == ".gz" and self._count >= _JUDGED_FROM:
            self._judge_expansion()

    def _judge_expansion(self) -> None:
        if self._count > self._limits.expansion * self._packed.tell():
            raise SourceProblem(
                f"{self._path.name} unpacks to more than {self._limits.expansion:g} times its size, as a "
                "gzip bomb does. If that is right, raise the file's `limits.expansion` in the mapping."
            )


def _gunzipped(packed: BinaryIO) -> Callable[[int], bytes]:
    """Reads as much as it is asked for; what comes before a damage first, so that its line can be told."""
    file, broken = gzip.GzipFile(fileobj=packed), list[Exception]()

    def read(size: int) -> bytes:
        parts: list[bytes] = []
        while size > 0 and not broken:
            try:
                part = file.read1(min(size, _PIECE))
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                broken.append(error)
                break
            if not part:
                break
            parts.append(part)
            size -= len(part)
        if broken and not parts:
            raise broken[0]
        return b"".join(parts)

    return read


@contextmanager
def unpacked(path: Path, limits: Limits) -> Iterator[Unpacked]:
    if not path.is_file():
        raise SourceProblem(
            f"{path.name} is not in {path.parent}. Check the directory and the mapping's `path`."
        )
    if path.stat().st_size == 0:
        raise SourceProblem(f"{path.name} is empty: not even a header. Ask for the export again.")
    with explained(path):
        packed = path.open("rb")
    with packed:
        yield Unpacked(path, packed, limits)


@contextmanager
def explained(path: Path, reached: Callable[[], int] | None = None) -> Iterator[None]:
    """Failures of the file's packing in words."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error):
        after = f" after line {reached()}" if reached else ""
        raise SourceProblem(
            f"{path.name} is truncated or not gzip{after}: copy it again; nothing was loaded."
        ) from None
    except OSError as error:
        raise SourceProblem(f"{path.name} can't be read: {error.strerror or 'input/output error'}.") from None
