"""What a person wrote in a form that was sent after their session had ended: held for them over the log-in.

Nobody knows at that moment who sent it, so nothing of it is shown. Each page's token of forms carries a mark
of the person the page was made for, which only this site can make. What was written is given back to whoever
logs in as that person, and to nobody else; sending it again takes a token of their new session like any form.

Held in memory only, for half an hour, within bounds: no file, and the oldest goes first.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import FormData

HELD_SECONDS: Final = 1800
LARGEST: Final = 64 * 1024
_MOST: Final = 256
_PROSE: Final = 40  # signs; what is shorter and has no space was chosen, not written


class Marks:
    """The tokens of forms. `key` is the site's own; another key makes other marks."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token_for(self, username: str) -> str:
        """256 random bits and the mark of `username` on them."""
        chance = secrets.token_urlsafe(32)
        return f"{chance}.{self._mark(chance, username)}"

    def is_for(self, token: str, username: str) -> bool:
        chance, _, mark = token.partition(".")
        return hmac.compare_digest(mark.encode("utf-8", "replace"), self._mark(chance, username).encode())

    def _mark(self, chance: str, username: str) -> str:
        said = f"{chance}\n{username}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, said, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class HeldForm:
    """`path` is where it was sent to; `page` where it was written, "" if unknown. `fields` as they came."""

    path: str
    page: str
    fields: tuple[tuple[str, str], ...] = field(repr=False)
    token: str = field(repr=False)
    had_files: bool
    began: float

    @property
    def written(self) -> tuple[tuple[str, str], ...]:
        """What somebody wrote in their own words."""
        return tuple((name, value) for name, value in self.fields if _is_prose(value))

    @property
    def chosen(self) -> tuple[tuple[str, str], ...]:
        return tuple((name, value) for name, value in self.fields if not _is_prose(value))


class HeldForms:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: dict[str, HeldForm] = {}

    def hold(self, path: str, page: str, form: FormData, token_field: str) -> str | None:
        """The number to ask for it by; None where there is nothing to hold, or too much."""
        self._forget_old()
        token, fields = form.get(token_field), tuple(_texts(form, token_field))
        size = sum(len(name.encode()) + len(value.encode("utf-8", "replace")) for name, value in fields)
        if not isinstance(token, str) or not any(value for _, value in fields) or size > LARGEST:
            return None
        had_files = any(not isinstance(value, str) and value.filename for value in form.values())
        while len(self._kept) >= _MOST:
            self._kept.pop(next(iter(self._kept)))
        number = secrets.token_urlsafe(16)
        self._kept[number] = HeldForm(path, _path_of(page), fields, token, had_files, self._clock())
        return number

    def of(self, number: str, username: str, marks: Marks) -> HeldForm | None:
        """What is held under `number`, if `username` wrote it."""
        self._forget_old()
        held = self._kept.get(number)
        return held if held is not None and marks.is_for(held.token, username) else None

    def _forget_old(self) -> None:
        oldest = self._clock() - HELD_SECONDS
        for number in [number for number, held in self._kept.items() if held.began < oldest]:
            del self._kept[number]


def _texts(form: FormData, token_field: str) -> Iterable[tuple[str, str]]:
    for name, value in form.multi_items():
        if isinstance(value, str) and name != token_field:
            yield name, value


def _is_prose(value: str) -> bool:
    return len(value) > _PROSE or any(sign.isspace() for sign in value.strip())


def _path_of(page: str) -> str:
    parts = urlsplit(page)
    return parts.path + (f"?{parts.query}" if parts.query else "")
