"""What can't be asked to leave, and what the airlock refuses, said so that a physician can go on."""

from __future__ import annotations

from p4dp_sdk.errors import P4DPError
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.messages import Explanation


class AirlockError(P4DPError):
    """The airlock refused. `code` is its own (a closed list); the words are the airlock's too."""

    def __init__(self, code: str, told: str, *, request_id: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.told = told
        self.request_id = request_id

    @property
    def explanation(self) -> Explanation:
        return Explanation(self.told, "", "")

    @property
    def reference(self) -> str:
        return _("{code}, request {number}").format(code=self.code, number=self.request_id or "—")

    def _lines(self) -> list[str]:
        return [self.told, f"({self.reference})"]


class AirlockUnreachableError(P4DPError):
    """Nobody answers at the airlock's socket."""

    @property
    def explanation(self) -> Explanation:
        return Explanation(
            _("The airlock does not answer."),
            _("It is a service of its own: your tables and notebook are not concerned, and nothing is lost."),
            _("Try again in a minute; if it goes on, tell the platform's administrator."),
        )


class NotReleasableError(P4DPError, ValueError):
    """Something that can't be put into a request as it is."""

    def __init__(self, what: str, why: str, remedy: str) -> None:
        super().__init__(what)
        self._explanation = Explanation(what, why, remedy)

    @property
    def explanation(self) -> Explanation:
        return self._explanation


def draft_answer() -> NotReleasableError:
    return NotReleasableError(
        _("A draft answer is not taken out."),
        _("Its counts are blurred, and a reviewer can't tell where a frame comes from."),
        _("Publish the question: table = ws.publish(question, title=…), and ask for the table."),
    )


def plain_frame() -> NotReleasableError:
    return NotReleasableError(
        _("A frame by itself is not taken out."),
        _("The enclave can't tell where its numbers come from; two physicians would have to look at them."),
        _("Publish the question (ws.publish) and ask for the table; or save the frame, and give its file."),
    )


def own_figure() -> NotReleasableError:
    return NotReleasableError(
        _("A figure of matplotlib by itself is not taken out."),
        _("The enclave can't tell what it shows; two physicians would have to look at it."),
        _("Draw it of a publication table (table.plot…); or save it and give the file's name."),
    )


def question() -> NotReleasableError:
    return NotReleasableError(
        _("A question has no numbers to take out."),
        _("What leaves is its publication table."),
        _("Publish it: table = ws.publish(question, title=…), and ask for the table."),
    )


def unknown_thing(kind: str) -> NotReleasableError:
    return NotReleasableError(
        _("This can't be put into a request: {kind}.").format(kind=kind),
        _("A request takes publication tables, their figures, and names of files."),
        _("Save it to a file and give the file's name."),
    )


def no_file(name: str) -> NotReleasableError:
    return NotReleasableError(
        _("There is no file “{name}” here.").format(name=name),
        _("Names are read from the notebook's own folder."),
        _("Look at the name and the folder: Path(…).exists()."),
    )


def too_large(name: str, megabytes: int) -> NotReleasableError:
    return NotReleasableError(
        _("The file “{name}” is larger than {megabytes} MB.").format(name=name, megabytes=megabytes),
        _("Nobody can review a file of that size."),
        _("Ask for results, not data; split them into several files if need be."),
    )


def unknown_request(known: str) -> NotReleasableError:
    return NotReleasableError(
        _("You have no such request in this project."),
        _("A request is known by its number, in the project it was made in."),
        _("There are: {names}.").format(names=known or "—"),
    )


def which_file(files: str) -> NotReleasableError:
    return NotReleasableError(
        _("The request has several files, or none."),
        _("Findings are numbered in each file."),
        _("Say which: request.explain(finding, “…”, file=…). There are: {names}.").format(names=files or "—"),
    )
