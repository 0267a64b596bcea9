"""What a person wrote in a form that was sent after their session had ended: held for them over the log-in.

Nobody is logged in at that moment, so nothing of it is shown. Each page's token of forms carries a mark of
the person the page was made for, which only this site can make: what comes without one is not held. What was
written is given back to whoever logs in as that person, and to nobody else; sending it again takes a token of
their new session like any form.

Held in memory only, for half an hour, within bounds: no file, and one's own oldest goes first. Whoever sends
much puts out what they sent themselves, and nobody else's.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import FormData

HELD_SECONDS: Final = 1800
LARGEST: Final = 64 * 1024
GIVEN_BACK: Final = "/held/"
_MOST: Final = 256
_OF_ONE: Final = 8


class Marks:
    """The tokens of forms. `key` is the site's own; another key makes other marks."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token_for(self, username: str) -> str:
        """256 random bits, a pseudonym of `username`, and the site's mark on both."""
        chance, writer = secrets.token_urlsafe(32), self._pseudonym(username)
        return f"{chance}.{writer}.{self._mark(chance, writer)}"

    def writer_of(self, token: str) -> str | None:
        """The pseudonym of whose page the token is; None for one that this site did not make."""
        chance, _, rest = token.partition(".")
        writer, _, mark = rest.partition(".")
        return writer if _same(mark, self._mark(chance, writer)) else None

    def is_for(self, token: str, username: str) -> bool:
        writer = self.writer_of(token)
        return writer is not None and _same(writer, self._pseudonym(username))

    def _pseudonym(self, username: str) -> str:
        return self._digest("writer", username)[:32]

    def _mark(self, chance: str, writer: str) -> str:
        return self._digest("token", chance, writer)

    def _digest(self, *parts: str) -> str:
        said = "\n".join(parts).encode("utf-8", "surrogatepass")
        return hmac.new(self._key, said, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class HeldForm:
    """`path` is where it was sent to; `page` where it was written, "" if unknown. `fields` as they came."""

    path: str
    page: str
    fields: tuple[tuple[str, str], ...] = field(repr=False)
    token: str = field(repr=False)
    writer: str = field(repr=False)
    had_files: bool
    began: float


class HeldForms:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: dict[str, HeldForm] = {}

    def hold(self, path: str, page: str, form: FormData, token_field: str, marks: Marks) -> str | None:
        """The number to ask for it by; None where there is nothing to hold, too much, or nobody's."""
        self._forget_old()
        token, fields = form.get(token_field), tuple(_texts(form, token_field))
        writer = marks.writer_of(token) if isinstance(token, str) else None
        if writer is None or not any(value for _, value in fields) or _size(fields) > LARGEST:
            return None
        had_files = any(not isinstance(value, str) and value.filename for value in form.values())
        self._make_room(writer)
        number, page = secrets.token_urlsafe(16), self._first_page(_path_of(page), writer)
        self._kept[number] = HeldForm(path, page, fields, str(token), writer, had_files, self._clock())
        return number

    def of(self, number: str, username: str, marks: Marks) -> HeldForm | None:
        """What is held under `number`, if `username` wrote it."""
        self._forget_old()
        held = self._kept.get(number)
        return held if held is not None and marks.is_for(held.token, username) else None

    def _make_room(self, writer: str) -> None:
        """One of the writer's own goes; where everybody's are too many, one of who has most."""
        of_each = Counter(held.writer for held in self._kept.values())
        if of_each[writer] >= _OF_ONE:
            self._put_out_oldest(writer)
        elif len(self._kept) >= _MOST:
            self._put_out_oldest(max(of_each, key=of_each.__getitem__))

    def _put_out_oldest(self, writer: str) -> None:
        del self._kept[next(number for number, held in self._kept.items() if held.writer == writer)]

    def _first_page(self, page: str, writer: str) -> str:
        """Where it was written, though it was sent again from the page that gave it back."""
        before = self._kept.get(page.removeprefix(GIVEN_BACK)) if page.startswith(GIVEN_BACK) else None
        return before.page if before is not None and before.writer == writer else page

    def _forget_old(self) -> None:
        oldest = self._clock() - HELD_SECONDS
        for number in [number for number, held in self._kept.items() if held.began < oldest]:
            del self._kept[number]


def _texts(form: FormData, token_field: str) -> Iterable[tuple[str, str]]:
    for name, value in form.multi_items():
        if isinstance(value, str) and name != token_field:
            yield name, value


def _size(fields: Iterable[tuple[str, str]]) -> int:
    return sum(
        len(name.encode("utf-8", "replace")) + len(value.encode("utf-8", "replace")) for name, value in fields
    )


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _path_of(page: str) -> str:
    parts = urlsplit(page)
    return parts.path + (f"?{parts.query}" if parts.query else "")
