"""Taking from an iterator ahead of use, so that whoever makes and whoever uses work side by side."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(made: Iterator[T], room: int) -> Iterator[T]:
    """The same, at most `room` of them taken ahead by a thread, the only one to touch `made` meanwhile. What
    `made` raises is raised where it would have been; the thread has ended when this ends."""
    with ThreadPoolExecutor(1, "ahead") as reader:
        waiting = deque(reader.submit(next, made, None) for _ in range(room))
        try:
            while (each := waiting.popleft().result()) is not None:
                waiting.append(reader.submit(next, made, None))
                yield each
        finally:
            for other in waiting:
                other.cancel()
