"""A request of release, as its requester sees it: what a reviewer will see, before it is sent and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from p4dp_sdk import markup
from p4dp_sdk.backend.progress import where_people_look
from p4dp_sdk.locale import translate as _
from p4dp_sdk.releases import words
from p4dp_sdk.releases.airlock import Airlock
from p4dp_sdk.releases.errors import which_file
from p4dp_sdk.releases.parcels import Parcel, Things, parcels

_WORDS = ("title", "purpose", "context", "controls")
_MOST_FINDINGS = 30  # of a file, in a notebook; the page has all


class ReleaseRequest:
    """A request on the airlock's desk. Shows itself in a notebook; `send` hands it to the reviewers."""

    def __init__(self, airlock: Airlock, told: Mapping[str, Any]) -> None:
        self._airlock = airlock
        self._told = dict(told)

    @classmethod
    def begin(cls, airlock: Airlock, things: Things, said: Mapping[str, str]) -> ReleaseRequest:
        """A draft with these things in it. Nothing is begun where one of them can't be taken out."""
        made = parcels(things)
        request = cls(airlock, airlock.begin(said))
        try:
            request._put(made)
        except BaseException:
            request.withdraw()
            raise
        return request

    # what it is

    @property
    def id(self) -> str:
        return str(self._told["id"])

    @property
    def status(self) -> str:
        """draft, submitted, in-review, approved, released, returned, rejected or withdrawn."""
        return str(self._told["state"])

    @property
    def page(self) -> str:
        """Where it stands in the browser; released files are downloaded there."""
        return str(self._told["page"])

    @property
    def files(self) -> Sequence[Mapping[str, Any]]:
        """Each file with its `name`, `output_class` and `findings`."""
        return tuple(self._told["listed"])

    @property
    def missing(self) -> Sequence[str]:
        """What keeps it from being sent; empty: nothing."""
        return tuple(words.missing(code) for code in self._told["missing"])

    # what is done with it

    def send(self) -> ReleaseRequest:
        """Hand it to the reviewers. Raises AirlockError, which says what is missing, where there is."""
        return self._now(self._airlock.submit(self.id))

    def withdraw(self) -> ReleaseRequest:
        """Take it back, for good."""
        return self._now(self._airlock.withdraw(self.id))

    def refresh(self) -> ReleaseRequest:
        """As it stands now."""
        return self._now(self._airlock.request(self.id))

    def describe(self, **changed: str) -> ReleaseRequest:
        """In other words: `title`, `purpose`, `context`, `controls`. What was sent is a draft again."""
        if unknown := set(changed) - set(_WORDS):
            raise TypeError(f"describe() takes {', '.join(_WORDS)}; not {', '.join(sorted(unknown))}")
        said = {name: str(self._told[name]) for name in _WORDS} | changed
        return self._now(self._airlock.describe(self.id, said))

    def add(self, things: Things) -> ReleaseRequest:
        """Put more into it; a file of the same name is replaced. What was sent is a draft again."""
        self._put(parcels(things))
        return self

    def remove(self, number: int) -> ReleaseRequest:
        """Take a file out of it, by its number."""
        return self._now(self._airlock.remove_file(self.id, number))

    def explain(self, finding: int, text: str, *, file: int | None = None) -> ReleaseRequest:
        """Answer a blocking finding that is wrong about what it sees ("not a count: a dose in mg"), by its
        number; `file` where there are several. Two physicians will read the answer beside it, and judge. An
        empty text takes the answer back. Raises AirlockError for a finding that only mending lets out.
        """
        return self._now(self._airlock.explain(self.id, self._file_number(file), finding, text))

    def _file_number(self, file: int | None) -> int:
        if file is not None:
            return file
        if len(self.files) != 1:
            raise which_file(", ".join(f"{each['number']} ({each['name']})" for each in self.files))
        return int(self.files[0]["number"])

    # how it is shown

    def _repr_html_(self) -> str:
        head = markup.heading(f"{self._told['title']} — {words.state(self.status)}")
        rows = [self._row(file) for file in self.files]
        headers = ["", _("File"), _("Class"), _("What was found, and what to do")]
        page = markup.link(_("Its page:"), self.page)
        return head + markup.table(headers, rows) + markup.notes(self._remarks()) + page

    def __repr__(self) -> str:
        lines = [f"{self.id}: {self._told['title']} — {words.state(self.status)}"]
        for file in self.files:
            number, name, known, found = self._row(file)
            lines.append(f"  {number}. {name}: {known}" + (f"\n     {found}" if found else ""))
        return "\n".join([*lines, *self._remarks(), f"{_('Its page:')} {self.page}"])

    def _row(self, file: Mapping[str, Any]) -> tuple[str, str, str, str]:
        known = str(file["output_class"])
        name = f"{file['name']} ({words.size(int(file['size']))})"
        told = " · ".join(_found(file))
        return str(file["number"]), name, f"{words.output_class(known)} — {words.why(known)}", told

    def _remarks(self) -> list[str]:
        told = [words.next_step(self.status)] if not self.missing or self.status != "draft" else []
        if self.missing and self.status == "draft":
            told.append(_("Before it can be sent: {missing}.").format(missing=" ; ".join(self.missing)))
        asked = [said["text"] for said in self._told["comments"] if not said["mine"]]
        told += [_("A reviewer says: {text}").format(text=text) for text in asked]
        return told

    def _put(self, made: Sequence[Parcel]) -> None:
        show = where_people_look()
        try:
            for number, parcel in enumerate(made, start=1):
                text = _("Checking {name} ({number} of {all})…")
                show(text.format(name=parcel.name, number=number, all=len(made)))
                self._airlock.put_file(self.id, parcel.name, parcel.content)
        finally:
            show("")
        self.refresh()

    def _now(self, told: Mapping[str, Any]) -> ReleaseRequest:
        self._told = dict(told)
        return self


def _found(file: Mapping[str, Any]) -> Iterator[str]:
    """What a reviewer will see of a file, the gravest first, each with its remedy."""
    if file["quarantine"]:
        yield str(file["quarantine"])
    for found in file["findings"][:_MOST_FINDINGS]:
        place = f" ({found['where']})" if found["where"] else ""
        yield f"{found['number']}. {words.severity(found['severity'])}{place} — {_told(found)}"
    more = len(file["findings"][_MOST_FINDINGS:]) + int(file["more_findings"])
    if more:
        yield _("and {count} more, on its page").format(count=more)


def _told(found: Mapping[str, Any]) -> str:
    """What it is and what to do, the last of which may be to answer it."""
    said = f"{found['what']} {found['remedy']}"
    if found["explanation"]:
        return said + " " + _("You answer: {text}").format(text=found["explanation"])
    if found["contestable"]:
        return (
            said + " " + _("If it is wrong: request.explain({number}, “…”).").format(number=found["number"])
        )
    return said
