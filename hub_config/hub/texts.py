"""The words of the hub's pages: French is the source, English comes from the gettext catalogue, one click
away.
"""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path
from typing import Any, Literal

from jinja2 import pass_context
from jinja2.runtime import Context
from tornado.web import RequestHandler

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = ("fr", "en")
LANGUAGE_COOKIE = "p4dp-language"
CATALOGUES = Path(__file__).with_name("locale")


def N_(text: str) -> str:  # noqa: N802 (gettext's own name: marks a text for translation, where it is written)
    return text


def language_of(handler: RequestHandler) -> Language:
    """What the person chose; French until they do."""
    return "en" if handler.get_cookie(LANGUAGE_COOKIE) == "en" else "fr"


def translate(text: str, language: Language) -> str:
    """`text` itself where there is no translation; the empty text stays empty."""
    return _catalogue(language).gettext(text) if text else ""


@cache
def _catalogue(language: Language) -> gettext.NullTranslations:
    return gettext.translation("p4dp-hub", CATALOGUES, languages=[language], fallback=True)


@pass_context
def page_text(context: Context, text: str, **blanks: Any) -> str:
    """`_()` of the templates."""
    said = translate(text, page_language(context))
    return said % blanks if blanks else said


@pass_context
def page_language(context: Context) -> Language:
    handler = _handler(context)
    return "fr" if handler is None else language_of(handler)


@pass_context
def page_address(context: Context) -> str:
    """Where the person is, to come back to after a change of language; empty after a form was sent."""
    handler = _handler(context)
    return handler.request.uri or "" if handler is not None and handler.request.method == "GET" else ""


def _handler(context: Context) -> RequestHandler | None:
    """The hub gives every page `static_url`, a method of the handler that answers."""
    handler = getattr(context.get("static_url"), "__self__", None)
    return handler if isinstance(handler, RequestHandler) else None
