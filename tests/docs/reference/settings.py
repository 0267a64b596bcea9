"""`settings.md`: every key of the settings file, from the settings' own model."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hub_config.settings import Settings

from .page import code, page, table

FROM_ENVIRONMENT = frozenset({"home"})  # P4DP_HOME names it; the file may not

HOW = """
The enclave reads `$P4DP_HOME/enclave.toml`, if there is one, when it starts. Every key may be left out; an
unknown key, or a value outside its bounds, is an error that names the key. Secrets are never settings: they
are files of mode 600 in `$P4DP_HOME/keys/`.
"""

ENVIRONMENT = (
    ("P4DP_HOME", "Directory of the enclave's state. Default: `.p4dp` in the current directory."),
    ("P4DP_PORT", "Overrides `port`."),
    ("P4DP_CONFIG", "Another settings file than `$P4DP_HOME/enclave.toml`."),
    ("P4DP_RUNTIME_DIR", "Where sockets are made. Default: `$XDG_RUNTIME_DIR`, else `/tmp`."),
    ("P4DP_DEBUG", "Makes the commands show the trace of an unforeseen error, to a developer."),
    ("P4DP_LOG_LEVEL", "How much the hub writes to its log. Default: `INFO`."),
)


def build() -> str:
    parts = [HOW, "## At the top of the file", _rows(Settings)]
    for name, section in sections():
        parts += [f"## `[{name}]`", inspect.cleandoc(section.__doc__ or ""), _rows(section)]
    environment = table(["Variable", "Means"], [(code(name), meaning) for name, meaning in ENVIRONMENT])
    return page("Settings", *parts, "## In the environment", environment, "## The whole file", _example())


def defaults() -> str:
    """A settings file with every key at its default; keys without one are commented out."""
    lines = _assignments(Settings)
    for name, section in sections():
        lines += ["", f"[{name}]", *_assignments(section)]
    return "\n".join(lines)


def _example() -> str:
    text = defaults()
    tomllib.loads(text)
    return f"With every key at its default:\n\n```toml\n{text}\n```"


def sections() -> Iterator[tuple[str, type[BaseModel]]]:
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield name, field.annotation


def keys(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    tables = {name for name, _ in sections()}
    for name, field in model.model_fields.items():
        if not (model is Settings and (name in tables or name in FROM_ENVIRONMENT)):
            yield name, field


def _rows(model: type[BaseModel]) -> str:
    properties = model.model_json_schema()["properties"]
    rows = [
        (code(name), _type(properties[name]), code(_toml(field.default)) or "none", field.description or "")
        for name, field in keys(model)
    ]
    return table(["Key", "Type", "Default", "Means"], rows)


def _type(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"] if each["type"] != "null")
    if "enum" in schema:
        return " or ".join(code(f'"{choice}"') for choice in schema["enum"])
    if schema["type"] == "array":
        return f"list of {_type(schema['items'])}"
    bounds = [f"{sign} {schema[key]}" for key, sign in (("minimum", "≥"), ("maximum", "≤")) if key in schema]
    return " ".join([_NAMES[schema["type"]], ", ".join(bounds)]).strip()


_NAMES = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}


def _assignments(model: type[BaseModel]) -> list[str]:
    return [_assignment(name, field.default) for name, field in keys(model)]


def _assignment(name: str, default: object) -> str:
    return f"# {name} = …" if default is None else f"{name} = {_toml(default)}"


def _toml(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case int():
            return f"{value:_}" if value >= 10_000 else str(value)
        case float():
            return str(value)
        case str():
            return f'"{value}"'
        case list() | tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case _:
            raise TypeError(f"no TOML for {value!r}")
