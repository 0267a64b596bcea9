"""A form sent after its session ended: what was written is held for its writer; the page leads to the log-in.

Nothing is done of what the form asks for. A stranger's body is read only where it is small.
"""

from __future__ import annotations

from typing import Final

from starlette.datastructures import FormData
from starlette.requests import Request

from hub_config.web.answers import SessionEnded, Told
from hub_config.web.forms import FIELD, bounded_body, parsed
from hub_config.web.held import HELD_SECONDS, LARGEST
from hub_config.web.house import house_of
from hub_config.web.texts import N_

HELD: Final = N_(
    "Rien n'a été envoyé, et ce que vous avez écrit n'est pas perdu. Reconnectez-vous dans les %(minutes)s "
    "minutes : vous le retrouverez, et pourrez l'envoyer. Personne d'autre ne le verra."
)
NOT_HELD: Final = N_("Rien n'a été envoyé. Reconnectez-vous, puis recommencez.")


async def sent_by_a_stranger(request: Request) -> SessionEnded:
    """The refusal of what comes without a session, to be raised."""
    form = await _small_form(request)
    try:
        return ended(request, form)
    finally:
        await form.close()


def ended(request: Request, form: FormData) -> SessionEnded:
    """The refusal of `form`, to be raised; what was written in it is held."""
    page = request.headers.get("referer", "")
    house = house_of(request)
    held = house.held.hold(request.url.path, page, form, FIELD, house.marks)
    if held is None:
        return SessionEnded(NOT_HELD, None)
    return SessionEnded(HELD, held, minutes=HELD_SECONDS // 60)


async def _small_form(request: Request) -> FormData:
    """What was sent, if it is a small form; else an empty one."""
    house_of(request).pace.note_login(request.client.host if request.client else "")
    if request.method != "POST":
        return FormData()
    try:
        return await parsed(request, await bounded_body(request, LARGEST))
    except Told:
        return FormData()
